import { assert } from '../../util/assert.js';
import type { KvRow, KvScan, Timers } from '../../util/env.js';
import type { BackendCursor } from './backend.js';
import { BackendError } from './errors.js';
import type { LayerRow } from './layer.js';
import { unsealed } from './row.js';

type NextCallback = (err: BackendError | null, rows: KvRow[]) => void;

/**
 * A scan of the store with the overlay's rows laid over it, both as they were when the cursor was made: the overlay's
 * part is a copy, the store's is a snapshot. Where both have a row the overlay's counts; a deletion hides the store's.
 */
export class MergeCursor implements BackendCursor {
  readonly #scan: KvScan;
  readonly #over: LayerRow[];
  readonly #timers: Timers;
  /** Museum 34: deletions in the overlay are forgotten when rows are merged. */
  readonly #forgetDeletions: boolean;
  /** Hears of damage before the caller does. */
  readonly #onError: ((err: BackendError) => void) | null;
  #overAt = 0;
  #stored: KvRow[] = [];
  #storedAt = 0;
  #storedEnd = false;
  #busy = false;
  #closed = false;

  constructor(
    scan: KvScan,
    over: LayerRow[],
    timers: Timers,
    onError: ((err: BackendError) => void) | null = null,
    forgetDeletions = false,
  ) {
    this.#scan = scan;
    this.#over = over;
    this.#timers = timers;
    this.#onError = onError;
    this.#forgetDeletions = forgetDeletions;
  }

  next(n: number, cb: NextCallback): void {
    assert(n > 0, 'a cursor gives at least one row');
    assert(!this.#busy, 'one call of next at a time');
    this.#busy = true;
    if (this.#closed) {
      this.#timers.defer(() => this.#done(cb, new BackendError('ERR_CLOSED', 'backend: the cursor is closed'), []));
    } else if (this.#storedAt < this.#stored.length || this.#storedEnd) {
      this.#timers.defer(() => this.#gather(n, [], cb));
    } else {
      this.#fetch(n, [], cb);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#scan.close();
  }

  #fetch(n: number, rows: KvRow[], cb: NextCallback): void {
    this.#scan.next(n, (err, stored) => {
      if (err !== null) return this.#done(cb, BackendError.from(err, 'backend: scan'), []);
      this.#stored = stored;
      this.#storedAt = 0;
      if (stored.length === 0) this.#storedEnd = true;
      this.#gather(n, rows, cb);
    });
  }

  /** Moves merged rows to `rows` until there are n, both sides are at their end, or the store must be asked again. */
  #gather(n: number, rows: KvRow[], cb: NextCallback): void {
    if (this.#closed) {
      this.#done(cb, new BackendError('ERR_CLOSED', 'backend: the cursor is closed'), []);
      return;
    }
    while (rows.length < n) {
      const over = this.#over[this.#overAt];
      const stored = this.#stored[this.#storedAt];
      if (stored === undefined && !this.#storedEnd) {
        // What is here already is answer enough, if there is any: the store may give less than it was asked for.
        if (rows.length > 0) break;
        this.#fetch(n, rows, cb);
        return;
      }
      if (stored === undefined && over === undefined) break;
      let order = stored === undefined ? -1 : 1;
      const key = stored?.[0].subarray(1);
      if (over !== undefined && key !== undefined) order = compare(over.id, key.latin1Slice(0, key.length));
      if (order <= 0) {
        this.#overAt++;
        if (over!.value !== null) rows.push([Buffer.from(over!.id, 'latin1'), over!.value]);
        else if (this.#forgetDeletions) continue;
        if (order === 0) this.#storedAt++;
        continue;
      }
      this.#storedAt++;
      try {
        rows.push([key!, unsealed(stored![0], stored![1])]);
      } catch (err) {
        this.#done(cb, BackendError.from(err, 'backend: scan'), []);
        return;
      }
    }
    this.#done(cb, null, rows);
  }

  #done(cb: NextCallback, err: BackendError | null, rows: KvRow[]): void {
    this.#busy = false;
    if (err !== null && err.code !== 'ERR_CLOSED') this.#onError?.(err);
    cb(err, rows);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
