import { crc32c } from '../../util/crc32c.js';
import type { Disk } from '../../util/env.js';
import type { HardState, Metadata } from '../../wire/index.js';

/**
 * `wal.synced` beside the folder `wal`: how far the log had been synced, and what must not be lost with it. Two slots,
 * written in turn, so that a torn write of one leaves the other; each in a page of its own.
 *
 *   byte  0  "KEELSYNC"
 *         8  version 2, u32      12  flags, u32: bit 0 = uncertain
 *        16  counter, u64: the readable slot with the higher one counts; slot = counter % 2
 *        24  sequence of the segment, u64
 *        32  offset, u64: the records before it had been synced
 *        40  the running CRC there, u32
 *        44  zero, u32
 *        48  term, u64           56  vote, u64
 *        64  node id, u64        72  cluster id, u64
 *        80  CRC-32C of bytes 0-79, u32
 * All little-endian.
 *
 * Term and vote are those of the newest hard state. A change of them is written to both slots and synced before it
 * counts as saved: entries that rot can be had from peers again, a vote cannot.
 */
export interface Mark {
  readonly counter: number;
  readonly sequence: number;
  readonly offset: number;
  readonly crc: number;
  /** Acked records may have been cut off; not yet caught up by a leader (WalOpened.uncertain). */
  readonly uncertain: boolean;
  readonly term: number;
  readonly vote: bigint;
  readonly metadata: Metadata;
}

export const MARK_BYTES = 84;
export const SLOT_STRIDE = 4096;

const MAGIC = Buffer.from('KEELSYNC');
const VERSION = 2;
const PROMISE_AT = 48;
const PROMISE_BYTES = 32;
const CRC_AT = 80;

export function markPath(dir: string): string {
  return `${dir}.synced`;
}

export function slotOffset(counter: number): number {
  return (counter % 2) * SLOT_STRIDE;
}

/** The part of a mark that seldom changes: term, vote and ids. */
export function encodePromise(hardState: HardState | null, metadata: Metadata): Buffer {
  const buf = Buffer.allocUnsafe(PROMISE_BYTES);
  writeU64(buf, 0, hardState?.term ?? 0);
  buf.writeBigUInt64LE(BigInt.asUintN(64, hardState?.vote ?? 0n), 8);
  buf.writeBigUInt64LE(BigInt.asUintN(64, metadata.nodeId), 16);
  buf.writeBigUInt64LE(BigInt.asUintN(64, metadata.clusterId), 24);
  return buf;
}

/** @param promise of encodePromise */
export function encodeMark(
  counter: number,
  sequence: number,
  offset: number,
  crc: number,
  uncertain: boolean,
  promise: Buffer,
): Buffer {
  const buf = Buffer.allocUnsafe(MARK_BYTES);
  MAGIC.copy(buf, 0);
  buf.writeUInt32LE(VERSION, 8);
  buf.writeUInt32LE(uncertain ? 1 : 0, 12);
  writeU64(buf, 16, counter);
  writeU64(buf, 24, sequence);
  writeU64(buf, 32, offset);
  buf.writeUInt32LE(crc, 40);
  buf.writeUInt32LE(0, 44);
  promise.copy(buf, PROMISE_AT);
  buf.writeUInt32LE(crc32c(buf.subarray(0, CRC_AT)), CRC_AT);
  return buf;
}

/** Both slots, to be written at the file's beginning: the mark with this counter, and the same with the next. */
export function encodeBoth(counter: number, ...rest: Tail<Parameters<typeof encodeMark>>): Buffer {
  const buf = Buffer.alloc(SLOT_STRIDE + MARK_BYTES);
  encodeMark(counter, ...rest).copy(buf, slotOffset(counter));
  encodeMark(counter + 1, ...rest).copy(buf, slotOffset(counter + 1));
  return buf;
}

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer R] ? R : never;

export function decodeMark(buf: Buffer): Mark | null {
  if (buf.length < MARK_BYTES || !buf.subarray(0, 8).equals(MAGIC) || buf.readUInt32LE(8) !== VERSION) return null;
  if (crc32c(buf.subarray(0, CRC_AT)) !== buf.readUInt32LE(CRC_AT)) return null;
  return {
    counter: readU64(buf, 16),
    sequence: readU64(buf, 24),
    offset: readU64(buf, 32),
    crc: buf.readUInt32LE(40),
    uncertain: (buf.readUInt32LE(12) & 1) === 1,
    term: readU64(buf, 48),
    vote: buf.readBigUInt64LE(56),
    metadata: { nodeId: buf.readBigUInt64LE(64), clusterId: buf.readBigUInt64LE(72) },
  };
}

/** The newer of the slots that can be read; null if there is none. */
export function readMark(disk: Disk, dir: string): Mark | null {
  const path = markPath(dir);
  if (disk.size(path) < 0) return null;
  let newest: Mark | null = null;
  for (const at of [0, SLOT_STRIDE]) {
    const mark = decodeMark(disk.read(path, at, MARK_BYTES));
    if (mark !== null && (newest === null || mark.counter > newest.counter)) newest = mark;
  }
  return newest;
}

function writeU64(buf: Buffer, at: number, n: number): void {
  buf.writeUInt32LE(n >>> 0, at);
  buf.writeUInt32LE(Math.floor(n / 0x1_0000_0000), at + 4);
}

function readU64(buf: Buffer, at: number): number {
  return buf.readUInt32LE(at + 4) * 0x1_0000_0000 + buf.readUInt32LE(at);
}
