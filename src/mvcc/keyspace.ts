import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import type { KeyEntry } from './key-entry.js';
import { ABSENT, NEWEST } from './key-entry.js';
import { KeyIndex } from './key-index.js';
import { encodeRevision } from './revision.js';
import { ValueCache } from './value-cache.js';

/**
 * The content of a store: rows, and what is kept of them in memory. A snapshot's installation replaces the whole
 * object, so whoever works in slices holds on to the one it began with and looks whether it is still the store's.
 */
export class Keyspace {
  readonly backend: Backend;
  readonly index = new KeyIndex();
  readonly cache: ValueCache;
  /** 1 in a fresh store; never below compactRev. */
  currentRev = 1;
  /** What reads are refused below; -1: never compacted. Moves at apply. */
  compactRev = -1;
  /** Rows below it are gone; <= compactRev. This member's own progress: nothing replicated may look at it. */
  finishedCompactRev = -1;

  /**
   * A compaction was under way when this member stopped, and the index is a checkpoint's: some of what the index has below
   * the compact revision may have no row any more.
   */
  rowsMayBeGone = false;

  /** The backend's rows are being replaced: nothing may be read for it any more. */
  retired = false;

  constructor(backend: Backend, cacheBytes: number) {
    this.backend = backend;
    this.cache = new ValueCache(cacheBytes);
  }

  /** The row of a state, read from the store if need be, which blocks. */
  row(entry: KeyEntry, position: number): Buffer {
    const cached = this.cachedRow(entry, position);
    if (cached !== null) return cached;
    const row = this.backend.get(Bucket.key, encodeRevision(entry.mainAt(position), entry.subAt(position), false));
    assert(row !== undefined, () => `mvcc: no row at revision ${entry.mainAt(position)}.${entry.subAt(position)}`);
    if (position === NEWEST) this.cache.set(entry, row);
    return row;
  }

  /** The row of an entry's newest revision, which is no tombstone. */
  newest(entry: KeyEntry): Buffer {
    return this.row(entry, NEWEST);
  }

  /** Whether a read of one key at a revision (<= 0: the current one) needs no store. */
  inMemory(key: string, revision: number): boolean {
    const entry = this.index.get(key);
    if (entry === undefined) return true;
    const at = entry.at(revision <= 0 ? this.currentRev : revision);
    return at === ABSENT || (at === NEWEST && entry.value !== null);
  }

  cachedRow(entry: KeyEntry, position: number): Buffer | null {
    return position === NEWEST ? this.cache.get(entry) : null;
  }
}

/** A request's range_end as the index and the watchers take it: undefined for the single key, '' for no end (etcd semantics §3.1). */
export function rangeEndOf(rangeEnd: string): string | undefined {
  if (rangeEnd === '') return undefined;
  return rangeEnd === '\0' ? '' : rangeEnd;
}
