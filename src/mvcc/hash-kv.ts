import type { BackendCursor, BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { crc32c } from '../util/crc32c.js';
import type { KvRow } from '../util/env.js';
import { decodeKeyValue } from '../wire/key-value.js';
import { ABSENT } from './key-entry.js';
import type { Keyspace } from './keyspace.js';
import { encodeRevision, isTombstone, mainOf, subOf } from './revision.js';
import type { HashKvResult, ReadRefusal } from './types.js';

export type HashKvCallback = (err: BackendError | null, result: HashKvResult | ReadRefusal | null) => void;

/**
 * CRC-32C over the bucket's name and the rows up to a revision R, so that members agree whatever their compactions
 * have physically done (etcd semantics §7, HashKV). With C the compact revision and K(R) the newest revision <= R of
 * every key that exists at R, these rows are left out:
 *
 *   1. main > R
 *   2. main <= C and not in K(R), if K(R) is not empty
 *   3. tombstones at C
 *
 * If K(R) is empty etcd hashes whatever rows <= C are left; when its compaction is done that is what `survives`
 * says, so it is taken from the start.
 */
export class HashKvJob {
  readonly #space: Keyspace;
  readonly #revision: number;
  readonly #compactRev: number;
  readonly #currentRev: number;
  readonly #keepsAny: boolean;
  readonly #cursor: BackendCursor;
  readonly #sliceRows: number;
  readonly #cb: HashKvCallback;
  #crc = crc32c(BUCKET);

  /** The compactor stands still while it runs. @param revision as resolved by `hashRevision` */
  constructor(space: Keyspace, revision: number, sliceRows: number, cb: HashKvCallback) {
    this.#space = space;
    this.#revision = revision;
    this.#compactRev = space.compactRev;
    this.#currentRev = space.currentRev;
    this.#keepsAny = space.index.someAt(revision);
    this.#sliceRows = sliceRows;
    this.#cb = cb;
    this.#cursor = space.backend.scan(Bucket.key, encodeRevision(0, 0, false), encodeRevision(revision + 1, 0, false));
    this.#next();
  }

  #next(): void {
    this.#cursor.next(this.#sliceRows, (err, rows) => {
      if (err === null && rows.length > 0) {
        for (const row of rows) this.#add(row);
        this.#next();
        return;
      }
      this.#cursor.close();
      if (err !== null) this.#cb(err, null);
      else
        this.#cb(null, {
          hash: this.#crc,
          compactRevision: this.#compactRev,
          hashRevision: this.#revision,
          revision: this.#currentRev,
        });
    });
  }

  #add([key, value]: KvRow): void {
    const main = mainOf(key);
    if (main > this.#revision) return;
    if (main <= this.#compactRev) {
      const tombstone = isTombstone(key);
      if (tombstone && main === this.#compactRev) return;
      const at = this.#keepsAny ? this.#revision : this.#compactRev;
      if (tombstone || !this.#isNewestAt(at, decodeKeyValue(value).key, main, subOf(key))) return;
    }
    this.#crc = crc32c(value, crc32c(key, this.#crc));
  }

  /** Whether a row that is no tombstone is the state of its key at a revision. */
  #isNewestAt(revision: number, key: string, main: number, sub: number): boolean {
    const entry = this.#space.index.get(key);
    if (entry === undefined) return false;
    const at = entry.at(revision);
    return at !== ABSENT && entry.mainAt(at) === main && entry.subAt(at) === sub;
  }
}

const BUCKET = Buffer.from('key');

/** What a negative revision hashes: the bucket's name alone, since no row is of one. */
export const HASH_OF_NOTHING = crc32c(BUCKET);

/** The revision that a request for `revision` hashes, or why it cannot. */
export function hashRevision(space: Keyspace, revision: number): number | ReadRefusal {
  if (revision === 0) return space.currentRev;
  if (revision < 0) return revision;
  if (revision > space.currentRev) return 'future';
  return revision < space.compactRev ? 'compacted' : revision;
}
