import type { Status } from '../../client/core/status.js';
import type { Rng } from '../../util/rng.js';
import {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  Lease as LeaseRpc,
} from '../../wire/index.js';
import type { Op, OpRecord, Response, SimpleOp } from '../checkers/index.js';
import type { CoreHost } from './core-host.js';
import { decodeReply, encodeOp } from './requests.js';
import type { Workload } from './workload.js';

const WRITE = { repeat: 'write' as const, timeoutMs: 5000, requireLeader: false };

/** What a client that takes part in locks and elections asks for besides: one lease after the other, and its calls. */
export class CoreSession {
  lease = 0n;
  /** A key of this lease, by which the log shows how long it lives. */
  guard = '';
  /** Calls that have not ended. */
  calls = 0;
  readonly id: number;
  readonly #work: Workload;
  readonly #host: CoreHost;
  readonly #rng: Rng;
  #count = 0;

  constructor(work: Workload, host: CoreHost, id: number, rng: Rng) {
    this.#work = work;
    this.#host = host;
    this.id = id;
    this.#rng = rng;
  }

  /** A lease that lives no later than any other client's, and its guard. @param failed there is none */
  open(opened: () => void, failed: () => void): void {
    const id = BigInt(this.id) * 1_000_000n + BigInt(++this.#count);
    const op = { kind: 'grant' as const, lease: id.toString(), ttl: 0 };
    const ttl = this.#rng.pick([2, 3, 5]);
    op.ttl = this.#microseconds(ttl);
    const record = this.begin(op);
    this.call(LeaseRpc.LeaseGrant.path, LeaseGrantRequest.encode({ id, ttl }), (status, reply) => {
      if (reply === null) {
        this.#work.history.lost(record, status.message);
        return failed();
      }
      const granted = LeaseGrantResponse.decode(reply);
      op.ttl = this.#microseconds(granted.ttl);
      this.ok(record, { kind: 'lease', revision: granted.header?.revision ?? 0, ttl: op.ttl });
      this.lease = id;
      this.guard = `guard/${id.toString(16)}`;
      // Without renewals it ends while its holder waits or holds.
      if (this.#rng.chance(2, 3)) this.#host.core.leases.keep(id, granted.ttl, this);
      this.#putGuard(opened, failed);
    });
  }

  #putGuard(opened: () => void, failed: () => void): void {
    const op: SimpleOp = { kind: 'put', key: this.guard, value: '', lease: this.lease.toString(), prev: false };
    const record = this.begin(op);
    const { path, request } = encodeOp(op);
    this.call(path, request, (status, reply) => {
      if (reply === null) {
        this.#work.history.lost(record, status.message);
        return failed();
      }
      this.ok(record, decodeReply(op, reply).response);
      opened();
    });
  }

  /** The least that a TTL in seconds lasts in µs, on the fastest clock. */
  #microseconds(ttl: number): number {
    return Math.floor((ttl * 1_000_000 * 1_000_000) / (1_000_000 + this.#work.options.driftPpm));
  }

  begin(op: Op): OpRecord {
    return this.#work.history.begin(this.id, this.#host.name, op);
  }

  ok(record: OpRecord, response: Response): void {
    this.#work.history.ok(record, response);
    this.#work.seenRevision = Math.max(this.#work.seenRevision, response.revision);
  }

  call(path: string, request: Buffer, done: (status: Status, reply: Buffer | null) => void, isRead = false): void {
    this.calls++;
    this.#host.core.unary(path, request, isRead ? { ...WRITE, repeat: 'read' } : WRITE, (status, reply) => {
      this.calls--;
      done(status, reply);
    });
  }

  /** Ends the lease, and with it whatever it holds. */
  revoke(done: () => void): void {
    const id = this.lease;
    const record = this.begin({ kind: 'revoke', lease: id.toString() });
    this.drop();
    this.call(LeaseRpc.LeaseRevoke.path, LeaseRevokeRequest.encode({ id }), (status, reply) => {
      if (reply === null) this.#work.history.lost(record, status.message);
      else {
        const revision = LeaseRevokeResponse.decode(reply).header?.revision ?? 0;
        this.ok(record, { kind: 'lease', revision, ttl: 0 });
      }
      done();
    });
  }

  /** Nobody keeps it alive any more. */
  drop(): void {
    this.#host.core.leases.drop(this.lease, this);
    this.lease = 0n;
  }

  renewed(): void {}

  lost(): void {}
}
