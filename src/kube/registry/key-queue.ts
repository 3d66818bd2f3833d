import type { Timers } from './timers.js';
import { sleep } from './timers.js';

/**
 * Who lost a race for a key stands in line for it, so that many updaters of one object come one after another instead
 * of starving each other. Only a courtesy: whoever waits too long goes on without, and correctness is the Txn's.
 */
export class KeyQueue {
  readonly #timers: Timers;
  readonly #maxWaitMs: number;
  /** The last one in line, by key. */
  readonly #tails = new Map<string, Promise<void>>();

  constructor(timers: Timers, maxWaitMs: number) {
    this.#timers = timers;
    this.#maxWaitMs = maxWaitMs;
  }

  /** Somebody stands in line: who comes now does well to stand there, too, or the ones in line lose again. */
  busy(key: string): boolean {
    return this.#tails.has(key);
  }

  /** @returns leaves the line; to be called once, whatever happens */
  async enter(key: string): Promise<() => void> {
    const before = this.#tails.get(key);
    let leave!: () => void;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const tail = before === undefined ? left : Promise.all([before, left]).then(() => undefined);
    this.#tails.set(key, tail);
    if (before !== undefined) await Promise.race([before, sleep(this.#timers, this.#maxWaitMs)]);
    return () => {
      leave();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
  }
}
