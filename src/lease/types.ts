/** `lease-not-found` on a grant: id 0 is no lease; the server chooses an id before it proposes. */
export type GrantRefusal = 'lease-exists' | 'ttl-too-large' | 'lease-not-found';

/**
 * - not-found: there is no such lease (TTL 0 in the answer)
 * - not-primary: this member does not lead, ask the one that does
 * - expired-pending-revoke: its time is over and the revoke is not applied yet; `whenRevoked` says when
 */
export type RenewRefusal = 'not-found' | 'not-primary' | 'expired-pending-revoke';

/** How the wait for a pending revoke ended: the lease is gone, or this member no longer decides. */
export type RevokeOutcome = 'not-found' | 'not-primary';

export interface LeaseTimes {
  /** Whole seconds left, towards zero; negative where it has expired and is not revoked yet. */
  readonly ttl: number;
  readonly grantedTtl: number;
}

export interface LessorOptions {
  /** Smallest TTL in seconds: ceil(1.5 x election ticks x heartbeat). Default 2. */
  readonly minTtl?: number;
  /** An expired lease is reported again after this many ms without its revoke. Default 3000. */
  readonly retryMs?: number;
  /** Leases of a new leader that end together are spread over time, this many a second. Default 750. */
  readonly promotedExpiriesPerSecond?: number;
  /** A lease with more time left than this, in ms, is checkpointed that often; 0: never. Default 0. */
  readonly checkpointMs?: number;
  /** Bugs put back on purpose, by their number in the museum of the simulator. */
  readonly mutants?: ReadonlySet<string>;
}

/** What a leader says is left of a lease, in seconds; 0: its whole time. */
export interface Checkpoint {
  readonly id: bigint;
  readonly remainingTtl: number;
}

/** As stored; see StoredLease in wire. */
export interface LeaseRow {
  readonly id: bigint;
  readonly ttl: number;
  readonly remainingTtl: number;
}
