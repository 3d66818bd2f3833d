import { always, bytes, defineByHand, enumeration, uint } from './codec.js';
import { EMPTY, Reader } from './reader.js';
import { Slab } from './slab.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

export const EntryType = { NORMAL: 0, CONF_CHANGE: 1, CONF_CHANGE_V2: 2 } as const;

/**
 * raftpb.Entry. It is marshalled once: the same bytes go into the WAL record and to every peer.
 * Type, term and index must not change afterwards.
 */
export class Entry {
  readonly type: number;
  readonly term: number;
  readonly index: number;
  dataBytes: number;
  /** The data, where it is not the end of `wire`. */
  own: Buffer | null;
  /** The marshalled entry, or null until `entryWire` is first asked for it. */
  wire: Buffer | null;

  /** @param data null: the last `dataBytes` of `wire` */
  constructor(
    type: number,
    term: number,
    index: number,
    data: Buffer | null,
    wire: Buffer | null = null,
    dataBytes = data === null ? 0 : data.length,
  ) {
    this.type = type;
    this.term = term;
    this.index = index;
    this.dataBytes = dataBytes;
    this.own = data;
    this.wire = wire;
  }

  /**
   * Empty: the entry has none. A new view into `wire` at each call, once that is made: a Buffer that is kept costs a hundred
   * bytes for as long as the log has the entry, and it is looked at once.
   */
  get data(): Buffer {
    const { own, wire } = this;
    if (own !== null) return own;
    return this.dataBytes === 0 || wire === null ? EMPTY : wire.subarray(wire.length - this.dataBytes);
  }

  /** Of an entry that is made from its fields, before `wire` is. */
  set data(bytes: Buffer) {
    this.own = bytes;
    this.dataBytes = bytes.length;
  }
}

/** The entry's bytes: made at the first call and kept in `entry.wire`. */
export function entryWire(entry: Entry): Buffer {
  if (entry.wire === null) {
    writeEntry(scratch.reset(), entry);
    entry.wire = scratch.finish(log);
    // It is the last field. What it was copied from need not live as long as the log does.
    entry.own = null;
  }
  return entry.wire;
}

const log = new Slab();

/** @param wire kept as the entry's own bytes, and `data` is a view into them */
export function decodeEntry(wire: Buffer): Entry {
  return read(new Reader(wire), wire);
}

/** Like `decodeEntry` for an entry inside other bytes, which it then keeps alive. */
export function readEntry(r: Reader): Entry {
  return read(r, r.buf.subarray(r.pos, r.end));
}

function read(r: Reader, wire: Buffer): Entry {
  let type = 0;
  let term = 0;
  let index = 0;
  let data: Buffer | null = null;
  let dataBytes = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        type = r.int32();
        break;
      case 16:
        term = r.uint();
        break;
      case 24:
        index = r.uint();
        break;
      case 34:
        dataBytes = r.passBytes();
        data = r.pos === r.end ? null : r.buf.subarray(r.pos - dataBytes, r.pos);
        break;
      default:
        r.skip(tag, EntryCodec.known);
    }
  }
  return new Entry(type, term, index, data, wire, dataBytes);
}

export function writeEntry(w: Writer, m: Entry): void {
  w.bytesField(34, m.data);
  w.int(m.index);
  w.varint(24);
  w.int(m.term);
  w.varint(16);
  w.varint(m.type);
  w.varint(8);
}

export const EntryCodec = defineByHand<Entry>(
  'raftpb.Entry',
  {
    type: always(enumeration(1, EntryType, 'Type')),
    term: always(uint(2, 'Term')),
    index: always(uint(3, 'Index')),
    data: bytes(4, 'Data'),
  },
  { make: () => new Entry(0, 0, 0, EMPTY), read: readEntry, write: writeEntry },
);
