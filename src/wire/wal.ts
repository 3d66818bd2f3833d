import type { MessageType } from './codec.js';
import { always, bytes, define, defineByHand, int, message, uid, uint, uint32 } from './codec.js';
import { ConfState } from './raft.js';
import { EMPTY, Reader } from './reader.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

export const WalRecordType = { METADATA: 1, ENTRY: 2, STATE: 3, CRC: 4, SNAPSHOT: 5 } as const;

/** walpb.Record. `crc` is the running CRC-32C over all data of the log so far. */
export interface WalRecord {
  type: number;
  crc: number;
  data: Buffer;
}

export function makeWalRecord(): WalRecord {
  return { type: 0, crc: 0, data: EMPTY };
}

export const WalRecord = defineByHand<WalRecord>(
  'walpb.Record',
  { type: always(int(1)), crc: always(uint32(2)), data: bytes(3) },
  { make: makeWalRecord, read: readWalRecord, write: writeWalRecord },
);

export function readWalRecord(r: Reader): WalRecord {
  const m = makeWalRecord();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.type = r.int();
        break;
      case 16:
        m.crc = r.uint32();
        break;
      case 26:
        m.data = r.bytes();
        break;
      default:
        r.skip(tag, WalRecord.known);
    }
  }
  return m;
}

export function writeWalRecord(w: Writer, m: WalRecord): void {
  w.bytesField(26, m.data);
  w.varint(m.crc);
  w.varint(16);
  w.int(m.type);
  w.varint(8);
}

export function decodeWalRecord(buf: Buffer): WalRecord {
  return readWalRecord(new Reader(buf));
}

export function encodeWalRecord(m: WalRecord): Buffer {
  writeWalRecord(scratch.reset(), m);
  return scratch.finish();
}

/** walpb.Snapshot: that a snapshot at this index exists. */
export const WalSnapshot = define('walpb.Snapshot', {
  index: always(uint(1)),
  term: always(uint(2)),
  confState: message(3, () => ConfState),
});
export type WalSnapshot = MessageType<typeof WalSnapshot>;

/** etcdserverpb.Metadata, at the head of every segment. */
export const Metadata = define('etcdserverpb.Metadata', {
  nodeId: always(uid(1, 'NodeID')),
  clusterId: always(uid(2, 'ClusterID')),
});
export type Metadata = MessageType<typeof Metadata>;

/** snappb.snapshot: a .snap file. `data` is a marshalled raftpb.Snapshot, `crc` its CRC-32C. */
export const SnapFile = define('snappb.snapshot', { crc: always(uint32(1)), data: bytes(2) });
export type SnapFile = MessageType<typeof SnapFile>;
