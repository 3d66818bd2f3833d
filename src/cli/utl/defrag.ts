import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BackendError } from '../../storage/backend/index.js';
import type { Context } from '../ctl/context.js';
import { Exit, Fail } from '../ctl/fail.js';
import { FlagError } from '../ctl/flags.js';
import { formatBytes, formatDuration } from '../ctl/go.js';
import { done, withEnv } from './env.js';
import { withStore } from './folder.js';
import { log } from './log.js';

/** `defrag`: gives back the space of deleted rows in a stopped member's store. */
export async function runDefrag({ flags, io }: Context): Promise<void> {
  if (!flags.changed('data-dir')) throw new FlagError('required flag(s) "data-dir" not set');
  const dataDir = flags.string('data-dir');
  const path = join(dataDir, 'member', 'keel');
  try {
    if (existsSync(join(dataDir, 'member', 'snap', 'db'))) {
      throw new Error('it holds a database of etcd, whose lock cannot be taken here; use "etcdutl defrag"');
    }
    await withEnv((env) =>
      withStore(env, dataDir, async (backend) => {
        const start = performance.now();
        const before = backend.size;
        const sizes = () => ({
          'current-db-size-bytes': backend.size,
          'current-db-size': formatBytes(backend.size),
          'current-db-size-in-use-bytes': backend.sizeInUse,
          'current-db-size-in-use': formatBytes(backend.sizeInUse),
        });
        log(io, 'info', 'defragmenting', { path, ...sizes() });
        backend.defragment();
        await done<null>((cb) => backend.flush((err) => cb(err, null)));
        log(io, 'info', 'finished defragmenting directory', {
          path,
          'current-db-size-bytes-diff': backend.size - before,
          ...sizes(),
          took: formatDuration(performance.now() - start),
        });
      }),
    );
  } catch (err) {
    if (err instanceof FlagError) throw err;
    const running = err instanceof BackendError && err.code === 'ERR_LOCKED';
    const why = running ? 'the member is running; to defragment it, use "keelctl defrag"' : (err as Error).message;
    throw new Fail(Exit.ERROR, `Failed to defragment etcd data[${dataDir}] (${why})`);
  }
}
