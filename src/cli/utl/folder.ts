import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RealEnv } from '../../env/real-env.js';
import type { StoredBackend } from '../../storage/backend/index.js';
import { openBackend } from '../../storage/backend/index.js';
import { Exit, Fail } from '../ctl/fail.js';
import { done } from './env.js';

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/**
 * Opens a stopped member's store and closes it again behind the work.
 * @throws Fail where it is no member's folder; BackendError ERR_LOCKED where the member runs
 */
export async function withStore<T>(
  env: RealEnv,
  dataDir: string,
  work: (backend: StoredBackend) => Promise<T>,
): Promise<T> {
  const dir = join(dataDir, 'member', 'keel');
  // Opening would make what is not there.
  if (!existsSync(join(dir, 'KEEL'))) throw new Fail(Exit.ERROR, `${dataDir} is not the data folder of a keel member`);
  const backend = await done<StoredBackend>((cb) => openBackend(env, dir, {}, cb));
  try {
    return await work(backend);
  } finally {
    await done<null>((cb) => backend.close((err) => cb(err, null)));
  }
}
