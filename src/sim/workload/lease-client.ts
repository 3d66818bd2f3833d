import type { Rng } from '../../util/rng.js';
import { AS_ROOT } from '../caller.js';
import type { GrantOp, OpRecord, Response } from '../checkers/index.js';
import type { SimNode } from '../node.js';
import { send } from './requests.js';
import type { Workload } from './workload.js';
import { pickNode } from './workload.js';

/** A client that holds one lease after the other: grants it, hangs keys on it, renews it for a while, lets go. */
export class LeaseClient {
  readonly #work: Workload;
  readonly #id: number;
  readonly #rng: Rng;
  #count = 0;
  #node: SimNode;
  /** How many leaders there had been when the last lease was asked for. */
  #leadersThen = 0;
  /** When the lease that was renewed last is over at the latest, if no other leader has given it more since its grant. */
  #over: { readonly id: bigint; readonly at: number } | null = null;

  constructor(work: Workload, id: number, rng: Rng) {
    this.#work = work;
    this.#id = id;
    this.#rng = rng;
    this.#node = pickNode(work, rng);
  }

  start(): void {
    this.#work.port.later(this.#rng.below(2_000_000), () => this.#grant());
  }

  /** The least that a TTL in seconds lasts in µs, on the fastest clock. */
  #microseconds(ttl: number): number {
    return Math.floor((ttl * 1_000_000 * 1_000_000) / (1_000_000 + this.#work.options.driftPpm));
  }

  #grant(): void {
    const { history, port } = this.#work;
    if (this.#work.stopping) return;
    const id = BigInt(this.#id) * 1_000_000n + BigInt(++this.#count);
    const ttl = this.#rng.pick([1, 2, 3, 5]);
    const op: GrantOp = { kind: 'grant', lease: id.toString(), ttl: this.#microseconds(ttl) };
    const record = history.begin(this.#id, this.#node.name, op);
    this.#leadersThen = this.#work.leaderChanges();
    const left = this.#rng.between(1, 8);
    port.call<{ ttl: number; revision: number }>(
      this.#node,
      6000,
      (member, done) =>
        member.leaseGrant({ id, ttl }, AS_ROOT, {
          ok: (granted) => done.ok({ ttl: granted.ttl, revision: member.revision }),
          fail: (err) => done.fail(err),
        }),
      {
        ok: (granted) => {
          op.ttl = this.#microseconds(granted.ttl);
          history.ok(record, { kind: 'lease', revision: granted.revision, ttl: op.ttl });
          this.#hold(id, granted.ttl, left);
        },
        fail: (error) => {
          history.fail(record, error);
          this.#failed(() => this.#grant());
        },
        lost: (error) => {
          history.lost(record, error);
          this.#failed(() => this.#hold(id, ttl, left));
        },
      },
    );
  }

  #failed(then: () => void): void {
    this.#node = pickNode(this.#work, this.#rng, this.#node);
    this.#work.port.later(this.#rng.below(500_000), then);
  }

  /** @param left how many more things are done with it */
  #hold(id: bigint, ttl: number, left: number): void {
    if (this.#work.stopping) return;
    if (left === 0) {
      if (this.#rng.chance(1, 2)) return this.#revoke(id);
      // It is to end by itself.
      this.#work.port.later((ttl + this.#rng.below(3)) * 1_000_000, () => this.#grant());
      return;
    }
    // In time; or about when it ends, so that the renewal meets the revoke.
    const late = this.#rng.chance(1, 4);
    const wait = late ? this.#rng.between(ttl * 950_000, ttl * 1_000_000 + 700_000) : this.#rng.below(ttl * 500_000);
    this.#work.port.later(wait, () => {
      const go = (alive: boolean): void => (alive ? this.#hold(id, ttl, left - 1) : this.#grant());
      if (late || this.#rng.chance(1, 2)) this.#keepAlive(id, go);
      else this.#put(id, go);
    });
  }

  /** What a lease has lasted at most when so many seconds of it are over, on the slowest clock. */
  #latest(ttl: number): number {
    return Math.ceil((ttl * 1_000_000 * 1_000_000) / (1_000_000 - this.#work.options.driftPpm));
  }

  /** I12: one that is over is not renewed, though its revoke has not been applied yet. */
  #renewed(id: bigint, ttl: number, askedAt: number): void {
    const over = this.#over;
    if (over?.id === id && askedAt > over.at && this.#work.leaderChanges() === this.#leadersThen) {
      const lateMs = Math.round((askedAt - over.at) / 1000);
      this.#work.report('I12 leases', `lease ${id} was renewed ${lateMs} ms after its end`);
    }
    this.#over = { id, at: this.#work.port.now + this.#latest(ttl) };
  }

  #keepAlive(id: bigint, then: (alive: boolean) => void): void {
    const { history, port } = this.#work;
    const askedAt = port.now;
    const record = history.begin(this.#id, this.#node.name, { kind: 'keepalive', lease: id.toString() });
    port.call<{ ttl: number; revision: number }>(
      this.#node,
      4000,
      (member, done) =>
        member.leaseRenew(id, AS_ROOT, {
          ok: ({ ttl }) => done.ok({ ttl, revision: member.revision }),
          fail: (err) => done.fail(err),
        }),
      {
        ok: ({ ttl, revision }) => {
          history.ok(record, { kind: 'lease', revision, ttl: this.#microseconds(ttl) });
          if (ttl > 0) this.#renewed(id, ttl, askedAt);
          then(ttl > 0);
        },
        ...this.#otherwise(record, () => {
          this.#over = null;
          then(true);
        }),
      },
    );
  }

  #put(id: bigint, then: (alive: boolean) => void): void {
    const { history, port, options } = this.#work;
    const key = `k${String(this.#rng.below(options.keys)).padStart(3, '0')}`;
    const value = `${this.#id}.${id}.${this.#work.history.records.length}`;
    const op = { kind: 'put' as const, key, value, lease: id.toString(), prev: false };
    const record = history.begin(this.#id, this.#node.name, op);
    port.call<Response>(this.#node, 4000, (member, done) => send(member, op, done), {
      ok: (response) => {
        history.ok(record, response);
        then(true);
      },
      ...this.#otherwise(record, (error) => then(error !== 'ERR_LEASE_NOT_FOUND')),
    });
  }

  #revoke(id: bigint): void {
    const { history, port } = this.#work;
    const record = history.begin(this.#id, this.#node.name, { kind: 'revoke', lease: id.toString() });
    port.call<number>(
      this.#node,
      4000,
      (member, done) =>
        member.leaseRevoke(id, AS_ROOT, {
          ok: () => done.ok(member.revision),
          fail: (err) => done.fail(err),
        }),
      {
        ok: (revision) => {
          history.ok(record, { kind: 'lease', revision, ttl: 0 });
          this.#grant();
        },
        ...this.#otherwise(record, () => this.#grant()),
      },
    );
  }

  #otherwise(record: OpRecord, then: (error: string) => void) {
    const { history } = this.#work;
    return {
      fail: (error: string) => {
        history.fail(record, error);
        this.#failed(() => then(error));
      },
      lost: (error: string) => {
        history.lost(record, error);
        this.#failed(() => then(error));
      },
    };
  }
}
