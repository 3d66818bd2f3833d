import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LevelStores } from '../../../src/env/level-store.js';
import { RealDisk } from '../../../src/env/real-disk.js';
import type { Env } from '../../../src/util/env.js';
import { nullLogger } from '../../../src/util/log.js';
import { Rng } from '../../../src/util/rng.js';

/** Disk, stores and timers of the real machine. */
export function realEnv(): Env {
  const unused = {} as never;
  return {
    clock: { now: () => performance.now(), wall: () => Date.now() },
    timers: {
      set: (ms, fn) => setTimeout(fn, ms),
      clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
      defer: (fn) => void setImmediate(fn),
    },
    rng: new Rng(1),
    disk: new RealDisk({ lossy: false }),
    stores: new LevelStores({ writeBufferSize: 4 << 20, cacheSize: 8 << 20 }),
    net: unused,
    crypto: unused,
    log: nullLogger,
    fatal: (err) => {
      throw err;
    },
  };
}

/** A fresh folder; call `remove` at the end. */
export function tempDir(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'keel-storage-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Waits for a callback. */
export function done<T>(call: (cb: (err: Error | null, value?: T | null) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((err, value) => (err === null ? resolve(value as T) : reject(err)));
  });
}
