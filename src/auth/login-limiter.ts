interface Attempts {
  failures: number;
  /** ms, monotonic */
  lastFailure: number;
}

/** Wrong passwords in a row that cost nothing but their hash. */
const FREE_FAILURES = 10;
const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 30_000;
/** A record that has been quiet this long is forgotten. */
const FORGET_MS = 60_000;
const RECORDS_MAX = 10_000;

/**
 * Slows down who guesses passwords: after ten failures in a row of one name from one address, the next attempt must
 * wait, twice as long each time, up to 30 s. An attempt within the wait is refused before a hash is computed. The name
 * alone is not held against anybody, so that nobody can lock out a user from elsewhere.
 */
export class LoginLimiter {
  readonly #records = new Map<string, Attempts>();

  /** @returns ms to wait; 0: go on */
  wait(who: string, now: number): number {
    const record = this.#records.get(who);
    if (record === undefined || record.failures < FREE_FAILURES) return 0;
    if (now - record.lastFailure >= FORGET_MS) {
      this.#records.delete(who);
      return 0;
    }
    const wait = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(record.failures - FREE_FAILURES, 10));
    return Math.max(0, record.lastFailure + wait - now);
  }

  failed(who: string, now: number): void {
    const record = this.#records.get(who) ?? { failures: 0, lastFailure: now };
    this.#records.delete(who);
    if (now - record.lastFailure >= FORGET_MS) record.failures = 0;
    record.failures++;
    record.lastFailure = now;
    this.#records.set(who, record);
    // The oldest stand at the front.
    for (const [name, old] of this.#records) {
      if (this.#records.size <= RECORDS_MAX && now - old.lastFailure < FORGET_MS) break;
      this.#records.delete(name);
    }
  }

  succeeded(who: string): void {
    this.#records.delete(who);
  }
}
