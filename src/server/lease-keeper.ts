import type { Checkpoint, Lessor } from '../lease/index.js';
import type { Failpoint } from '../util/failpoint.js';
import { failpoint } from '../util/failpoint.js';
import type { Completion, LeaseTimeToLive } from './api.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';
import type { ReadIndexer } from './read-index.js';

const beforeCheckpointInLeaseRenew = failpoint('beforeCheckpointInLeaseRenew');
const beforeLookupWhenLeaseTimeToLive = failpoint('beforeLookupWhenLeaseTimeToLive');

/** What the keeper needs of the member. */
export interface LeaseKeeperView {
  /** The term in which this member leads; 0 if it does not. */
  readonly leaderTerm: number;
  now(): number;
  /** The clock that leases run by: the same one. A mutant reads the one on the wall, which may jump (museum 59). */
  leaseNow(): number;
  wake(): void;
  /** Proposes LeaseRevoke in our own log, never by way of another leader. */
  proposeRevoke(id: bigint): void;
  /** Proposes LeaseCheckpoint, likewise in our own log: what a deposed leader says is left may have been renewed since. */
  proposeCheckpoints(checkpoints: readonly Checkpoint[]): void;
  /** Proposes that a lease has its whole time again; `done` hears when it is applied. */
  clearCheckpoint(id: bigint, done: Completion<unknown>): void;
}

type Answer<T> = (err: ServerError | null, value: T | null) => void;

/**
 * The part of leases that looks at time. Only the leader's lessor does; what it finds expired goes through the log.
 *
 * Both a renewal and an expiry are decided behind a round of ReadIndex, since a leader that was deposed while it was
 * paused cannot know it: its renewals would promise what the new leader does not keep (museum 55, 56).
 */
export class LeaseKeeper {
  /** Leases whose time was up while this member led. */
  expiredCount = 0;
  readonly #lessor: Lessor;
  readonly #reads: ReadIndexer;
  readonly #view: LeaseKeeperView;
  readonly #checkMs: number;
  readonly #perCheck: number;
  #nextCheck = 0;
  #checking = false;

  constructor(lessor: Lessor, reads: ReadIndexer, view: LeaseKeeperView, checkMs: number, revokeRate: number) {
    this.#lessor = lessor;
    this.#reads = reads;
    this.#view = view;
    this.#checkMs = checkMs;
    this.#perCheck = Math.max(1, Math.floor((revokeRate * checkMs) / 1000));
  }

  /** @param extendMs every lease lives at least this much longer: its holder may have renewed it with the old leader */
  leadershipGained(extendMs: number): void {
    this.#lessor.promote(this.#view.leaseNow(), extendMs);
  }

  leadershipLost(): void {
    this.#lessor.demote();
  }

  /** Revokes what has expired; called often, works every `checkMs`. */
  tick(): void {
    const now = this.#view.now();
    const term = this.#view.leaderTerm;
    if (term !== 0 && now >= this.#nextCheck) this.#checkpoint(this.#view.leaseNow());
    const unasked = this.#lessor.revokesWhenDeposed;
    if ((term === 0 && !unasked) || now < this.#nextCheck || this.#checking) return;
    this.#nextCheck = now + this.#checkMs;
    if (!this.#lessor.hasExpired(this.#view.leaseNow())) return;
    if (unasked) return this.#revokeExpired();
    this.#checking = true;
    this.#confirmed(
      term,
      () => {
        this.#checking = false;
        this.#revokeExpired();
      },
      () => {
        this.#checking = false;
      },
    );
  }

  #checkpoint(now: number): void {
    const due = this.#lessor.dueCheckpoints(now, CHECKPOINTS_AT_ONCE);
    if (due.length > 0) this.#view.proposeCheckpoints(due);
  }

  #revokeExpired(): void {
    for (const id of this.#lessor.expired(this.#view.leaseNow(), this.#perCheck)) {
      this.expiredCount++;
      this.#view.proposeRevoke(id);
    }
  }

  /** On the leader alone. @param cb value: the TTL in seconds, 0 where there is no such lease */
  renew(id: bigint, cb: Answer<number>): void {
    this.#onLeader(cb, (confirmedAt) => {
      if (beforeCheckpointInLeaseRenew.on) beforeCheckpointInLeaseRenew.hit();
      if (this.#lessor.mustClear(id)) {
        const again = { ok: () => this.renew(id, cb), fail: (err: ServerError) => cb(err, null) };
        return this.#view.clearCheckpoint(id, again);
      }
      // Counted from before the confirmation: a leader elected since counts from later.
      const now = this.#view.leaseNow();
      const ttl = this.#lessor.renew(id, now, confirmedAt + (now - this.#view.now()));
      if (typeof ttl === 'number') cb(null, ttl);
      else if (ttl === 'expired-pending-revoke') this.#lessor.whenRevoked(id, (outcome) => renewRefused(outcome, cb));
      else renewRefused(ttl, cb);
    });
  }

  /** On the leader alone. @param before the place in the code, which depends on who asks */
  timeToLive(
    id: bigint,
    keys: boolean,
    cb: Answer<LeaseTimeToLive>,
    before: Failpoint = beforeLookupWhenLeaseTimeToLive,
  ): void {
    this.#onLeader(cb, () => {
      if (before.on) before.hit();
      const times = this.#lessor.remaining(id, this.#view.leaseNow());
      if (times === undefined) return cb(null, { ttl: -1, grantedTtl: 0, keys: [] });
      cb(null, { ttl: times.ttl, grantedTtl: times.grantedTtl, keys: keys ? this.#lessor.keysOf(id) : [] });
    });
  }

  #onLeader<T>(cb: Answer<T>, act: (confirmedAt: number) => void): void {
    const term = this.#view.leaderTerm;
    if (term === 0) return cb(refusal('ERR_NOT_LEADER'), null);
    this.#confirmed(term, act, (err) => cb(err, null));
  }

  /** Goes on if we still lead in the same term when a round of ReadIndex that began now has been confirmed. */
  #confirmed(term: number, act: (confirmedAt: number) => void, otherwise: (err: ServerError) => void): void {
    this.#reads.add(
      {
        ready: (confirmedAt) => {
          if (this.#view.leaderTerm === term) act(confirmedAt);
          else otherwise(refusal('ERR_NOT_LEADER'));
        },
        fail: otherwise,
      },
      this.#view.now(),
    );
    this.#view.wake();
  }
}

const CHECKPOINTS_AT_ONCE = 1000;

function renewRefused(why: 'not-found' | 'not-primary', cb: Answer<number>): void {
  if (why === 'not-found') cb(null, 0);
  else cb(refusal('ERR_NOT_LEADER'), null);
}
