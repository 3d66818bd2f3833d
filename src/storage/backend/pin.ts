import type { KvStore, Timers } from '../../util/env.js';
import type { BackendPin } from './backend.js';
import type { Counters } from './counters.js';
import { MergeCursor } from './cursor.js';
import type { BackendError } from './errors.js';
import { rowKey } from './row.js';
import { UNKNOWN_HASH } from './state-hash.js';

/** Pins a store whose last flush has these counters. @param noticed hears of damage that is read */
export function pinStore(
  store: KvStore,
  counters: Counters,
  confState: Buffer | undefined,
  timers: Timers,
  noticed: (err: BackendError) => BackendError,
): BackendPin {
  const snapshot = store.snapshot();
  const { index, term, sizeInUse, rowCount, stateHash } = counters;
  return {
    index,
    term,
    confState,
    sizeInUse,
    rowCount,
    stateHash: stateHash ?? UNKNOWN_HASH,
    scan: (bucket, gte, lt) =>
      new MergeCursor(snapshot.scan({ gte: rowKey(bucket, gte), lt: rowKey(bucket, lt) }), [], timers, noticed),
    close: () => snapshot.close(),
  };
}
