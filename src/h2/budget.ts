import type { Clock } from '../util/env.js';

/** Tokens that come back with time and, as a caller says so, with progress. What it does not cover is abuse. */
export class Budget {
  readonly #max: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  constructor(max: number, perSecond: number, now: number) {
    this.#max = max;
    this.#perMs = perSecond / 1000;
    this.#tokens = max;
    this.#at = now;
  }

  /** @returns false: there was none left */
  take(clock: Clock): boolean {
    if (this.#tokens < 1) {
      const at = clock.now();
      this.#tokens = Math.min(this.#max, this.#tokens + (at - this.#at) * this.#perMs);
      this.#at = at;
      if (this.#tokens < 1) return false;
    }
    this.#tokens--;
    return true;
  }

  give(): void {
    if (this.#tokens < this.#max) this.#tokens++;
  }
}
