import type { Backend, BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { KvRow } from '../util/env.js';
import { decodeKeyValue } from '../wire/key-value.js';
import type { CheckpointFacts } from './checkpoint.js';
import { CheckpointReader } from './checkpoint.js';
import { Compactor, FINISHED_COMPACT, SCHEDULED_COMPACT } from './compactor.js';
import { Keyspace } from './keyspace.js';
import { encodeRevision, isTombstone, mainOf, subOf } from './revision.js';

/** What the rows say. */
export interface Loaded {
  readonly space: Keyspace;
  /** The lease of each live key that has one. */
  readonly attachments: Map<string, bigint>;
  /** Rows that were read: those that no checkpoint spared us. */
  readonly rows: number;
}

/** An index that was written down earlier, to be read once. Whoever hands it over has checked that it is this store's. */
export interface CheckpointSource extends CheckpointFacts {
  /** Calls back in a later turn with the next block, undefined at the end, null where it is damaged. */
  next(cb: (block: Buffer | null | undefined) => void): void;
  /** It was of no use, for this reason. */
  refuse(why: string): void;
}

export interface LoadOptions {
  readonly valueCacheBytes: number;
  readonly sliceRows: number;
  readonly mutants: ReadonlySet<string>;
  readonly checkpoint: CheckpointSource | null;
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
  const loading: Loading = { space, attachments, sliceRows: options.sliceRows };
  const metaKeys = [SCHEDULED_COMPACT, FINISHED_COMPACT];
  backend.getMany(Bucket.meta, metaKeys, (metaErr, [scheduled, finished]) => {
    if (metaErr !== null) {
      cb(metaErr, null);
      return;
    }
    space.finishedCompactRev = finished === undefined ? -1 : mainOf(finished);
    space.compactRev = Math.max(space.finishedCompactRev, scheduled === undefined ? -1 : mainOf(scheduled));
    if (!options.mutants.has('33')) space.currentRev = Math.max(space.currentRev, space.compactRev);
    const { checkpoint } = options;
    if (checkpoint === null) return scanRows(loading, 0, cb);
    const refuse = (why: string): void => {
      checkpoint.refuse(why);
      loadKeyspace(backend, { ...options, checkpoint: null }, cb);
    };
    // A compaction above it has taken rows that would tell what became of its keys.
    if (space.compactRev > checkpoint.revision) return refuse('a compaction has overtaken it');
    if (space.finishedCompactRev < checkpoint.compacted) return refuse('it is ahead of the store');
    const reader = new CheckpointReader(space, attachments, checkpoint.revision);
    readBlocks(checkpoint, reader, (whole) => {
      if (!whole) return refuse('it is damaged');
      space.currentRev = Math.max(space.currentRev, checkpoint.revision);
      scanRows(loading, checkpoint.revision + 1, (err, loaded) => {
        if (err === null && !reader.complete) return refuse('rows behind it are missing');
        if (err === null) {
          // What was compacted since then is out of the index before anyone looks. Of what was being compacted, who knows.
          if (space.finishedCompactRev > checkpoint.compacted)
            new Compactor(space, 1, options.mutants).trim(space.finishedCompactRev);
          space.rowsMayBeGone = space.compactRev > space.finishedCompactRev;
        }
        cb(err, loaded);
      });
    });
  });
}

function readBlocks(checkpoint: CheckpointSource, reader: CheckpointReader, cb: (whole: boolean) => void): void {
  checkpoint.next((block) => {
    if (block === undefined || block === null) return cb(block === undefined);
    reader.add(block);
    readBlocks(checkpoint, reader, cb);
  });
}

interface Loading {
  readonly space: Keyspace;
  readonly attachments: Map<string, bigint>;
  readonly sliceRows: number;
}

/** Adds the rows of a revision and those above it. */
function scanRows(
  { space, attachments, sliceRows }: Loading,
  from: number,
  cb: (err: BackendError | null, loaded: Loaded | null) => void,
): void {
  let count = 0;
  const cursor = space.backend.scan(Bucket.key, encodeRevision(from, 0, false), END);
  const next = (): void => {
    cursor.next(sliceRows, (err, rows) => {
      if (err === null && rows.length > 0) {
        count += rows.length;
        for (const row of rows) addRow(space, attachments, row);
        next();
        return;
      }
      cursor.close();
      if (err !== null) cb(err, null);
      else cb(null, { space, attachments, rows: count });
    });
  };
  next();
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
    space.index.put(kv.key, known, main, subOf(rowKey), 0, 0, value.length);
    attachments.delete(kv.key);
    return;
  }
  // A restore that bumped the revision left an empty row there, a state of the key '' that no request can name. It is no
  // tombstone though it has no version: hashes and compactions keep it, as etcd's do.
  const version = Math.max(kv.version, 1);
  space.index.put(kv.key, known, main, subOf(rowKey), version, kv.createRevision, value.length);
  if (kv.lease !== 0n) attachments.set(kv.key, kv.lease);
  else attachments.delete(kv.key);
}
