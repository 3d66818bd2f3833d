import type { Identity } from '../auth/index.js';
import type { WatchHub } from '../mvcc/index.js';
import type { ServerError } from './errors.js';
import type { MemberFigures } from './figures.js';

/**
 * What the rpc handlers and the gateway may ask of a running member. Requests come decoded, with the bytes as the
 * client sent them (`raw`) where they are spliced into the log. Every answer comes through a Completion, later or
 * before the call returns, exactly once.
 *
 * rpc validates what needs no state (empty keys, operation counts, sort options: semantics 3.2-3.6) before it calls.
 */
export interface MemberApi {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly clientVersion: VersionInfo;
  readonly limits: MemberLimits;
  /** Revision of the store now: what the header of a lease, maintenance or auth answer carries. */
  readonly revision: number;
  readonly raftTerm: number;
  readonly hasLeader: boolean;
  readonly isLearner: boolean;

  /**
   * Asked before a write is validated, with what it may add to the database (putCost, txnCost, GRANT_COST). Where the
   * quota leaves no room, `done` is refused once the alarm is raised.
   * @returns whether to go on
   */
  admits(cost: number, done: Completion<never>): boolean;
  range(req: RangeRequest, ctx: CallContext, done: Completion<RangeResult>): void;
  put(req: PutRequest, raw: Buffer, ctx: CallContext, done: Completion<PutResult>): void;
  deleteRange(req: DeleteRangeRequest, raw: Buffer, ctx: CallContext, done: Completion<DeleteRangeResult>): void;
  /** Read-only transactions are served without the log (semantics 3.6). */
  txn(req: TxnRequest, raw: Buffer, ctx: CallContext, done: Completion<TxnResult>): void;
  compact(req: CompactionRequest, raw: Buffer, ctx: CallContext, done: Completion<{ revision: number }>): void;

  readonly watch: WatchHub;

  leaseGrant(req: { id: bigint; ttl: number }, ctx: CallContext, done: Completion<{ id: bigint; ttl: number }>): void;
  leaseRevoke(id: bigint, ctx: CallContext, done: Completion<void>): void;
  /** ttl 0: there is no such lease. Forwarded to the leader by other members. */
  leaseRenew(id: bigint, ctx: CallContext, done: Completion<{ ttl: number }>): void;
  /** ttl -1: there is no such lease. */
  leaseTimeToLive(id: bigint, keys: boolean, ctx: CallContext, done: Completion<LeaseTimeToLive>): void;
  leases(): bigint[];

  memberList(linearizable: boolean, ctx: CallContext, done: Completion<MemberInfo[]>): void;
  /** Answers with the members after the change, as do the next three (semantics 6). */
  memberAdd(
    req: { readonly peerUrls: readonly string[]; readonly isLearner: boolean },
    ctx: CallContext,
    done: Completion<{ member: MemberInfo; members: MemberInfo[] }>,
  ): void;
  memberRemove(id: bigint, ctx: CallContext, done: Completion<MemberInfo[]>): void;
  memberUpdate(id: bigint, peerUrls: readonly string[], ctx: CallContext, done: Completion<MemberInfo[]>): void;
  /** Forwarded to the leader by other members. */
  memberPromote(id: bigint, ctx: CallContext, done: Completion<MemberInfo[]>): void;
  /** Hands leadership to a voter, and answers when it leads. Only the leader does it. */
  moveLeader(target: bigint, ctx: CallContext, done: Completion<void>): void;

  status(): StatusInfo;
  /** What is counted, for whoever watches the member. */
  figures(): MemberFigures;
  alarm(req: AlarmRequest, ctx: CallContext, done: Completion<AlarmMember[]>): void;
  /** Answers with the cluster's version, major.minor. ENABLE is refused (semantics 7). */
  downgrade(
    req: { readonly action: number; readonly version: string },
    ctx: CallContext,
    done: Completion<string>,
  ): void;
  /** The alarms as this member has applied them. */
  alarms(): AlarmMember[];
  hashKv(revision: number, done: Completion<{ hash: number; compactRevision: number; hashRevision: number }>): void;
  /** CRC-32C over the whole database (semantics 7, Hash). */
  hash(done: Completion<number>): void;
  defragment(done: Completion<void>): void;
  /** The database as a file of etcd's; to be closed by who gets it. */
  snapshot(done: Completion<SnapshotFile>): void;

  readonly guard: AuthGuard;
  readonly auth: AuthApi;
}

/** Who is told of a refusal. */
export interface Refused {
  fail(err: ServerError): void;
}

/** Asked before what is not proposed, or needs root (auth-gate.ts). While auth is off, `go` is called at once. */
export interface AuthGuard {
  readonly enabled: boolean;
  asUser(ctx: CallContext, refused: Refused, go: () => void): void;
  asRoot(ctx: CallContext, refused: Refused, go: () => void): void;
  /** READ on a range; the name, or '' while auth is off. */
  toRead(key: string, rangeEnd: string, ctx: CallContext, refused: Refused, go: (who: Identity) => void): void;
  /** @param keys the keys of the leases are to be told as well, which needs READ on each */
  toSeeLeases(ids: readonly bigint[], keys: boolean, ctx: CallContext, refused: Refused, go: () => void): void;
  /** Whether a watcher that was permitted still would be. */
  mayStillRead(username: string, key: string, rangeEnd: string): boolean;
  /** For who writes down what was asked; '' where nobody is known. */
  nameOf(ctx: CallContext): string;
  /** Calls back after each change of the rules, until `end` is called. */
  onRulesChanged(cb: () => void): { end(): void };
}

/** The Auth service (semantics 9.2). */
export interface AuthApi {
  /** Answers with a token. */
  authenticate(name: string, password: string, ctx: CallContext, done: Completion<string>): void;
  userAdd(req: AuthUserAddRequest, ctx: CallContext, done: Completion<void>): void;
  userChangePassword(req: AuthUserChangePasswordRequest, ctx: CallContext, done: Completion<void>): void;
  /** All others. @param kind of InternalKind @param request its bytes; answers as AuthAnswers has it */
  ask<T>(kind: number, request: Buffer, ctx: CallContext, done: Completion<T>): void;
}

/** A database file in the making: its pages are made when they are asked for. */
export interface SnapshotFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Of the schema, e.g. 3.6.0. */
  readonly version: string;
  /** The applied index whose state it is. */
  readonly index: number;
  /** The next bytes in order, in a later turn; null at the end. One call at a time. */
  next(cb: (err: Error | null, pages: Buffer[] | null) => void): void;
  /** Idempotent; ends what is under way. */
  close(): void;
}

/**
 * What a member must know of a call beside its request. Who asks is looked at only while auth is on (auth-gate.ts); what
 * is left out was not sent.
 */
export interface CallContext {
  /** On the environment's monotonic clock in ms; 0 means the member's own request timeout applies alone. */
  readonly deadline: number;
  /** Nobody waits any more: the client cancelled, or was told that its deadline has passed. */
  readonly isOver?: boolean | undefined;
  /** The client does not take what it was answered: a large answer is not made now. */
  readonly isHeld?: boolean | undefined;
  /** What Authenticate gave, as the client sent it: metadata `token`, else `authorization` without `Bearer `. */
  readonly token?: string | undefined;
  /** Common name of the client's verified certificate, where those are asked for. */
  readonly certificateName?: string | undefined;
  /** host:port of the client, for logs and limits. */
  readonly remote?: string | undefined;
}

/** The receiver of one answer. A call object implements it, so that no closure is made per call. */
export interface Completion<T> {
  ok(value: T): void;
  fail(err: ServerError): void;
}

export interface VersionInfo {
  /** etcd's version whose contract is kept, e.g. 3.6.14. */
  readonly etcd: string;
  readonly keel: string;
  /** major.minor.0 decided by the cluster, or 'not_decided'. */
  readonly cluster: string;
  readonly storage: string;
}

export interface MemberLimits {
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  /** ms */
  readonly requestTimeoutMs: number;
  /** ms */
  readonly electionTimeoutMs: number;
}

export interface LeaseTimeToLive {
  readonly ttl: number;
  readonly grantedTtl: number;
  /** latin1 */
  readonly keys: string[];
}

export interface MemberInfo {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: string[];
  readonly clientUrls: string[];
  readonly isLearner: boolean;
}

export interface AlarmRequest {
  /** GET 0, ACTIVATE 1, DEACTIVATE 2 */
  readonly action: number;
  readonly memberId: bigint;
  /** NONE 0, NOSPACE 1, CORRUPT 2 */
  readonly alarm: number;
}

export interface AlarmMember {
  readonly memberId: bigint;
  readonly alarm: number;
}

export interface StatusInfo {
  readonly version: string;
  readonly storageVersion: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly dbSizeQuota: number;
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly isLearner: boolean;
  readonly errors: string[];
}

import type { DeleteRangeResult, PutResult, RangeResult, TxnResult } from '../mvcc/index.js';
import type {
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from '../wire/index.js';
