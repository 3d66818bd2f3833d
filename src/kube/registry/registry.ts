import type { KeelClient } from '../../client/index.js';
import type { Logger } from '../../util/log.js';
import { nullLogger } from '../../util/log.js';
import { Compactor } from './compactor.js';
import type { RingLimits } from './event-ring.js';
import { Folder } from './folder.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore, Registry, StoreSpec } from './object-store.js';
import { asApiError } from './store-error.js';
import type { Timers } from './timers.js';
import { realTimers } from './timers.js';
import { TtlLeases } from './ttl-leases.js';
import { WatchCache } from './watch-cache.js';

export interface RegistryOptions {
  /** What all keys begin with, without a slash at its end. Default `/registry`. */
  readonly prefix?: string;
  /** How often history is dropped, in ms; it is kept for one such period at least. 0: never. Default 5 min. */
  readonly compactionIntervalMs?: number;
  /** Default 1 min; 0: only on demand. */
  readonly bookmarkIntervalMs?: number;
  /** How long a revision that is not there yet is waited for, in ms. Default 3000. */
  readonly freshnessWaitMs?: number;
  /** How much of each folder's recent past is remembered. */
  readonly ring?: Partial<RingLimits>;
  readonly logger?: Logger;
  /** For tests. */
  readonly timers?: Timers;
}

/** Of 16 MiB of events a folder may be forgetful, but never of its last 1,000. */
const RING: RingLimits = { minEvents: 1000, maxEvents: 16_384, maxBytes: 16 * 1024 * 1024 };
const HEALTH_TIMEOUT_MS = 2000;

/** A folder, with the stores of the kinds that share it: they differ in what they call its objects. */
interface Opened {
  readonly folder: Folder;
  readonly cache: WatchCache;
  readonly stores: Map<string, ObjectStore>;
}

/** All folders of one store. The client stays the caller's: it is not closed here. */
export function openRegistry(client: KeelClient, options: RegistryOptions = {}): Registry {
  return new FolderRegistry(client, options);
}

class FolderRegistry implements Registry {
  readonly #client: KeelClient;
  readonly #options: RegistryOptions;
  readonly #prefix: string;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #leases: TtlLeases;
  readonly #compactor: Compactor;
  readonly #open = new Map<string, Opened>();

  constructor(client: KeelClient, options: RegistryOptions) {
    this.#client = client;
    this.#options = options;
    this.#prefix = options.prefix ?? '/registry';
    this.#timers = options.timers ?? realTimers;
    this.#log = options.logger ?? nullLogger;
    this.#leases = new TtlLeases(client, this.#timers);
    this.#compactor = new Compactor(client, this.#timers, options.compactionIntervalMs ?? 300_000, this.#log);
    this.#compactor.start();
  }

  store(spec: StoreSpec): ObjectStore {
    let opened = this.#open.get(spec.dir);
    if (opened === undefined) {
      opened = this.#openFolder(spec);
      this.#open.set(spec.dir, opened);
    }
    const called = `${spec.group}/${spec.plural}`;
    let store = opened.stores.get(called);
    if (store === undefined) {
      store = this.#openStore(spec, opened);
      opened.stores.set(called, store);
    }
    return store;
  }

  async close(dir: string): Promise<void> {
    const opened = this.#open.get(dir);
    this.#open.delete(dir);
    opened?.cache.close(null);
  }

  async healthy(): Promise<void> {
    await asApiError(this.#client.get(`${this.#prefix}/health`, { timeoutMs: HEALTH_TIMEOUT_MS }));
  }

  async stop(): Promise<void> {
    this.#compactor.stop();
    for (const dir of [...this.#open.keys()]) await this.close(dir);
  }

  #openFolder(spec: StoreSpec): Opened {
    const folder = new Folder(this.#prefix, spec.dir, spec.namespaced);
    const ring = { ...RING, ...this.#options.ring };
    const bookmarkIntervalMs = this.#options.bookmarkIntervalMs ?? 60_000;
    const cache = new WatchCache(this.#client, folder, spec, this.#timers, { ring, bookmarkIntervalMs }, this.#log);
    return { folder, cache, stores: new Map() };
  }

  #openStore(spec: StoreSpec, { folder, cache }: Opened): ObjectStore {
    const parts = { client: this.#client, spec, folder, cache, leases: this.#leases, timers: this.#timers };
    return new FolderStore({ ...parts, freshnessWaitMs: this.#options.freshnessWaitMs ?? 3000 });
  }
}
