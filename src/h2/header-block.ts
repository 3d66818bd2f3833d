/** A header block as it comes: HEADERS and any number of CONTINUATION (RFC 9113 section 4.3). */
export class HeaderBlock {
  /** Of the block that is open; 0: none is. */
  streamId = 0;
  endStream = false;
  #parts: Buffer = EMPTY;
  #length = 0;
  #frames = 0;

  get isOpen(): boolean {
    return this.streamId !== 0;
  }

  get length(): number {
    return this.#length;
  }

  get frames(): number {
    return this.#frames;
  }

  begin(streamId: number, endStream: boolean): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.#length = 0;
    this.#frames = 0;
  }

  add(buf: Buffer, start: number, end: number): void {
    const need = this.#length + end - start;
    if (need > this.#parts.length) {
      const larger = Buffer.allocUnsafeSlow(need * 2);
      this.#parts.copy(larger, 0, 0, this.#length);
      this.#parts = larger;
    }
    buf.copy(this.#parts, this.#length, start, end);
    this.#length = need;
    this.#frames++;
  }

  /** The whole of it, good until the next `begin`. */
  finish(): Buffer {
    this.streamId = 0;
    const block = this.#parts.subarray(0, this.#length);
    this.#parts = EMPTY;
    return block;
  }
}

const EMPTY = Buffer.alloc(0);
