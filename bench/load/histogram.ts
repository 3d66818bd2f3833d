const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;

/** Latencies in buckets about 1.6 % wide, from a microsecond to an hour. */
export class Histogram {
  readonly #counts = new Uint32Array(SUB * 32);
  count = 0;
  max = 0;

  /** @param ms milliseconds */
  record(ms: number): void {
    const us = Math.max(0, Math.round(ms * 1000));
    this.#counts[bucketOf(us)]!++;
    this.count++;
    if (ms > this.max) this.max = ms;
  }

  /** @param quantile e.g. 0.99 @returns milliseconds, or 0 where nothing was recorded */
  quantile(quantile: number): number {
    let left = Math.ceil(this.count * quantile);
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i]!;
      if (left <= 0 && this.count > 0) return Math.min(this.max, upperBound(i) / 1000);
    }
    return 0;
  }
}

function bucketOf(us: number): number {
  if (us < SUB) return us;
  const shift = 31 - Math.clz32(us) - SUB_BITS + 1;
  return Math.min(SUB * 32 - 1, (shift << (SUB_BITS - 1)) + (us >>> shift));
}

/** The first value beyond bucket `i`. */
function upperBound(i: number): number {
  if (i < SUB) return i + 1;
  const half = SUB >> 1;
  const shift = Math.floor(i / half) - 1;
  return ((i % half) + half + 1) * 2 ** shift;
}
