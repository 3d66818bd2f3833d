import type { MemberApi } from '../server/index.js';
import type { LeaderKey, LeaderRequest, ProclaimRequest, ResignRequest } from '../wire/index.js';
import {
  CampaignRequest,
  CampaignResponse,
  Election,
  LeaderResponse,
  ProclaimResponse,
  ResignResponse,
} from '../wire/index.js';
import type { StreamCall, UnaryCall } from './call.js';
import type { Status } from './errors.js';
import { headerOf } from './header.js';
import { createdAt, deleteOp, getOp, putOp, Requests, rowOf, sessionKey, unknown } from './keys-in-order.js';
import { ObserveCall } from './observe.js';
import type { Route, StreamContext } from './route.js';
import { stream, unary } from './route.js';
import { Waiter } from './waiter.js';

/** v3electionpb.Election. */
export const electionRoutes: Route[] = [
  stream(Election.Campaign, (member, call, context) => new CampaignCall(member, call, context)),
  unary(Election.Proclaim, proclaim),
  unary(Election.Leader, leader),
  stream(Election.Observe, (member, call, context) => new ObserveCall(member, call, context)),
  unary(Election.Resign, resign),
];

const NO_KEY = unknown('"leader" field must be provided');
const NOT_LEADER = unknown('election: not leader');
const NO_LEADER = unknown('election: no leader');

/**
 * Puts the session's key with its value, and waits until no older one is left. The header is that of the put: not of
 * the victory. That the lease has ended meanwhile is not looked at; etcd does not either.
 */
class CampaignCall extends Waiter<CampaignRequest> {
  #name = '';
  /** What a client that has gone gives up; null: nothing yet. */
  #candidacy: LeaderKey | null = null;
  #proclaiming = false;

  constructor(member: MemberApi, call: StreamCall, context: StreamContext) {
    super(member, call, context, CampaignRequest);
  }

  protected run({ name, lease, value }: CampaignRequest): void {
    this.#name = name;
    this.requests.session(lease, (id) => this.#stand(id, value));
  }

  #stand(lease: bigint, value: Buffer): void {
    const key = sessionKey(this.#name, lease);
    this.requests.txn(createdAt(key, 0), [putOp(key, value, lease)], [getOp(key)], (result) => {
      const kv = rowOf(result, 0);
      const rev = kv?.createRevision ?? result.revision;
      const candidacy = { name: this.#name, key, rev, lease };
      this.#candidacy = candidacy;
      if (kv === null || kv.value.equals(value)) return this.#wait(candidacy, result.revision);
      this.#proclaiming = true;
      this.requests.txn(createdAt(key, rev), [putOp(key, value, lease)], [], ({ succeeded }) => {
        if (!succeeded) return this.failed(NOT_LEADER);
        this.#proclaiming = false;
        this.#wait(candidacy, result.revision);
      });
    });
  }

  #wait(candidacy: LeaderKey, revision: number): void {
    this.waitDeletes(this.#name, candidacy.rev - 1, () => {
      const header = headerOf(this.member, revision);
      this.reply(CampaignResponse.encode({ header, leader: candidacy }));
    });
  }

  /** One that could not proclaim resigns; one that lost its watch keeps its place. */
  protected override failed(status: Status): void {
    if (this.#proclaiming) this.abandon();
    this.end(status);
  }

  protected abandon(): void {
    const candidacy = this.#candidacy;
    if (candidacy === null) return;
    this.#candidacy = null;
    const { key, rev } = candidacy;
    this.afterwards().txn(createdAt(key, rev), [deleteOp(key)], [], () => {});
  }
}

function proclaim(member: MemberApi, request: ProclaimRequest, call: UnaryCall): void {
  const { leader: held, value } = request;
  if (held === null) return call.refuse(NO_KEY);
  const requests = requestsOf(member, call);
  requests.session(held.lease, (lease) => {
    requests.txn(createdAt(held.key, held.rev), [putOp(held.key, value, lease)], [], ({ succeeded, revision }) => {
      if (!succeeded) call.refuse(NOT_LEADER);
      else call.reply(ProclaimResponse.encode({ header: headerOf(member, revision) }));
    });
  });
}

function leader(member: MemberApi, { name }: LeaderRequest, call: UnaryCall): void {
  requestsOf(member, call).first(name, (revision, kv) => {
    if (kv === null) call.refuse(NO_LEADER);
    else call.reply(LeaderResponse.encode({ header: headerOf(member, revision), kv }));
  });
}

/** Of a key that is not the leader's any more it changes nothing, and says so to nobody. */
function resign(member: MemberApi, { leader: held }: ResignRequest, call: UnaryCall): void {
  if (held === null) return call.refuse(NO_KEY);
  const requests = requestsOf(member, call);
  requests.session(held.lease, () => {
    requests.txn(createdAt(held.key, held.rev), [deleteOp(held.key)], [], ({ revision }) =>
      call.reply(ResignResponse.encode({ header: headerOf(member, revision) })),
    );
  });
}

function requestsOf(member: MemberApi, call: UnaryCall): Requests {
  return new Requests(member, call, (status) => call.refuse(status));
}
