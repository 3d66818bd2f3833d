import type { Env } from '../../util/env.js';

/** What the client's core needs of the environment: a monotonic clock, timers, and a generator for jitter. */
export type ClientEnv = Pick<Env, 'clock' | 'timers' | 'rng'>;
