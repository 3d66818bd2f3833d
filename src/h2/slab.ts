const SLAB_BYTES = 64 << 10;
/** A payload of so many bytes is sent from where it lies; a smaller one is cheaper to copy than to send apart. */
const COPY_BYTES_MAX = 4 << 10;

/**
 * Gathers what one write sends: small frames one after the other in a slab, large payloads in between. All connections
 * of a server share one, each for the length of its own write; memory that a socket has not let go is not used again.
 *
 *   slab   . . held by sockets . . [base . sent . [mark . open run . pos)   . . free . .
 */
export class Slab {
  buf: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  pos = 0;
  #base = 0;
  #mark = 0;
  readonly #chunks: Buffer[] = [];
  /** Bytes since `begin`, but those of the open run. */
  #cut = 0;

  begin(): void {
    this.#chunks.length = 0;
    this.#mark = this.pos;
    this.#cut = 0;
  }

  get bytes(): number {
    return this.#cut + this.pos - this.#mark;
  }

  /** Makes room at `pos`; `buf` may be another one afterwards. */
  ensure(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return;
    this.#closeRun();
    this.#renew(bytes);
  }

  /** Appends source[from, to). */
  put(source: Buffer, from: number, to: number): void {
    const length = to - from;
    if (length > COPY_BYTES_MAX) {
      this.#closeRun();
      this.#chunks.push(from === 0 && to === source.length ? source : source.subarray(from, to));
      this.#cut += length;
      return;
    }
    this.ensure(length);
    source.copy(this.buf, this.pos, from, to);
    this.pos += length;
  }

  /** What was gathered, in order; good until `done`. */
  chunks(): readonly Buffer[] {
    this.#closeRun();
    return this.#chunks;
  }

  /** @param free the memory that was written is no one's any more */
  done(free: boolean): void {
    this.#chunks.length = 0;
    if (free) this.pos = this.#base;
    else if (this.buf.length - this.pos >= SLAB_BYTES / 2) this.#base = this.pos;
    else this.#renew(SLAB_BYTES);
    this.#mark = this.pos;
  }

  #renew(bytes: number): void {
    this.buf = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.pos = 0;
    this.#base = 0;
    this.#mark = 0;
  }

  #closeRun(): void {
    if (this.pos === this.#mark) return;
    this.#chunks.push(this.buf.subarray(this.#mark, this.pos));
    this.#cut += this.pos - this.#mark;
    this.#mark = this.pos;
  }
}
