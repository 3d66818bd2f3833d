import type { KeelError } from './errors.js';
import type { KeelClient } from './keel-client.js';
import type { KeepAlive } from './lease.js';
import type { LeaseId } from './ops.js';

/** etcd's default for locks and elections. */
const TTL_DEFAULT = 60;

/**
 * A lease that is kept alive while this process lives: what locks and leaderships are tied to. When `lost` resolves,
 * all of them may already belong to somebody else.
 */
export class Session {
  readonly client: KeelClient;
  readonly lease: LeaseId;
  readonly #keepAlive: KeepAlive;
  #over = false;

  /** @param options.ttl seconds until the others may go on when this process dies. @param options.lease an existing one */
  static async open(
    client: KeelClient,
    options: { readonly ttl?: number; readonly lease?: LeaseId } = {},
  ): Promise<Session> {
    const ttl = options.ttl ?? TTL_DEFAULT;
    const lease = options.lease ?? (await client.lease.grant(ttl)).id;
    return new Session(client, lease, ttl);
  }

  private constructor(client: KeelClient, lease: LeaseId, ttl: number) {
    this.client = client;
    this.lease = lease;
    this.#keepAlive = client.lease.keepAlive(lease, { ttl });
    this.#keepAlive.once('lost', () => {
      this.#over = true;
    });
  }

  /** Resolves when the lease is lost; never after `close` or `orphan`. */
  get lost(): Promise<KeelError> {
    return this.#keepAlive.lost;
  }

  /** False when it was lost, closed or orphaned. */
  get alive(): boolean {
    return !this.#over;
  }

  /** Stops renewing: locks stay held until the TTL runs out. */
  orphan(): void {
    this.#over = true;
    this.#keepAlive.stop();
  }

  /** Revokes the lease: locks and leaderships of the session are given up now. */
  async close(): Promise<void> {
    this.orphan();
    await this.client.lease.revoke(this.lease);
  }
}
