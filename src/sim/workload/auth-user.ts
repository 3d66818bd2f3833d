import type { CallContext, Completion, Member } from '../../server/index.js';
import type { Rng } from '../../util/rng.js';
import { AS_ROOT } from '../caller.js';
import type { GrantOp, Op, OpRecord, Response, SimpleOp, TxnOp } from '../checkers/index.js';
import { send } from './requests.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

const CALL_MS = 8000;
/** Around the ends of what roles are granted, and none of the other clients'. */
const KEYS = ['a', 'ab', 'b', 'c', 'ca', 'm', 'ma', 'n'];
const RANGES: readonly (readonly [string, string])[] = [
  ['a', 'b'],
  ['a', 'c'],
  ['b', 'd'],
  ['c', 'c\0'],
  ['c', 'd'],
  ['m', 'n'],
  ['m', '\0'],
  ['n', '\0'],
];

/**
 * Writes and reads as users that may or may not: which of it is done is for the model of the log to say. Its keys are its
 * own, so that the others' histories do not depend on it; while auth is off everything is allowed.
 */
export class AuthUser {
  readonly #work: Workload;
  readonly #rng: Rng;
  readonly #id: number;
  #sequence = 0;
  #leases = 0;
  #lease = 0n;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
  }

  /** One call. @param over it has an answer, or will have none */
  next(name: string, over: () => void): void {
    const ctx: CallContext = { deadline: 0, certificateName: name };
    const dice = this.#rng.below(20);
    if (dice === 0) return this.#grant(over);
    if (dice === 1 && this.#lease !== 0n) return this.#revoke(ctx, over);
    const op = this.#draw();
    this.#call<Response>(
      op,
      (member, done) => send(member, op, done, ctx),
      (response) => response,
      over,
    );
  }

  #call<T>(
    op: Op,
    ask: (member: Member, done: Completion<T>) => void,
    answer: (value: T) => Response,
    over: () => void,
  ): void {
    const { history, port } = this.#work;
    const node = pickNode(this.#work, this.#rng);
    const record: OpRecord = history.begin(this.#id, node.name, op);
    port.call<T>(node, CALL_MS, ask, {
      ok: (value) => {
        history.ok(record, answer(value));
        over();
      },
      fail: (error) => {
        history.fail(record, error);
        over();
      },
      lost: (error) => {
        history.lost(record, error);
        over();
      },
    });
  }

  /** It ends by itself, or is revoked by somebody who may not. */
  #grant(over: () => void): void {
    const id = BigInt(this.#id) * 1_000_000n + BigInt(++this.#leases);
    const ttl = this.#rng.pick([2, 3, 5]);
    const op: GrantOp = { kind: 'grant', lease: id.toString(), ttl: this.#microseconds(ttl) };
    this.#lease = id;
    this.#call<{ ttl: number; revision: number }>(
      op,
      (member, done) =>
        member.leaseGrant({ id, ttl }, AS_ROOT, {
          ok: (granted) => done.ok({ ttl: granted.ttl, revision: member.revision }),
          fail: (err) => done.fail(err),
        }),
      (granted) => {
        op.ttl = this.#microseconds(granted.ttl);
        return { kind: 'lease', revision: granted.revision, ttl: op.ttl };
      },
      over,
    );
  }

  #revoke(ctx: CallContext, over: () => void): void {
    const id = this.#lease;
    this.#call<number>(
      { kind: 'revoke', lease: id.toString() },
      (member, done) =>
        member.leaseRevoke(id, ctx, { ok: () => done.ok(member.revision), fail: (err) => done.fail(err) }),
      (revision) => ({ kind: 'lease', revision, ttl: 0 }),
      over,
    );
  }

  /** The least that a TTL in seconds lasts in µs, on the fastest clock. */
  #microseconds(ttl: number): number {
    return Math.floor((ttl * 1_000_000 * 1_000_000) / (1_000_000 + this.#work.options.driftPpm));
  }

  #draw(): SimpleOp | TxnOp {
    const dice = this.#rng.below(10);
    if (dice < 3) return this.#put();
    if (dice < 5) return this.#delete();
    if (dice < 6) return this.#get();
    return this.#txn(this.#rng.chance(1, 3));
  }

  #put(): SimpleOp {
    const value = `${this.#id}.${++this.#sequence}.`;
    const lease = this.#lease !== 0n && this.#rng.chance(1, 4) ? this.#lease.toString() : '0';
    return { kind: 'put', key: this.#rng.pick(KEYS), value, lease, prev: this.#rng.chance(1, 3) };
  }

  #delete(): SimpleOp {
    const [key, rangeEnd] = this.#range();
    return { kind: 'delete', key, rangeEnd, prev: this.#rng.chance(1, 3) };
  }

  #get(): SimpleOp {
    const [key, rangeEnd] = this.#range();
    return { kind: 'range', key, rangeEnd, revision: 0, serializable: this.#rng.chance(1, 3) };
  }

  #range(): readonly [string, string] {
    return this.#rng.chance(1, 2) ? [this.#rng.pick(KEYS), ''] : this.#rng.pick(RANGES);
  }

  /** @param nested its first branch is a transaction of its own */
  #txn(nested: boolean): TxnOp {
    const key = this.#rng.pick(KEYS);
    const compare = { key, target: 'version', result: this.#rng.pick(['=', '>'] as const), operand: 0 } as const;
    return {
      kind: 'txn',
      compare: this.#rng.chance(2, 3) ? [compare] : [],
      success: [nested ? this.#txn(false) : this.#put()],
      failure: [this.#rng.chance(1, 2) ? this.#delete() : this.#get()],
    };
  }
}
