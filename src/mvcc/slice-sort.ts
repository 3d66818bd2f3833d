/** Items that are sorted at once to begin with, and items that one step moves. */
const RUN_ITEMS = 1024;
const STEP_ITEMS = 4096;

/** A stable merge sort in bounded steps: of a million rows at once that would be seconds in which nothing else moves. */
export class SliceSort<T> {
  #from: T[];
  #to: T[];
  readonly #compare: (a: T, b: T) => number;
  /** Length of the runs that are sorted; 0: the first are being made. */
  #width = 0;
  /** Where the next run, or the next pair of runs, begins. */
  #low = 0;
  /** Within a pair: what is next of the left one, of the right one, and where it goes. */
  #left = 0;
  #right = 0;
  #out = 0;

  /** @param items belongs to the sort from now on */
  constructor(items: T[], compare: (a: T, b: T) => number) {
    this.#from = items;
    this.#to = [];
    this.#compare = compare;
  }

  /** Good once `step` has said true. */
  get sorted(): T[] {
    return this.#from;
  }

  /** @returns whether all is sorted */
  step(): boolean {
    if (this.#width === 0) return this.#makeRuns();
    let left = STEP_ITEMS;
    while (left > 0 && this.#width < this.#from.length) left = this.#merge(left);
    return this.#width >= this.#from.length;
  }

  #makeRuns(): boolean {
    const items = this.#from;
    const stop = Math.min(this.#low + STEP_ITEMS, items.length);
    while (this.#low < stop) {
      const run = items.slice(this.#low, this.#low + RUN_ITEMS).sort(this.#compare);
      for (let i = 0; i < run.length; i++) items[this.#low + i] = run[i] as T;
      this.#low += run.length;
    }
    if (this.#low < items.length) return false;
    this.#width = RUN_ITEMS;
    this.#begin(0);
    return this.#width >= items.length;
  }

  #begin(low: number): void {
    this.#low = low;
    this.#left = low;
    this.#right = low + this.#width;
    this.#out = low;
  }

  /** Moves up to `most` items of one pair of runs. @returns how many may still be moved */
  #merge(most: number): number {
    const from = this.#from;
    const to = this.#to;
    const compare = this.#compare;
    const middle = Math.min(this.#low + this.#width, from.length);
    const end = Math.min(this.#low + 2 * this.#width, from.length);
    const stop = Math.min(end, this.#out + most);
    let left = this.#left;
    let right = Math.min(this.#right, end);
    let out = this.#out;
    const before = out;
    for (; out < stop; out++) {
      const takesLeft = right >= end || (left < middle && compare(from[left] as T, from[right] as T) <= 0);
      to[out] = from[takesLeft ? left++ : right++] as T;
    }
    this.#left = left;
    this.#right = right;
    this.#out = out;
    if (out === end) this.#nextPair(end);
    return most - (out - before);
  }

  #nextPair(end: number): void {
    if (end < this.#from.length) return this.#begin(end);
    const done = this.#to;
    this.#to = this.#from;
    this.#from = done;
    this.#width *= 2;
    this.#begin(0);
  }
}
