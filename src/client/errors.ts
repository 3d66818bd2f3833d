import type { Status } from './core/status.js';
import { CANCELED, GrpcCode } from './core/status.js';
import type { WatchEnd } from './core/watcher.js';

/** etcd's texts, and the code under which each is known here (etcd semantics, section 1.1). */
const CODE_BY_TEXT: Readonly<Record<string, string>> = {
  'etcdserver: key is not provided': 'ERR_EMPTY_KEY',
  'etcdserver: key not found': 'ERR_KEY_NOT_FOUND',
  'etcdserver: value is provided': 'ERR_VALUE_PROVIDED',
  'etcdserver: lease is provided': 'ERR_LEASE_PROVIDED',
  'etcdserver: too many operations in txn request': 'ERR_TOO_MANY_OPS',
  'etcdserver: duplicate key given in txn request': 'ERR_DUPLICATE_KEY',
  'etcdserver: invalid client api version': 'ERR_INVALID_CLIENT_API_VERSION',
  'etcdserver: invalid sort option': 'ERR_INVALID_SORT_OPTION',
  'etcdserver: mvcc: required revision has been compacted': 'ERR_COMPACTED',
  'etcdserver: mvcc: required revision is a future revision': 'ERR_FUTURE_REV',
  'etcdserver: mvcc: database space exceeded': 'ERR_NO_SPACE',
  'etcdserver: requested lease not found': 'ERR_LEASE_NOT_FOUND',
  'etcdserver: lease already exists': 'ERR_LEASE_EXIST',
  'etcdserver: too large lease TTL': 'ERR_LEASE_TTL_TOO_LARGE',
  'etcdserver: watch canceled': 'ERR_WATCH_CANCELED',
  'mvcc: watcher range is empty': 'ERR_EMPTY_WATCHER_RANGE',
  'etcdserver: member ID already exist': 'ERR_MEMBER_EXIST',
  'etcdserver: Peer URLs already exists': 'ERR_PEER_URL_EXIST',
  'etcdserver: re-configuration failed due to not enough started members': 'ERR_MEMBER_NOT_ENOUGH_STARTED',
  'etcdserver: given member URLs are invalid': 'ERR_MEMBER_BAD_URLS',
  'etcdserver: member not found': 'ERR_MEMBER_NOT_FOUND',
  'etcdserver: can only promote a learner member': 'ERR_MEMBER_NOT_LEARNER',
  'etcdserver: can only promote a learner member which is in sync with leader': 'ERR_LEARNER_NOT_READY',
  'etcdserver: too many learner members in cluster': 'ERR_TOO_MANY_LEARNERS',
  'etcdserver: cluster ID mismatch': 'ERR_CLUSTER_ID_MISMATCH',
  'etcdserver: request is too large': 'ERR_REQUEST_TOO_LARGE',
  'etcdserver: too many requests': 'ERR_TOO_MANY_REQUESTS',
  'etcdserver: root user does not exist': 'ERR_ROOT_USER_NOT_EXIST',
  'etcdserver: root user does not have root role': 'ERR_ROOT_ROLE_NOT_GRANTED',
  'etcdserver: user name already exists': 'ERR_USER_EXIST',
  'etcdserver: user name is empty': 'ERR_USER_EMPTY',
  'etcdserver: user name not found': 'ERR_USER_NOT_FOUND',
  'etcdserver: role name already exists': 'ERR_ROLE_EXIST',
  'etcdserver: role name not found': 'ERR_ROLE_NOT_FOUND',
  'etcdserver: role name is empty': 'ERR_ROLE_EMPTY',
  'etcdserver: authentication failed, invalid user ID or password': 'ERR_AUTH_FAILED',
  'etcdserver: permission not given': 'ERR_PERMISSION_NOT_GIVEN',
  'etcdserver: permission denied': 'ERR_PERMISSION_DENIED',
  'etcdserver: role is not granted to the user': 'ERR_ROLE_NOT_GRANTED',
  'etcdserver: permission is not granted to the role': 'ERR_PERMISSION_NOT_GRANTED',
  'etcdserver: authentication is not enabled': 'ERR_AUTH_NOT_ENABLED',
  'etcdserver: invalid auth token': 'ERR_INVALID_AUTH_TOKEN',
  'etcdserver: invalid auth management': 'ERR_INVALID_AUTH_MGMT',
  'etcdserver: revision of auth store is old': 'ERR_AUTH_OLD_REVISION',
  'etcdserver: no leader': 'ERR_NO_LEADER',
  'etcdserver: not leader': 'ERR_NOT_LEADER',
  'etcdserver: leader changed': 'ERR_LEADER_CHANGED',
  'etcdserver: not capable': 'ERR_NOT_CAPABLE',
  'etcdserver: server stopped': 'ERR_STOPPED',
  'etcdserver: request timed out': 'ERR_TIMEOUT',
  'etcdserver: request timed out, possibly due to previous leader failure': 'ERR_TIMEOUT',
  'etcdserver: request timed out, possibly due to connection lost': 'ERR_TIMEOUT',
  'etcdserver: request timed out, waiting for the applied index took too long': 'ERR_TIMEOUT',
  'etcdserver: unhealthy cluster': 'ERR_UNHEALTHY',
  'etcdserver: corrupt cluster': 'ERR_CORRUPT',
  'etcdserver: rpc not supported for learner': 'ERR_NOT_SUPPORTED_FOR_LEARNER',
  'etcdserver: bad leader transferee': 'ERR_BAD_LEADER_TRANSFEREE',
  'etcdserver: cluster version not found during downgrade': 'ERR_CLUSTER_VERSION_UNAVAILABLE',
  'etcdserver: wrong downgrade target version format': 'ERR_WRONG_DOWNGRADE_VERSION_FORMAT',
  'etcdserver: invalid downgrade target version': 'ERR_INVALID_DOWNGRADE_TARGET',
  'etcdserver: cluster has a downgrade job in progress': 'ERR_DOWNGRADE_IN_PROCESS',
  'etcdserver: no inflight downgrade job': 'ERR_NO_INFLIGHT_DOWNGRADE',
};

/** For texts that are not etcd's: by gRPC status code. */
const CODE_BY_GRPC: Readonly<Record<number, string>> = {
  [GrpcCode.CANCELLED]: 'ERR_CANCELED',
  [GrpcCode.INVALID_ARGUMENT]: 'ERR_INVALID_ARGUMENT',
  [GrpcCode.DEADLINE_EXCEEDED]: 'ERR_DEADLINE_EXCEEDED',
  [GrpcCode.NOT_FOUND]: 'ERR_NOT_FOUND',
  [GrpcCode.PERMISSION_DENIED]: 'ERR_PERMISSION_DENIED',
  [GrpcCode.RESOURCE_EXHAUSTED]: 'ERR_RESOURCE_EXHAUSTED',
  [GrpcCode.FAILED_PRECONDITION]: 'ERR_FAILED_PRECONDITION',
  [GrpcCode.OUT_OF_RANGE]: 'ERR_OUT_OF_RANGE',
  [GrpcCode.UNIMPLEMENTED]: 'ERR_UNIMPLEMENTED',
  [GrpcCode.INTERNAL]: 'ERR_INTERNAL',
  [GrpcCode.UNAVAILABLE]: 'ERR_UNAVAILABLE',
  [GrpcCode.DATA_LOSS]: 'ERR_DATA_LOSS',
  [GrpcCode.UNAUTHENTICATED]: 'ERR_UNAUTHENTICATED',
};

export interface KeelErrorDetail {
  readonly grpcCode?: number;
  readonly cause?: unknown;
  readonly compactRevision?: number;
  readonly mayHaveHappened?: boolean;
}

/**
 * Every failure of the client.
 *
 * `code` is stable and made for programs; `message` is etcd's own text (or the transport's) and may change.
 */
export class KeelError extends Error {
  override readonly name = 'KeelError';
  readonly code: string;
  /** The gRPC status code; 2 (Unknown) for failures of the client's own. */
  readonly grpcCode: number;
  /** With ERR_COMPACTED from a watch: the lowest revision that can be watched; else 0. */
  readonly compactRevision: number;
  /**
   * False if the request certainly changed nothing (it was refused, or never sent). After a deadline, a cancel or
   * a lost connection it is true: a write may have been applied, or may still be.
   */
  readonly mayHaveHappened: boolean;

  constructor(code: string, message: string, detail: KeelErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.grpcCode = detail.grpcCode ?? GrpcCode.UNKNOWN;
    this.compactRevision = detail.compactRevision ?? 0;
    this.mayHaveHappened = detail.mayHaveHappened ?? false;
  }

  /** @internal */
  static fromStatus(status: Status, cause?: unknown): KeelError {
    const because = cause ?? (status.cause === undefined ? undefined : KeelError.fromStatus(status.cause));
    return new KeelError(codeOf(status), status.message, {
      grpcCode: status.code,
      cause: because,
      mayHaveHappened: status.sent && (UNCERTAIN.has(status.code) || status.message === NO_SPACE),
    });
  }

  /** @internal */
  static fromWatchEnd(end: WatchEnd): KeelError {
    return new KeelError(codeOf(end), end.message, { grpcCode: end.code, compactRevision: end.compactRevision });
  }

  /** @internal */
  static canceled(reason: unknown): KeelError {
    return KeelError.fromStatus(CANCELED, reason);
  }
}

/** Of a write before it is proposed, or of the one that filled the database, which took place (etcd semantics §8). */
const NO_SPACE = 'etcdserver: mvcc: database space exceeded';

/** Statuses that leave open what became of a request. */
const UNCERTAIN: ReadonlySet<number> = new Set([
  GrpcCode.CANCELLED,
  GrpcCode.UNKNOWN,
  GrpcCode.DEADLINE_EXCEEDED,
  GrpcCode.INTERNAL,
  GrpcCode.UNAVAILABLE,
]);

function codeOf(status: { code: number; message: string }): string {
  return CODE_BY_TEXT[status.message] ?? CODE_BY_GRPC[status.code] ?? 'ERR_UNKNOWN';
}
