import type { Backend, BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { KvRow } from '../util/env.js';
import { decodeKeyValue } from '../wire/key-value.js';
import { FINISHED_COMPACT, SCHEDULED_COMPACT } from './compactor.js';
import { Keyspace } from './keyspace.js';
import { encodeRevision, isTombstone, mainOf, subOf } from './revision.js';

/** What the rows say. */
export interface Loaded {
  readonly space: Keyspace;
  /** The lease of each live key that has one. */
  readonly attachments: Map<string, bigint>;
}

export interface LoadOptions {
  readonly valueCacheBytes: number;
  readonly sliceRows: number;
  readonly mutants: ReadonlySet<string>;
}

/**
 * Builds the index from the rows, in slices. The compact revision is the one that was scheduled, whether or not the
 * rows are gone, and the store's revision is not below it: the newest row may have been compacted away.
 */
export function loadKeyspace(
  backend: Backend,
  options: LoadOptions,
  cb: (err: BackendError | null, loaded: Loaded | null) => void,
): void {
  const space = new Keyspace(backend, options.valueCacheBytes);
  const attachments = new Map<string, bigint>();
  const metaKeys = [SCHEDULED_COMPACT, FINISHED_COMPACT];
  backend.getMany(Bucket.meta, metaKeys, (metaErr, [scheduled, finished]) => {
    if (metaErr !== null) {
      cb(metaErr, null);
      return;
    }
    space.finishedCompactRev = finished === undefined ? -1 : mainOf(finished);
    space.compactRev = Math.max(space.finishedCompactRev, scheduled === undefined ? -1 : mainOf(scheduled));
    if (!options.mutants.has('33')) space.currentRev = Math.max(space.currentRev, space.compactRev);
    const cursor = backend.scan(Bucket.key, encodeRevision(0, 0, false), END);
    const next = (): void => {
      cursor.next(options.sliceRows, (err, rows) => {
        if (err === null && rows.length > 0) {
          for (const row of rows) addRow(space, attachments, row);
          next();
          return;
        }
        cursor.close();
        if (err !== null) cb(err, null);
        else cb(null, { space, attachments });
      });
    };
    next();
  });
}

/** Above every revision. */
const END = Buffer.from([0xff]);

/** Rows come in ascending order of revision. */
function addRow(space: Keyspace, attachments: Map<string, bigint>, [rowKey, value]: KvRow): void {
  const main = mainOf(rowKey);
  const kv = decodeKeyValue(value);
  const known = space.index.get(kv.key);
  if (main > space.currentRev) space.currentRev = main;
  if (isTombstone(rowKey)) {
    const entry = space.index.put(kv.key, known, main, subOf(rowKey), 0, 0, value.length);
    space.cache.drop(entry);
    attachments.delete(kv.key);
    return;
  }
  // A restore that bumped the revision left an empty row there, a state of the key '' that no request can name. It is no
  // tombstone though it has no version: hashes and compactions keep it, as etcd's do.
  const version = Math.max(kv.version, 1);
  const entry = space.index.put(kv.key, known, main, subOf(rowKey), version, kv.createRevision, value.length);
  space.cache.set(entry, value);
  if (kv.lease !== 0n) attachments.set(kv.key, kv.lease);
  else attachments.delete(kv.key);
}
