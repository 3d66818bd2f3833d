const SLAB_BYTES = 32 * 1024;
/** Larger ones get memory of their own. */
const SLICE_BYTES_MAX = SLAB_BYTES / 8;

/**
 * Memory for bytes that live long and about as long as each other: rows in a cache, entries in the
 * log. From Buffer's own pool, each would keep 8 KiB of responses and frames alive that are long
 * sent.
 */
export class Slab {
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** @returns uninitialized memory */
  take(size: number): Buffer {
    if (size > SLICE_BYTES_MAX) return Buffer.allocUnsafeSlow(size);
    if (this.#used + size > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += size;
    return this.#slab.subarray(start, this.#used);
  }
}
