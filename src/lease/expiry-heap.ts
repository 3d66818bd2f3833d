import { assert } from '../util/assert.js';
import type { Lease } from './lease.js';

/**
 * Leases by the time they are due, the earliest on top; each lease knows its place, so a renewal moves it
 * without a search.
 */
export class ExpiryHeap {
  #items: Lease[] = [];

  get size(): number {
    return this.#items.length;
  }

  peek(): Lease | undefined {
    return this.#items[0];
  }

  /** Adds the lease, or moves it, to `due`. */
  set(lease: Lease, due: number): void {
    lease.due = due;
    if (lease.heapIndex === -1) {
      lease.heapIndex = this.#items.length;
      this.#items.push(lease);
    }
    this.#down(this.#up(lease.heapIndex));
  }

  remove(lease: Lease): void {
    const index = lease.heapIndex;
    if (index === -1) return;
    assert(this.#items[index] === lease, 'lease heap: a lease is not where it says');
    lease.heapIndex = -1;
    const last = this.#items.pop() as Lease;
    if (last === lease) return;
    this.#put(last, index);
    this.#down(this.#up(index));
  }

  clear(): void {
    for (const lease of this.#items) lease.heapIndex = -1;
    this.#items = [];
  }

  #put(lease: Lease, index: number): void {
    this.#items[index] = lease;
    lease.heapIndex = index;
  }

  #up(from: number): number {
    const lease = this.#items[from] as Lease;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above] as Lease;
      if (!before(lease, parent)) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(lease, index);
    return index;
  }

  #down(from: number): void {
    const lease = this.#items[from] as Lease;
    const size = this.#items.length;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && before(this.#items[child + 1] as Lease, this.#items[child] as Lease)) child++;
      const lower = this.#items[child] as Lease;
      if (!before(lower, lease)) break;
      this.#put(lower, index);
      index = child;
    }
    this.#put(lease, index);
  }
}

/** Equal times are ordered by id, so that the same history gives the same order. */
function before(a: Lease, b: Lease): boolean {
  return a.due < b.due || (a.due === b.due && a.id < b.id);
}
