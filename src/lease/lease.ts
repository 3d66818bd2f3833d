import { compareStrings } from './order.js';

/**
 * A lease and the keys attached to it. The replicated part is id, ttl, remainingTtl and keys; the rest is the leader's
 * own and means nothing on other members.
 */
export class Lease {
  readonly id: bigint;
  /** Granted time to live in seconds, the minimum already applied. */
  readonly ttl: number;
  /** What a checkpoint left of it, in seconds; 0: no checkpoint, the full ttl counts. */
  remainingTtl: number;
  readonly keys = new Set<string>();
  /** ms on the leader's monotonic clock; Infinity on a member that is not the leader. */
  expiry = Number.POSITIVE_INFINITY;
  /** When `expired` reports it (again): the expiry, or later if a revoke is under way. */
  due = Number.POSITIVE_INFINITY;
  /** A checkpoint that this leader proposed may still be on its way. */
  checkpointing = false;
  /** Position in the heap, -1 while it is in none. */
  heapIndex = -1;

  constructor(id: bigint, ttl: number, remainingTtl: number) {
    this.id = id;
    this.ttl = ttl;
    this.remainingTtl = remainingTtl;
  }

  /** Seconds that a new leader gives it. */
  get restartTtl(): number {
    return this.remainingTtl > 0 ? this.remainingTtl : this.ttl;
  }

  /** In byte order: every member deletes them in this one. */
  sortedKeys(): string[] {
    return [...this.keys].sort(compareStrings);
  }
}
