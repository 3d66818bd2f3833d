/**
 * What a member refuses, as values. `code` is stable; src/rpc/errors.ts gives each its gRPC status and etcd's text.
 * Expected refusals are shared instances: no stack is taken for them.
 */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  constructor(code: ServerErrorCode, message?: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message ?? code);
    Error.stackTraceLimit = limit;
    this.code = code;
  }
}

/** All of them. */
export const SERVER_ERROR_CODES = [
  // the cluster and time
  'ERR_NO_LEADER',
  'ERR_LEADER_CHANGED',
  'ERR_NOT_LEADER',
  'ERR_STOPPED',
  'ERR_TIMEOUT',
  'ERR_TIMEOUT_LEADER_FAIL',
  'ERR_TIMEOUT_CONNECTION_LOST',
  'ERR_TIMEOUT_WAIT_APPLIED',
  'ERR_TIMEOUT_LEADER_TRANSFER',
  'ERR_DEADLINE',
  'ERR_CANCELED',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_NO_SPACE',
  'ERR_CORRUPT',
  'ERR_NOT_CAPABLE',
  'ERR_NOT_SUPPORTED_FOR_LEARNER',
  'ERR_INTERNAL',
  // keys
  'ERR_EMPTY_KEY',
  'ERR_KEY_NOT_FOUND',
  'ERR_VALUE_PROVIDED',
  'ERR_LEASE_PROVIDED',
  'ERR_TOO_MANY_OPS',
  'ERR_DUPLICATE_KEY',
  'ERR_INVALID_SORT_OPTION',
  'ERR_COMPACTED',
  'ERR_FUTURE_REV',
  // leases
  'ERR_LEASE_NOT_FOUND',
  'ERR_LEASE_EXIST',
  'ERR_LEASE_TTL_TOO_LARGE',
  'ERR_NOT_PRIMARY_LESSOR',
  // members
  'ERR_MEMBER_NOT_FOUND',
  'ERR_MEMBER_EXIST',
  'ERR_PEER_URL_EXIST',
  'ERR_MEMBER_BAD_URLS',
  'ERR_MEMBER_NOT_LEARNER',
  'ERR_LEARNER_NOT_READY',
  'ERR_TOO_MANY_LEARNERS',
  'ERR_NOT_ENOUGH_STARTED',
  'ERR_UNHEALTHY',
  'ERR_BAD_LEADER_TRANSFEREE',
  'ERR_CLUSTER_ID_MISMATCH',
  // users and roles
  'ERR_ROOT_USER_NOT_EXIST',
  'ERR_ROOT_ROLE_NOT_EXIST',
  'ERR_USER_EMPTY',
  'ERR_USER_EXIST',
  'ERR_USER_NOT_FOUND',
  'ERR_ROLE_EMPTY',
  'ERR_ROLE_EXIST',
  'ERR_ROLE_NOT_FOUND',
  'ERR_AUTH_FAILED',
  'ERR_NO_PASSWORD_USER',
  'ERR_PERMISSION_DENIED',
  'ERR_PERMISSION_NOT_GIVEN',
  'ERR_ROLE_NOT_GRANTED',
  'ERR_PERMISSION_NOT_GRANTED',
  'ERR_AUTH_NOT_ENABLED',
  'ERR_INVALID_AUTH_TOKEN',
  'ERR_INVALID_AUTH_MGMT',
  'ERR_AUTH_OLD_REVISION',
  // versions
  'ERR_DOWNGRADE_VERSION_FORMAT',
  'ERR_DOWNGRADE_TARGET',
  'ERR_DOWNGRADE_REFUSED',
  'ERR_CLUSTER_VERSION_UNAVAILABLE',
  'ERR_UNKNOWN_METHOD',
  // what this build does not have yet
  'ERR_NOT_BUILT',
] as const;

export type ServerErrorCode = (typeof SERVER_ERROR_CODES)[number];

const codes: ReadonlySet<string> = new Set(SERVER_ERROR_CODES);

/** A code that came from another member is one that this one knows. */
export function isServerCode(code: string): code is ServerErrorCode {
  return codes.has(code);
}

const shared = new Map<ServerErrorCode, ServerError>();

/** The shared instance of an expected refusal. */
export function refusal(code: ServerErrorCode): ServerError {
  let err = shared.get(code);
  if (err === undefined) {
    err = new ServerError(code);
    shared.set(code, err);
  }
  return err;
}
