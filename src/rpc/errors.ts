import type { CheckRefusal } from '../mvcc/index.js';
import type { ServerError, ServerErrorCode } from '../server/index.js';

/** How a call ends: gRPC's code, and the text in `grpc-message`. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/** gRPC's status codes. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export const OK: Status = { code: Code.OK, message: '' };

function etcd(code: number, text: string): Status {
  return { code, message: `etcdserver: ${text}` };
}

/**
 * What a member refuses, as etcd says it (etcd semantics §1.1). Two that etcd means as ResourceExhausted and
 * FailedPrecondition travel as Unknown: its own table of texts does not hold them. docs/errors.md is this table for
 * readers, and a test holds the two equal.
 */
export const SERVER_STATUS: Readonly<Record<ServerErrorCode, Status>> = {
  ERR_NO_LEADER: etcd(Code.UNAVAILABLE, 'no leader'),
  ERR_LEADER_CHANGED: etcd(Code.UNAVAILABLE, 'leader changed'),
  ERR_NOT_LEADER: etcd(Code.FAILED_PRECONDITION, 'not leader'),
  ERR_STOPPED: etcd(Code.UNAVAILABLE, 'server stopped'),
  ERR_TIMEOUT: etcd(Code.UNAVAILABLE, 'request timed out'),
  ERR_TIMEOUT_LEADER_FAIL: etcd(Code.UNAVAILABLE, 'request timed out, possibly due to previous leader failure'),
  ERR_TIMEOUT_CONNECTION_LOST: etcd(Code.UNAVAILABLE, 'request timed out, possibly due to connection lost'),
  ERR_TIMEOUT_WAIT_APPLIED: etcd(Code.UNAVAILABLE, 'request timed out, waiting for the applied index took too long'),
  ERR_TIMEOUT_LEADER_TRANSFER: etcd(Code.UNKNOWN, 'request timed out, leader transfer took too long'),
  ERR_DEADLINE: { code: Code.DEADLINE_EXCEEDED, message: 'context deadline exceeded' },
  ERR_CANCELED: { code: Code.CANCELLED, message: 'context canceled' },
  ERR_TOO_MANY_REQUESTS: etcd(Code.UNKNOWN, 'too many requests'),
  ERR_REQUEST_TOO_LARGE: etcd(Code.INVALID_ARGUMENT, 'request is too large'),
  ERR_NO_SPACE: etcd(Code.RESOURCE_EXHAUSTED, 'mvcc: database space exceeded'),
  ERR_CORRUPT: etcd(Code.DATA_LOSS, 'corrupt cluster'),
  ERR_NOT_CAPABLE: etcd(Code.FAILED_PRECONDITION, 'not capable'),
  ERR_NOT_SUPPORTED_FOR_LEARNER: etcd(Code.FAILED_PRECONDITION, 'rpc not supported for learner'),
  ERR_INTERNAL: { code: Code.UNKNOWN, message: '' },

  ERR_EMPTY_KEY: etcd(Code.INVALID_ARGUMENT, 'key is not provided'),
  ERR_KEY_NOT_FOUND: etcd(Code.INVALID_ARGUMENT, 'key not found'),
  ERR_VALUE_PROVIDED: etcd(Code.INVALID_ARGUMENT, 'value is provided'),
  ERR_LEASE_PROVIDED: etcd(Code.INVALID_ARGUMENT, 'lease is provided'),
  ERR_TOO_MANY_OPS: etcd(Code.INVALID_ARGUMENT, 'too many operations in txn request'),
  ERR_DUPLICATE_KEY: etcd(Code.INVALID_ARGUMENT, 'duplicate key given in txn request'),
  ERR_INVALID_SORT_OPTION: etcd(Code.INVALID_ARGUMENT, 'invalid sort option'),
  ERR_COMPACTED: etcd(Code.OUT_OF_RANGE, 'mvcc: required revision has been compacted'),
  ERR_FUTURE_REV: etcd(Code.OUT_OF_RANGE, 'mvcc: required revision is a future revision'),

  ERR_LEASE_NOT_FOUND: etcd(Code.NOT_FOUND, 'requested lease not found'),
  ERR_LEASE_EXIST: etcd(Code.FAILED_PRECONDITION, 'lease already exists'),
  ERR_LEASE_TTL_TOO_LARGE: etcd(Code.OUT_OF_RANGE, 'too large lease TTL'),
  ERR_NOT_PRIMARY_LESSOR: { code: Code.UNKNOWN, message: 'not a primary lessor' },

  ERR_MEMBER_NOT_FOUND: etcd(Code.NOT_FOUND, 'member not found'),
  ERR_MEMBER_EXIST: etcd(Code.FAILED_PRECONDITION, 'member ID already exist'),
  ERR_PEER_URL_EXIST: etcd(Code.FAILED_PRECONDITION, 'Peer URLs already exists'),
  ERR_MEMBER_BAD_URLS: etcd(Code.INVALID_ARGUMENT, 'given member URLs are invalid'),
  ERR_MEMBER_NOT_LEARNER: etcd(Code.FAILED_PRECONDITION, 'can only promote a learner member'),
  ERR_LEARNER_NOT_READY: etcd(
    Code.FAILED_PRECONDITION,
    'can only promote a learner member which is in sync with leader',
  ),
  ERR_TOO_MANY_LEARNERS: etcd(Code.FAILED_PRECONDITION, 'too many learner members in cluster'),
  ERR_NOT_ENOUGH_STARTED: etcd(Code.UNKNOWN, 're-configuration failed due to not enough started members'),
  ERR_UNHEALTHY: etcd(Code.UNAVAILABLE, 'unhealthy cluster'),
  ERR_BAD_LEADER_TRANSFEREE: etcd(Code.FAILED_PRECONDITION, 'bad leader transferee'),
  ERR_CLUSTER_ID_MISMATCH: etcd(Code.FAILED_PRECONDITION, 'cluster ID mismatch'),

  ERR_ROOT_USER_NOT_EXIST: etcd(Code.FAILED_PRECONDITION, 'root user does not exist'),
  ERR_ROOT_ROLE_NOT_EXIST: etcd(Code.FAILED_PRECONDITION, 'root user does not have root role'),
  ERR_USER_EMPTY: etcd(Code.INVALID_ARGUMENT, 'user name is empty'),
  ERR_USER_EXIST: etcd(Code.FAILED_PRECONDITION, 'user name already exists'),
  ERR_USER_NOT_FOUND: etcd(Code.FAILED_PRECONDITION, 'user name not found'),
  ERR_ROLE_EMPTY: etcd(Code.INVALID_ARGUMENT, 'role name is empty'),
  ERR_ROLE_EXIST: etcd(Code.FAILED_PRECONDITION, 'role name already exists'),
  ERR_ROLE_NOT_FOUND: etcd(Code.FAILED_PRECONDITION, 'role name not found'),
  ERR_AUTH_FAILED: etcd(Code.INVALID_ARGUMENT, 'authentication failed, invalid user ID or password'),
  ERR_NO_PASSWORD_USER: {
    code: Code.UNKNOWN,
    message: 'auth: authentication failed, password was given for no password user',
  },
  ERR_PERMISSION_DENIED: etcd(Code.PERMISSION_DENIED, 'permission denied'),
  ERR_PERMISSION_NOT_GIVEN: etcd(Code.INVALID_ARGUMENT, 'permission not given'),
  ERR_ROLE_NOT_GRANTED: etcd(Code.FAILED_PRECONDITION, 'role is not granted to the user'),
  ERR_PERMISSION_NOT_GRANTED: etcd(Code.FAILED_PRECONDITION, 'permission is not granted to the role'),
  ERR_AUTH_NOT_ENABLED: etcd(Code.FAILED_PRECONDITION, 'authentication is not enabled'),
  ERR_INVALID_AUTH_TOKEN: etcd(Code.UNAUTHENTICATED, 'invalid auth token'),
  ERR_INVALID_AUTH_MGMT: etcd(Code.INVALID_ARGUMENT, 'invalid auth management'),
  ERR_AUTH_OLD_REVISION: etcd(Code.INVALID_ARGUMENT, 'revision of auth store is old'),

  ERR_DOWNGRADE_VERSION_FORMAT: etcd(Code.INVALID_ARGUMENT, 'wrong downgrade target version format'),
  ERR_DOWNGRADE_TARGET: etcd(Code.INVALID_ARGUMENT, 'invalid downgrade target version'),
  ERR_DOWNGRADE_REFUSED: {
    code: Code.FAILED_PRECONDITION,
    message:
      'keel: a member cannot be downgraded: no etcd opens its data folder; to move to etcd, save a snapshot and restore it with etcdutl',
  },
  ERR_CLUSTER_VERSION_UNAVAILABLE: etcd(Code.FAILED_PRECONDITION, 'cluster version not found during downgrade'),
  ERR_UNKNOWN_METHOD: etcd(Code.UNKNOWN, 'unknown method'),

  ERR_NOT_BUILT: { code: Code.UNIMPLEMENTED, message: '' },
};

/** What a request is refused for before the member hears of it. */
export const CHECK_STATUS: Readonly<Record<CheckRefusal, Status>> = {
  'empty-key': SERVER_STATUS.ERR_EMPTY_KEY,
  'invalid-sort-option': SERVER_STATUS.ERR_INVALID_SORT_OPTION,
  'value-provided': SERVER_STATUS.ERR_VALUE_PROVIDED,
  'lease-provided': SERVER_STATUS.ERR_LEASE_PROVIDED,
  'too-many-ops': SERVER_STATUS.ERR_TOO_MANY_OPS,
  'duplicate-key': SERVER_STATUS.ERR_DUPLICATE_KEY,
  'key-not-found': SERVER_STATUS.ERR_KEY_NOT_FOUND,
};

/** Refusals of the rpc room itself. */
export const RPC_STATUS = {
  invalidClientApiVersion: etcd(Code.INVALID_ARGUMENT, 'invalid client api version'),
  watchCanceled: etcd(Code.CANCELLED, 'watch canceled'),
  unknownHealthService: { code: Code.NOT_FOUND, message: 'unknown service' },
} as const;

/** The status of a member's refusal. Where the table leaves the text open, the error's own stands. */
export function statusOf(err: ServerError): Status {
  const status = SERVER_STATUS[err.code];
  if (status === undefined) return { code: Code.UNKNOWN, message: err.message };
  return status.message === '' ? { code: status.code, message: err.message } : status;
}

/** Bytes that are not the message they should be. @param reason the decoder's text */
export function undecodable(reason: string): Status {
  return { code: Code.INTERNAL, message: `grpc: error unmarshalling request: ${reason}` };
}

/** The same within a stream of messages. */
export function undecodableInStream(reason: string): Status {
  return { code: Code.INTERNAL, message: `grpc: failed to unmarshal the received message: ${reason}` };
}

/** A unary call that was half-closed without a message. */
export const NO_MESSAGE: Status = { code: Code.UNKNOWN, message: 'EOF' };

export function messageTooLarge(bytes: number, bytesMax: number): Status {
  return {
    code: Code.RESOURCE_EXHAUSTED,
    message: `grpc: received message larger than max (${bytes} vs. ${bytesMax})`,
  };
}

/** @param path `/package.Service/Method` as the client sent it */
export function unknownPath(path: string, isService: (name: string) => boolean): Status {
  const slash = path.lastIndexOf('/');
  if (!path.startsWith('/') || slash <= 0) {
    return { code: Code.UNIMPLEMENTED, message: `malformed method name: ${JSON.stringify(path)}` };
  }
  const service = path.slice(1, slash);
  const method = path.slice(slash + 1);
  const message = isService(service) ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
  return { code: Code.UNIMPLEMENTED, message };
}

/** @param rpc `Auth.UserAdd` */
export function notBuilt(rpc: string): Status {
  return { code: Code.UNIMPLEMENTED, message: `keel: this version does not have ${rpc} yet` };
}
