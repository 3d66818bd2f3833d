/** The frame of a loop over keys: informers first, then workers; a lost race is a new try and no news. */
import type { Controller, Informer, WorkQueue } from '../kit/index.js';
import { isConflict } from '../kit/index.js';

export interface LoopOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  /** Work begins when these have been read. */
  readonly informers: readonly Informer[];
  readonly workers: number;
  readonly sync: (key: string) => Promise<void>;
  /** What onChange gave: handlers come off where the loop ends. */
  readonly handlers: readonly (() => void)[];
}

export function startLoop({ name, queue, informers, workers, sync, handlers }: LoopOptions): Controller {
  let stopped = false;
  void Promise.all(informers.map((informer) => informer.whenSynced())).then(() => {
    if (stopped) return;
    queue.run(workers, async (key) => {
      try {
        await sync(key);
      } catch (err) {
        // Somebody wrote in between; what they wrote is on its way to our informer.
        if (!isConflict(err)) throw err;
        queue.addRateLimited(key);
      }
    });
  });
  return {
    name,
    async stop() {
      stopped = true;
      for (const off of handlers) off();
      await queue.shutDown();
    },
  };
}
