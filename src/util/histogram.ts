/**
 * Counts observations in buckets. The last bucket has no bound. To observe costs a few comparisons and allocates
 * nothing; whoever wants to know reads.
 */
export class Histogram {
  readonly bounds: Float64Array;
  /** Not cumulative; one more than there are bounds. */
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.counts[i]!++;
    this.sum += value;
  }

  get count(): number {
    let count = 0;
    for (const n of this.counts) count += n;
    return count;
  }
}

/** Buckets whose bounds grow by a factor: `start`, `start * factor`, ... */
export function growing(start: number, factor: number, count: number): Histogram {
  return new Histogram(Array.from({ length: count }, (_, i) => start * factor ** i));
}

/** Of the disk, in seconds: 1 ms to 8 s (etcd operations §3). */
export function diskTimes(): Histogram {
  return growing(0.001, 2, 14);
}
