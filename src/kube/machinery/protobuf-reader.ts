/** A cursor over protobuf bytes that throws ProtobufError on malformed input and on nothing else. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export class ProtobufReader {
  readonly #buf: Buffer;
  #pos: number;
  readonly #end: number;
  /** The last varint in two unsigned halves. */
  #lo = 0;
  #hi = 0;

  constructor(buf: Buffer, pos = 0, end = buf.length) {
    this.#buf = buf;
    this.#pos = pos;
    this.#end = end;
  }

  get pos(): number {
    return this.#pos;
  }

  get done(): boolean {
    return this.#pos >= this.#end;
  }

  /** Field number * 8 + wire type. */
  tag(): number {
    this.#varint();
    const tag = this.#lo;
    if (this.#hi !== 0 || tag >>> 3 === 0) throw new ProtobufError('illegal tag');
    return tag;
  }

  int32(): number {
    this.#varint();
    return this.#lo | 0;
  }

  uint32(): number {
    this.#varint();
    return this.#lo;
  }

  /** To the nearest number beyond 2^53. */
  int64(): number {
    this.#varint();
    return (this.#hi | 0) * 0x1_0000_0000 + this.#lo;
  }

  uint64(): number {
    this.#varint();
    return this.#hi * 0x1_0000_0000 + this.#lo;
  }

  /** All 64 bits. */
  bigint(): bigint {
    this.#varint();
    return BigInt.asIntN(64, (BigInt(this.#hi) << 32n) | BigInt(this.#lo));
  }

  bool(): boolean {
    this.#varint();
    return (this.#lo | this.#hi) !== 0;
  }

  double(): number {
    return this.#buf.readDoubleLE(this.#skip(8));
  }

  /** A view of the bytes of a field. */
  bytes(): Buffer {
    this.#varint();
    const length = this.#hi * 0x1_0000_0000 + this.#lo;
    const start = this.#skip(length);
    return this.#buf.subarray(start, start + length);
  }

  string(): string {
    return this.bytes().toString();
  }

  /** The field after a tag, whatever it is. */
  skip(wireType: number): void {
    switch (wireType) {
      case VARINT:
        this.#varint();
        break;
      case FIXED64:
        this.#skip(8);
        break;
      case BYTES:
        this.bytes();
        break;
      case FIXED32:
        this.#skip(4);
        break;
      default:
        throw new ProtobufError(`wire type ${wireType} is not supported`);
    }
  }

  #skip(length: number): number {
    const start = this.#pos;
    if (length > this.#end - start) throw new ProtobufError('unexpected end');
    this.#pos = start + length;
    return start;
  }

  #varint(): void {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#pos >= this.#end) throw new ProtobufError('unexpected end');
      const byte = this.#buf[this.#pos++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi |= bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else hi |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.#lo = lo >>> 0;
        this.#hi = hi >>> 0;
        return;
      }
    }
    throw new ProtobufError('a number of more than 64 bits');
  }
}
