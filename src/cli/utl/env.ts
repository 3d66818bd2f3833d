import { RealEnv } from '../../env/real-env.js';
import { nullLogger } from '../../util/log.js';

/** Runs offline work on the real machine, and ends its disk's thread behind it. */
export async function withEnv<T>(work: (env: RealEnv) => Promise<T>): Promise<T> {
  const env = new RealEnv({
    log: nullLogger,
    fatal: (err) => {
      throw err;
    },
  });
  try {
    return await work(env);
  } finally {
    await new Promise<void>((resolve) => env.close(resolve));
  }
}

/** A call with a callback, awaited. */
export function done<T>(call: (cb: (err: Error | null, value: T | null) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((err, value) => (err === null ? resolve(value as T) : reject(err)));
  });
}
