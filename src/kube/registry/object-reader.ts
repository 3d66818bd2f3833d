import type { KeelClient, KeyValue, RangeResult } from '../../client/index.js';
import { internalError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import { decodeStored } from './codec.js';
import { isFuture, tooLargeResourceVersion } from './store-error.js';
import type { Timers } from './timers.js';
import { sleep } from './timers.js';
import type { WatchCache } from './watch-cache.js';

const POLL_MS = 50;

/** Reads of one folder from the store itself. */
export class ObjectReader {
  readonly #client: KeelClient;
  readonly #cache: WatchCache;
  readonly #timers: Timers;
  readonly #waitMs: number;

  /** @param waitMs how long a revision that the store has not come to is waited for */
  constructor(client: KeelClient, cache: WatchCache, timers: Timers, waitMs: number) {
    this.#client = client;
    this.#cache = cache;
    this.#timers = timers;
    this.#waitMs = waitMs;
  }

  /** @throws ApiError 500 for a value that is no object */
  decode(kv: KeyValue): KubeObject {
    const key = kv.key.toString('utf8');
    const known = this.#cache.known(kv, key);
    if (known !== undefined) return known;
    try {
      return decodeStored(kv.value, kv.modRevision);
    } catch (err) {
      throw internalError(`the stored object ${key} cannot be read: ${(err as Error).message}`);
    }
  }

  /** One row by quorum; null if it is not there. */
  async row(key: string, notBefore = 0): Promise<{ kv: KeyValue | null; revision: number }> {
    const { kvs, header } = await this.reached(notBefore, () => this.#client.get(key));
    return { kv: kvs[0] ?? null, revision: header.revision };
  }

  /**
   * Repeats a read until the store has come to a revision.
   * @throws ApiError 504 when it does not in time
   */
  async reached(revision: number, read: () => Promise<RangeResult>): Promise<RangeResult> {
    const until = this.#timers.now() + this.#waitMs;
    for (;;) {
      const result = await this.#readOrFuture(read);
      if (result !== null && result.header.revision >= revision) return result;
      if (this.#timers.now() >= until) {
        const current = result?.header.revision ?? (await this.revision());
        throw tooLargeResourceVersion(revision, current);
      }
      await sleep(this.#timers, POLL_MS);
    }
  }

  /** What the store has come to. */
  async revision(): Promise<number> {
    return (await this.#client.get('compact_rev_key', { keysOnly: true })).header.revision;
  }

  async #readOrFuture(read: () => Promise<RangeResult>): Promise<RangeResult | null> {
    try {
      return await read();
    } catch (err) {
      if (isFuture(err)) return null;
      throw err;
    }
  }
}
