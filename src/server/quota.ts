import type { PutRequest, RequestOp, TxnRequest } from '../wire/index.js';
import { OpKind } from '../wire/index.js';
import type { Alarms } from './alarms.js';
import { AlarmAction, AlarmType } from './alarms.js';
import type { AlarmRequest, Completion } from './api.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

/** What a write adds to the database at most, in bytes (etcd semantics §8). */
export const GRANT_COST = 64;
const PUT_COST = 256;

export function putCost({ key, value }: Pick<PutRequest, 'key' | 'value'>): number {
  return PUT_COST + key.length + value.length;
}

/** The dearer branch counts, nested transactions included; 0: it puts nothing. */
export function txnCost({ success, failure }: Pick<TxnRequest, 'success' | 'failure'>): number {
  return Math.max(branchCost(success), branchCost(failure));
}

function branchCost(ops: readonly RequestOp[]): number {
  let cost = 0;
  for (const { kind, request } of ops) {
    if (kind === OpKind.PUT) cost += putCost(request);
    else if (kind === OpKind.TXN) cost += txnCost(request);
  }
  return cost;
}

/** What the quota needs of its member. */
export interface QuotaView {
  readonly memberId: bigint;
  /** Bytes of the database: the high-water mark since the last defragmentation. */
  readonly size: number;
  /** Through the log. `done` hears either outcome. */
  proposeAlarm(request: AlarmRequest, done: Completion<unknown>): void;
}

/**
 * The quota of this member's database. Its size is this member's own, since compaction goes on at each one's pace; so
 * all that it decides is an answer and whether to raise the alarm. What is refused for all is decided by the alarm,
 * which is replicated.
 */
export class Quota {
  /** Bytes; Infinity: none. */
  readonly limit: number;
  readonly #view: QuotaView;
  readonly #alarms: Alarms;
  /** Who is refused once the alarm that is under way is raised; null: none is. */
  #waiting: Completion<never>[] | null = null;

  constructor(limit: number, view: QuotaView, alarms: Alarms) {
    this.limit = limit;
    this.#view = view;
    this.#alarms = alarms;
  }

  has(cost: number): boolean {
    return cost === 0 || this.#view.size + cost < this.limit;
  }

  /**
   * Asked before a request is validated. If there is no room, `done` is refused when the alarm is raised.
   * @returns whether there is room
   */
  admits(cost: number, done: Completion<never>): boolean {
    if (this.has(cost)) return true;
    this.#raise(done);
    return false;
  }

  /** A write was applied for which there was no room: it stands, its answer is the error (etcd semantics §8). */
  exceeded(done: Completion<never> | null): void {
    if (this.#alarms.noSpace) done?.fail(refusal('ERR_NO_SPACE'));
    else this.#raise(done);
  }

  #raise(done: Completion<never> | null): void {
    if (this.#waiting !== null) {
      if (done !== null) this.#waiting.push(done);
      return;
    }
    this.#waiting = done === null ? [] : [done];
    const told = (): void => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const one of waiting) one.fail(refusal('ERR_NO_SPACE'));
    };
    const { memberId } = this.#view;
    const request = { action: AlarmAction.ACTIVATE, memberId, alarm: AlarmType.NOSPACE };
    this.#view.proposeAlarm(request, { ok: told, fail: (_: ServerError) => told() });
  }
}
