import type { Backend } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import { ExpiryHeap } from './expiry-heap.js';
import { Lease } from './lease.js';
import { delLeaseRow, putLeaseRow } from './lease-rows.js';
import type {
  Checkpoint,
  GrantRefusal,
  LeaseRow,
  LeaseTimes,
  LessorOptions,
  RenewRefusal,
  RevokeOutcome,
} from './types.js';

/** Seconds; a longer grant is refused (etcd semantics §5). */
export const LEASE_TTL_MAX = 9_000_000_000;

/**
 * All leases of a member (etcd semantics §5).
 *
 * Which leases there are, their TTLs and their keys is replicated: `grant`, `revoke`, `checkpoint`, `attach` and
 * `detach` are called at apply alone, and on every member alike. When a lease ends is known to the leader alone:
 * `promote` starts all of them anew, `renew` puts one off, `expired` names those whose revoke is to be proposed.
 * Nothing ends but by a revoke from the log. Times are ms on the monotonic clock, handed in.
 */
export class Lessor {
  readonly #minTtl: number;
  readonly #retryMs: number;
  readonly #promotedPerSecond: number;
  readonly #checkpointMs: number;
  readonly #mutants: ReadonlySet<string>;
  #backend: Backend;
  #leases = new Map<bigint, Lease>();
  #keys = new Map<string, Lease>();
  #heap = new ExpiryHeap();
  #primary = false;
  /** The leader's: granted at apply, which knows no time, and not scheduled yet. */
  #granted: Lease[] = [];
  /** When each is to be checkpointed next, ms. All wait equally long, so the first is the first that is due. */
  #checkpoints = new Map<Lease, number>();
  /** Those who wait for the revoke of an expired lease. */
  #waiting = new Map<bigint, ((outcome: RevokeOutcome) => void)[]>();

  /** An empty lessor; `reset` fills it. */
  constructor(backend: Backend, options: LessorOptions = {}) {
    this.#backend = backend;
    this.#minTtl = options.minTtl ?? 2;
    this.#retryMs = options.retryMs ?? 3000;
    this.#promotedPerSecond = options.promotedExpiriesPerSecond ?? 750;
    this.#checkpointMs = options.checkpointMs ?? 0;
    this.#mutants = options.mutants ?? new Set();
    assert(this.#minTtl >= 1 && this.#retryMs > 0, 'lessor: options out of range');
  }

  /** Since the start, for metrics. */
  granted = 0;
  revoked = 0;
  renewed = 0;

  get size(): number {
    return this.#leases.size;
  }

  get isPrimary(): boolean {
    return this.#primary;
  }

  /** Museum row 55: a leader that was deposed goes on to revoke what expires. */
  get revokesWhenDeposed(): boolean {
    return this.#primary && this.#mutants.has('55');
  }

  // --- replicated: at apply ---

  /**
   * What a client that asks for `ttl` seconds is to have. It is asked before the grant is proposed, and not at apply:
   * the minimum is this member's own, and members must not differ in what they store.
   */
  raised(ttl: number): number {
    return Math.max(ttl, this.#minTtl);
  }

  /**
   * On the leader its time runs from the next call that says what time it is.
   * @param ttl seconds, as they were proposed
   * @returns the TTL that it has
   */
  grant(id: bigint, ttl: number): { readonly id: bigint; readonly ttl: number } | GrantRefusal {
    if (id === 0n) return 'lease-not-found';
    if (ttl > LEASE_TTL_MAX) return 'ttl-too-large';
    if (this.#leases.has(id)) return 'lease-exists';
    const lease = new Lease(id, Math.max(ttl, 1), 0);
    this.granted++;
    this.#leases.set(id, lease);
    putLeaseRow(this.#backend, lease, true);
    if (this.#primary) this.#granted.push(lease);
    return { id, ttl: lease.ttl };
  }

  /**
   * Ends a lease and deletes its keys.
   * @param deleteKeys deletes them in this order, in one revision, and detaches them
   */
  revoke(id: bigint, deleteKeys: (keys: string[]) => void): 'revoked' | 'lease-not-found' {
    const lease = this.#leases.get(id);
    if (lease === undefined) return 'lease-not-found';
    this.revoked++;
    if (lease.keys.size > 0) {
      deleteKeys(lease.sortedKeys());
      assert(lease.keys.size === 0, () => `lessor: keys of lease ${id} outlive it`);
    }
    this.#leases.delete(id);
    this.#heap.remove(lease);
    this.#checkpoints.delete(lease);
    delLeaseRow(this.#backend, id);
    this.#tell(id, 'not-found');
    return 'revoked';
  }

  /** A leader's word that so many seconds are left. @param persist etcd before 3.6 keeps it in memory alone */
  checkpoint(id: bigint, remainingTtl: number, persist: boolean): 'done' | 'lease-not-found' {
    const lease = this.#leases.get(id);
    if (lease === undefined) return 'lease-not-found';
    lease.remainingTtl = remainingTtl;
    lease.checkpointing = false;
    if (persist) putLeaseRow(this.#backend, lease, false);
    return 'done';
  }

  exists(id: bigint): boolean {
    return this.#leases.has(id);
  }

  /** A key has one lease at most: the earlier one lets go. */
  attach(id: bigint, key: string): void {
    const lease = this.#leases.get(id);
    assert(lease !== undefined, () => `lessor: key attached to lease ${id}, which does not exist`);
    const old = this.#keys.get(key);
    if (old === lease) return;
    if (old !== undefined) old.keys.delete(key);
    lease.keys.add(key);
    this.#keys.set(key, lease);
  }

  detach(key: string): void {
    const lease = this.#keys.get(key);
    if (lease === undefined) return;
    lease.keys.delete(key);
    this.#keys.delete(key);
  }

  // --- read anywhere ---

  /** The lease a key is attached to; 0n: none. */
  leaseOf(key: string): bigint {
    return this.#keys.get(key)?.id ?? 0n;
  }

  /** Keys of a lease, in no order; none if there is no such lease. */
  keysOf(id: bigint): string[] {
    const lease = this.#leases.get(id);
    return lease === undefined ? [] : [...lease.keys];
  }

  /** All ids, the one that ends first in front; on a member that is not the leader, by id. */
  list(): bigint[] {
    const leases = [...this.#leases.values()];
    leases.sort((a, b) => compare(a.expiry, b.expiry) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    return leases.map((lease) => lease.id);
  }

  /** undefined if there is no such lease. Off the leader the time left is not known: the largest number. */
  remaining(id: bigint, now: number): LeaseTimes | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    this.#start(now);
    const left = lease.expiry === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : (lease.expiry - now) / 1000;
    return { ttl: Math.trunc(left) + 0, grantedTtl: lease.ttl };
  }

  // --- the leader's ---

  /**
   * This member leads now: every lease starts anew, with its whole time (renewals are not logged, so the last one is
   * unknown) and `extendMs`, the election timeout, on top. Where many would end at once they are spread, so that
   * their revokes do not drown the rest.
   */
  promote(now: number, extendMs: number): void {
    this.#primary = true;
    this.#granted = [];
    const leases = [...this.#leases.values()];
    for (const lease of leases) lease.expiry = now + lease.restartTtl * 1000 + extendMs;
    const rate = this.#promotedPerSecond;
    if (leases.length > rate) {
      leases.sort((a, b) => compare(a.expiry, b.expiry) || (a.id < b.id ? -1 : 1));
      for (let i = rate; i < leases.length; i++) {
        const lease = leases[i] as Lease;
        lease.expiry = Math.max(lease.expiry, (leases[i - rate] as Lease).expiry + 1000);
      }
    }
    this.#checkpoints.clear();
    for (const lease of leases) {
      lease.checkpointing = false;
      this.#schedule(lease, lease.expiry);
      this.#scheduleCheckpoint(lease, now);
    }
  }

  /** This member leads no longer: it knows nothing of time, and those who wait must ask the new leader. */
  demote(): void {
    if (!this.#primary) return;
    if (this.#mutants.has('55')) return;
    this.#primary = false;
    this.#granted = [];
    this.#heap.clear();
    this.#checkpoints.clear();
    for (const lease of this.#leases.values()) {
      lease.expiry = Number.POSITIVE_INFINITY;
      lease.due = Number.POSITIVE_INFINITY;
    }
    const ids = [...this.#waiting.keys()];
    for (const id of ids) this.#tell(id, 'not-primary');
  }

  /**
   * @param from the moment its new time runs from, if that is before `now`: leadership was last confirmed then
   * @returns the TTL it has again, in seconds
   */
  renew(id: bigint, now: number, from = now): number | RenewRefusal {
    if (!this.#primary) return 'not-primary';
    const lease = this.#leases.get(id);
    if (lease === undefined) return 'not-found';
    this.#start(now);
    // Its revoke may be on its way through the log: to promise it more time would be a lie.
    if (lease.expiry <= now && !this.#mutants.has('56')) return 'expired-pending-revoke';
    this.renewed++;
    this.#schedule(lease, Math.max(lease.expiry, from + lease.ttl * 1000));
    this.#scheduleCheckpoint(lease, now);
    return lease.ttl;
  }

  /** Calls back once when an expired lease has been revoked, or this member leads no longer; at once if so already. */
  whenRevoked(id: bigint, cb: (outcome: RevokeOutcome) => void): void {
    if (!this.#leases.has(id) || !this.#primary) {
      cb(this.#primary ? 'not-found' : 'not-primary');
      return;
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) this.#waiting.set(id, [cb]);
    else waiting.push(cb);
  }

  /**
   * Leases whose revoke the leader should propose now. One that was named is named again only after the retry
   * interval, in case its proposal was lost.
   */
  expired(now: number, limit: number): bigint[] {
    const ids: bigint[] = [];
    if (!this.#primary) return ids;
    this.#start(now);
    while (ids.length < limit) {
      const lease = this.#heap.peek();
      if (lease === undefined || lease.due > now) break;
      ids.push(lease.id);
      this.#heap.set(lease, now + this.#retryMs);
    }
    return ids;
  }

  /**
   * What the leader should log now: how much is left of long leases whose last checkpoint, or renewal, is that long ago.
   * What is named is named again after the interval, until it is renewed, ends, or has too little left.
   */
  dueCheckpoints(now: number, limit: number): Checkpoint[] {
    const due: Checkpoint[] = [];
    if (!this.#primary) return due;
    this.#start(now);
    for (const [lease, at] of this.#checkpoints) {
      if (at > now || due.length >= limit) break;
      this.#checkpoints.delete(lease);
      const left = Math.ceil((lease.expiry - now) / 1000);
      if (left <= 0 || left >= lease.ttl) continue;
      lease.checkpointing = true;
      due.push({ id: lease.id, remainingTtl: left });
      this.#scheduleCheckpoint(lease, now);
    }
    return due;
  }

  /**
   * A renewal is to be promised only when no checkpoint stands, or is on its way, that says less: the next leader would
   * go by it. The leader logs a checkpoint of 0 first.
   */
  mustClear(id: bigint): boolean {
    const lease = this.#leases.get(id);
    return this.#primary && lease !== undefined && (lease.remainingTtl > 0 || lease.checkpointing);
  }

  #scheduleCheckpoint(lease: Lease, now: number): void {
    if (this.#checkpointMs === 0) return;
    this.#checkpoints.delete(lease);
    if (lease.expiry - now > this.#checkpointMs) this.#checkpoints.set(lease, now + this.#checkpointMs);
  }

  /** Whether `expired` would name any. */
  hasExpired(now: number): boolean {
    if (!this.#primary) return false;
    this.#start(now);
    const lease = this.#heap.peek();
    return lease !== undefined && lease.due <= now;
  }

  // --- restart and snapshot ---

  /**
   * Replaces everything: after a restart, or when a snapshot was installed.
   * @param rows what `readLeases` found in `backend`
   * @param attachments the lease of each live key that has one, as the key index found them
   */
  reset(backend: Backend, rows: readonly LeaseRow[], attachments: ReadonlyMap<string, bigint>, now: number): void {
    this.#backend = backend;
    this.#heap.clear();
    this.#checkpoints.clear();
    this.#granted = [];
    this.#leases = new Map();
    this.#keys = new Map();
    for (const row of rows) this.#leases.set(row.id, new Lease(row.id, row.ttl, row.remainingTtl));
    for (const [key, id] of attachments) if (this.#leases.has(id)) this.attach(id, key);
    if (this.#primary) this.promote(now, 0);
    for (const id of [...this.#waiting.keys()]) if (!this.#leases.has(id)) this.#tell(id, 'not-found');
  }

  #start(now: number): void {
    if (this.#granted.length === 0) return;
    for (const lease of this.#granted) {
      if (this.#leases.get(lease.id) !== lease || lease.heapIndex !== -1) continue;
      this.#schedule(lease, now + lease.ttl * 1000);
      this.#scheduleCheckpoint(lease, now);
    }
    this.#granted = [];
  }

  #schedule(lease: Lease, expiry: number): void {
    lease.expiry = expiry;
    this.#heap.set(lease, expiry);
  }

  #tell(id: bigint, outcome: RevokeOutcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    for (const cb of waiting) cb(outcome);
  }
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
