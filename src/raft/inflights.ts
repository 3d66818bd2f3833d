import { assert } from '../util/assert.js';

/**
 * The appends that are under way to one member: for each its last index and its bytes, in a ring that grows to the
 * limit. Optimistic replication goes on until it is full.
 */
export class Inflights {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  /** Length is a power of two. */
  #last: number[] = new Array<number>(8).fill(0);
  #size: number[] = new Array<number>(8).fill(0);
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True if nothing more may be sent. The message that crosses the limit of bytes still goes. */
  get full(): boolean {
    return this.#count >= this.#maxCount || this.#bytes >= this.#maxBytes;
  }

  /** @param last above that of the message before */
  add(last: number, bytes: number): void {
    assert(!this.full, 'raft: an append to a member whose window is full');
    if (this.#count === this.#last.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#last.length - 1);
    this.#last[at] = last;
    this.#size[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** The member has everything up to `index`. */
  freeTo(index: number): void {
    const mask = this.#last.length - 1;
    while (this.#count > 0 && (this.#last[this.#head] as number) <= index) {
      this.#bytes -= this.#size[this.#head] as number;
      this.#head = (this.#head + 1) & mask;
      this.#count--;
    }
  }

  reset(): void {
    this.#head = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const n = this.#last.length;
    const last = new Array<number>(n * 2).fill(0);
    const size = new Array<number>(n * 2).fill(0);
    for (let i = 0; i < n; i++) {
      const at = (this.#head + i) & (n - 1);
      last[i] = this.#last[at] as number;
      size[i] = this.#size[at] as number;
    }
    this.#last = last;
    this.#size = size;
    this.#head = 0;
  }
}
