import type { CallContext, LeaseTimeToLive, MemberApi, ServerError } from '../server/index.js';
import { GRANT_COST } from '../server/index.js';
import type { LeaseGrantRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest, ResponseHeader } from '../wire/index.js';
import {
  Lease,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveResponse,
  WireError,
} from '../wire/index.js';
import type { StreamCall, StreamHandlers, UnaryCall } from './call.js';
import { OK, statusOf, undecodableInStream } from './errors.js';
import { headerOf } from './header.js';
import type { Route } from './route.js';
import { stream, unary } from './route.js';

/** etcdserverpb.Lease. */
export const leaseRoutes: Route[] = [
  unary(Lease.LeaseGrant, grant),
  unary(Lease.LeaseRevoke, revoke),
  stream(Lease.LeaseKeepAlive, (member, call) => new KeepAliveCall(member, call)),
  unary(Lease.LeaseTimeToLive, timeToLive),
  unary(Lease.LeaseLeases, leases),
];

function grant(member: MemberApi, request: LeaseGrantRequest, call: UnaryCall): void {
  if (!member.admits(GRANT_COST, call)) return;
  member.leaseGrant(request, call, call.answer(encodeGrant));
}

function encodeGrant(member: MemberApi, { id, ttl }: { id: bigint; ttl: number }): Buffer {
  return LeaseGrantResponse.encode({ header: headerOf(member, member.revision), id, ttl });
}

function revoke(member: MemberApi, request: LeaseRevokeRequest, call: UnaryCall): void {
  member.leaseRevoke(request.id, call, call.answer<void>(encodeRevoke));
}

function encodeRevoke(member: MemberApi): Buffer {
  return LeaseRevokeResponse.encode({ header: headerOf(member, member.revision) });
}

function timeToLive(member: MemberApi, { id, keys }: LeaseTimeToLiveRequest, call: UnaryCall): void {
  const encode = (_: MemberApi, { ttl, grantedTtl, keys: attached }: LeaseTimeToLive): Buffer =>
    LeaseTimeToLiveResponse.encode({
      header: headerOf(member, member.revision),
      id,
      ttl,
      grantedTtl,
      keys: keys ? attached : [],
    });
  member.leaseTimeToLive(id, keys, call, call.answer(encode));
}

function leases(member: MemberApi, _request: unknown, call: UnaryCall): void {
  const ids = member.leases();
  member.guard.toSeeLeases(ids, true, call, call, () => {
    const header = headerOf(member, member.revision);
    call.reply(LeaseLeasesResponse.encode({ header, leases: ids.map((id) => ({ id })) }));
  });
}

/**
 * A stream of renewals: one response a request, in their order, so the next request is read when the last one has been
 * answered. A lease that is unknown or expired has TTL 0, and the stream goes on (etcd semantics §5).
 */
class KeepAliveCall implements StreamHandlers {
  readonly #member: MemberApi;
  readonly #call: StreamCall;
  #id = 0n;
  /** Filled before the renewal takes place. */
  #header: ResponseHeader | null = null;
  /** An answer found the transport full: the next request waits for it. */
  #held = false;

  constructor(member: MemberApi, call: StreamCall) {
    this.#member = member;
    this.#call = call;
  }

  onMessage(message: Buffer): void {
    try {
      this.#id = LeaseKeepAliveRequest.decode(message).id;
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
      return;
    }
    this.#header = headerOf(this.#member, this.#member.revision);
    this.#member.leaseRenew(this.#id, this.#member.guard.enabled ? timeless(this.#call) : NO_DEADLINE, this);
  }

  /** Of Completion. */
  ok({ ttl }: { ttl: number }): void {
    const response = LeaseKeepAliveResponse.encode({ header: this.#header, id: this.#id, ttl });
    if (this.#call.send(response)) this.#call.read();
    else this.#held = true;
  }

  /** Of Completion. */
  fail(err: ServerError): void {
    if (err.code !== 'ERR_LEASE_NOT_FOUND') return this.#call.end(statusOf(err));
    this.ok({ ttl: 0 });
  }

  onHalfClose(): void {
    this.#call.end(OK);
  }

  onDrain(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#call.read();
  }

  onClose(): void {}
}

/** The member's own time limit holds for each renewal; the stream's deadline is the transport's business. */
const NO_DEADLINE: CallContext = { deadline: 0 };

function timeless({ token, certificateName, remote }: CallContext): CallContext {
  return { deadline: 0, token, certificateName, remote };
}
