/** A range of keys: begin <= key < end; end null: no end. Keys are latin1 strings, so that their order is that of bytes. */
export interface KeyRange {
  readonly begin: string;
  readonly end: string | null;
}

/**
 * What a request or a permission means by key and range_end (etcd semantics §3.1): '' the single key, one zero byte
 * everything from the key on. A range whose end does not come behind its begin holds no key.
 */
export function rangeOf(key: string, rangeEnd: string): KeyRange {
  if (rangeEnd === '') return { begin: key, end: `${key}\0` };
  return { begin: key, end: rangeEnd === '\0' ? null : rangeEnd };
}

/**
 * A set of keys as disjoint intervals in ascending order: the union of the ranges it was made of. Ranges that touch are
 * one, so that a request that spans two of them is inside.
 */
export class KeyRanges {
  readonly #intervals: readonly KeyRange[];

  constructor(ranges: readonly KeyRange[]) {
    const sorted = ranges
      .filter((range) => range.end === null || range.begin < range.end)
      .sort((a, b) => (a.begin < b.begin ? -1 : a.begin > b.begin ? 1 : 0));
    const merged: KeyRange[] = [];
    for (const range of sorted) {
      const last = merged.at(-1);
      if (last === undefined || (last.end !== null && last.end < range.begin)) merged.push(range);
      else if (last.end !== null && (range.end === null || range.end > last.end)) {
        merged[merged.length - 1] = { begin: last.begin, end: range.end };
      }
    }
    this.#intervals = merged;
  }

  get size(): number {
    return this.#intervals.length;
  }

  /** Whether every key of the range is in the set. Of a range that holds no key, its begin must be. */
  covers(range: KeyRange): boolean {
    const interval = this.#at(range.begin);
    if (interval === null) return false;
    if (interval.end === null) return true;
    return range.begin < interval.end && range.end !== null && range.end <= interval.end;
  }

  /** The last interval that begins at the key or before it. */
  #at(key: string): KeyRange | null {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#intervals[middle] as KeyRange).begin <= key) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : (this.#intervals[low - 1] as KeyRange);
  }
}
