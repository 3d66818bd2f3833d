import { RingBuffer } from '../util/ring-buffer.js';
import type { NodeId } from './types.js';

/** A read that waits for a round of heartbeats. */
export interface PendingRead {
  readonly round: number;
  /** The commit index when the read came. */
  readonly index: number;
  readonly ctx: number;
  /** Who asked; the leader itself, or a follower. */
  readonly from: NodeId;
}

/** Reads that a member may keep waiting; beyond it they are refused and come again. */
const READS_MAX = 16_384;

/**
 * The leader's side of ReadIndex (thesis 6.4). All reads that came since the last heartbeats left share the next
 * round; a round is a number that only grows, and a heartbeat carries the newest. So an answer to round r confirms
 * every read up to round r, and can confirm none that came after those heartbeats left, however late it comes.
 */
export class Reads {
  /** The last round whose heartbeats left. Never reset: answers of an earlier term must not count in a later one. */
  round = 0;
  readonly #pending = new RingBuffer<PendingRead>(16);
  /** Reads that came before this leader had committed in its term. */
  #postponed: { ctx: number; from: NodeId }[] = [];
  /** Museum row 4: a read joins the round that is already under way. */
  readonly #mutantReuse: boolean;

  constructor(mutantReuse: boolean) {
    this.#mutantReuse = mutantReuse;
  }

  /** True if reads wait for a round that has not left. */
  get needsRound(): boolean {
    const last = this.#pending.last();
    return last !== undefined && last.round > this.round;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** @returns false if too many wait */
  add(ctx: number, from: NodeId, index: number): boolean {
    if (this.#pending.length >= READS_MAX) return false;
    const reuse = this.#mutantReuse && this.#pending.length > 0;
    this.#pending.push({ round: reuse ? this.round : this.round + 1, index, ctx, from });
    return true;
  }

  /** @returns the reads that a round up to `round` confirms, in the order they came */
  takeConfirmed(round: number): PendingRead[] {
    const taken: PendingRead[] = [];
    for (let r = this.#pending.peek(); r !== undefined && r.round <= round; r = this.#pending.peek()) {
      taken.push(r);
      this.#pending.shift();
    }
    return taken;
  }

  postpone(ctx: number, from: NodeId): boolean {
    if (this.#postponed.length >= READS_MAX) return false;
    this.#postponed.push({ ctx, from });
    return true;
  }

  get hasPostponed(): boolean {
    return this.#postponed.length > 0;
  }

  takePostponed(): { ctx: number; from: NodeId }[] {
    const taken = this.#postponed;
    this.#postponed = [];
    return taken;
  }

  /** The term ends: those who asked see a new leader, or none, and ask again. */
  reset(): void {
    this.#pending.clear();
    this.#postponed = [];
  }
}
