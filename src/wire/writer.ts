import { EMPTY_END } from './reader.js';
import type { Slab } from './slab.js';

const SCRATCH_BYTES = 16 * 1024;
/** A scratch that a big message made larger than this is given away or dropped, not kept. */
const SCRATCH_BYTES_MAX = 256 * 1024;

const word = new DataView(new ArrayBuffer(8));

/**
 * Writes protobuf from the end to the front: fields in descending order, and of a field first its
 * value, then its length, then its tag. So a nested message's length is known when it is needed,
 * and nothing is measured beforehand or moved afterwards. The bytes come out in ascending order, as
 * Go's generated encoders (which work the same way) write them.
 *
 *   scratch   [ free ........ | tag len value | tag len value ]
 *                             ^ pos                           ^ length
 *
 * The `...Field` methods omit a zero, as proto3 does; the others write what they are given.
 */
export class Writer {
  #buf: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #pos = SCRATCH_BYTES;

  reset(): this {
    this.#pos = this.#buf.length;
    return this;
  }

  /** Bytes written so far: the mark that `close` measures a nested message from. */
  get size(): number {
    return this.#buf.length - this.#pos;
  }

  /** @returns a copy of what was written since `size` was `mark`; it stays in the writer */
  since(mark: number): Buffer {
    return Buffer.from(this.#buf.subarray(this.#pos, this.#buf.length - mark));
  }

  /**
   * @param slab where to keep it, if it is to be kept
   * @returns what was written since `reset`, the caller's own; the writer is empty again
   */
  finish(slab: Slab | null = null): Buffer {
    const buf = this.#buf;
    const pos = this.#pos;
    const size = buf.length - pos;
    if (buf.length > SCRATCH_BYTES_MAX) {
      this.#buf = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
      // Mostly full: it may go as it is. Else it would pin what it does not use.
      if (pos * 8 <= size) {
        this.#pos = SCRATCH_BYTES;
        return buf.subarray(pos);
      }
    }
    this.#pos = this.#buf.length;
    const out = slab === null ? Buffer.allocUnsafe(size) : slab.take(size);
    buf.copy(out, 0, pos);
    return out;
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.#pos >= bytes) return;
    const old = this.#buf;
    const size = old.length - this.#pos;
    const need = size + bytes;
    const length = Math.max(old.length * 2, need + (need >>> 4) + 64);
    const buf = Buffer.allocUnsafeSlow(length);
    old.copy(buf, length - size, this.#pos);
    this.#buf = buf;
    this.#pos = length - size;
  }

  /** Ends a nested message that began at `mark`: its length and tag. */
  close(tag: number, mark: number): void {
    this.varint(this.size - mark);
    this.varint(tag);
  }

  /** Marshalled bytes as they are. */
  raw(bytes: Buffer): void {
    const length = bytes.length;
    this.reserve(length);
    this.#pos -= length;
    this.#buf.set(bytes, this.#pos);
  }

  /** A tag or length: 0 <= n < 2^32. */
  varint(n: number): void {
    this.reserve(5);
    const buf = this.#buf;
    if (n < 0x80) {
      buf[--this.#pos] = n;
      return;
    }
    const size = n < 0x4000 ? 2 : n < 0x20_0000 ? 3 : n < 0x1000_0000 ? 4 : 5;
    let pos = this.#pos - size;
    this.#pos = pos;
    let v = n;
    while (v > 0x7f) {
      buf[pos++] = (v & 0x7f) | 0x80;
      v = v >>> 7;
    }
    buf[pos] = v;
  }

  /** An int64 or a uint64 below 2^53. Negative ones take ten bytes. */
  int(n: number): void {
    if (n >= 0 && n <= 0xffff_ffff) this.varint(n);
    else this.#wide(n >>> 0, Math.floor(n / 0x1_0000_0000) >>> 0);
  }

  /** An int64 or uint64 id. */
  id(n: bigint): void {
    word.setBigInt64(0, n, true);
    this.#wide(word.getUint32(0, true), word.getUint32(4, true));
  }

  #wide(low: number, high: number): void {
    this.reserve(10);
    const buf = this.#buf;
    let lo = low;
    let hi = high;
    const bits = hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lo | 1);
    let pos = this.#pos - Math.ceil(bits / 7);
    this.#pos = pos;
    while (hi !== 0 || lo > 0x7f) {
      buf[pos++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    buf[pos] = lo;
  }

  /** An int64, or a uint64 below 2^53. */
  intField(tag: number, n: number): void {
    if (n === 0) return;
    this.int(n);
    this.varint(tag);
  }

  wideField(tag: number, n: number | bigint): void {
    if (typeof n === 'number') this.intField(tag, n);
    else this.idField(tag, n);
  }

  idField(tag: number, n: bigint): void {
    if (n === 0n) return;
    this.id(n);
    this.varint(tag);
  }

  boolField(tag: number, b: boolean): void {
    if (!b) return;
    this.varint(1);
    this.varint(tag);
  }

  bytesField(tag: number, bytes: Buffer): void {
    if (bytes.length !== 0) this.bytes(tag, bytes);
  }

  /** Also an empty one, as in a repeated field or a oneof; and a marshalled message as a field. */
  bytes(tag: number, bytes: Buffer): void {
    this.raw(bytes);
    this.varint(bytes.length);
    this.varint(tag);
  }

  latin1Field(tag: number, s: string): void {
    if (s.length !== 0) this.latin1(tag, s);
  }

  rangeEndField(tag: number, s: string): void {
    if (s !== '') this.latin1(tag, s === EMPTY_END ? '' : s);
  }

  latin1(tag: number, s: string): void {
    const length = s.length;
    this.reserve(length);
    this.#pos -= length;
    this.#buf.write(s, this.#pos, length, 'latin1');
    this.varint(length);
    this.varint(tag);
  }

  utf8Field(tag: number, s: string): void {
    if (s.length !== 0) this.utf8(tag, s);
  }

  utf8(tag: number, s: string): void {
    const length = Buffer.byteLength(s);
    this.reserve(length);
    this.#pos -= length;
    this.#buf.write(s, this.#pos, length, 'utf8');
    this.varint(length);
    this.varint(tag);
  }
}

/**
 * The writer that the `encode...` functions share. None of them calls another: they nest through
 * the `write...` functions, which take the writer.
 */
export const scratch: Writer = new Writer();
