import { RingBuffer } from '../util/ring-buffer.js';
import { InternalKind } from '../wire/index.js';
import type { CallContext, Completion } from './api.js';
import { callIsOver, overError } from './call-over.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

/** A proposal of ours that waits to be applied, by the low 48 bits of its id. */
export interface Pending {
  readonly done: Completion<never>;
  /** Who asked, and how long the answer is waited for; null: the member itself. */
  readonly ctx: CallContext | null;
  /** ms, monotonic */
  readonly start: number;
  /** Of the proposal, in bytes. */
  readonly size: number;
  /** It has been handed to raft or to the leader: its outcome is unknown until it is applied. */
  submitted: boolean;
}

/** A proposal that has not left yet. */
export interface Queued {
  readonly id: number;
  readonly data: Buffer;
  /** ms, monotonic; for proposals of other members, which have no entry in the table */
  readonly until: number;
  /** It goes before what is not. */
  readonly isUrgent: boolean;
}

/** What proposals of this member's clients may take until they are applied; those that are urgent have half as much on top. */
export interface ProposalBounds {
  readonly maxPendingProposals: number;
  readonly maxPendingBytes: number;
}

/** What clients send without end; leases, alarms, users and members go before it. */
const BULK: ReadonlySet<number> = new Set([InternalKind.PUT, InternalKind.DELETE_RANGE, InternalKind.TXN]);

/** @param kind of an InternalRequest */
export function goesFirst(kind: number): boolean {
  return !BULK.has(kind);
}

/**
 * Proposals from the moment they are made until they are applied: a queue of those that have not left yet, and the
 * completion table of those of this member. Entries of the table expire in the order they were made, since all have
 * the same time-out.
 */
export class Proposals {
  readonly #table = new Map<number, Pending>();
  readonly #queue = new RingBuffer<Queued>();
  /** Leases, alarms, members: few and small, and others wait for them. */
  readonly #urgent = new RingBuffer<Queued>(4);
  readonly #bounds: ProposalBounds;
  #queuedBytes = 0;
  #pendingBytes = 0;
  /** Proposals of this member that ended without an answer of the log. */
  failedCount = 0;

  constructor(bounds: ProposalBounds = UNBOUNDED) {
    this.#bounds = bounds;
  }

  /** Whether one more is too many. */
  isFull(isUrgent: boolean): boolean {
    const factor = isUrgent ? URGENT_FACTOR : 1;
    const { maxPendingProposals, maxPendingBytes } = this.#bounds;
    return this.#table.size >= maxPendingProposals * factor || this.#pendingBytes >= maxPendingBytes * factor;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get pendingCount(): number {
    return this.#table.size;
  }

  get queuedCount(): number {
    return this.#queue.length + this.#urgent.length;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  add(
    id: number,
    data: Buffer,
    done: Completion<never>,
    now: number,
    ctx: CallContext | null = null,
    isUrgent = false,
  ): void {
    this.#table.set(id, { done, ctx, start: now, size: data.length, submitted: false });
    (isUrgent ? this.#urgent : this.#queue).push({ id, data, until: Number.POSITIVE_INFINITY, isUrgent });
    this.#queuedBytes += data.length;
    this.#pendingBytes += data.length;
  }

  /** What travels another way than the queue: a configuration change. */
  track(id: number, done: Completion<never>, now: number): void {
    this.#table.set(id, { done, ctx: null, start: now, size: 0, submitted: false });
  }

  /** It waits for its outcome still. */
  has(id: number): boolean {
    return this.#table.has(id);
  }

  /** A tracked one may have been taken by a leader, or certainly was not. */
  submitted(id: number, yes: boolean): void {
    const pending = this.#table.get(id);
    if (pending !== undefined) pending.submitted = yes;
  }

  /** A proposal that another member forwarded to us. It waits in the queue until `until` at most. */
  addForeign(data: Buffer, until: number): void {
    this.#queue.push({ id: -1, data, until, isUrgent: false });
    this.#queuedBytes += data.length;
  }

  /** Takes what is queued, up to `maxBytes` (at least one), leaving out what has expired or been cancelled meanwhile. */
  take(maxBytes: number, now: number): Queued[] {
    const out: Queued[] = [];
    let bytes = 0;
    for (;;) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#queue;
      const head = queue.peek();
      if (head === undefined) break;
      if (out.length > 0 && bytes + head.data.length > maxBytes) break;
      queue.shift();
      this.#queuedBytes -= head.data.length;
      if (head.id < 0) {
        if (head.until <= now) continue;
      } else {
        const pending = this.#table.get(head.id);
        if (pending === undefined) continue;
        if (callIsOver(pending.ctx, now)) {
          this.#leave(head.id, pending);
          pending.done.fail(overError(pending.ctx, now));
          continue;
        }
        pending.submitted = true;
      }
      out.push(head);
      bytes += head.data.length;
    }
    return out;
  }

  /** What `take` gave was certainly not accepted anywhere: it stands at the front of the queue again. */
  putBack(taken: readonly Queued[]): void {
    for (let i = taken.length - 1; i >= 0; i--) {
      const queued = taken[i] as Queued;
      (queued.isUrgent ? this.#urgent : this.#queue).unshift(queued);
      this.#queuedBytes += queued.data.length;
      const pending = queued.id < 0 ? undefined : this.#table.get(queued.id);
      if (pending !== undefined) pending.submitted = false;
    }
  }

  /** The proposal with this id has been applied: it leaves the table. */
  applied(id: number): Pending | undefined {
    const pending = this.#table.get(id);
    if (pending !== undefined) this.#leave(id, pending);
    return pending;
  }

  #leave(id: number, pending: Pending): void {
    this.#table.delete(id);
    this.#pendingBytes -= pending.size;
  }

  /**
   * Fails what is older than `timeoutMs`, and what nobody waits for any more. What never left the queue is a plain
   * missed deadline; `cause` tells why one that was submitted did not come back (semantics 1.3).
   */
  expire(now: number, timeoutMs: number, cause: (start: number) => ServerError): void {
    for (const [id, pending] of this.#table) {
      const late = now - pending.start >= timeoutMs;
      if (!late && !callIsOver(pending.ctx, now)) continue;
      this.#leave(id, pending);
      this.failedCount++;
      if (!late) pending.done.fail(overError(pending.ctx, now));
      else pending.done.fail(pending.submitted ? cause(pending.start) : refusal('ERR_DEADLINE'));
    }
    this.#dropGone(this.#queue, now);
    this.#dropGone(this.#urgent, now);
  }

  #dropGone(queue: RingBuffer<Queued>, now: number): void {
    for (let head = queue.peek(); head !== undefined; head = queue.peek()) {
      const gone = head.id < 0 ? head.until <= now : !this.#table.has(head.id);
      if (!gone) break;
      queue.shift();
      this.#queuedBytes -= head.data.length;
    }
  }

  failAll(err: ServerError): void {
    const all = [...this.#table.values()];
    this.#table.clear();
    this.#queue.clear();
    this.#urgent.clear();
    this.#queuedBytes = 0;
    this.#pendingBytes = 0;
    this.failedCount += all.length;
    for (const pending of all) pending.done.fail(err);
  }
}

const UNBOUNDED: ProposalBounds = {
  maxPendingProposals: Number.POSITIVE_INFINITY,
  maxPendingBytes: Number.POSITIVE_INFINITY,
};
const URGENT_FACTOR = 1.5;
