import type { AuthStore, TokenProvider } from '../auth/index.js';
import type { Lessor } from '../lease/index.js';
import type { MvccStore, ReadRefusal, WriteRefusal } from '../mvcc/index.js';
import type { Entry } from '../raft/index.js';
import { EntryType } from '../raft/index.js';
import type { Backend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import { failpoint } from '../util/failpoint.js';
import type { Logger } from '../util/log.js';
import { compareVersions } from '../util/versions.js';
import type { InternalRequest } from '../wire/index.js';
import {
  AlarmRequest,
  ClusterMemberAttrSetRequest,
  ClusterVersionSetRequest,
  CompactionRequest,
  decodeDeleteRangeRequest,
  decodeInternalRequest,
  decodePutRequest,
  decodeTxnRequest,
  InternalKind,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseRevokeRequest,
} from '../wire/index.js';
import type { Alarms } from './alarms.js';
import { AlarmAction } from './alarms.js';
import type { AlarmMember } from './api.js';
import { applyAuth, isAuthKind } from './auth-apply.js';
import { checkEntry } from './auth-checks.js';
import { authRefusal } from './auth-errors.js';
import { refusal, ServerError } from './errors.js';
import type { Membership } from './membership.js';
import type { Pending, Proposals } from './proposals.js';
import type { Quota } from './quota.js';
import { GRANT_COST, putCost, txnCost } from './quota.js';
import type { SlowApplies } from './slow-applies.js';
import { alarmRefusal } from './write-guard.js';

const beforeApplyOneEntryNormal = failpoint('beforeApplyOneEntryNormal');
const beforeApplyOneConfChange = failpoint('beforeApplyOneConfChange');

/** What the applier hands back to the member. */
export interface ApplierOwner {
  /** Applies a configuration change to raft and the members; completes its proposal. */
  applyConfChange(entry: Entry): void;
  clusterVersionChanged(version: string): void;
  readonly quota: Quota;
  /** It has taken effect; the apply it belongs to may be open still. */
  entryApplied(index: number): void;
}

export interface ReplicatedState {
  readonly backend: Backend;
  readonly mvcc: MvccStore;
  readonly lessor: Lessor;
  readonly membership: Membership;
  readonly alarms: Alarms;
  readonly auth: AuthStore;
  readonly tokens: TokenProvider;
}

/**
 * Applies committed entries to the replicated state, in order, and answers the proposals among them that are ours.
 * What it does depends on the entries and the replicated state alone: no clock, no chance, no progress of this member.
 */
export class Applier {
  readonly #state: ReplicatedState;
  readonly #proposals: Proposals;
  readonly #hi16: bigint;
  readonly #log: Logger;
  readonly #owner: ApplierOwner;
  readonly slowApplies: SlowApplies;
  clusterVersion: string | null = null;

  constructor(
    state: ReplicatedState,
    proposals: Proposals,
    hi16: number,
    log: Logger,
    owner: ApplierOwner,
    slowApplies: SlowApplies,
  ) {
    this.slowApplies = slowApplies;
    this.#state = state;
    this.#proposals = proposals;
    this.#hi16 = BigInt(hi16);
    this.#log = log;
    this.#owner = owner;
  }

  apply(entries: readonly Entry[]): void {
    const { backend } = this.#state;
    let last: Entry | null = null;
    this.slowApplies.begin();
    for (const entry of entries) {
      const expected = (last?.index ?? backend.appliedIndex) + 1;
      assert(entry.index === expected, () => `apply: entry ${entry.index} where ${expected} is next`);
      if (entry.type === EntryType.NORMAL) {
        if (beforeApplyOneEntryNormal.on) beforeApplyOneEntryNormal.hit();
        this.#normal(entry);
      } else {
        if (beforeApplyOneConfChange.on) beforeApplyOneConfChange.hit();
        this.#owner.applyConfChange(entry);
      }
      this.#owner.entryApplied(entry.index);
      last = entry;
      this.slowApplies.applied(entry);
    }
    if (last !== null) backend.setApplied(last.index, last.term);
  }

  #normal(entry: Entry): void {
    // The first entry of a leader's term is empty.
    if (entry.dataBytes === 0) return;
    const request = decodeInternalRequest(entry.data);
    const pending = this.#pendingOf(request.id);
    const done = pending?.done ?? null;
    const outcome = this.#dispatch(request, pending, entry.index);
    if (done === null || outcome === LATER) return;
    if (outcome instanceof ServerError) done.fail(outcome);
    else done.ok(outcome as never);
  }

  /** The completion that waits for this id, if the proposal was made by this process. */
  #pendingOf(id: bigint): Pending | undefined {
    if (id >> 48n !== this.#hi16) return undefined;
    return this.#proposals.applied(Number(id & LOW48));
  }

  #dispatch(request: InternalRequest, pending: Pending | undefined, index: number): unknown {
    const { mvcc, lessor, membership, auth, tokens } = this.#state;
    const { body } = request;
    if (auth.enabled) {
      const forbidden = checkEntry(this.#state, request);
      if (forbidden !== null) return authRefusal(forbidden);
    }
    switch (request.kind) {
      case InternalKind.PUT: {
        const put = decodePutRequest(body);
        const cost = putCost(put);
        const refused = this.#refused(request.kind, cost);
        if (refused !== null) return refused;
        const fits = this.#owner.quota.has(cost);
        return this.#within(fits, outcomeOf(mvcc.applyPut(put)), pending);
      }
      case InternalKind.DELETE_RANGE:
        return this.#refused(request.kind, 0) ?? mvcc.applyDeleteRange(decodeDeleteRangeRequest(body));
      case InternalKind.TXN: {
        const txn = decodeTxnRequest(body);
        const cost = txnCost(txn);
        const refused = this.#refused(request.kind, cost);
        if (refused !== null) return refused;
        const fits = this.#owner.quota.has(cost);
        return this.#within(fits, outcomeOf(mvcc.applyTxn(txn)), pending);
      }
      case InternalKind.COMPACTION:
        return this.#refused(request.kind, 0) ?? this.#compact(body, pending);
      case InternalKind.LEASE_GRANT: {
        const refused = this.#refused(request.kind, GRANT_COST);
        if (refused !== null) return refused;
        const fits = this.#owner.quota.has(GRANT_COST);
        const { id, ttl } = LeaseGrantRequest.decode(body);
        const granted = lessor.grant(id, ttl);
        return this.#within(fits, typeof granted === 'string' ? leaseRefusal(granted) : granted, pending);
      }
      case InternalKind.LEASE_REVOKE: {
        const refused = this.#refused(request.kind, 0);
        if (refused !== null) return refused;
        const revoked = lessor.revoke(LeaseRevokeRequest.decode(body).id, (keys) => mvcc.deleteKeys(keys));
        return revoked === 'revoked' ? undefined : leaseRefusal(revoked);
      }
      case InternalKind.ALARM:
        return this.#alarm(body);
      case InternalKind.CLUSTER_VERSION_SET: {
        const { ver } = ClusterVersionSetRequest.decode(body);
        this.clusterVersion = ver;
        this.#state.backend.put(Bucket.cluster, CLUSTER_VERSION_KEY, Buffer.from(ver));
        this.#owner.clusterVersionChanged(ver);
        return undefined;
      }
      case InternalKind.CLUSTER_MEMBER_ATTR_SET: {
        const { memberId, memberAttributes } = ClusterMemberAttrSetRequest.decode(body);
        membership.setAttributes(memberId, memberAttributes?.name ?? '', memberAttributes?.clientUrls ?? []);
        return undefined;
      }
      case InternalKind.LEASE_CHECKPOINT:
        return this.#checkpoint(body);
      default:
        if (isAuthKind(request.kind)) return applyAuth(auth, tokens, request, index, pending !== undefined);
        // Skipping it would let members diverge from those that know it.
        throw new Error(`apply: this version knows no request of kind ${request.kind}`);
    }
  }

  #refused(kind: number, cost: number): ServerError | null {
    return alarmRefusal(this.#state.alarms, kind, cost);
  }

  /** A write that this member had no room for is done all the same; its answer comes with the alarm. */
  #within(fits: boolean, outcome: unknown, pending: Pending | undefined): unknown {
    if (fits || outcome instanceof ServerError) return outcome;
    this.#owner.quota.exceeded(pending?.done ?? null);
    return LATER;
  }

  #compact(body: Buffer, pending: Pending | undefined): unknown {
    const { mvcc } = this.#state;
    const { revision, physical } = CompactionRequest.decode(body);
    const result = mvcc.applyCompact(revision);
    if (typeof result === 'string') return refusal(result === 'compacted' ? 'ERR_COMPACTED' : 'ERR_FUTURE_REV');
    this.#log.debug('applied compaction', { revision });
    if (!physical || pending === undefined) return result;
    mvcc.onCompacted(() => pending.done.ok(result as never));
    return LATER;
  }

  /** One of a lease that is gone is nobody's loss: the others count. */
  #checkpoint(body: Buffer): undefined {
    const persist = this.clusterVersion !== null && compareVersions(this.clusterVersion, '3.6') >= 0;
    for (const { id, remainingTtl } of LeaseCheckpointRequest.decode(body).checkpoints) {
      this.#state.lessor.checkpoint(id, remainingTtl, persist);
    }
    return undefined;
  }

  #alarm(body: Buffer): AlarmMember[] {
    const { alarms } = this.#state;
    const { action, memberId, alarm } = AlarmRequest.decode(body);
    if (action === AlarmAction.GET) return alarms.list(alarm);
    const changed =
      action === AlarmAction.ACTIVATE ? alarms.activate(memberId, alarm) : alarms.deactivate(memberId, alarm);
    if (changed !== null) this.#log.warn('alarm changed', { action, memberId, alarm });
    return changed === null ? [] : [changed];
  }
}

export const CLUSTER_VERSION_KEY = Buffer.from('clusterVersion');
const LOW48 = (1n << 48n) - 1n;
const LATER = Symbol('answered later');

function outcomeOf<T extends object>(result: T | WriteRefusal | ReadRefusal): T | ServerError {
  if (typeof result !== 'string') return result;
  switch (result) {
    case 'compacted':
      return refusal('ERR_COMPACTED');
    case 'future':
      return refusal('ERR_FUTURE_REV');
    case 'lease-not-found':
      return refusal('ERR_LEASE_NOT_FOUND');
    case 'key-not-found':
      return refusal('ERR_KEY_NOT_FOUND');
  }
}

function leaseRefusal(why: string): ServerError {
  if (why === 'lease-exists') return refusal('ERR_LEASE_EXIST');
  return refusal(why === 'ttl-too-large' ? 'ERR_LEASE_TTL_TOO_LARGE' : 'ERR_LEASE_NOT_FOUND');
}
