import type { MemberApi } from '../server/index.js';
import type { Rpc } from '../wire/index.js';
import type { Audit } from './audit.js';
import type { StreamCall, StreamHandlers, UnaryCall } from './call.js';
import type { Status } from './errors.js';

/** What a learner may be asked: nothing, anything, or what the function lets through (etcd semantics §1.2). */
export type LearnerRule = false | true | ((request: never) => boolean);

export interface UnaryRoute {
  readonly kind: 'unary';
  readonly rpc: Rpc;
  readonly learner: LearnerRule;
  readonly run: (member: MemberApi, request: never, call: UnaryCall) => void;
}

/** A call whose client, server or both send streams. */
export interface StreamRoute {
  readonly kind: 'stream';
  readonly rpc: Rpc;
  readonly learner: boolean;
  readonly open: (member: MemberApi, call: StreamCall, context: StreamContext) => StreamHandlers;
}

/** An rpc that is in the contract and not in this build. */
export interface MissingRoute {
  readonly kind: 'missing';
  readonly rpc: Rpc;
  readonly status: Status;
}

export type Route = UnaryRoute | StreamRoute | MissingRoute;

/** What a stream's handlers need of their surroundings. */
export interface StreamContext {
  /** ms between progress notifications of a new watch stream, with its jitter. */
  watchProgressMs(): number;
  /** --auth-recheck-watches: watchers end when their permission goes. */
  readonly recheckWatches: boolean;
  /** Where requests are noted down; null: nowhere. */
  readonly audit: Audit | null;
  /** Calls `fn` at the end of the turn. */
  readonly defer: (fn: () => void) => void;
}

export function unary<Req>(
  // biome-ignore lint/suspicious/noExplicitAny: the response is the handler's business.
  rpc: Rpc<Req, any>,
  run: (member: MemberApi, request: Req, call: UnaryCall) => void,
  learner: false | true | ((request: Req) => boolean) = false,
): UnaryRoute {
  return { kind: 'unary', rpc: rpc as Rpc, run, learner } as UnaryRoute;
}

// biome-ignore lint/suspicious/noExplicitAny: streams decode their messages themselves.
export function stream(rpc: Rpc<any, any>, open: StreamRoute['open'], learner = false): StreamRoute {
  return { kind: 'stream', rpc: rpc as Rpc, open, learner };
}
