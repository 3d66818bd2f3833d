import type { KubeObject } from '../machinery/object.js';

/** An object of a folder as it was last seen. */
export interface CacheEntry {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly object: KubeObject;
  /** Of the stored value. */
  readonly bytes: number;
}

/** The objects of a folder by key, in the order of keys. */
export class FolderCache {
  readonly #entries = new Map<string, CacheEntry>();
  /** Sorted. */
  #keys: string[] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  /** @returns what was there before */
  set(entry: CacheEntry): CacheEntry | undefined {
    const before = this.#entries.get(entry.key);
    this.#entries.set(entry.key, entry);
    if (before !== undefined) return before;
    const last = this.#keys[this.#keys.length - 1];
    if (last === undefined || last < entry.key) this.#keys.push(entry.key);
    else this.#keys.splice(this.#position(entry.key), 0, entry.key);
    return undefined;
  }

  delete(key: string): CacheEntry | undefined {
    const before = this.#entries.get(key);
    if (before === undefined) return undefined;
    this.#entries.delete(key);
    this.#keys.splice(this.#position(key), 1);
    return before;
  }

  clear(): void {
    this.#entries.clear();
    this.#keys = [];
  }

  /** All whose keys begin with the prefix. */
  under(prefix: string): CacheEntry[] {
    const found: CacheEntry[] = [];
    for (let i = this.#position(prefix); i < this.#keys.length && this.#keys[i]!.startsWith(prefix); i++) {
      found.push(this.#entries.get(this.#keys[i]!)!);
    }
    return found;
  }

  entries(): IterableIterator<CacheEntry> {
    return this.#entries.values();
  }

  /** Of the first key that is not below this one. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
