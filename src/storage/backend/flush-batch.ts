import type { Clock, IoCallback, KvBatch, KvStore } from '../../util/env.js';
import { failpoint } from '../../util/failpoint.js';
import type { Histogram } from '../../util/histogram.js';
import type { Counters } from './counters.js';
import { putCounters } from './counters.js';
import { MUTANTS } from './options.js';

const beforeStartDBTxn = failpoint('beforeStartDBTxn');
const afterStartDBTxn = failpoint('afterStartDBTxn');
const commitBeforePreCommitHook = failpoint('commitBeforePreCommitHook');
const commitAfterPreCommitHook = failpoint('commitAfterPreCommitHook');
const beforeCommit = failpoint('beforeCommit');
const afterCommit = failpoint('afterCommit');

/** An empty batch for the rows of a flush. */
export function startFlush(store: KvStore): KvBatch {
  if (beforeStartDBTxn.on) beforeStartDBTxn.hit();
  const batch = store.newBatch();
  if (afterStartDBTxn.on) afterStartDBTxn.hit();
  return batch;
}

/**
 * Adds the counters to a flush's rows and writes all of it as one synced batch.
 * @param before the first flush number that is still stored: numbers below the counters' window are removed
 */
export function writeFlush(
  store: KvStore,
  batch: KvBatch,
  { counters, before, mutants }: { counters: Counters; before: number; mutants: ReadonlySet<string> },
  { clock, commits }: { clock: Clock; commits: Histogram },
  cb: IoCallback,
): void {
  const sync = !mutants.has(MUTANTS.unsyncedFlush);
  if (mutants.has(MUTANTS.indexAhead)) {
    const ahead = store.newBatch();
    putCounters(ahead, counters, before);
    ahead.write({ sync }, (err) => (err !== null ? cb(err) : batch.write({ sync }, cb)));
    return;
  }
  if (commitBeforePreCommitHook.on) commitBeforePreCommitHook.hit();
  putCounters(batch, counters, before);
  if (commitAfterPreCommitHook.on) commitAfterPreCommitHook.hit();
  if (beforeCommit.on) beforeCommit.hit();
  const start = clock.now();
  batch.write({ sync }, (err) => {
    commits.observe((clock.now() - start) / 1000);
    if (afterCommit.on) afterCommit.hit();
    cb(err);
  });
}
