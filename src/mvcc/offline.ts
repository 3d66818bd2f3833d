import type { Backend, BackendError } from '../storage/backend/index.js';
import { HashKvJob, hashRevision } from './hash-kv.js';
import { loadKeyspace } from './load.js';
import type { HashKvResult, ReadRefusal } from './types.js';

/** What reading the rows of a store at rest needs of a backend. */
export type RestingRows = Pick<Backend, 'getMany' | 'scan'>;

const SLICE_ROWS = 1000;

/**
 * HashKV over rows that nobody writes: of a file, or of a stopped member (etcd semantics §7). All keys are held in memory
 * meanwhile, their values are not.
 * @param revision <= 0: the newest
 */
export function hashRows(
  rows: RestingRows,
  revision: number,
  cb: (err: BackendError | null, result: HashKvResult | ReadRefusal | null) => void,
): void {
  // Loading and hashing get and scan; nothing else is called.
  const backend = rows as Backend;
  const options = { valueCacheBytes: 0, sliceRows: SLICE_ROWS, checkpoint: null, mutants: new Set<string>() };
  loadKeyspace(backend, options, (err, loaded) => {
    if (err !== null || loaded === null) return cb(err, null);
    const at = hashRevision(loaded.space, revision);
    if (typeof at === 'string') return cb(null, at);
    new HashKvJob(loaded.space, at, SLICE_ROWS, cb);
  });
}
