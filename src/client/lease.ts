import { EventEmitter } from 'node:events';
import * as wire from '../wire/index.js';
import { fromKey } from './bytes.js';
import type { Caller, CallOptions } from './caller.js';
import type { LeaseKeeper, LeaseLoss, LeaseSink } from './core/lease-keeper.js';
import { GrpcCode } from './core/status.js';
import { KeelError } from './errors.js';
import type { LeaseId } from './ops.js';
import type { Header } from './results.js';
import { toHeader } from './results.js';

const GRANT = '/etcdserverpb.Lease/LeaseGrant';
const REVOKE = '/etcdserverpb.Lease/LeaseRevoke';
const KEEP_ALIVE = '/etcdserverpb.Lease/LeaseKeepAlive';
const TIME_TO_LIVE = '/etcdserverpb.Lease/LeaseTimeToLive';
const LEASES = '/etcdserverpb.Lease/LeaseLeases';

export interface LeaseGrantResult {
  readonly header: Header;
  readonly id: LeaseId;
  /** Seconds; the server may raise what was asked for. */
  readonly ttl: number;
}

export interface LeaseKeepAliveResult {
  readonly header: Header;
  readonly id: LeaseId;
  readonly ttl: number;
}

export interface LeaseTimeToLiveResult {
  readonly header: Header;
  readonly id: LeaseId;
  /** Seconds left; -1 if there is no such lease. */
  readonly ttl: number;
  readonly grantedTtl: number;
  /** Keys attached, if asked for. */
  readonly keys: Buffer[];
}

/** Leases: keys attached to one vanish with it. */
export class LeaseService {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @param ttl seconds. @param options.id 0n (default): the server chooses */
  async grant(ttl: number, options: CallOptions & { readonly id?: LeaseId } = {}): Promise<LeaseGrantResult> {
    const request = wire.LeaseGrantRequest.encode({ ttl, id: options.id ?? 0n });
    const reply = await this.#caller.call(GRANT, request, wire.LeaseGrantResponse, 'write', options);
    return { header: toHeader(reply.header), id: reply.id, ttl: reply.ttl };
  }

  /** Ends a lease and deletes its keys. @throws KeelError ERR_LEASE_NOT_FOUND */
  async revoke(id: LeaseId, options: CallOptions = {}): Promise<{ header: Header }> {
    const request = wire.LeaseRevokeRequest.encode({ id });
    const reply = await this.#caller.call(REVOKE, request, wire.LeaseRevokeResponse, 'write', options);
    return { header: toHeader(reply.header) };
  }

  async timeToLive(
    id: LeaseId,
    options: CallOptions & { readonly keys?: boolean } = {},
  ): Promise<LeaseTimeToLiveResult> {
    const request = wire.LeaseTimeToLiveRequest.encode({ id, keys: options.keys ?? false });
    const reply = await this.#caller.call(TIME_TO_LIVE, request, wire.LeaseTimeToLiveResponse, 'read', options);
    return {
      header: toHeader(reply.header),
      id: reply.id,
      ttl: reply.ttl,
      grantedTtl: reply.grantedTtl,
      keys: reply.keys.map(fromKey),
    };
  }

  /** All leases; etcd orders them by remaining time. */
  async leases(options: CallOptions = {}): Promise<{ header: Header; leases: LeaseId[] }> {
    const request = wire.LeaseLeasesRequest.encode({});
    const reply = await this.#caller.call(LEASES, request, wire.LeaseLeasesResponse, 'read', options);
    return { header: toHeader(reply.header), leases: reply.leases.map((l) => l.id) };
  }

  /** Renews a lease once. @throws KeelError ERR_LEASE_NOT_FOUND */
  async keepAliveOnce(id: LeaseId, options: CallOptions = {}): Promise<LeaseKeepAliveResult> {
    // A stream of one request is a unary call on the wire; repeating a renewal does no harm.
    const request = wire.LeaseKeepAliveRequest.encode({ id });
    const reply = await this.#caller.call(KEEP_ALIVE, request, wire.LeaseKeepAliveResponse, 'read', {
      requireLeader: true,
      ...options,
    });
    if (reply.ttl <= 0) throw leaseNotFound();
    return { header: toHeader(reply.header), id: reply.id, ttl: reply.ttl };
  }

  /**
   * Keeps a lease alive until `stop`, at a third of its TTL, on whichever member answers.
   * @param options.ttl the granted TTL, where it is known: how long to try before the lease counts as lost
   */
  keepAlive(id: LeaseId, options: { readonly ttl?: number; readonly signal?: AbortSignal } = {}): KeepAlive {
    return new KeepAlive(this.#caller.core.leases, id, options.ttl ?? 0, options.signal);
  }
}

function leaseNotFound(): KeelError {
  return new KeelError('ERR_LEASE_NOT_FOUND', 'etcdserver: requested lease not found', {
    grpcCode: GrpcCode.NOT_FOUND,
  });
}

export interface KeepAliveEvents {
  /** A renewal came through. */
  renewed: [result: LeaseKeepAliveResult];
  /** The lease is gone, or could not be renewed for its whole TTL: what depended on it must stop. Once, and last. */
  lost: [error: KeelError];
}

/** A lease that is being kept alive. */
export class KeepAlive extends EventEmitter<KeepAliveEvents> {
  readonly id: LeaseId;
  /** Resolves with the reason when the lease is lost; never if it is stopped first. */
  readonly lost: Promise<KeelError>;
  readonly #keeper: LeaseKeeper;
  readonly #sink: LeaseSink;
  #over = false;

  /** @internal use LeaseService.keepAlive */
  constructor(keeper: LeaseKeeper, id: LeaseId, ttl: number, signal: AbortSignal | undefined) {
    super();
    this.id = id;
    this.#keeper = keeper;
    let tell: (error: KeelError) => void;
    this.lost = new Promise((resolve) => {
      tell = resolve;
    });
    this.#sink = {
      renewed: (response) =>
        void this.emit('renewed', { header: toHeader(response.header), id: response.id, ttl: response.ttl }),
      lost: (loss) => {
        this.#over = true;
        const error = lossError(loss);
        tell(error);
        this.emit('lost', error);
      },
    };
    keeper.keep(id, ttl, this.#sink);
    if (signal?.aborted) this.stop();
    else signal?.addEventListener('abort', () => this.stop(), { once: true });
  }

  /** No more renewals; the lease lives on for up to its TTL. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#keeper.drop(this.id, this.#sink);
  }
}

function lossError(loss: LeaseLoss): KeelError {
  switch (loss.kind) {
    case 'expired':
      return leaseNotFound();
    case 'unreachable':
      return new KeelError('ERR_LEASE_LOST', 'no renewal came through for the time to live of the lease', {
        grpcCode: GrpcCode.UNAVAILABLE,
      });
    case 'failed':
      return KeelError.fromStatus(loss.status);
  }
}
