import { IntervalTree } from './interval-tree.js';
import type { Watcher } from './watcher.js';

/** Watchers by what they watch: of single keys in a Map, of ranges in a tree. */
export class WatcherIndex {
  readonly #keys = new Map<string, Set<Watcher>>();
  readonly #ranges = new IntervalTree<Watcher>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    this.#size++;
    if (watcher.end !== undefined) {
      this.#ranges.add(watcher.key, watcher.end, watcher);
      return;
    }
    const watchers = this.#keys.get(watcher.key);
    if (watchers === undefined) this.#keys.set(watcher.key, new Set([watcher]));
    else watchers.add(watcher);
  }

  delete(watcher: Watcher): void {
    this.#size--;
    if (watcher.end !== undefined) {
      this.#ranges.delete(watcher.key, watcher.end, watcher);
      return;
    }
    const watchers = this.#keys.get(watcher.key);
    if (watchers === undefined) return;
    watchers.delete(watcher);
    if (watchers.size === 0) this.#keys.delete(watcher.key);
  }

  /** Adds those that watch `key` to `out`. */
  match(key: string, out: Watcher[]): void {
    const watchers = this.#keys.get(key);
    if (watchers !== undefined) for (const watcher of watchers) out.push(watcher);
    if (this.#ranges.size > 0) this.#ranges.stab(key, out);
  }
}
