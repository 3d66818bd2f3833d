import type { KvRow, KvStore, KvStores } from '../../util/env.js';
import { Bucket } from './bucket.js';
import type { Counters } from './counters.js';
import {
  CONF_STATE_KEY,
  CONSISTENT_INDEX_KEY,
  COUNTERS_ROW,
  checkNumbers,
  FORMAT,
  fromBe64,
  NUMBERS_GTE,
  NUMBERS_LT,
  parseCounters,
  putCounters,
} from './counters.js';
import { BackendError } from './errors.js';
import { bucketEnd, EMPTY_BYTES, unsealed } from './row.js';

/** An open store that is known to be the state at counters.index. */
export interface Loaded {
  readonly store: KvStore;
  readonly counters: Counters;
  readonly confState: Buffer | undefined;
}

type LoadCallback = (err: BackendError | null, loaded: Loaded | null) => void;

const EMPTY: Counters = {
  format: FORMAT,
  flush: 1,
  window: 1,
  index: 0,
  term: 0,
  sizeInUse: EMPTY_BYTES,
  size: EMPTY_BYTES,
  rowCount: 0,
  stateHash: 0,
};

/**
 * Opens a store and checks that no flush is missing in it.
 * @param create also accept that there is none, or an empty one, and make it
 */
export function loadStore(
  stores: KvStores,
  path: string,
  options: { create: boolean; ignoreHoles: boolean },
  cb: LoadCallback,
): void {
  stores.open(path, { create: options.create }, (err, store) => {
    if (err !== null || store === null) return cb(BackendError.from(err, `backend: ${path}`), null);
    const fail = (what: unknown): void => store.close(() => cb(BackendError.from(what, `backend: ${path}`), null));
    try {
      const stored = store.getSync(COUNTERS_ROW);
      if (stored === undefined) return options.create ? createRows(store, cb, fail) : fail(incomplete(path));
      const counters = parseCounters(stored);
      readNumbers(store, [], (scanErr, numbers) => {
        if (scanErr !== null) return fail(scanErr);
        try {
          if (!options.ignoreHoles) checkNumbers(counters, numbers);
          cb(null, checked(store, counters));
        } catch (e) {
          fail(e);
        }
      });
    } catch (e) {
      fail(e);
    }
  });
}

function incomplete(path: string): BackendError {
  return new BackendError('ERR_CORRUPT', `backend: ${path} is not a complete store: it has no counters`);
}

/** The index row and the counters travel in one batch; that they agree shows that no flush was torn. */
function checked(store: KvStore, counters: Counters): Loaded {
  const stored = store.getSync(CONSISTENT_INDEX_KEY);
  const index = stored === undefined ? 0 : fromBe64(unsealed(CONSISTENT_INDEX_KEY, stored));
  if (index !== counters.index) {
    throw new BackendError('ERR_CORRUPT', `backend: consistent_index is ${index}, the counters have ${counters.index}`);
  }
  const conf = store.getSync(CONF_STATE_KEY);
  return { store, counters, confState: conf === undefined ? undefined : unsealed(CONF_STATE_KEY, conf) };
}

/** The first flush: it makes an empty store a complete one. Rows without counters are what a lost flush left. */
function createRows(store: KvStore, cb: LoadCallback, fail: (what: unknown) => void): void {
  const scan = store.scan({ gte: Buffer.alloc(1), lt: bucketEnd(Bucket.cluster) });
  scan.next(1, (err, rows) => {
    scan.close();
    if (err !== null) return fail(err);
    if (rows.length > 0) return fail(new BackendError('ERR_HOLE', 'backend: the store has rows but no counters'));
    const batch = store.newBatch();
    putCounters(batch, EMPTY, EMPTY.window);
    batch.write({ sync: true }, (writeErr) => {
      if (writeErr !== null) return fail(writeErr);
      cb(null, { store, counters: EMPTY, confState: undefined });
    });
  });
}

function readNumbers(store: KvStore, into: KvRow[], cb: (err: Error | null, rows: KvRow[]) => void): void {
  const scan = store.scan({ gte: NUMBERS_GTE, lt: NUMBERS_LT });
  const more = (): void =>
    scan.next(10_000, (err, rows) => {
      for (const row of rows) into.push(row);
      if (err === null && rows.length > 0) return more();
      scan.close();
      cb(err, into);
    });
  more();
}
