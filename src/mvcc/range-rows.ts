import { assert } from '../util/assert.js';
import type { KeyValue } from '../wire/key-value.js';
import { decodeKeyValue, stripValue } from '../wire/key-value.js';
import type { RangeRequest } from '../wire/range.js';
import { SortOrder, SortTarget } from '../wire/range.js';
import { hasFilter, passes } from './read-range.js';
import { SliceSort } from './slice-sort.js';

/** Values that one step takes off. */
const STRIP_ROWS = 2000;

/** A row and what it is sorted by. */
interface Item {
  readonly by: number | Buffer;
  readonly row: Buffer;
}

/**
 * The rows of a range of many keys, as its slices bring them: what the filters drop is dropped at once, and the rest is
 * put into its order by `step`.
 */
export class RangeRows {
  /** Of the rows that are kept. They may be shared with the cache. */
  bytes = 0;
  readonly #req: RangeRequest;
  readonly #decodes: boolean;
  readonly #sorts: boolean;
  readonly #stripsFirst: boolean;
  #rows: Buffer[] = [];
  readonly #items: Item[] = [];
  #sort: SliceSort<Item> | null = null;
  #arranged = false;
  #stripped = 0;
  more = false;

  constructor(req: RangeRequest) {
    this.#req = req;
    this.#sorts = req.sortTarget !== SortTarget.KEY;
    this.#decodes = this.#sorts || hasFilter(req);
    this.#stripsFirst = req.keysOnly && req.sortTarget !== SortTarget.VALUE;
  }

  get length(): number {
    return this.#sorts ? this.#items.length : this.#rows.length;
  }

  take(fetched: readonly Buffer[]): void {
    for (let i = 0; i < fetched.length; i++) {
      let row = fetched[i] as Buffer;
      const kv = this.#decodes ? decodeKeyValue(row) : null;
      if (kv !== null && !passes(this.#req, kv)) continue;
      if (this.#stripsFirst) row = stripValue(row);
      this.bytes += row.length + ROW_BYTES;
      if (this.#sorts) this.#items.push({ by: keyOf(kv as KeyValue, this.#req.sortTarget), row });
      else this.#rows.push(row);
    }
  }

  /** One step of what is to be done when all rows are there. @returns whether the answer is complete */
  step(): boolean {
    if (!this.#arranged) return this.#arrange() && !this.#stripsLast;
    const rows = this.#rows;
    const stop = Math.min(this.#stripped + STRIP_ROWS, rows.length);
    for (; this.#stripped < stop; this.#stripped++) rows[this.#stripped] = stripValue(rows[this.#stripped] as Buffer);
    return this.#stripped === rows.length;
  }

  /** In their order, and no more than were asked for. */
  get rows(): Buffer[] {
    assert(this.#arranged, 'mvcc: rows that are not in order yet');
    return this.#rows;
  }

  get #stripsLast(): boolean {
    return this.#req.keysOnly && !this.#stripsFirst;
  }

  #arrange(): boolean {
    const { limit, sortOrder } = this.#req;
    const descends = sortOrder === SortOrder.DESCEND;
    if (this.#sorts) {
      this.#sort ??= new SliceSort(this.#items, descends ? descending : ascending);
      if (!this.#sort.step()) return false;
    } else if (descends) {
      this.#rows.reverse();
    }
    this.#arranged = true;
    this.more = limit > 0 && this.length > limit;
    if (this.#sort !== null) {
      const { sorted } = this.#sort;
      const wanted = this.more ? limit : sorted.length;
      for (let i = 0; i < wanted; i++) this.#rows.push((sorted[i] as Item).row);
      this.#items.length = 0;
      this.#sort = null;
    } else if (this.more) {
      this.#rows.length = limit;
    }
    return true;
  }
}

/** What an array and a view take beside a row's bytes. */
const ROW_BYTES = 100;

function keyOf(kv: KeyValue, target: number): number | Buffer {
  if (target === SortTarget.VERSION) return kv.version;
  if (target === SortTarget.CREATE) return kv.createRevision;
  return target === SortTarget.MOD ? kv.modRevision : kv.value;
}

function ascending(a: Item, b: Item): number {
  return typeof a.by === 'number' ? a.by - (b.by as number) : a.by.compare(b.by as Buffer);
}

function descending(a: Item, b: Item): number {
  return ascending(b, a);
}
