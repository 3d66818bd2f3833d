import { Exit, Fail } from '../../fail.js';
import type { Io } from '../../io.js';

/** SIGINT or SIGTERM for a command that has something to put back before it ends. */
export interface Interruption {
  /** Aborted when it has come. */
  readonly signal: AbortSignal;
  /** Resolves when it has come; never rejects. */
  readonly done: Promise<undefined>;
  /** For a call that was given `signal`: an abort ends the command in Go's words. */
  readonly rethrow: (err: unknown) => never;
}

export function interruption(io: Io): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const done = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  io.onInterrupt?.(() => controller.abort());
  const rethrow = (err: unknown): never => {
    if (signal.aborted) throw new Fail(Exit.ERROR, 'context canceled');
    throw err;
  };
  return { signal, done, rethrow };
}
