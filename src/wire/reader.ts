import {
  INTEGER_OVERFLOW,
  NEGATIVE_LENGTH,
  RECURSION,
  UNEXPECTED_END_GROUP,
  UNEXPECTED_EOF,
  WireError,
} from './wire-error.js';

/** Shared by every decoded message that has no bytes in a field. */
/**
 * A range_end that is there but empty. No bytes decode to this string, and none sorts above it. What it means differs by
 * request: a read takes it for no end, a write for none given (`src/rpc/range-end.ts`).
 */
export const EMPTY_END = '\u0100';

export const EMPTY: Buffer = Buffer.alloc(0);

/**
 * What a reader must know of a message to refuse bytes in Go's words: its name, and the Go name of
 * each field by its number.
 */
export interface Known {
  readonly name: string;
  readonly fields: { readonly [fieldNumber: number]: string };
}

/**
 * Deepest nesting of messages that is read. Go's own limit is 10,000; ours keeps the recursive
 * readers, and whoever walks their result, within the stack.
 */
export const DEPTH_MAX = 500;

const word = new DataView(new ArrayBuffer(8));

/**
 * A cursor over protobuf bytes. `buf[pos, end)` is what is left of the message at hand; a nested
 * message narrows `end` (`enter`, `leave`). Bytes come out as views into `buf`: who keeps them
 * longer than the buffer copies them.
 *
 * Every method throws WireError on malformed input and on nothing else.
 */
export class Reader {
  buf: Buffer;
  pos: number;
  end: number;
  /** The last varint, as two unsigned 32-bit halves. */
  #lo = 0;
  #hi = 0;
  #depth = 0;
  /** Where the last tag of more than one byte ended: #lo and #hi hold all of it while pos is there. */
  #longTagEnd = -1;

  constructor(buf: Buffer, pos = 0, end = buf.length) {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
  }

  /** A field's tag: number * 8 + wire type. As in Go, only 32 bits of the field number count. */
  tag(): number {
    if (this.pos < this.end) {
      const b = this.buf[this.pos] as number;
      if (b < 0x80) {
        this.pos++;
        return b;
      }
    }
    this.#varint();
    this.#longTagEnd = this.pos;
    return (this.#hi & 7) * 0x1_0000_0000 + this.#lo;
  }

  /** An int64 as a number, saturating at +-Number.MAX_SAFE_INTEGER. */
  int(): number {
    if (this.pos < this.end) {
      const b = this.buf[this.pos] as number;
      if (b < 0x80) {
        this.pos++;
        return b;
      }
    }
    this.#varint();
    const hi = this.#hi | 0;
    if (hi >= 0x20_0000) return Number.MAX_SAFE_INTEGER;
    return Math.max(hi * 0x1_0000_0000 + this.#lo, -Number.MAX_SAFE_INTEGER);
  }

  /** An int64, exact: a number where it is a safe one. */
  wide(): number | bigint {
    this.#varint();
    const hi = this.#hi | 0;
    if (hi < 0x20_0000 && hi >= -0x20_0000) {
      const n = hi * 0x1_0000_0000 + this.#lo;
      if (n >= -Number.MAX_SAFE_INTEGER) return n;
    }
    word.setUint32(0, this.#lo, true);
    word.setUint32(4, this.#hi, true);
    return word.getBigInt64(0, true);
  }

  /** A uint64 as a number, saturating at Number.MAX_SAFE_INTEGER. */
  uint(): number {
    if (this.pos < this.end) {
      const b = this.buf[this.pos] as number;
      if (b < 0x80) {
        this.pos++;
        return b;
      }
    }
    this.#varint();
    return this.#hi >= 0x20_0000 ? Number.MAX_SAFE_INTEGER : this.#hi * 0x1_0000_0000 + this.#lo;
  }

  /** An int64 id, exact. */
  id(): bigint {
    this.#varint();
    if (this.#hi < 0x20_0000) return this.#small();
    word.setUint32(0, this.#lo, true);
    word.setUint32(4, this.#hi, true);
    return word.getBigInt64(0, true);
  }

  /** A uint64 id, exact. */
  uid(): bigint {
    this.#varint();
    if (this.#hi < 0x20_0000) return this.#small();
    word.setUint32(0, this.#lo, true);
    word.setUint32(4, this.#hi, true);
    return word.getBigUint64(0, true);
  }

  #small(): bigint {
    const n = this.#hi * 0x1_0000_0000 + this.#lo;
    return n === 0 ? 0n : BigInt(n);
  }

  bool(): boolean {
    this.#varint();
    return this.#lo !== 0 || this.#hi !== 0;
  }

  /** An enum or int32: the low 32 bits, signed. */
  int32(): number {
    this.#varint();
    return this.#lo | 0;
  }

  uint32(): number {
    this.#varint();
    return this.#lo;
  }

  /** User keys: one char a byte. */
  latin1(): string {
    const length = this.#length();
    const start = this.pos;
    this.pos += length;
    return length === 0 ? '' : this.buf.toString('latin1', start, this.pos);
  }

  /** A range_end: one that is there but empty is not none (EMPTY_END). */
  rangeEnd(): string {
    const end = this.latin1();
    return end === '' ? EMPTY_END : end;
  }

  /** Text. Invalid UTF-8 becomes U+FFFD. */
  utf8(): string {
    const length = this.#length();
    const start = this.pos;
    this.pos += length;
    return length === 0 ? '' : this.buf.toString('utf8', start, this.pos);
  }

  /** A view into the input. */
  bytes(): Buffer {
    const length = this.#length();
    const start = this.pos;
    this.pos += length;
    return length === 0 ? EMPTY : this.buf.subarray(start, this.pos);
  }

  /** Like `bytes`, without a view: they are the ones before `pos` then. @returns how many */
  passBytes(): number {
    const length = this.#length();
    this.pos += length;
    return length;
  }

  /** Narrows to the nested message that follows. @returns what `leave` must be given after it */
  enter(): number {
    const length = this.#length();
    if (++this.#depth > DEPTH_MAX) throw new WireError(RECURSION);
    const outer = this.end;
    this.end = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.#depth--;
    this.end = outer;
  }

  /**
   * The field whose tag was just read and that the message's own switch did not take: one that is
   * unknown is skipped, the rest is an error.
   */
  skip(tag: number, known: Known): void {
    const wireType = tag & 7;
    const field = Math.floor(tag / 8) | 0;
    if (wireType === 4) throw new WireError(`proto: ${known.name}: wiretype end group for non-group`);
    if (field <= 0) {
      const whole = this.pos === this.#longTagEnd ? (BigInt(this.#hi) << 32n) + BigInt(this.#lo) : tag;
      throw new WireError(`proto: ${known.name}: illegal tag ${field} (wire type ${whole})`);
    }
    const name = known.fields[field];
    if (name !== undefined) throw new WireError(`proto: wrong wireType = ${wireType} for field ${name}`);
    this.#skipValue(wireType);
  }

  #skipValue(first: number): void {
    let wireType = first;
    let groups = 0;
    for (;;) {
      switch (wireType) {
        case 0:
          this.#varint();
          break;
        case 1:
          this.#advance(8);
          break;
        case 2: {
          const length = this.#length();
          this.pos += length;
          break;
        }
        case 3:
          groups++;
          break;
        case 4:
          if (groups === 0) throw new WireError(UNEXPECTED_END_GROUP);
          groups--;
          break;
        case 5:
          this.#advance(4);
          break;
        default:
          throw new WireError(`proto: illegal wireType ${wireType}`);
      }
      if (groups === 0) return;
      wireType = this.tag() & 7;
    }
  }

  #advance(n: number): void {
    if (this.end - this.pos < n) throw new WireError(UNEXPECTED_EOF);
    this.pos += n;
  }

  /** A length prefix, checked against what is left. */
  #length(): number {
    let length: number;
    if (this.pos < this.end && (length = this.buf[this.pos] as number) < 0x80) {
      this.pos++;
    } else {
      this.#varint();
      // Go adds the length to its position in an int64, which must not wrap.
      if (this.#hi >= 0x8000_0000 || (this.#hi === 0x7fff_ffff && this.#lo > 0xffff_ffff - this.pos)) {
        throw new WireError(NEGATIVE_LENGTH);
      }
      length = this.#hi * 0x1_0000_0000 + this.#lo;
    }
    if (length > this.end - this.pos) throw new WireError(UNEXPECTED_EOF);
    return length;
  }

  /** Reads a varint into #lo and #hi. Like Go, ten bytes at most, and what passes 64 bits is dropped. */
  #varint(): void {
    const buf = this.buf;
    const end = this.end;
    let pos = this.pos;
    let lo = 0;
    let hi = 0;
    let shift = 0;
    for (;;) {
      if (pos >= end) throw new WireError(UNEXPECTED_EOF);
      const b = buf[pos++] as number;
      if (shift < 28) lo |= (b & 0x7f) << shift;
      else if (shift === 28) {
        lo |= (b & 0x7f) << 28;
        hi = (b & 0x7f) >>> 4;
      } else hi |= (b & 0x7f) << (shift - 32);
      if (b < 0x80) break;
      shift += 7;
      if (shift >= 64 + 6) throw new WireError(INTEGER_OVERFLOW);
    }
    this.pos = pos;
    this.#lo = lo >>> 0;
    this.#hi = hi >>> 0;
  }
}
