import type { LeaseLoss, LeaseSink } from '../../client/core/lease-keeper.js';
import type { Rng } from '../../util/rng.js';
import type { LeaseKeepAliveResponse } from '../../wire/index.js';
import { LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, Lease as LeaseRpc } from '../../wire/index.js';
import type { GrantOp } from '../checkers/index.js';
import type { CoreHost } from './core-host.js';
import type { Workload } from './workload.js';

/**
 * A lease that the client's core keeps alive for a while: each renewal that came through goes into the history, from the
 * moment that it was sent, so that an expiry before its time is an event that nobody can account for.
 */
export class CoreLease implements LeaseSink {
  readonly #work: Workload;
  readonly #host: CoreHost;
  readonly #id: number;
  readonly #rng: Rng;
  #count = 0;
  #lease = 0n;
  /** When renewals were sent that are not answered. */
  #sent: number[] = [];
  busy = false;

  constructor(work: Workload, host: CoreHost, id: number, rng: Rng) {
    this.#work = work;
    this.#host = host;
    this.#id = id;
    this.#rng = rng;
    host.dialer.onSend = (path, message) => {
      if (path !== LeaseRpc.LeaseKeepAlive.path) return;
      if (LeaseKeepAliveRequest.decode(message).id === this.#lease) this.#sent.push(work.port.now);
    };
  }

  start(): void {
    this.#work.port.later(this.#rng.below(2_000_000), () => this.#grant());
  }

  /** The least that a TTL in seconds lasts in µs, on the fastest clock. */
  #microseconds(ttl: number): number {
    return Math.floor((ttl * 1_000_000 * 1_000_000) / (1_000_000 + this.#work.options.driftPpm));
  }

  #grant(): void {
    if (this.#work.stopping) return;
    const { history, port } = this.#work;
    const id = BigInt(this.#id) * 1_000_000n + BigInt(++this.#count);
    const ttl = this.#rng.pick([1, 2, 3, 5]);
    const op: GrantOp = { kind: 'grant', lease: id.toString(), ttl: this.#microseconds(ttl) };
    const record = history.begin(this.#id, this.#host.name, op);
    const settings = { repeat: 'write' as const, timeoutMs: 5000, requireLeader: false };
    this.busy = true;
    this.#host.core.unary(
      LeaseRpc.LeaseGrant.path,
      LeaseGrantRequest.encode({ id, ttl }),
      settings,
      (_status, reply) => {
        this.busy = false;
        if (reply === null) {
          history.lost(record, _status.message);
          return void port.later(this.#rng.below(500_000), () => this.#grant());
        }
        const granted = LeaseGrantResponse.decode(reply);
        op.ttl = this.#microseconds(granted.ttl);
        history.ok(record, { kind: 'lease', revision: granted.header?.revision ?? 0, ttl: op.ttl });
        this.#keep(id, granted.ttl);
      },
    );
  }

  #keep(id: bigint, ttl: number): void {
    const { port } = this.#work;
    this.#lease = id;
    this.#sent = [];
    this.#host.core.leases.keep(id, ttl, this);
    port.later(this.#rng.between(1_000_000, 20_000_000), () => {
      if (this.#lease !== id) return;
      this.#host.core.leases.drop(id, this);
      this.#gone();
    });
  }

  renewed({ header, ttl }: LeaseKeepAliveResponse): void {
    const { history } = this.#work;
    const op = { kind: 'keepalive' as const, lease: this.#lease.toString() };
    const record = history.begin(this.#id, this.#host.name, op);
    // The oldest that it can be the answer to: some before it may have been lost with their stream.
    record.invoke = this.#sent.shift() ?? record.invoke;
    record.member = (header?.memberId ?? 0n).toString(16);
    history.ok(record, { kind: 'lease', revision: header?.revision ?? 0, ttl: this.#microseconds(ttl) });
  }

  lost(_loss: LeaseLoss): void {
    this.#gone();
  }

  #gone(): void {
    this.#lease = 0n;
    this.#work.port.later(this.#rng.below(1_000_000), () => this.#grant());
  }

  /** Ends what it keeps, so that all leases can end. */
  stop(): void {
    if (this.#lease === 0n) return;
    this.#host.core.leases.drop(this.#lease, this);
    this.#lease = 0n;
  }
}
