import { Bucket } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import { encodeKeyValue, encodeKeyValueKeyOnly, makeKeyValue } from '../wire/key-value.js';
import { Change } from './change.js';
import type { KeyEntry } from './key-entry.js';
import { ABSENT, NEWEST } from './key-entry.js';
import type { Keyspace } from './keyspace.js';
import { rangeEndOf } from './keyspace.js';
import { encodeRevision } from './revision.js';
import type { LeaseKeeper } from './types.js';

/** Shared, never pushed to. */
const NO_CHANGES: Change[] = [];

/**
 * A transaction that writes: all its changes share one main revision, each has the next sub-revision. It writes
 * through at once and cannot be rolled back, so whatever may refuse it is checked before the first change.
 * One object a store, used again for every transaction.
 */
export class WriteTxn {
  readonly #leases: LeaseKeeper | null;
  #space: Keyspace | null = null;
  #changes: Change[] = NO_CHANGES;

  constructor(leases: LeaseKeeper | null) {
    this.#leases = leases;
  }

  /** Since the start, for metrics. */
  puts = 0;
  deletes = 0;
  putBytes = 0;

  begin(space: Keyspace): void {
    assert(this.#space === null, 'mvcc: a transaction within a transaction');
    this.#space = space;
    this.#changes = NO_CHANGES;
  }

  /** The revision of the store as this transaction sees it: the next one, as soon as something has changed. */
  get revision(): number {
    return this.space.currentRev + (this.#changes.length > 0 ? 1 : 0);
  }

  get space(): Keyspace {
    assert(this.#space !== null, 'mvcc: no transaction');
    return this.#space;
  }

  put(key: string, value: Buffer, lease: bigint): void {
    const space = this.space;
    const main = space.currentRev + 1;
    const sub = this.#changes.length;
    const known = space.index.get(key);
    const live = known !== undefined && known.version !== 0;
    const kv = makeKeyValue();
    kv.key = key;
    kv.createRevision = live ? known.created : main;
    kv.modRevision = main;
    kv.version = live ? known.version + 1 : 1;
    kv.value = value;
    kv.lease = lease;
    const row = encodeKeyValue(kv);
    // What is created anew has no previous state, though the same transaction may have deleted one.
    this.#add(makeChange(key, main, row, live ? known : undefined));
    this.puts++;
    this.putBytes += row.length;
    space.backend.put(Bucket.key, encodeRevision(main, sub, false), row, true);
    const entry = space.index.put(key, known, main, sub, kv.version, kv.createRevision, row.length);
    // A new key's row comes into the cache when it is read: a store that is filled would only turn the cache over.
    if (live) space.cache.set(entry, row);
    const leases = this.#leases;
    if (leases === null) return;
    if (live) leases.detach(key);
    if (lease !== 0n && leases.exists(lease)) leases.attach(lease, key);
  }

  /** @returns how many keys there were */
  deleteRange(key: string, rangeEnd: string): number {
    const entries = this.space.index.range(key, rangeEndOf(rangeEnd), this.revision, 0).entries;
    for (const entry of entries) this.#delete(entry);
    return entries.length;
  }

  /** @returns false if the key does not exist */
  deleteKey(key: string): boolean {
    const entry = this.space.index.get(key);
    if (entry === undefined || entry.version === 0) return false;
    this.#delete(entry);
    return true;
  }

  /** The rows of a range as this transaction sees it. */
  rows(key: string, rangeEnd: string): Buffer[] {
    const space = this.space;
    const hits = space.index.range(key, rangeEndOf(rangeEnd), this.revision, 0);
    return hits.entries.map((entry, i) => space.row(entry, hits.positions[i] as number));
  }

  /** Ends it. @returns its changes in order; the store's revision has moved if there are any */
  commit(): readonly Change[] {
    const changes = this.#changes;
    if (changes.length > 0) this.space.currentRev++;
    this.#space = null;
    this.#changes = NO_CHANGES;
    return changes;
  }

  /** Most have one, and the event log keeps them: an array that grows by push has room for seventeen. */
  #add(change: Change): void {
    if (this.#changes.length === 0) this.#changes = [change];
    else this.#changes.push(change);
  }

  #delete(entry: KeyEntry): void {
    const space = this.space;
    const main = space.currentRev + 1;
    const sub = this.#changes.length;
    const key = entry.key;
    this.#add(makeChange(key, main, null, entry));
    this.deletes++;
    const row = encodeKeyValueKeyOnly(key);
    space.backend.put(Bucket.key, encodeRevision(main, sub, true), row, true);
    space.cache.drop(entry);
    space.index.put(key, entry, main, sub, 0, 0, row.length);
    this.#leases?.detach(key);
  }
}

/** With the state before this transaction as the previous one, also where the transaction changes a key twice. */
function makeChange(key: string, main: number, row: Buffer | null, entry: KeyEntry | undefined): Change {
  const at = entry === undefined ? ABSENT : entry.at(main - 1);
  if (entry === undefined || at === ABSENT) return new Change(key, main, row, 0, 0, null);
  return new Change(key, main, row, entry.mainAt(at), entry.subAt(at), at === NEWEST ? entry.value : null);
}
