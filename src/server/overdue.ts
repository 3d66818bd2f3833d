import type { Env } from '../util/env.js';

/**
 * Something small that usually goes along with something else soon, and is done by itself if it has waited `ms`. One timer
 * serves any number of beginnings and ends, since nearly all of them come to nothing.
 */
export class Overdue {
  readonly #env: Env;
  readonly #ms: number;
  readonly #act: () => void;
  /** ms, monotonic; -1: nothing waits. */
  #since = -1;
  #armed = false;

  constructor(env: Env, ms: number, act: () => void) {
    this.#env = env;
    this.#ms = ms;
    this.#act = act;
  }

  /** It waits from now on, if it does not already. */
  waits(now: number): void {
    if (this.#since < 0) this.#since = now;
    if (!this.#armed) this.#arm(this.#ms);
  }

  /** It went along. */
  done(): void {
    this.#since = -1;
  }

  #arm(delay: number): void {
    this.#armed = true;
    this.#env.timers.set(delay, () => {
      this.#armed = false;
      if (this.#since < 0) return;
      const left = this.#since + this.#ms - this.#env.clock.now();
      // A timer may come a little early.
      if (left >= 1) return this.#arm(left);
      this.#since = -1;
      this.#act();
    });
  }
}
