import type { TxnResult, WatchPart, WatchSink, WatchStream } from '../mvcc/index.js';
import { checkDeleteRange, checkTxn } from '../mvcc/index.js';
import type { CallContext, MemberApi, ServerError } from '../server/index.js';
import { GRANT_COST, txnCost } from '../server/index.js';
import type { Compare, KeyValue, RequestOp } from '../wire/index.js';
import {
  CompareResult,
  CompareTarget,
  decodeKeyValue,
  encodeDeleteRangeRequest,
  encodeTxnRequest,
  makeCompare,
  makeDeleteRangeRequest,
  makePutRequest,
  makeRangeRequest,
  makeRequestOp,
  makeTxnRequest,
  OpKind,
  SortOrder,
  SortTarget,
  TargetUnion,
  WatchCreateRequest,
} from '../wire/index.js';
import type { Status } from './errors.js';
import { CHECK_STATUS, Code, statusOf } from './errors.js';

/**
 * What Lock and Election are made of (etcd semantics §11): sessions put a key each below `<name>/`, and whose key was
 * created first has the lock, or leads. These are the requests that a client library sends for it, made on the member
 * itself.
 */

/** A lease for a session that brought none, seconds. */
const SESSION_TTL = 60;

/** @param name latin1 */
export function prefixOf(name: string): { key: string; rangeEnd: string } {
  // '0' follows '/'.
  return { key: `${name}/`, rangeEnd: `${name}0` };
}

/** The key of a session: the lease as Go's %x prints it. */
export function sessionKey(name: string, lease: bigint): string {
  return `${name}/${lease.toString(16)}`;
}

/** Errors lose their code on the way through etcd's own client, but for those of the context. */
export function unknownOf(err: ServerError): Status {
  const { code, message } = statusOf(err);
  if (code === Code.DEADLINE_EXCEEDED || code === Code.CANCELLED) return { code, message };
  return { code: Code.UNKNOWN, message };
}

export function unknown(message: string): Status {
  return { code: Code.UNKNOWN, message };
}

/** The member's calls for one caller, each with the way out for its failure. */
export class Requests {
  readonly #member: MemberApi;
  readonly #context: CallContext;
  readonly #refuse: (status: Status) => void;

  constructor(member: MemberApi, context: CallContext, refuse: (status: Status) => void) {
    this.#member = member;
    this.#context = context;
    this.#refuse = refuse;
  }

  /** The session's lease: the one that was named, or a new one, which nobody keeps alive. */
  session(lease: bigint, next: (lease: bigint) => void): void {
    if (lease !== 0n) return next(lease);
    const done = this.#then<{ id: bigint }>((granted) => next(granted.id));
    if (!this.#member.admits(GRANT_COST, done)) return;
    this.#member.leaseGrant({ id: 0n, ttl: SESSION_TTL }, this.#context, done);
  }

  /** Both branches are taken as they come; checked as a client's transaction is. */
  txn(compare: Compare, success: RequestOp[], failure: RequestOp[], next: (result: TxnResult) => void): void {
    const request = { ...makeTxnRequest(), compare: [compare], success, failure };
    const done = this.#then(next);
    if (!this.#member.admits(txnCost(request), done)) return;
    const refused = checkTxn(request, this.#member.limits.maxTxnOps);
    if (refused !== null) return this.#refuse(unknown(CHECK_STATUS[refused].message));
    this.#member.txn(request, encodeTxnRequest(request), this.#context, done);
  }

  /** @param next gets the store's revision and the key, if it is there */
  get(key: string, next: (revision: number, kv: KeyValue | null) => void): void {
    this.#range({ ...makeRangeRequest(), key }, next);
  }

  /** The key below `name` that was created first. */
  first(name: string, next: (revision: number, kv: KeyValue | null) => void): void {
    this.#range({ ...firstOf(name), ...prefixOf(name) }, next);
  }

  /** The key below `name` that was created last, and not after `createRevisionMax`. */
  lastBefore(name: string, createRevisionMax: number, next: (revision: number, kv: KeyValue | null) => void): void {
    const request = { ...makeRangeRequest(), ...prefixOf(name), limit: 1, maxCreateRevision: createRevisionMax };
    this.#range({ ...request, sortOrder: SortOrder.DESCEND, sortTarget: SortTarget.CREATE }, next);
  }

  /** @param next gets the revision of the delete */
  delete(key: string, next: (revision: number) => void): void {
    const request = { ...makeDeleteRangeRequest(), key };
    const refused = checkDeleteRange(request);
    if (refused !== null) return this.#refuse(unknown(CHECK_STATUS[refused].message));
    const raw = encodeDeleteRangeRequest(request);
    this.#member.deleteRange(
      request,
      raw,
      this.#context,
      this.#then<{ revision: number }>((r) => next(r.revision)),
    );
  }

  #range(request: ReturnType<typeof makeRangeRequest>, next: (revision: number, kv: KeyValue | null) => void): void {
    const done = this.#then<{ revision: number; kvs: readonly Buffer[] }>(({ revision, kvs }) =>
      next(revision, kvs[0] === undefined ? null : decodeKeyValue(kvs[0])),
    );
    this.#member.range(request, this.#context, done);
  }

  #then<T>(ok: (value: T) => void): { ok(value: T): void; fail(err: ServerError): void } {
    return { ok, fail: (err) => this.#refuse(unknownOf(err)) };
  }
}

function firstOf(name: string): ReturnType<typeof makeRangeRequest> {
  return {
    ...makeRangeRequest(),
    ...prefixOf(name),
    limit: 1,
    sortOrder: SortOrder.ASCEND,
    sortTarget: SortTarget.CREATE,
  };
}

export function createdAt(key: string, createRevision: number): Compare {
  return {
    ...makeCompare(),
    key,
    createRevision,
    result: CompareResult.EQUAL,
    target: CompareTarget.CREATE,
    targetUnion: TargetUnion.CREATE_REVISION,
  };
}

export function putOp(key: string, value: Buffer, lease: bigint): RequestOp {
  return makeRequestOp(OpKind.PUT, { ...makePutRequest(), key, value, lease });
}

export function getOp(key: string): RequestOp {
  return makeRequestOp(OpKind.RANGE, { ...makeRangeRequest(), key });
}

export function firstOp(name: string): RequestOp {
  return makeRequestOp(OpKind.RANGE, firstOf(name));
}

export function deleteOp(key: string): RequestOp {
  return makeRequestOp(OpKind.DELETE_RANGE, { ...makeDeleteRangeRequest(), key });
}

/** The first row that a transaction's get has found. */
export function rowOf(result: TxnResult, part: number): KeyValue | null {
  const found = result.parts[part];
  if (found?.kind !== OpKind.RANGE || found.kvs[0] === undefined) return null;
  return decodeKeyValue(found.kvs[0]);
}

/** A watcher on the member itself. It hears parts with events, and the one that a compaction ends it with. */
export class KeyWatch implements WatchSink {
  readonly #stream: WatchStream;
  readonly #listener: (part: WatchPart, watch: KeyWatch) => boolean;
  #done = false;

  /** @param listener false: hold back until `resume` */
  constructor(
    member: MemberApi,
    range: { key: string; rangeEnd: string },
    startRevision: number,
    listener: (part: WatchPart, watch: KeyWatch) => boolean,
  ) {
    this.#listener = listener;
    this.#stream = member.watch.openStream(this, {});
    this.#stream.create({ ...WatchCreateRequest.make(), ...range, startRevision });
  }

  send(part: WatchPart): boolean {
    return part.created || this.#done ? true : this.#listener(part, this);
  }

  /** For a listener, which may not close its watch: hears no more, and goes on with `next` unless it was closed. */
  leave(defer: (fn: () => void) => void, next: () => void): void {
    this.#done = true;
    defer(() => {
      if (this.#stream.closed) return;
      this.#stream.close();
      next();
    });
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }
}
