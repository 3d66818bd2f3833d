/**
 * Counts observations in buckets whose bounds grow by a factor: `start`, `start * factor`, ... The last bucket has no
 * bound. To observe costs a few comparisons and allocates nothing; whoever wants to know reads.
 */
export class Histogram {
  readonly bounds: Float64Array;
  /** Not cumulative; one more than there are bounds. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(start: number, factor: number, count: number) {
    this.bounds = Float64Array.from({ length: count }, (_, i) => start * factor ** i);
    this.counts = new Float64Array(count + 1);
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

/** Of the disk, in seconds: 1 ms to 8 s (etcd operations §3). */
export function diskTimes(): Histogram {
  return new Histogram(0.001, 2, 14);
}
