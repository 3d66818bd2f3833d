import type { BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import type { RangeRequest } from '../wire/range.js';
import { NEWEST } from './key-entry.js';
import type { Hits } from './key-index.js';
import type { Keyspace } from './keyspace.js';
import { rangeEndOf } from './keyspace.js';
import { RangeRows } from './range-rows.js';
import { assemble, fetchLimit, refuseRead } from './read-range.js';
import { encodeRevision } from './revision.js';
import type { RangeResult, ReadRefusal, Unread } from './types.js';

/** Keys that one slice looks at. */
const SLICE_KEYS = 1000;
/** A range of more keys leaves the cache alone: it would wash out what is hot. */
const CACHE_FILL_KEYS_MAX = 128;

/** Who waits for a read. */
export interface Caller {
  readonly isOver?: boolean | undefined;
  /** It has not taken what it was answered before: a range of many keys is not read any further for now. */
  readonly isHeld?: boolean | undefined;
  /** Whose it is: of big ranges of one client one is read at a time. */
  readonly remote?: string | undefined;
}

export const LISTENING: Caller = {};

export interface RangeJobOwner {
  /** The job may go on: call `slice` soon. */
  ready(job: RangeJob): void;
  /** The job has ended, with an error or a result; with neither its content was taken from under it, and it is to be done again. */
  ended(job: RangeJob, err: BackendError | null, result: RangeResult | ReadRefusal | Unread | null): void;
}

/**
 * A range outside a transaction, in slices, and without blocking for rows that are in no memory. It reads the revision
 * that was current when it began; the owner lets no compaction step pass meanwhile. A small range whose rows are all
 * in memory ends within its first slice.
 */
export class RangeJob {
  readonly req: RangeRequest;
  readonly space: Keyspace;
  readonly caller: Caller;
  readonly #owner: RangeJobOwner;
  /** The revision was given: when the content is replaced, whoever gave it has to begin again. */
  readonly pinned: boolean;
  readonly #currentRev: number;
  readonly #revision: number;
  readonly #limit: number;
  /** Of the slice that is being read. */
  #slice: Buffer[] = [];
  /** Of the slices before; null: this is the first. */
  #rows: RangeRows | null = null;
  #count = 0;
  /** Where the next slice begins; undefined: all keys have been looked at. */
  #from: string | undefined;

  constructor(space: Keyspace, req: RangeRequest, owner: RangeJobOwner, caller: Caller, at = -1) {
    this.space = space;
    this.caller = caller;
    this.req = req;
    this.#owner = owner;
    this.pinned = at >= 0;
    this.#currentRev = this.pinned ? at : space.currentRev;
    this.#revision = req.revision <= 0 ? this.#currentRev : req.revision;
    const limit = req.countOnly ? 0 : fetchLimit(req);
    this.#limit = limit === 0 && !req.countOnly ? Number.POSITIVE_INFINITY : limit;
    this.#from = req.key;
  }

  /** A slice of it has been read, or is being. */
  isBegun = false;

  /** It does not end with its first slice, as far as that can be told cheaply. */
  get isBig(): boolean {
    const { key, rangeEnd, countOnly, revision } = this.req;
    const end = rangeEndOf(rangeEnd);
    if (end === undefined || countOnly || this.#limit <= SLICE_KEYS) return false;
    return revision > 0 || this.space.index.count(key, end, this.#revision) > SLICE_KEYS;
  }

  /** Bytes that it keeps until it ends. */
  get bytes(): number {
    return this.#rows === null ? 0 : this.#rows.bytes;
  }

  slice(): void {
    const { space, req } = this;
    if (space.retired) {
      this.#owner.ended(this, null, null);
      return;
    }
    const first = this.#rows === null;
    if (!first && this.caller.isOver === true) {
      this.#owner.ended(this, null, 'abandoned');
      return;
    }
    this.isBegun = true;
    const refusal = first && !this.pinned ? refuseRead(space, req.revision, this.#currentRev) : null;
    if (refusal !== null) {
      this.#owner.ended(this, null, refusal);
      return;
    }
    if (this.#from === undefined) {
      this.#arrange();
      return;
    }
    const hits = this.#walk();
    const { entries, positions } = hits;
    const rows = new Array<Buffer>(entries.length);
    let missing: number[] | null = null;
    for (let i = 0; i < entries.length; i++) {
      const row = space.cachedRow(entries[i]!, positions[i]!);
      if (row === null) (missing ??= []).push(i);
      rows[i] = row ?? NO_ROW;
    }
    this.#slice = rows;
    if (missing === null) this.#goOn();
    else this.#fetch(hits, missing, first && this.#from === undefined && entries.length <= CACHE_FILL_KEYS_MAX);
  }

  #walk(): Hits {
    const { index } = this.space;
    const { key, rangeEnd, countOnly } = this.req;
    const end = rangeEndOf(rangeEnd);
    if (end === undefined) {
      const hits = index.range(key, end, this.#revision, 0);
      this.#count = hits.count;
      this.#from = undefined;
      return countOnly ? { entries: [], positions: [], count: 0 } : hits;
    }
    const hits: Hits = { entries: [], positions: [], count: 0 };
    // With a limit nothing is dropped or put into another order (fetchLimit).
    const left = this.#limit - (this.#rows === null ? 0 : this.#rows.length);
    this.#from = index.walk(this.#from as string, end, this.#revision, left, SLICE_KEYS, hits);
    this.#count += hits.count;
    return hits;
  }

  #fetch(hits: Hits, missing: readonly number[], fillCache: boolean): void {
    const { space } = this;
    const keys = missing.map((i) => {
      const entry = hits.entries[i]!;
      const position = hits.positions[i]!;
      return encodeRevision(entry.mainAt(position), entry.subAt(position), false);
    });
    space.backend.getMany(Bucket.key, keys, (err, rows) => {
      if (space.retired) {
        this.#owner.ended(this, null, null);
        return;
      }
      if (err !== null) {
        this.#owner.ended(this, err, null);
        return;
      }
      for (let k = 0; k < missing.length; k++) {
        const i = missing[k]!;
        const row = rows[k];
        assert(row !== undefined, () => `mvcc: no row at revision ${keys[k]!.toString('hex')}`);
        this.#slice[i] = row;
        const entry = hits.entries[i]!;
        // It may have been superseded while the row was fetched.
        if (fillCache && hits.positions[i] === NEWEST && entry.main <= this.#currentRev) space.cache.set(entry, row);
      }
      this.#goOn();
    });
  }

  #goOn(): void {
    const { req } = this;
    if (this.#from === undefined && this.#rows === null) {
      this.#owner.ended(this, null, assemble(req, this.#slice, this.#count, this.#currentRev));
      return;
    }
    this.#rows ??= new RangeRows(req);
    this.#rows.take(this.#slice);
    this.#slice = [];
    this.#owner.ready(this);
  }

  /** All rows are there. */
  #arrange(): void {
    const rows = this.#rows as RangeRows;
    if (!rows.step()) return this.#owner.ready(this);
    const { more } = rows;
    this.#owner.ended(this, null, { revision: this.#currentRev, kvs: rows.rows, more, count: this.#count });
  }
}

const NO_ROW = Buffer.alloc(0);
