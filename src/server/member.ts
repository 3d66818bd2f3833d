import type { DeleteRangeResult, HashKvResult, PutResult, RangeResult, TxnResult, WatchHub } from '../mvcc/index.js';
import { isTxnReadonly, isTxnSerializable } from '../mvcc/index.js';
import { ETCD_VERSION, KEEL_VERSION, STORAGE_VERSION } from '../util/versions.js';
import type { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from '../wire/index.js';
import { AlarmRequest, InternalKind, LeaseGrantRequest, LeaseRevokeRequest } from '../wire/index.js';
import { AlarmAction } from './alarms.js';
import type {
  AlarmRequest as AlarmArgs,
  AlarmMember,
  AuthApi,
  AuthGuard,
  CallContext,
  Completion,
  LeaseTimeToLive,
  MemberApi,
  MemberInfo,
  SnapshotFile,
  StatusInfo,
  VersionInfo,
} from './api.js';
import { openClientSnapshot } from './client-snapshot.js';
import { DowngradeAction, downgradeRefusal, shortVersion } from './downgrade.js';
import { refusal } from './errors.js';
import type { MemberFigures } from './figures.js';
import { memberFigures } from './figures.js';
import { answerHash, answerHashKv } from './hashes.js';
import { MemberCore } from './member-core.js';
import { memberFromWire } from './member-record.js';
import { moveLeader } from './move-leader.js';
import type { MemberParts } from './parts.js';
import { checkPeerUrls } from './peer-urls.js';
import { RangeRead, TxnRead } from './range-read.js';
import { memberStatus } from './status.js';

/**
 * One running member, as rpc, gateway and the embedding program see it (api.ts). What moves is MemberCore.
 */
export class Member extends MemberCore implements MemberApi {
  get clientVersion(): VersionInfo {
    return {
      etcd: ETCD_VERSION,
      keel: KEEL_VERSION,
      cluster: this.clusterVersion ?? 'not_decided',
      storage: STORAGE_VERSION,
    };
  }

  /** What it is made of, for those who watch it (the simulator's checks): to be looked at, not to be driven. */
  get inside(): MemberParts {
    return this.parts;
  }

  get revision(): number {
    return this.parts.mvcc.currentRev;
  }

  get raftTerm(): number {
    return this.parts.raft.term;
  }

  get hasLeader(): boolean {
    return this.parts.raft.leader !== 0n;
  }

  get isLearner(): boolean {
    return this.parts.raft.isLearner;
  }

  get watch(): WatchHub {
    return this.parts.mvcc.watch;
  }

  admits(cost: number, done: Completion<never>): boolean {
    return this.quota.admits(cost, done);
  }

  get guard(): AuthGuard {
    return this.gate;
  }

  get auth(): AuthApi {
    return this.authCalls;
  }

  range(req: RangeRequest, ctx: CallContext, done: Completion<RangeResult>): void {
    this.read(new RangeRead(this.parts.mvcc, req, done, ctx, this.gate), req.serializable);
  }

  put(_req: PutRequest, raw: Buffer, ctx: CallContext, done: Completion<PutResult>): void {
    this.propose(InternalKind.PUT, raw, done, ctx);
  }

  deleteRange(_req: DeleteRangeRequest, raw: Buffer, ctx: CallContext, done: Completion<DeleteRangeResult>): void {
    this.propose(InternalKind.DELETE_RANGE, raw, done, ctx);
  }

  txn(req: TxnRequest, raw: Buffer, ctx: CallContext, done: Completion<TxnResult>): void {
    if (isTxnReadonly(req)) this.read(new TxnRead(this.parts.mvcc, req, done, ctx, this.gate), isTxnSerializable(req));
    else this.propose(InternalKind.TXN, raw, done, ctx);
  }

  compact(_req: CompactionRequest, raw: Buffer, ctx: CallContext, done: Completion<{ revision: number }>): void {
    this.gate.asRoot(ctx, done, () => this.propose(InternalKind.COMPACTION, raw, done, ctx));
  }

  leaseGrant(req: { id: bigint; ttl: number }, ctx: CallContext, done: Completion<{ id: bigint; ttl: number }>): void {
    let { id } = req;
    // A free positive id, chosen before it is proposed so that every member sees the same (semantics 5).
    while (id === 0n) id = this.nextId() & MAX_INT64;
    const body = LeaseGrantRequest.encode({ id, ttl: this.parts.lessor.raised(req.ttl) });
    this.gate.asUser(ctx, done, () => this.propose(InternalKind.LEASE_GRANT, body, done, ctx));
  }

  leaseRevoke(id: bigint, ctx: CallContext, done: Completion<void>): void {
    const body = LeaseRevokeRequest.encode({ id });
    this.gate.asUser(ctx, done, () => this.propose(InternalKind.LEASE_REVOKE, body, done, ctx));
  }

  leaseRenew(id: bigint, ctx: CallContext, done: Completion<{ ttl: number }>): void {
    this.gate.toRenew(id, ctx, done, () => this.#renew(id, ctx, done));
  }

  #renew(id: bigint, ctx: CallContext, done: Completion<{ ttl: number }>): void {
    this.calls.call(
      'lease-renew',
      { id: id.toString() },
      this.until(ctx),
      (cb) => this.leaseKeeper.renew(id, cb),
      (err, ttl) => (err === null ? done.ok({ ttl: ttl as number }) : done.fail(err)),
    );
  }

  leaseTimeToLive(id: bigint, keys: boolean, ctx: CallContext, done: Completion<LeaseTimeToLive>): void {
    this.gate.toSeeLeases([id], keys, ctx, done, () => this.#timeToLive(id, keys, ctx, done));
  }

  #timeToLive(id: bigint, keys: boolean, ctx: CallContext, done: Completion<LeaseTimeToLive>): void {
    this.calls.call(
      'lease-ttl',
      { id: id.toString(), keys },
      this.until(ctx),
      (cb) => this.leaseKeeper.timeToLive(id, keys, cb),
      (err, times) => (err === null ? done.ok(times as LeaseTimeToLive) : done.fail(err)),
    );
  }

  leases(): bigint[] {
    return this.parts.lessor.list();
  }

  memberList(linearizable: boolean, ctx: CallContext, done: Completion<MemberInfo[]>): void {
    const answer = (): void => this.gate.asUser(ctx, done, () => done.ok(this.parts.membership.list()));
    if (!linearizable) return answer();
    this.read({ ready: answer, fail: (err) => done.fail(err) }, false);
  }

  /** As applied so far. */
  members(): MemberInfo[] {
    return this.parts.membership.list();
  }

  /** As raft has it. */
  get configuration(): { readonly voters: readonly bigint[]; readonly learners: readonly bigint[] } {
    return this.parts.raft.confState;
  }

  memberAdd(
    { peerUrls, isLearner }: { readonly peerUrls: readonly string[]; readonly isLearner: boolean },
    ctx: CallContext,
    done: Completion<{ member: MemberInfo; members: MemberInfo[] }>,
  ): void {
    const checked = checkPeerUrls(peerUrls);
    if (checked === null) done.fail(refusal('ERR_MEMBER_BAD_URLS'));
    else this.gate.asRoot(ctx, done, () => this.changes.add(checked, isLearner, done));
  }

  memberRemove(id: bigint, ctx: CallContext, done: Completion<MemberInfo[]>): void {
    this.gate.asRoot(ctx, done, () => this.changes.remove(id, done));
  }

  memberUpdate(id: bigint, peerUrls: readonly string[], ctx: CallContext, done: Completion<MemberInfo[]>): void {
    this.gate.asRoot(ctx, done, () => this.changes.update(id, peerUrls, done));
  }

  memberPromote(id: bigint, ctx: CallContext, done: Completion<MemberInfo[]>): void {
    this.gate.asRoot(ctx, done, () => this.#promote(id, ctx, done));
  }

  #promote(id: bigint, ctx: CallContext, done: Completion<MemberInfo[]>): void {
    this.calls.call(
      'member-promote',
      { id: id.toString() },
      this.until(ctx),
      (cb) => this.changes.promote(id, { ok: (members) => cb(null, members), fail: (err) => cb(err, null) }),
      (err, members) => (err === null ? done.ok((members as unknown[]).map(memberFromWire)) : done.fail(err)),
    );
  }

  moveLeader(target: bigint, ctx: CallContext, done: Completion<void>): void {
    this.gate.asRoot(ctx, done, () => moveLeader(this.parts, target, this.until(ctx), done));
  }

  status(): StatusInfo {
    return memberStatus(this.parts.raft, this.parts.backend, this.parts.alarms, this.quota.limit);
  }

  figures(): MemberFigures {
    return memberFigures(this.parts, this.counting);
  }

  alarm(req: AlarmArgs, ctx: CallContext, done: Completion<AlarmMember[]>): void {
    const propose = (): void => this.propose(InternalKind.ALARM, AlarmRequest.encode(req as never), done, ctx);
    if (req.action === AlarmAction.GET) this.gate.asUser(ctx, done, propose);
    else this.gate.asRoot(ctx, done, propose);
  }

  downgrade(
    { action, version }: { readonly action: number; readonly version: string },
    ctx: CallContext,
    done: Completion<string>,
  ): void {
    this.gate.asRoot(ctx, done, () => this.#downgrade(action, version, done));
  }

  #downgrade(action: number, version: string, done: Completion<string>): void {
    const answer = (): void => done.ok(shortVersion(this.clusterVersion));
    // There never is a job to cancel.
    if (action === DowngradeAction.CANCEL) return answer();
    if (action !== DowngradeAction.VALIDATE && action !== DowngradeAction.ENABLE) {
      return done.fail(refusal('ERR_UNKNOWN_METHOD'));
    }
    const ready = (): void => {
      const refused = downgradeRefusal(version, this.clusterVersion);
      if (refused !== null) done.fail(refusal(refused));
      else if (action === DowngradeAction.ENABLE) done.fail(refusal('ERR_DOWNGRADE_REFUSED'));
      else answer();
    };
    this.read({ ready, fail: (err) => done.fail(err) }, false);
  }

  alarms(): AlarmMember[] {
    return this.parts.alarms.list();
  }

  hashKv(revision: number, done: Completion<HashKvResult>): void {
    answerHashKv(this.parts.mvcc, revision, done);
  }

  hash(done: Completion<number>): void {
    answerHash(this.parts.backend, done);
  }

  defragment(done: Completion<void>): void {
    const { backend, config } = this.parts;
    const now = (): void => {
      backend.defragment();
      this.log.info('finished defragmenting', { 'current-db-size-bytes': backend.size });
      done.ok();
    };
    // Not while a snapshot takes the store's place (museum 30).
    if (config.tuning.mutants.has('30')) now();
    else this.read({ ready: now, fail: (err) => done.fail(err) }, true);
  }

  snapshot(done: Completion<SnapshotFile>): void {
    openClientSnapshot(this.parts.backend, this.parts.env.timers, done);
  }
}

const MAX_INT64 = (1n << 63n) - 1n;
