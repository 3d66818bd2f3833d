import type { Env } from '../../util/env.js';
import { BackendError } from './errors.js';
import { checkOwner, readKeelFile, removeLeftovers, writeKeelFile } from './keel-file.js';
import { loadStore } from './load.js';
import type { BackendOptions } from './options.js';
import { backendOptions, MUTANTS } from './options.js';
import { StoredBackend } from './stored-backend.js';

type OpenCallback = (err: BackendError | null, backend: StoredBackend | null) => void;

const FIRST_STORE = 'db-1';

/**
 * Opens or creates the backend in folder `dir` (a member's `member/keel`):
 *
 *   KEEL      the format, the owner, and which store is the current one
 *   db-<n>/   the store, a LevelDB folder; its LOCK is the member's lock
 *
 * A folder of another owner or a newer format is refused before anything in it is touched.
 */
export function openBackend(env: Env, dir: string, partial: Partial<BackendOptions>, cb: OpenCallback): void {
  const options = backendOptions(partial);
  let file: ReturnType<typeof readKeelFile>;
  try {
    file = readKeelFile(env.disk, dir);
    checkOwner(dir, file?.owner, options.owner);
    if (file === undefined) env.disk.mkdirp(dir);
  } catch (err) {
    const failure = BackendError.from(err, `backend: ${dir}`);
    env.timers.defer(() => cb(failure, null));
    return;
  }
  const name = file?.store ?? FIRST_STORE;
  const load = { create: file === undefined, ignoreHoles: options.mutants.has(MUTANTS.holeIgnored) };
  loadStore(env.stores, `${dir}/${name}`, load, (err, loaded) => {
    if (err !== null || loaded === null) return cb(err, null);
    try {
      // Another process may have swapped its store and let go of the lock between our reading and our locking.
      if (readKeelFile(env.disk, dir)?.store !== file?.store) {
        throw new BackendError('ERR_LOCKED', `backend: ${dir}: another process is using it`);
      }
      if (file === undefined && loaded.counters.index !== 0) {
        throw new BackendError('ERR_CORRUPT', `backend: ${dir} holds a store, but its file KEEL is missing`);
      }
      const owner = file?.owner ?? options.owner;
      if (file === undefined || file.owner !== owner) writeKeelFile(env.disk, dir, { store: name, owner });
      removeLeftovers(env.disk, dir, name);
      cb(null, new StoredBackend(env, dir, name, owner, loaded, options));
    } catch (e) {
      loaded.store.close(() => cb(BackendError.from(e, `backend: ${dir}`), null));
    }
  });
}
