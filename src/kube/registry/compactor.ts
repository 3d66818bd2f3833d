import type { KeelClient } from '../../client/index.js';
import { Compare, KeelError, Op } from '../../client/index.js';
import type { Logger } from '../../util/log.js';
import type { Timers } from './timers.js';

/** Shared with every other API server on the store, whatever its prefix. */
export const COMPACT_KEY = 'compact_rev_key';

/**
 * Drops history that is older than one period. Of several API servers one wins each period: it is the one whose
 * guess of the marker's version holds; the others learn the version and leave that period to it.
 * Source: kubernetes storage layout, compaction marker.
 */
export class Compactor {
  readonly #client: KeelClient;
  readonly #timers: Timers;
  readonly #periodMs: number;
  readonly #log: Logger;
  /** Of the marker, as far as we know. */
  #version = 0;
  /** Of the store one period ago; 0: not known yet. */
  #revision = 0;
  #timer: unknown = null;
  #stopped = false;

  constructor(client: KeelClient, timers: Timers, periodMs: number, log: Logger) {
    this.#client = client;
    this.#timers = timers;
    this.#periodMs = periodMs;
    this.#log = log.with({ caller: 'kube/registry/compactor.ts' });
  }

  start(): void {
    if (this.#periodMs <= 0) return;
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
  }

  /** One period's turn. @returns the revision that was compacted, or 0 */
  async round(): Promise<number> {
    const { header, succeeded, responses } = await this.#client.txn({
      compare: [Compare.version(COMPACT_KEY, '=', this.#version)],
      success: [Op.put(COMPACT_KEY, String(this.#revision))],
      failure: [Op.get(COMPACT_KEY)],
    });
    const old = this.#revision;
    this.#revision = header.revision;
    if (!succeeded) {
      const found = responses[0];
      this.#version = found?.type === 'range' ? (found.kvs[0]?.version ?? 0) : 0;
      return 0;
    }
    this.#version++;
    if (old === 0) return 0;
    try {
      await this.#client.compact(old);
    } catch (err) {
      // Somebody compacted further; that is what was wanted.
      if (!(err instanceof KeelError && err.code === 'ERR_COMPACTED')) throw err;
    }
    return old;
  }

  #arm(): void {
    this.#timer = this.#timers.set(this.#periodMs, () => {
      this.round()
        .then((revision) => {
          if (revision !== 0) this.#log.info('compacted history', { revision });
        })
        .catch((err: unknown) => {
          if (!this.#stopped) this.#log.warn('history was not compacted', { error: (err as Error).message });
        })
        .finally(() => {
          if (!this.#stopped) this.#arm();
        });
    });
  }
}
