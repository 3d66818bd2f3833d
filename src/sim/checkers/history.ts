/**
 * What a run's clients did and saw, as plain values: the input of every checker in this folder.
 *
 * Keys and values are latin1 strings (one character a byte), revisions numbers, lease ids decimal strings.
 * Times are any strictly growing measure of one clock (virtual or real); only their order matters, but for leases,
 * whose TTL is given in the same unit.
 */

/** A key with its value as the store returns it; `lease` is '0' for none. */
export interface Kv {
  key: string;
  value: string;
  create: number;
  mod: number;
  version: number;
  lease: string;
}

/** One change. A delete carries the key, and the tombstone's revision in `mod`; its other fields are zero. */
export interface KvEvent {
  type: 'put' | 'delete';
  kv: Kv;
}

/** All changes of one revision, in sub-revision order. */
export interface LogRevision {
  revision: number;
  events: KvEvent[];
}

export interface PutOp {
  kind: 'put';
  key: string;
  value: string;
  /** '0' for none. */
  lease: string;
  /** Asks for the previous key-value. */
  prev: boolean;
}

export interface RangeOp {
  kind: 'range';
  key: string;
  /** '' for the single key; otherwise as etcd has it ('\0' is the open end). */
  rangeEnd: string;
  /** 0 is the current one. */
  revision: number;
  serializable: boolean;
}

export interface DeleteOp {
  kind: 'delete';
  key: string;
  rangeEnd: string;
  prev: boolean;
}

export interface CompareOp {
  key: string;
  target: 'version' | 'create' | 'mod' | 'value';
  result: '=' | '!=' | '<' | '>';
  /** A number for the first three targets, a string for `value`. */
  operand: number | string;
}

export interface TxnOp {
  kind: 'txn';
  compare: CompareOp[];
  success: InnerOp[];
  failure: InnerOp[];
}

export interface GrantOp {
  kind: 'grant';
  lease: string;
  /** In the unit of the history's times. */
  ttl: number;
}

export interface KeepAliveOp {
  kind: 'keepalive';
  lease: string;
}

export interface RevokeOp {
  kind: 'revoke';
  lease: string;
}

/**
 * A whole log as a client read it when all was over. Only the search checker asks for it: it pins its order to the
 * one that the sweep is given.
 */
export interface LogOp {
  kind: 'log';
}

export type SimpleOp = PutOp | RangeOp | DeleteOp;
/** What may stand in a transaction. The comparisons of all that are in it are made on the state before it. */
export type InnerOp = SimpleOp | TxnOp;
export type Op = SimpleOp | TxnOp | GrantOp | KeepAliveOp | RevokeOp | LogOp;

/**
 * `revision` is the answer's header revision (in a transaction's inner answers: the inner header's, which an inner
 * transaction's answer does not have: 0).
 */
export interface PutResponse {
  kind: 'put';
  revision: number;
  prev: Kv | null;
}

export interface RangeResponse {
  kind: 'range';
  revision: number;
  kvs: Kv[];
}

export interface DeleteResponse {
  kind: 'delete';
  revision: number;
  deleted: number;
  prevs: Kv[];
}

export interface TxnResponse {
  kind: 'txn';
  revision: number;
  succeeded: boolean;
  responses: InnerResponse[];
}

/** The answer of a grant, a keepalive (ttl 0: the lease is gone) and a revoke. */
export interface LeaseResponse {
  kind: 'lease';
  revision: number;
  ttl: number;
}

export interface LogResponse {
  kind: 'log';
  revision: number;
  log: LogRevision[];
}

export type SimpleResponse = PutResponse | RangeResponse | DeleteResponse;
export type InnerResponse = SimpleResponse | TxnResponse;
export type Response = SimpleResponse | TxnResponse | LeaseResponse | LogResponse;

/**
 * - `ok`: answered; `response` is set.
 * - `fail`: an error that proves the operation did not happen and never will.
 * - `unknown`: anything else (connection lost, deadline, no leader ...): it may have happened at any time after
 *   `invoke`, once, or not at all.
 */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** One operation of one client. A client is sequential: its next `invoke` is not before this `return`. */
export interface OpRecord {
  id: number;
  client: number;
  /** The member that was asked. */
  member: string;
  op: Op;
  invoke: number;
  /** Infinity for outcome `unknown`: what was lost may still happen later. */
  return: number;
  outcome: Outcome;
  response: Response | null;
  /** The error's text, for the reader. */
  error?: string;
}

/** What a checker found. `ops` are record ids, `revisions` the log's. */
export interface Violation {
  rule: string;
  message: string;
  ops: number[];
  revisions: number[];
}

/** @returns whether `key` lies in etcd's (key, rangeEnd) pair (etcd semantics, "Range keys") */
export function inRange(key: string, from: string, rangeEnd: string): boolean {
  if (rangeEnd === '') return key === from;
  return key >= from && (rangeEnd === '\0' || key < rangeEnd);
}

/**
 * @returns whether this operation's place in real time is bound: all but serializable reads, and keepalives, whose
 *   header shows what the member that passed it on to the leader had applied so far
 */
export function isLinearizable(op: Op): boolean {
  switch (op.kind) {
    case 'range':
      return !op.serializable;
    case 'txn':
      return !isSerializableTxn(op);
    case 'keepalive':
      return false;
    default:
      return true;
  }
}

/** A transaction of serializable ranges only, and none of them in another transaction, is answered by the member that was asked. */
function isSerializableTxn(op: TxnOp): boolean {
  const ops = [...op.success, ...op.failure];
  return ops.every((inner) => inner.kind === 'range' && inner.serializable);
}

/** One line that shows an operation and what came of it. */
export function describe(record: OpRecord): string {
  const { id, client, member, op, invoke, outcome, response, error } = record;
  const end = record.return === Number.POSITIVE_INFINITY ? '...' : String(record.return);
  return `#${id} client ${client} at ${member} [${invoke}, ${end}] ${JSON.stringify(op)} -> ${outcome} ${
    response ? JSON.stringify(response) : (error ?? '')
  }`;
}
