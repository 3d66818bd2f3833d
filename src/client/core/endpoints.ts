import type { ClientEnv } from './env.js';
import type { Connection, Dialer } from './transport.js';

/** First wait after a refused connection; doubles up to the maximum, with a quarter of jitter. */
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1000;
/** For how long an endpoint that let a call time out is asked last. */
const SUSPECT_MS = 10_000;

export type Balance = 'round-robin' | 'pinned';

/**
 * The endpoints of a client, and what is known of each.
 *
 *   good ----- refused / lost -----> backing off (not asked before retryAt)
 *     ^ \                                  |
 *     |  `-- a call timed out --> suspect  |       suspect: asked only if no good one is left
 *     `---- any answer --------------------'
 *
 * Round robin gives each call the next good endpoint; pinned stays with one until it fails.
 */
export class Endpoints {
  readonly #env: ClientEnv;
  readonly #dialer: Dialer;
  readonly #balance: Balance;
  #list: Endpoint[] = [];
  /** Named in a call and not in the list. */
  readonly #others = new Map<string, Endpoint>();
  /** Where the search for the next call starts. 0 <= #next < #list.length */
  #next = 0;

  constructor(env: ClientEnv, dialer: Dialer, urls: readonly string[], balance: Balance) {
    this.#env = env;
    this.#dialer = dialer;
    this.#balance = balance;
    this.update(urls);
    // Clients that start together do not all begin at the same member.
    if (balance === 'round-robin' && this.#list.length > 1) this.#next = env.rng.below(this.#list.length);
  }

  get size(): number {
    return this.#list.length;
  }

  urls(): string[] {
    return this.#list.map((e) => e.url);
  }

  /** Sets the list. Endpoints that stay keep their connection; those that go are closed. */
  update(urls: readonly string[]): void {
    const old = new Map(this.#list.map((e) => [e.url, e]));
    const list: Endpoint[] = [];
    for (const url of new Set(urls)) {
      list.push(old.get(url) ?? new Endpoint(url));
      old.delete(url);
    }
    this.#list = list;
    if (this.#next >= list.length) this.#next = 0;
    for (const gone of old.values()) gone.close();
  }

  /**
   * The endpoint for the next attempt, or null if all are backing off (see readyInMs).
   * @param avoid those this call has tried in the present round; they are taken only if no other is ready
   */
  pick(avoid: ReadonlySet<Endpoint> | null): Endpoint | null {
    const now = this.#env.clock.now();
    let best: Endpoint | null = null;
    let bestRank = 4;
    let bestAt = 0;
    for (let i = 0; i < this.#list.length; i++) {
      const at = (this.#next + i) % this.#list.length;
      const endpoint = this.#list[at]!;
      if (endpoint.retryAt > now) continue;
      const rank = (avoid?.has(endpoint) ? 2 : 0) + (endpoint.suspectUntil > now ? 1 : 0);
      if (rank < bestRank) {
        best = endpoint;
        bestRank = rank;
        bestAt = at;
      }
    }
    if (best === null) return null;
    this.#next = this.#balance === 'pinned' ? bestAt : (bestAt + 1) % this.#list.length;
    return best;
  }

  /** One endpoint by its URL, whether it is in the list or not (Status of a named member). */
  named(url: string): Endpoint {
    const listed = this.#list.find((e) => e.url === url);
    if (listed !== undefined) return listed;
    let other = this.#others.get(url);
    if (other === undefined) this.#others.set(url, (other = new Endpoint(url)));
    return other;
  }

  /** Milliseconds until pick can give an endpoint; at least 1. */
  readyInMs(): number {
    const now = this.#env.clock.now();
    let at = Number.POSITIVE_INFINITY;
    for (const endpoint of this.#list) at = Math.min(at, endpoint.retryAt);
    return Math.max(1, Math.ceil(at - now));
  }

  connection(endpoint: Endpoint): Connection {
    endpoint.connection ??= this.#dialer.dial(endpoint.url);
    return endpoint.connection;
  }

  /** The endpoint answered, be it with an error of its own. */
  good(endpoint: Endpoint): void {
    endpoint.failures = 0;
    endpoint.retryAt = 0;
    endpoint.suspectUntil = 0;
  }

  /** No connection, or it was lost. */
  lost(endpoint: Endpoint): void {
    const base = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(endpoint.failures, 10));
    endpoint.failures++;
    endpoint.retryAt = this.#env.clock.now() + base + this.#env.rng.below(Math.ceil(base / 4));
    this.#leave(endpoint);
  }

  /** It is connected, but did not answer in time or cannot serve now. */
  suspect(endpoint: Endpoint): void {
    endpoint.suspectUntil = this.#env.clock.now() + SUSPECT_MS;
    this.#leave(endpoint);
  }

  close(): void {
    for (const endpoint of this.#list) endpoint.close();
    for (const endpoint of this.#others.values()) endpoint.close();
    this.#others.clear();
    this.#list = [];
    this.#next = 0;
  }

  #leave(endpoint: Endpoint): void {
    if (this.#list[this.#next] === endpoint) this.#next = (this.#next + 1) % this.#list.length;
  }
}

export class Endpoint {
  readonly url: string;
  connection: Connection | null = null;
  /** Connections refused or lost in a row. */
  failures = 0;
  /** Clock time before which it is not asked. */
  retryAt = 0;
  /** Clock time until which others are asked first. */
  suspectUntil = 0;

  constructor(url: string) {
    this.url = url;
  }

  close(): void {
    this.connection?.close();
    this.connection = null;
  }
}
