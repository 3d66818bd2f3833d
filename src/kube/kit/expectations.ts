import type { KubeClock } from './api.js';

/** Expectations older than this are forgotten: an event was missed, and a look at the whole cures it. */
const TIMEOUT_MS = 5 * 60_000;

interface Expected {
  adds: number;
  /** Keys of what is to be deleted. */
  deletes: Set<string>;
  at: number;
}

/**
 * What a controller has asked for and its informer has not shown yet. A loop that looks at its children acts only when
 * there is nothing of this left: it would ask for the same again.
 */
export class Expectations {
  readonly #clock: KubeClock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: KubeClock) {
    this.#clock = clock;
  }

  expectAdds(key: string, count: number): void {
    this.#expected.set(key, { adds: count, deletes: new Set(), at: this.#clock.now() });
  }

  /** @param children keys (or uids) of what will be deleted */
  expectDeletes(key: string, children: readonly string[]): void {
    this.#expected.set(key, { adds: 0, deletes: new Set(children), at: this.#clock.now() });
  }

  /** Both at once. */
  expect(key: string, adds: number, deletes: readonly string[]): void {
    this.#expected.set(key, { adds, deletes: new Set(deletes), at: this.#clock.now() });
  }

  /** A child was seen, or will never be. */
  added(key: string, count = 1): void {
    const expected = this.#expected.get(key);
    if (expected !== undefined) expected.adds -= count;
  }

  deleted(key: string, child: string): void {
    this.#expected.get(key)?.deletes.delete(child);
  }

  fulfilled(key: string): boolean {
    const expected = this.#expected.get(key);
    if (expected === undefined) return true;
    if (expected.adds <= 0 && expected.deletes.size === 0) return true;
    return this.#clock.now() - expected.at > TIMEOUT_MS;
  }

  forget(key: string): void {
    this.#expected.delete(key);
  }
}
