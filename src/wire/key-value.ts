import { bytes, defineByHand, enumeration, id, int, key, message } from './codec.js';
import { EMPTY, Reader } from './reader.js';
import { Slab } from './slab.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** mvccpb.KeyValue. Its bytes are the stored row, so they must be Go's to the last one: HashKV covers them. */
export interface KeyValue {
  key: string;
  createRevision: number;
  modRevision: number;
  version: number;
  value: Buffer;
  lease: bigint;
}

export function makeKeyValue(): KeyValue {
  return { key: '', createRevision: 0, modRevision: 0, version: 0, value: EMPTY, lease: 0n };
}

export const KeyValue = defineByHand<KeyValue>(
  'mvccpb.KeyValue',
  { key: key(1), createRevision: int(2), modRevision: int(3), version: int(4), value: bytes(5), lease: id(6) },
  { make: makeKeyValue, read: readKeyValue, write: writeKeyValue },
);

export function readKeyValue(r: Reader): KeyValue {
  const m = makeKeyValue();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.latin1();
        break;
      case 16:
        m.createRevision = r.int();
        break;
      case 24:
        m.modRevision = r.int();
        break;
      case 32:
        m.version = r.int();
        break;
      case 42:
        m.value = r.bytes();
        break;
      case 48:
        m.lease = r.id();
        break;
      default:
        r.skip(tag, KeyValue.known);
    }
  }
  return m;
}

export function writeKeyValue(w: Writer, m: KeyValue): void {
  w.idField(48, m.lease);
  w.bytesField(42, m.value);
  w.intField(32, m.version);
  w.intField(24, m.modRevision);
  w.intField(16, m.createRevision);
  w.latin1Field(10, m.key);
}

export function decodeKeyValue(buf: Buffer): KeyValue {
  return readKeyValue(new Reader(buf));
}

/** @returns a row to be kept */
export function encodeKeyValue(m: KeyValue): Buffer {
  writeKeyValue(scratch.reset(), m);
  return scratch.finish(rows);
}
const rows = new Slab();

/** A tombstone's row: the key and nothing else. */
export function encodeKeyValueKeyOnly(key: string): Buffer {
  scratch.reset().latin1Field(10, key);
  return scratch.finish(rows);
}

/** The kv of a DELETE event: key and mod revision. */
export function encodeDeletedKeyValue(key: string, modRevision: number): Buffer {
  const w = scratch.reset();
  w.intField(24, modRevision);
  w.latin1Field(10, key);
  return w.finish();
}

/** The same KeyValue without its value, for keys_only. @param row marshalled; returned as it is where there is no value */
export function stripValue(row: Buffer): Buffer {
  const r = new Reader(row);
  while (r.pos < r.end) {
    const start = r.pos;
    const tag = r.tag();
    if (tag !== 42) {
      r.skip(tag, ANY);
      continue;
    }
    r.skip(tag, ANY);
    const out = Buffer.allocUnsafe(row.length - (r.pos - start));
    row.copy(out, 0, 0, start);
    row.copy(out, start, r.pos);
    return out;
  }
  return row;
}
/** Takes every field for an unknown one. */
const ANY = { name: 'KeyValue', fields: {} };

export const EventType = { PUT: 0, DELETE: 1 } as const;

/** mvccpb.Event. */
export interface Event {
  type: number;
  kv: KeyValue | null;
  prevKv: KeyValue | null;
}

export function makeEvent(): Event {
  return { type: 0, kv: null, prevKv: null };
}

export const Event = defineByHand<Event>(
  'mvccpb.Event',
  { type: enumeration(1, EventType), kv: message(2, () => KeyValue), prevKv: message(3, () => KeyValue) },
  { make: makeEvent, read: readEvent, write: writeEvent },
);

export function readEvent(r: Reader): Event {
  const m = makeEvent();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 18:
        m.kv = readKeyValueField(r);
        break;
      case 26:
        m.prevKv = readKeyValueField(r);
        break;
      default:
        r.skip(tag, Event.known);
    }
  }
  return m;
}

export function writeEvent(w: Writer, m: Event): void {
  writeKeyValueField(w, 26, m.prevKv);
  writeKeyValueField(w, 18, m.kv);
  w.intField(8, m.type);
}

/** An event around marshalled KeyValues, which are copied as they are. */
export function encodeEvent(type: number, kv: Buffer, prevKv: Buffer | null): Buffer {
  const w = scratch.reset();
  if (prevKv !== null) w.bytes(26, prevKv);
  w.bytes(18, kv);
  w.intField(8, type);
  return w.finish();
}

/** A nested KeyValue whose tag has been read. */
export function readKeyValueField(r: Reader): KeyValue {
  const outer = r.enter();
  const kv = readKeyValue(r);
  r.leave(outer);
  return kv;
}

export function writeKeyValueField(w: Writer, tag: number, kv: KeyValue | null): void {
  if (kv === null) return;
  const mark = w.size;
  writeKeyValue(w, kv);
  w.close(tag, mark);
}
