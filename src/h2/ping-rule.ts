import type { Limits } from './limits.js';

/** Strikes that are forgiven. */
const STRIKES_MAX = 2;

/**
 * How often a client may ping, as gRPC for Go has it: a ping too soon after the last is a strike, and the third ends the
 * connection. What counts as too soon depends on whether a call is open; any HEADERS or DATA of ours forgives all, since
 * clients measure the line while they receive.
 */
export class PingRule {
  readonly #limits: Limits;
  #strikes = 0;
  #forgiven = false;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** We sent HEADERS or DATA. */
  forgive(): void {
    this.#forgiven = true;
  }

  /** @returns false: too many */
  onPing(now: number, hasStreams: boolean): boolean {
    const since = now - this.#lastAt;
    this.#lastAt = now;
    if (this.#forgiven) {
      this.#forgiven = false;
      this.#strikes = 0;
      return true;
    }
    if (since < (hasStreams ? this.#limits.pingMinMs : this.#limits.pingMinIdleMs)) this.#strikes++;
    return this.#strikes <= STRIKES_MAX;
  }
}
