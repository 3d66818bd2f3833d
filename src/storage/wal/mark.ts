import { crc32c } from '../../util/crc32c.js';
import type { Disk } from '../../util/env.js';

/**
 * `wal.synced` beside the folder `wal`: how far the log had been synced. Two slots, written in turn, so that a torn
 * write of one leaves the other; each in a page of its own.
 *
 *   byte  0  "KEELSYNC"
 *         8  version 1, u32      12  flags, u32: bit 0 = uncertain
 *        16  counter, u64: the readable slot with the higher one counts; slot = counter % 2
 *        24  sequence of the segment, u64
 *        32  offset, u64: the records before it had been synced
 *        40  the running CRC there, u32
 *        44  CRC-32C of bytes 0-43, u32
 * All little-endian.
 */
export interface Mark {
  readonly counter: number;
  readonly sequence: number;
  readonly offset: number;
  readonly crc: number;
  /** Acked records may have been cut off; not yet caught up by a leader (WalOpened.uncertain). */
  readonly uncertain: boolean;
}

export const MARK_BYTES = 48;
export const SLOT_STRIDE = 4096;

const MAGIC = Buffer.from('KEELSYNC');

export function markPath(dir: string): string {
  return `${dir}.synced`;
}

export function slotOffset(counter: number): number {
  return (counter % 2) * SLOT_STRIDE;
}

export function encodeMark(counter: number, sequence: number, offset: number, crc: number, uncertain: boolean): Buffer {
  const buf = Buffer.allocUnsafe(MARK_BYTES);
  MAGIC.copy(buf, 0);
  buf.writeUInt32LE(1, 8);
  buf.writeUInt32LE(uncertain ? 1 : 0, 12);
  writeU64(buf, 16, counter);
  writeU64(buf, 24, sequence);
  writeU64(buf, 32, offset);
  buf.writeUInt32LE(crc, 40);
  buf.writeUInt32LE(crc32c(buf.subarray(0, 44)), 44);
  return buf;
}

export function decodeMark(buf: Buffer): Mark | null {
  if (buf.length < MARK_BYTES || !buf.subarray(0, 8).equals(MAGIC) || buf.readUInt32LE(8) !== 1) return null;
  if (crc32c(buf.subarray(0, 44)) !== buf.readUInt32LE(44)) return null;
  return {
    counter: readU64(buf, 16),
    sequence: readU64(buf, 24),
    offset: readU64(buf, 32),
    crc: buf.readUInt32LE(40),
    uncertain: (buf.readUInt32LE(12) & 1) === 1,
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
