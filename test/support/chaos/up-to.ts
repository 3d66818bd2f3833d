import type { WatchRecord } from '../../../src/sim/checkers/index.js';

/** What a watcher saw up to a revision: a lease may end after the log was read, and its watchers hear of it. */
export function upTo(watch: WatchRecord, revision: number): WatchRecord {
  const batches = watch.batches.map((batch) => ({
    ...batch,
    events: batch.events.filter((event) => event.kv.mod <= revision),
  }));
  // What was nothing but later events is not a progress notification either.
  return { ...watch, batches: batches.filter((batch, i) => batch.events.length > 0 || isProgress(watch, i)) };
}

function isProgress(watch: WatchRecord, i: number): boolean {
  return watch.batches[i]!.events.length === 0;
}
