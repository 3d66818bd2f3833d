import type * as wire from '../wire/index.js';
import type { TxnRequest } from '../wire/index.js';
import {
  CompareResult,
  CompareTarget,
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
} from '../wire/index.js';
import type { Bytes, KeyRange } from './bytes.js';
import { resolveRange, toBuffer, toKey } from './bytes.js';

/** A lease by its id. */
export type LeaseId = bigint;

export interface PutOptions {
  /** Attach the key to this lease; 0n detaches it. */
  readonly lease?: LeaseId;
  /** Answer with what was there before. */
  readonly prevKv?: boolean;
  /** Keep the present value: only the lease changes. The key must exist. */
  readonly ignoreValue?: boolean;
  /** Keep the present lease. The key must exist. */
  readonly ignoreLease?: boolean;
}

export interface GetOptions extends KeyRange {
  /** At most so many keys; 0 is all. */
  readonly limit?: number;
  /** As of this revision; 0 is now. */
  readonly revision?: number;
  readonly sortOrder?: 'none' | 'ascend' | 'descend';
  readonly sortTarget?: 'key' | 'version' | 'create' | 'mod' | 'value';
  /** Answer from the member that is asked, which may lag; it needs no quorum. Default: linearizable. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface DeleteOptions extends KeyRange {
  readonly prevKv?: boolean;
}

/**
 * An operation of a transaction: a frozen value that holds the wire's request. Make one with `Op.get`, `Op.put`,
 * `Op.delete` or `Op.txn`; use it in as many transactions as you like.
 */
export type Op = Readonly<wire.RequestOp>;

/** A condition of a transaction: a frozen value. Make one with `Compare.version(key, '=', 0)` and its like. */
export type Compare = Readonly<wire.Compare>;

/** A transaction: all of `compare` hold, then `success` runs, else `failure`; all in one revision. */
export interface TxnSpec {
  readonly compare?: readonly Compare[];
  readonly success?: readonly Op[];
  readonly failure?: readonly Op[];
}

export const Op = Object.freeze({
  get(key: Bytes, options: GetOptions = {}): Op {
    return freezeOp(OpKind.RANGE, rangeRequest(key, options));
  },
  put(key: Bytes, value: Bytes, options: PutOptions = {}): Op {
    return freezeOp(OpKind.PUT, putRequest(key, value, options));
  },
  delete(key: Bytes, options: DeleteOptions = {}): Op {
    return freezeOp(OpKind.DELETE_RANGE, deleteRequest(key, options));
  },
  /** A transaction within a transaction. */
  txn(txn: TxnSpec): Op {
    return freezeOp(OpKind.TXN, txnRequest(txn));
  },
});

export type Comparison = '=' | '!=' | '<' | '>';

const RESULT: Readonly<Record<Comparison, number>> = {
  '=': CompareResult.EQUAL,
  '!=': CompareResult.NOT_EQUAL,
  '<': CompareResult.LESS,
  '>': CompareResult.GREATER,
};

/**
 * Conditions. A key that does not exist has version, revisions and lease 0, and no value: no comparison of a value
 * holds for it, not even `!=`. With a range, the condition must hold for every key in it.
 */
export const Compare = Object.freeze({
  version: (key: Bytes, is: Comparison, version: number, range: KeyRange = {}): Compare =>
    freezeCompare(key, range, is, { target: CompareTarget.VERSION, targetUnion: TargetUnion.VERSION, version }),
  createRevision: (key: Bytes, is: Comparison, createRevision: number, range: KeyRange = {}): Compare =>
    freezeCompare(key, range, is, {
      target: CompareTarget.CREATE,
      targetUnion: TargetUnion.CREATE_REVISION,
      createRevision,
    }),
  modRevision: (key: Bytes, is: Comparison, modRevision: number, range: KeyRange = {}): Compare =>
    freezeCompare(key, range, is, { target: CompareTarget.MOD, targetUnion: TargetUnion.MOD_REVISION, modRevision }),
  value: (key: Bytes, is: Comparison, value: Bytes, range: KeyRange = {}): Compare =>
    freezeCompare(key, range, is, {
      target: CompareTarget.VALUE,
      targetUnion: TargetUnion.VALUE,
      value: toBuffer(value),
    }),
  lease: (key: Bytes, is: Comparison, lease: LeaseId, range: KeyRange = {}): Compare =>
    freezeCompare(key, range, is, { target: CompareTarget.LEASE, targetUnion: TargetUnion.LEASE, lease }),
  /** The key exists. */
  exists: (key: Bytes): Compare => Compare.createRevision(key, '>', 0),
  /** The key does not exist. */
  missing: (key: Bytes): Compare => Compare.createRevision(key, '=', 0),
});

/**
 * A transaction in parts: each call returns a new frozen value and leaves the old one as it was.
 *
 *   const txn = Txn.if(Compare.missing('k')).do(Op.put('k', 'v')).else(Op.get('k'));
 *   await client.txn(txn);
 */
export interface Txn extends Required<TxnSpec> {
  if(...compare: Compare[]): Txn;
  do(...success: Op[]): Txn;
  else(...failure: Op[]): Txn;
}

function makeTxn(compare: readonly Compare[], success: readonly Op[], failure: readonly Op[]): Txn {
  return Object.freeze({
    compare: Object.freeze(compare),
    success: Object.freeze(success),
    failure: Object.freeze(failure),
    if: (...more: Compare[]) => makeTxn([...compare, ...more], success, failure),
    do: (...more: Op[]) => makeTxn(compare, [...success, ...more], failure),
    else: (...more: Op[]) => makeTxn(compare, success, [...failure, ...more]),
  });
}

/** The empty transaction, to build on. */
export const Txn: Txn = makeTxn([], [], []);

export function putRequest(key: Bytes, value: Bytes, options: PutOptions): wire.PutRequest {
  const request = makePutRequest();
  request.key = toKey(key);
  request.value = toBuffer(value);
  request.lease = options.lease ?? 0n;
  request.prevKv = options.prevKv ?? false;
  request.ignoreValue = options.ignoreValue ?? false;
  request.ignoreLease = options.ignoreLease ?? false;
  return request;
}

export function rangeRequest(key: Bytes, options: GetOptions): wire.RangeRequest {
  const request = makeRangeRequest();
  const range = resolveRange(key, options);
  request.key = range.key;
  request.rangeEnd = range.rangeEnd;
  request.limit = options.limit ?? 0;
  request.revision = options.revision ?? 0;
  request.sortOrder = SORT_ORDER[options.sortOrder ?? 'none'];
  request.sortTarget = SORT_TARGET[options.sortTarget ?? 'key'];
  request.serializable = options.serializable ?? false;
  request.keysOnly = options.keysOnly ?? false;
  request.countOnly = options.countOnly ?? false;
  request.minModRevision = options.minModRevision ?? 0;
  request.maxModRevision = options.maxModRevision ?? 0;
  request.minCreateRevision = options.minCreateRevision ?? 0;
  request.maxCreateRevision = options.maxCreateRevision ?? 0;
  return request;
}

const SORT_ORDER = { none: SortOrder.NONE, ascend: SortOrder.ASCEND, descend: SortOrder.DESCEND };
const SORT_TARGET = {
  key: SortTarget.KEY,
  version: SortTarget.VERSION,
  create: SortTarget.CREATE,
  mod: SortTarget.MOD,
  value: SortTarget.VALUE,
};

export function deleteRequest(key: Bytes, options: DeleteOptions): wire.DeleteRangeRequest {
  const request = makeDeleteRangeRequest();
  const range = resolveRange(key, options);
  request.key = range.key;
  request.rangeEnd = range.rangeEnd;
  request.prevKv = options.prevKv ?? false;
  return request;
}

export function txnRequest(txn: TxnSpec): TxnRequest {
  const request = makeTxnRequest();
  request.compare = [...(txn.compare ?? [])];
  request.success = [...(txn.success ?? [])];
  request.failure = [...(txn.failure ?? [])];
  return request;
}

/** True if the transaction cannot change anything, whichever branch runs. */
export function isReadOnly(txn: TxnRequest): boolean {
  return txn.success.every(isReadOp) && txn.failure.every(isReadOp);
}

function isReadOp(op: wire.RequestOp): boolean {
  return op.kind === OpKind.RANGE || (op.kind === OpKind.TXN && isReadOnly(op.request));
}

function freezeOp(kind: number, request: wire.RequestOp['request']): Op {
  return Object.freeze(makeRequestOp(kind, Object.freeze(request)));
}

function freezeCompare(key: Bytes, range: KeyRange, is: Comparison, fields: Partial<wire.Compare>): Compare {
  return Object.freeze({ ...makeCompare(), ...resolveRange(key, range), result: RESULT[is], ...fields });
}
