import type { KeelClient, LeaseId } from '../../client/index.js';
import type { Timers } from './timers.js';

/** A lease takes new keys for so long; its TTL is that much longer, so that none of them lives too short. */
const SHARED_FOR_MS = 60_000;
/** Beyond so many keys a lease takes long to revoke. */
const KEYS_MAX = 1000;

interface Shared {
  readonly id: Promise<LeaseId>;
  readonly until: number;
  keys: number;
}

/** Leases for objects that vanish by themselves: one lease a minute, shared, instead of one an object. */
export class TtlLeases {
  readonly #client: KeelClient;
  readonly #timers: Timers;
  readonly #byTtl = new Map<number, Shared>();

  constructor(client: KeelClient, timers: Timers) {
    this.#client = client;
    this.#timers = timers;
  }

  /** @param ttlSeconds an object attached to the lease lives that long, up to a minute more */
  async lease(ttlSeconds: number): Promise<LeaseId> {
    let shared = this.#byTtl.get(ttlSeconds);
    if (shared === undefined || shared.until <= this.#timers.now() || shared.keys >= KEYS_MAX) {
      const id = this.#client.lease.grant(ttlSeconds + SHARED_FOR_MS / 1000).then((granted) => granted.id);
      shared = { id, until: this.#timers.now() + SHARED_FOR_MS, keys: 0 };
      this.#byTtl.set(ttlSeconds, shared);
      id.catch(() => this.forget(ttlSeconds));
    }
    shared.keys++;
    return shared.id;
  }

  /** The lease is gone (revoked by hand, or the store was restored): the next key gets a new one. */
  forget(ttlSeconds: number): void {
    this.#byTtl.delete(ttlSeconds);
  }
}
