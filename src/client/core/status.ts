/** gRPC status codes (grpc.github.io, "Status codes and their use in gRPC"). */
export const GrpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** How a call ended. A value, not an Error: most of them are retried and never seen. */
export interface Status {
  /** A gRPC status code; 0 is success. */
  readonly code: number;
  /** etcd's text, or the transport's. */
  readonly message: string;
  /**
   * False if the request certainly never reached a server (the connection was refused, there was none).
   * Only then may a write be tried again after a transport error.
   */
  readonly sent: boolean;
  /** The failure that was being retried when this one (a deadline, a close) put an end to it. */
  readonly cause?: Status;
}

export const OK: Status = Object.freeze({ code: GrpcCode.OK, message: '', sent: true });

/** The caller gave up; the text is Go's, as etcd's own client reports it. */
export const CANCELED: Status = Object.freeze({ code: GrpcCode.CANCELLED, message: 'context canceled', sent: true });

/** The client was closed. */
export const CLOSED: Status = Object.freeze({
  code: GrpcCode.CANCELLED,
  message: 'grpc: the client connection is closing',
  sent: true,
});

export function makeStatus(code: number, message: string, sent = true): Status {
  return { code, message, sent };
}

/**
 * The deadline passed.
 * @param sent false if no attempt was under way and none before it can have been executed
 * @param cause what was being retried, if anything was
 */
export function deadlineExceeded(sent: boolean, cause: Status | null): Status {
  const status = { code: GrpcCode.DEADLINE_EXCEEDED, message: 'context deadline exceeded', sent };
  return cause === null ? status : { ...status, cause };
}

/**
 * Whether a call is safe to send twice. `read`: it changes nothing. `write`: a second execution is another
 * write, so it is repeated only where the first was certainly not executed.
 */
export type Repeat = 'read' | 'write';

/** What to do after a failed attempt. */
export type Verdict = 'final' | 'retry' | 'authenticate';

/** What a learner says to most: another member may do it. */
export const NOT_FOR_LEARNERS = 'etcdserver: rpc not supported for learner';

/** Texts with which a member refuses before it proposes anything: no write can have come of the request. */
const REFUSED_UNTRIED = new Set([
  'etcdserver: no leader',
  'etcdserver: not capable',
  NOT_FOR_LEARNERS,
  'raft proposal dropped',
]);

/** The member is there and cannot do it now, as a learner or one without a leader: others are asked first for a while. */
export function cannotServe(status: Status): boolean {
  return status.sent && (status.code === GrpcCode.UNAVAILABLE || status.message === NOT_FOR_LEARNERS);
}

/** Texts that a new token cures (etcd semantics, section 1.1). */
const TOKEN_STALE = new Set([
  'etcdserver: invalid auth token',
  'etcdserver: revision of auth store is old',
  'etcdserver: user name is empty',
]);

export function isTokenStale(message: string): boolean {
  return TOKEN_STALE.has(message);
}

/**
 * The retry policy of a unary call.
 *
 * A write whose fate is unknown (a lost connection, `request timed out`, `server stopped`) is never repeated:
 * it may have been applied, or may still be.
 */
export function judge(status: Status, repeat: Repeat): Verdict {
  if (!status.sent) return 'retry';
  if (REFUSED_UNTRIED.has(status.message)) return 'retry';
  if (TOKEN_STALE.has(status.message)) return 'authenticate';
  if (repeat === 'write') return 'final';
  return status.code === GrpcCode.UNAVAILABLE || isBrokenStream(status) ? 'retry' : 'final';
}

/**
 * The retry policy of a long-lived stream (watch, keepalive), which can always be taken up again from what was
 * seen. Canceled counts: a stopping member ends its watch streams with it, and our own cancel is never judged.
 */
export function judgeStream(status: Status): Verdict {
  if (TOKEN_STALE.has(status.message)) return 'authenticate';
  if (!status.sent || REFUSED_UNTRIED.has(status.message)) return 'retry';
  switch (status.code) {
    case GrpcCode.OK:
    case GrpcCode.CANCELLED:
    case GrpcCode.UNKNOWN:
    case GrpcCode.INTERNAL:
    case GrpcCode.UNAVAILABLE:
      return 'retry';
    default:
      return 'final';
  }
}

/** HTTP/2 reset under a call: the transport reports Internal where Go's reports Unavailable. */
function isBrokenStream(status: Status): boolean {
  return status.code === GrpcCode.INTERNAL && status.message.includes('RST_STREAM');
}
