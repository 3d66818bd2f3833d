import type { KeyEntry } from './key-entry.js';

/** Such a Map grows within some milliseconds, and takes 4 MB. */
const HALF_MAX = 65_536;

/**
 * Entries that were found lately, by key: a look-up here is a third of a search over the leaves while it fits the
 * processor's cache. Two halves; when the newer one is full it becomes the older one, whose entries are forgotten unless
 * they are asked for again. Never large, so that neither its growth nor its end is felt.
 */
export class RecentKeys {
  #newer = new Map<string, KeyEntry>();
  #older = new Map<string, KeyEntry>();

  get(key: string): KeyEntry | undefined {
    const entry = this.#newer.get(key);
    if (entry !== undefined) return entry;
    if (this.#older.size === 0) return undefined;
    const old = this.#older.get(key);
    if (old !== undefined) this.add(old);
    return old;
  }

  add(entry: KeyEntry): void {
    if (this.#newer.size >= HALF_MAX) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(entry.key, entry);
  }

  forget(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
