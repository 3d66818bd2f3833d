import type { KubeClock, Logger, WorkQueue } from './api.js';

/** First wait of a key that failed; it doubles. */
const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 1_000_000;
/** Over all keys: so many at once, then so many a second. */
const BUCKET = 100;
const BUCKET_PER_S = 10;

/**
 * Keys to work on. A key is in at most one of these places at a time, beside waiting for its hour:
 *
 *   waiting --hour--> queued --taken--> processing --done--> gone, or queued again if it was added meanwhile
 */
export class KeyQueue implements WorkQueue {
  readonly name: string;
  readonly #clock: KubeClock;
  readonly #log: Logger;
  #queued = new Set<string>();
  readonly #processing = new Set<string>();
  /** Added while they were processed. */
  readonly #again = new Set<string>();
  readonly #waiting = new Map<string, { at: number; timer: unknown }>();
  readonly #failures = new Map<string, number>();
  #tokens = BUCKET;
  #refilledAt: number;
  #workers = 0;
  #free = 0;
  #work: ((key: string) => Promise<void>) | null = null;
  #stopped = false;
  #whenIdle: (() => void)[] = [];
  /** Since the start. */
  adds = 0;
  retriesTotal = 0;

  constructor(name: string, clock: KubeClock, log: Logger) {
    this.name = name;
    this.#clock = clock;
    this.#log = log;
    this.#refilledAt = clock.now();
  }

  get length(): number {
    return this.#queued.size;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#unwait(key);
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#queued.has(key)) return;
    this.#queued.add(key);
    this.adds++;
    this.#dispatch();
  }

  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) return this.add(key);
    const at = this.#clock.now() + ms;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.at <= at) return;
    this.#unwait(key);
    const timer = this.#clock.setTimeout(() => {
      this.#waiting.delete(key);
      this.add(key);
    }, ms);
    this.#waiting.set(key, { at, timer });
  }

  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.retriesTotal++;
    const own = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 30));
    this.addAfter(key, Math.max(own, this.#takeToken()));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  run(workers: number, work: (key: string) => Promise<void>): void {
    this.#work = work;
    this.#workers = workers;
    this.#free = workers;
    this.#dispatch();
  }

  shutDown(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#waiting.values()) this.#clock.clearTimeout(timer);
    this.#waiting.clear();
    this.#queued.clear();
    this.#again.clear();
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #unwait(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#clock.clearTimeout(waiting.timer);
    this.#waiting.delete(key);
  }

  #dispatch(): void {
    const work = this.#work;
    if (work === null) return;
    while (this.#free > 0 && this.#queued.size > 0) {
      const key = this.#queued.values().next().value as string;
      this.#queued.delete(key);
      this.#processing.add(key);
      this.#free--;
      void this.#process(key, work);
    }
  }

  async #process(key: string, work: (key: string) => Promise<void>): Promise<void> {
    const failures = this.retries(key);
    try {
      // The adder's turn ends first: it may have more to say of this key.
      await Promise.resolve();
      await work(key);
      // Unless the work itself asked for another try.
      if (this.retries(key) <= failures) this.forget(key);
    } catch (err) {
      if (!this.#stopped) {
        this.#log.warn('will try again', { queue: this.name, key, error: (err as Error).message });
        this.addRateLimited(key);
      }
    } finally {
      this.#processing.delete(key);
      this.#free = Math.min(this.#workers, this.#free + 1);
      if (this.#again.delete(key)) this.add(key);
      this.#dispatch();
      if (this.#stopped && this.#processing.size === 0) for (const wake of this.#whenIdle.splice(0)) wake();
    }
  }

  /** @returns how long the bucket makes it wait, in ms */
  #takeToken(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(BUCKET, this.#tokens + ((now - this.#refilledAt) / 1000) * BUCKET_PER_S);
    this.#refilledAt = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / BUCKET_PER_S) * 1000;
  }
}
