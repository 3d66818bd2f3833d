import { randomBytes } from 'node:crypto';
import { Rng } from '../util/rng.js';
import type { ClientEnv } from './core/env.js';

/** The core's environment in a Node process. Timers do keep the process alive: a call that waits is work. */
export function nodeEnv(): ClientEnv {
  return {
    clock: { now: () => performance.now(), wall: () => Date.now() },
    timers: {
      set: (delayMs, fn) => setTimeout(fn, delayMs),
      clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
      defer: (fn) => void setImmediate(fn),
    },
    rng: new Rng(randomBytes(6).readUIntBE(0, 6)),
  };
}
