import type { StoredBackend } from '../../../src/storage/backend/index.js';
import { MemoryBackend, openBackend } from '../../../src/storage/backend/index.js';
import { done, realEnv, tempDir } from '../support/real-env.js';
import { SimWorld } from '../support/sim-world.js';
import { backendSuite } from './suite.js';

backendSuite('MemoryBackend', () => ({
  open: async () => new MemoryBackend(setImmediate),
  crash: async (backend) => (backend as MemoryBackend).reopen(),
  end: async () => {},
}));

backendSuite('StoredBackend on SimLevel', () => {
  const world = new SimWorld(Math.floor(Math.random() * 1e9), {}, true);
  const open = (): Promise<StoredBackend> =>
    done((cb) => openBackend(world.env, '/member/keel', { paranoid: true, sliceRows: 2, flushMs: 1e6 }, cb));
  return {
    open,
    crash: async () => {
      world.crash();
      return open();
    },
    end: async () => {},
  };
});

backendSuite('StoredBackend on LevelDB', () => {
  const temp = tempDir();
  const env = realEnv();
  const open = (): Promise<StoredBackend> =>
    done((cb) => openBackend(env, `${temp.dir}/keel`, { paranoid: true, sliceRows: 2, flushMs: 1e6 }, cb));
  return {
    open,
    // The store is locked by this process, so a crash can only be an orderly end here: SimLevel has the others.
    crash: async (backend) => {
      await done((cb) => backend.close(cb));
      return open();
    },
    end: async () => temp.remove(),
  };
});
