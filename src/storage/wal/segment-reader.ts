import type { Disk } from '../../util/env.js';
import { paddingOf, TAG_CRC, TAG_DATA, TAG_TYPE, topByteOf, WORD_BYTES } from './format.js';

/** Bytes read at once. Entries are views into these windows. */
const WINDOW_BYTES = 1 << 20;

const NO_DATA = Buffer.alloc(0);
const ZEROS = Buffer.alloc(64 << 10);

/**
 * Reads the frames of one segment. Judges a frame's shape strictly: any length, tag, varint or padding that our encoder
 * and etcd's would not have written is damage, because the CRC covers the data alone.
 */
export class SegmentReader {
  readonly path: string;
  readonly size: number;
  readonly #disk: Disk;
  #window: Buffer = NO_DATA;
  #windowAt = 0;
  /** Where the next frame begins; behind 'end' and 'damage', where the sound ones end. */
  offset = 0;

  // The record that `next` found.
  type = 0;
  crc = 0;
  data: Buffer = NO_DATA;
  /** Why `next` said 'damage'. */
  reason = '';
  #next = 0;

  constructor(disk: Disk, path: string) {
    this.path = path;
    this.size = disk.size(path);
    this.#disk = disk;
  }

  /** Looks at the frame at `offset`; `accept` moves on. */
  next(): 'record' | 'end' | 'damage' {
    const at = this.offset;
    const left = this.size - at;
    if (left < WORD_BYTES) {
      if (left <= 0 || this.#view(at, left).every((b) => b === 0)) return 'end';
      return this.#damage('a length word is cut short');
    }
    const word = this.#view(at, WORD_BYTES);
    const low = word.readUInt32LE(0);
    const high = word.readUInt32LE(4);
    if (low === 0 && high === 0) return 'end';
    const recordBytes = (high & 0xff_ffff) * 0x1_0000_0000 + low;
    if (recordBytes > left - WORD_BYTES) return this.#damage(`a record of ${recordBytes} bytes passes the file's end`);
    const padding = paddingOf(low);
    if (high >>> 24 !== topByteOf(padding)) return this.#damage('a length word is malformed');
    if (recordBytes + padding > left - WORD_BYTES) return this.#damage('a record is cut short');
    const frame = this.#view(at + WORD_BYTES, recordBytes + padding);
    for (let i = recordBytes; i < frame.length; i++) if (frame[i] !== 0) return this.#damage('padding is not zero');
    if (!this.#parse(frame, recordBytes)) return this.#damage('a record is malformed');
    this.#next = at + WORD_BYTES + recordBytes + padding;
    return 'record';
  }

  /** The frame is sound in its place as well: the next one follows. */
  accept(): void {
    this.offset = this.#next;
  }

  /** Position of the first byte at or behind `offset` that is not zero, or -1. */
  nonZeroBehind(offset: number): number {
    for (let at = offset; at < this.size; at += ZEROS.length) {
      const piece = this.#disk.read(this.path, at, Math.min(ZEROS.length, this.size - at));
      if (piece.length === 0) return -1;
      if (ZEROS.compare(piece, 0, piece.length, 0, piece.length) !== 0) return at + piece.findIndex((b) => b !== 0);
    }
    return -1;
  }

  /** 08 type 10 crc [1a length data], and nothing else. */
  #parse(buf: Buffer, end: number): boolean {
    if (end < 4 || buf[0] !== TAG_TYPE || buf[1]! > 0x7f || buf[2] !== TAG_CRC) return false;
    this.type = buf[1]!;
    let p = readVarint(buf, 3, end);
    if (p < 0) return false;
    this.crc = varint;
    this.data = NO_DATA;
    if (p === end) return true;
    if (buf[p++] !== TAG_DATA) return false;
    p = readVarint(buf, p, end);
    if (p < 0 || varint !== end - p) return false;
    this.data = buf.subarray(p, end);
    return true;
  }

  #damage(reason: string): 'damage' {
    this.reason = reason;
    return 'damage';
  }

  /** The file's bytes [offset, offset + length), which are in the file. */
  #view(offset: number, length: number): Buffer {
    let start = offset - this.#windowAt;
    if (start < 0 || start + length > this.#window.length) {
      this.#window = this.#disk.read(this.path, offset, Math.min(this.size - offset, Math.max(length, WINDOW_BYTES)));
      this.#windowAt = offset;
      start = 0;
    }
    return this.#window.subarray(start, start + length);
  }
}

/** Value of the last readVarint. */
let varint = 0;

/** A uint32 in its shortest form. @returns the position behind it, or -1 */
function readVarint(buf: Buffer, at: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    if (at + i >= end) return -1;
    const b = buf[at + i]!;
    if (i === 4 && b > 0x0f) return -1;
    value += (b & 0x7f) * 2 ** (7 * i);
    if (b < 0x80) {
      varint = value;
      return b === 0 && i > 0 ? -1 : at + i + 1;
    }
  }
  return -1;
}
