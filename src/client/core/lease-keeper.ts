import type { TimerHandle } from '../../util/env.js';
import type { LeaseKeepAliveResponse } from '../../wire/index.js';
import { decodeKeepAlive, encodeKeepAlive } from './codec.js';
import type { Status } from './status.js';
import { CLOSED } from './status.js';
import { StreamKeeper } from './stream-keeper.js';
import type { Link } from './token.js';

const KEEPALIVE_PATH = '/etcdserverpb.Lease/LeaseKeepAlive';
/** The clock of all leases together; none is renewed later than this after it is due. */
const TICK_MS = 250;
/** A lease whose TTL is not known yet is treated as one of this length, as etcd's client does. */
const TTL_UNKNOWN_MS = 5000;
/** A stream that leaves a renewal unanswered for this share of the TTL is left for another member. */
const SILENCE_SHARE = 3;

/** How a lease ended for its keeper. */
export type LeaseLoss =
  /** The server knows no such lease: it expired or was revoked. */
  | { readonly kind: 'expired' }
  /** No renewal came through for a whole TTL: by the server's clock it may be gone. */
  | { readonly kind: 'unreachable' }
  /** The stream was refused for good (permission, credentials), or the client was closed. */
  | { readonly kind: 'failed'; readonly status: Status };

export interface LeaseSink {
  /** The member renewed it, for `ttl` seconds from the moment it handled the request. */
  renewed(response: LeaseKeepAliveResponse): void;
  /** Once, and last; not called after `drop`. */
  lost(loss: LeaseLoss): void;
}

/** One lease that is being kept; several sinks share one stream of renewals. */
export class KeptLease {
  readonly id: bigint;
  readonly sinks = new Set<LeaseSink>();
  ttlMs = TTL_UNKNOWN_MS;
  /** Clock times. */
  nextAt: number;
  /** Without a renewal until then the lease counts as lost. */
  deadlineAt: number;
  /** When the oldest unanswered request was sent; Infinity for none. */
  askedAt = Number.POSITIVE_INFINITY;

  constructor(id: bigint, now: number) {
    this.id = id;
    this.nextAt = now;
    this.deadlineAt = now + TTL_UNKNOWN_MS;
  }
}

/**
 * Keeps leases alive: each is renewed every third of its TTL, all over one stream, which moves to another member
 * when it breaks or falls silent. Time is the client's own, measured from the moment a renewal was asked for
 * (never from the answer), so that a lease is given up here before the server does.
 */
export class LeaseKeeper {
  readonly #link: Link;
  readonly #keeper: StreamKeeper;
  readonly #leases = new Map<bigint, KeptLease>();
  #timer: TimerHandle | null = null;

  constructor(link: Link) {
    this.#link = link;
    this.#keeper = new StreamKeeper(link, KEEPALIVE_PATH, true, {
      opened: () => this.#opened(),
      message: (reply) => this.#message(reply),
      lost: () => this.#forgetAsked(),
      failed: (status) => this.#failed(status),
    });
  }

  /** @param ttl granted seconds, 0 if not known: the lease then counts as lost 5 s from now unless renewed */
  keep(id: bigint, ttl: number, sink: LeaseSink): void {
    const now = this.#link.env.clock.now();
    if (this.#link.closed) {
      this.#link.env.timers.defer(() => sink.lost({ kind: 'failed', status: CLOSED }));
      return;
    }
    let lease = this.#leases.get(id);
    if (lease === undefined) {
      lease = new KeptLease(id, now);
      if (ttl > 0) {
        lease.ttlMs = ttl * 1000;
        lease.deadlineAt = now + lease.ttlMs;
      }
      this.#leases.set(id, lease);
    }
    lease.sinks.add(sink);
    this.#keeper.want();
    if (this.#keeper.open) this.#renew(lease, now);
    this.#arm();
  }

  /** Stops keeping for one sink; the lease itself lives on until it expires. */
  drop(id: bigint, sink: LeaseSink): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    lease.sinks.delete(sink);
    if (lease.sinks.size === 0) this.#leases.delete(id);
    this.#rest();
  }

  close(): void {
    this.#keeper.close();
    this.#end([...this.#leases.values()], { kind: 'failed', status: CLOSED });
    this.#rest();
  }

  #opened(): void {
    const now = this.#link.env.clock.now();
    // On a new stream all are renewed at once: how long they were not is not worth finding out.
    for (const lease of this.#leases.values()) this.#renew(lease, now);
  }

  #renew(lease: KeptLease, now: number): void {
    if (lease.askedAt === Number.POSITIVE_INFINITY) lease.askedAt = now;
    lease.nextAt = now + lease.ttlMs / 3;
    this.#keeper.send(encodeKeepAlive(lease.id));
  }

  #message(reply: Buffer): void {
    this.#keeper.good();
    const response = decodeKeepAlive(reply);
    const lease = this.#leases.get(response.id);
    if (lease === undefined) return;
    if (response.ttl <= 0) {
      this.#end([lease], { kind: 'expired' });
      this.#rest();
      return;
    }
    const now = this.#link.env.clock.now();
    const asked = Math.min(lease.askedAt, now);
    lease.askedAt = Number.POSITIVE_INFINITY;
    lease.ttlMs = response.ttl * 1000;
    lease.nextAt = asked + lease.ttlMs / 3;
    lease.deadlineAt = asked + lease.ttlMs;
    for (const sink of [...lease.sinks]) sink.renewed(response);
  }

  #tick(): void {
    const now = this.#link.env.clock.now();
    const late: KeptLease[] = [];
    let silent = false;
    for (const lease of this.#leases.values()) {
      if (lease.deadlineAt <= now) late.push(lease);
      else if (now - lease.askedAt > lease.ttlMs / SILENCE_SHARE) silent = true;
      else if (this.#keeper.open && lease.nextAt <= now) this.#renew(lease, now);
    }
    if (late.length > 0) this.#end(late, { kind: 'unreachable' });
    if (silent && this.#keeper.open && this.#link.endpoints.size > 1) this.#keeper.abandon();
    this.#rest();
    this.#arm();
  }

  #forgetAsked(): void {
    for (const lease of this.#leases.values()) lease.askedAt = Number.POSITIVE_INFINITY;
  }

  #failed(status: Status): void {
    this.#end([...this.#leases.values()], { kind: 'failed', status });
    this.#rest();
  }

  #end(leases: KeptLease[], loss: LeaseLoss): void {
    for (const lease of leases) {
      this.#leases.delete(lease.id);
      for (const sink of lease.sinks) sink.lost(loss);
    }
  }

  #arm(): void {
    if (this.#timer !== null || this.#leases.size === 0) return;
    this.#timer = this.#link.env.timers.set(TICK_MS, () => {
      this.#timer = null;
      this.#tick();
    });
  }

  #rest(): void {
    if (this.#leases.size > 0) return;
    this.#keeper.rest();
    if (this.#timer !== null) this.#link.env.timers.clear(this.#timer);
    this.#timer = null;
  }
}
