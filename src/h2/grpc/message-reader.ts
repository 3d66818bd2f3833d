import { uint32 } from '../frame.js';
import { MESSAGE_HEAD_BYTES } from '../stream.js';

const FIRST_BYTES = 1024;

/**
 * The bytes of a stream that are not a whole message yet, or not asked for. What is given out is a view of memory that
 * is not written to again: when there is no room behind the last byte, the rest moves to a new buffer.
 */
export class MessageReader {
  #buf: Buffer | null = null;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(source: Buffer, from: number, to: number): void {
    const bytes = to - from;
    if (bytes === 0) return;
    if (this.#buf === null || this.#end + bytes > this.#buf.length) this.#grow(bytes, source, from);
    source.copy(this.#buf!, this.#end, from, to);
    this.#end += bytes;
  }

  /** Whether the next message's head is there. */
  get hasHead(): boolean {
    return this.length >= MESSAGE_HEAD_BYTES;
  }

  /** The next message's flag. */
  get flag(): number {
    return this.#buf![this.#start]!;
  }

  /** The next message's length, as its head says. */
  get messageLength(): number {
    return uint32(this.#buf!, this.#start + 1);
  }

  /** The next message, if all of it is there. */
  take(): Buffer | null {
    if (!this.hasHead) return null;
    const from = this.#start + MESSAGE_HEAD_BYTES;
    const to = from + this.messageLength;
    if (to > this.#end) return null;
    const message = this.#buf!.subarray(from, to);
    this.#start = to;
    if (this.#start === this.#end) this.#buf = null;
    if (this.#buf === null) this.#start = this.#end = 0;
    return message;
  }

  /** Twice what is there, or the whole message once a quarter has come: a length alone allocates nothing. */
  #grow(bytes: number, source: Buffer, from: number): void {
    const have = this.length;
    const need = have + bytes;
    let size = Math.max(FIRST_BYTES, need * 2);
    const announced = this.hasHead ? this.messageLength : bytes >= 5 && have === 0 ? uint32(source, from + 1) : 0;
    const whole = announced + MESSAGE_HEAD_BYTES;
    if (whole >= need && whole <= need * 4) size = whole;
    const larger = Buffer.allocUnsafeSlow(size);
    if (this.#buf !== null) this.#buf.copy(larger, 0, this.#start, this.#end);
    this.#buf = larger;
    this.#start = 0;
    this.#end = have;
  }
}
