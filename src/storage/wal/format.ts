import { hex16 } from '../../util/hex.js';

/**
 * etcd's WAL format: names and frames (DESIGN.md draws them).
 */

/** `<sequence>-<index of the first entry expected>.wal`, sixteen hexadecimal digits each. */
const SEGMENT_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;

export interface SegmentName {
  readonly name: string;
  /** 0 for the first segment of a log, then one more each. */
  readonly sequence: number;
  /** Index of the entry that was expected next when the segment was begun. */
  readonly index: number;
}

export function segmentName(sequence: number, index: number): string {
  return `${hex16(sequence)}-${hex16(index)}.wal`;
}

/** The segments among the names of a directory, by sequence; other names are not ours to judge. */
export function segmentsAmong(names: readonly string[]): SegmentName[] {
  const out: SegmentName[] = [];
  for (const name of names) {
    const match = SEGMENT_NAME.exec(name);
    if (match === null) continue;
    const sequence = Number.parseInt(match[1]!, 16);
    const index = Number.parseInt(match[2]!, 16);
    if (Number.isSafeInteger(sequence) && Number.isSafeInteger(index)) out.push({ name, sequence, index });
  }
  return out.sort((a, b) => a.sequence - b.sequence || a.index - b.index);
}

/** A segment in the making: named and filled ahead, renamed when its turn comes. As in etcd, a reader ignores it. */
export function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}

/** Frame: length word, record, zeros up to a multiple of 8. The word's top byte tells how many. */
export const WORD_BYTES = 8;
/** Most bytes of a frame besides the record's data: word, three tags, type, crc, length, padding. */
export const OVERHEAD_BYTES_MAX = WORD_BYTES + 3 + 1 + 5 + 5 + 7;

export function paddingOf(recordBytes: number): number {
  return (8 - (recordBytes & 7)) & 7;
}

/** The top byte of the length word. */
export function topByteOf(padding: number): number {
  return padding === 0 ? 0 : 0x80 | padding;
}

export const TAG_TYPE = 0x08;
export const TAG_CRC = 0x10;
export const TAG_DATA = 0x1a;

export function varintBytes(n: number): number {
  return n < 0x80
    ? 1
    : n < 0x4000
      ? 2
      : n < 0x20_0000
        ? 3
        : n < 0x1000_0000
          ? 4
          : n < 0x8_0000_0000
            ? 5
            : 5 + varintBytes(Math.floor(n / 0x8_0000_0000));
}

/** @param n 0 <= n < 2^53 @returns the position behind it */
export function putVarint(buf: Buffer, at: number, n: number): number {
  let p = at;
  let v = n;
  while (v >= 0x8000_0000) {
    buf[p++] = (v % 128) | 0x80;
    v = Math.floor(v / 128);
  }
  while (v >= 0x80) {
    buf[p++] = (v & 0x7f) | 0x80;
    v >>>= 7;
  }
  buf[p++] = v;
  return p;
}
