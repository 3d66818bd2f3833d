import type { KvStore } from '../../util/env.js';
import type { Logger } from '../../util/log.js';

interface Range {
  readonly store: KvStore;
  readonly gte: Buffer;
  readonly lt: Buffer;
}

/**
 * Has the store give back the space of deleted rows, one range at a time: LevelDB has one thread for it, and more
 * calls would only hold up threads of the pool. Ranges that come meanwhile are joined into one.
 */
export class Reclaimer {
  readonly #log: Logger;
  #busy = false;
  #stopped = false;
  #next: Range | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  reclaim(store: KvStore, gte: Buffer, lt: Buffer): void {
    if (this.#stopped) return;
    if (this.#busy) {
      const next = this.#next?.store === store ? this.#next : null;
      this.#next = {
        store,
        gte: next !== null && next.gte.compare(gte) < 0 ? next.gte : gte,
        lt: next !== null && next.lt.compare(lt) > 0 ? next.lt : lt,
      };
      return;
    }
    this.#busy = true;
    store.compactRange(gte, lt, (err) => {
      this.#busy = false;
      if (err !== null) this.#log.warn('backend could not reclaim space', { error: err.message });
      const next = this.#next;
      this.#next = null;
      if (next !== null) this.reclaim(next.store, next.gte, next.lt);
    });
  }

  /** The stores are about to close: nothing further is asked of them. */
  stop(): void {
    this.#stopped = true;
  }

  /** As stop, for one store that is replaced. */
  leave(store: KvStore): void {
    if (this.#next?.store === store) this.#next = null;
  }
}
