import { FRAME_HEAD_BYTES, uint31 } from './frame.js';

export interface FrameSink {
  /** A whole frame. The bytes are not written to again. @returns false: nothing further is wanted */
  onFrame(type: number, flags: number, streamId: number, buf: Buffer, start: number, end: number): boolean;
  /** A frame announces more than is allowed (RFC 9113 section 4.2); the reader is at its end. */
  onFrameTooLarge(length: number, type: number, streamId: number): void;
}

/**
 * Cuts a connection's bytes into frames. A frame that lies in one chunk is given as it lies there; one that crosses
 * chunks is gathered in a buffer of its own, which its head's length bounds.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #payloadBytesMax: number;
  /** The head, or all, of a frame that is not complete. */
  #partial: Buffer | null = null;
  /** 0 <= #have < #partial.length */
  #have = 0;

  constructor(sink: FrameSink, payloadBytesMax: number) {
    this.#sink = sink;
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** @returns false: the sink wants nothing further */
  feed(chunk: Buffer): boolean {
    let pos = 0;
    while (this.#partial !== null) {
      const partial: Buffer = this.#partial;
      const taken = chunk.copy(partial, this.#have, pos);
      this.#have += taken;
      pos += taken;
      if (this.#have < partial.length) return true;
      if (partial.length === FRAME_HEAD_BYTES) {
        const length = lengthAt(partial, 0);
        if (!this.#allowed(length, partial, 0)) return false;
        if (length > 0) {
          this.#partial = Buffer.allocUnsafe(FRAME_HEAD_BYTES + length);
          partial.copy(this.#partial);
          continue;
        }
      }
      this.#partial = null;
      if (!this.#give(partial, 0, partial.length)) return false;
    }
    return this.#whole(chunk, pos);
  }

  #whole(chunk: Buffer, from: number): boolean {
    const end = chunk.length;
    let pos = from;
    while (end - pos >= FRAME_HEAD_BYTES) {
      const length = lengthAt(chunk, pos);
      if (length > this.#payloadBytesMax) return this.#allowed(length, chunk, pos);
      const next = pos + FRAME_HEAD_BYTES + length;
      if (next > end) {
        this.#keep(chunk, pos, FRAME_HEAD_BYTES + length);
        return true;
      }
      if (!this.#give(chunk, pos, next)) return false;
      pos = next;
    }
    if (pos < end) this.#keep(chunk, pos, FRAME_HEAD_BYTES);
    return true;
  }

  #keep(chunk: Buffer, from: number, bytes: number): void {
    this.#partial = Buffer.allocUnsafe(bytes);
    this.#have = chunk.copy(this.#partial, 0, from);
  }

  #allowed(length: number, buf: Buffer, at: number): boolean {
    if (length <= this.#payloadBytesMax) return true;
    this.#sink.onFrameTooLarge(length, buf[at + 3]!, uint31(buf, at + 5));
    return false;
  }

  #give(buf: Buffer, at: number, end: number): boolean {
    return this.#sink.onFrame(buf[at + 3]!, buf[at + 4]!, uint31(buf, at + 5), buf, at + FRAME_HEAD_BYTES, end);
  }
}

function lengthAt(buf: Buffer, at: number): number {
  return (buf[at]! << 16) | (buf[at + 1]! << 8) | buf[at + 2]!;
}
