import type { RequestOp, TxnRequest } from '../wire/txn.js';
import { OpKind } from '../wire/txn.js';
import type { CheckRefusal } from './check-range.js';
import { checkDeleteRange, checkPut, checkRange } from './check-range.js';

/**
 * Everything that can be said against a transaction without the store, in etcd's order (etcd semantics §3.6).
 * @param maxTxnOps --max-txn-ops
 */
export function checkTxn(req: TxnRequest, maxTxnOps: number): CheckRefusal | null {
  const refusal = checkOps(req, maxTxnOps);
  if (refusal !== null) return refusal;
  if (hasDuplicates(req.success) || hasDuplicates(req.failure)) return 'duplicate-key';
  return null;
}

/** Counts and single operations. A nested transaction may use what its parent's level leaves of the limit. */
function checkOps(req: TxnRequest, maxOps: number): CheckRefusal | null {
  const ops = Math.max(req.compare.length, req.success.length, req.failure.length);
  if (ops > maxOps) return 'too-many-ops';
  for (const compare of req.compare) if (compare.key === '') return 'empty-key';
  for (const op of req.success) {
    const refusal = checkOp(op, maxOps - ops);
    if (refusal !== null) return refusal;
  }
  for (const op of req.failure) {
    const refusal = checkOp(op, maxOps - ops);
    if (refusal !== null) return refusal;
  }
  return null;
}

function checkOp(op: RequestOp, maxOps: number): CheckRefusal | null {
  switch (op.kind) {
    case OpKind.RANGE:
      return checkRange(op.request);
    case OpKind.PUT:
      return checkPut(op.request);
    case OpKind.DELETE_RANGE:
      return checkDeleteRange(op.request);
    case OpKind.TXN:
      return checkOps(op.request, maxOps);
    default:
      return 'key-not-found';
  }
}

/** The keys that a list of operations may put, and the intervals that it may delete. */
interface Touched {
  readonly puts: Set<string>;
  readonly dels: Interval[];
}

/** key <= x < end. */
interface Interval {
  readonly key: string;
  readonly end: string;
}

function hasDuplicates(ops: readonly RequestOp[]): boolean {
  return touchedBy(ops) === null;
}

/**
 * Whether a key may be put twice, or put and deleted, by one list of operations. The two branches of a nested
 * transaction exclude each other. What a nested transaction deletes is held against the puts that follow it
 * (of later nested ones, and of the list itself), but not against those of nested ones before it: etcd's order.
 * @returns null if so
 */
function touchedBy(ops: readonly RequestOp[]): Touched | null {
  const puts = new Set<string>();
  const dels: Interval[] = [];
  for (const op of ops) if (op.kind === OpKind.DELETE_RANGE) dels.push(interval(op.request.key, op.request.rangeEnd));
  for (const op of ops) {
    if (op.kind !== OpKind.TXN) continue;
    const then = touchedBy(op.request.success);
    const otherwise = touchedBy(op.request.failure);
    if (then === null || otherwise === null) return null;
    for (const key of then.puts) {
      if (puts.has(key) || covers(dels, key)) return null;
      puts.add(key);
    }
    for (const key of otherwise.puts) {
      if ((puts.has(key) && !then.puts.has(key)) || covers(dels, key)) return null;
      puts.add(key);
    }
    dels.push(...then.dels, ...otherwise.dels);
  }
  for (const op of ops) {
    if (op.kind !== OpKind.PUT) continue;
    const key = op.request.key;
    if (puts.has(key) || covers(dels, key)) return null;
    puts.add(key);
  }
  return { puts, dels };
}

/**
 * As etcd compares the two ends, an open interval (end `\0`) is an inverted one, and those hold nothing: a delete
 * from-key and a put of one of its keys are let pass.
 */
function interval(key: string, rangeEnd: string): Interval {
  return { key, end: rangeEnd === '' ? `${key}\0` : rangeEnd };
}

function covers(dels: readonly Interval[], key: string): boolean {
  for (const del of dels) if (del.key <= key && key < del.end) return true;
  return false;
}

/** Such a transaction does not go through the log (etcd semantics §3.6). A nested transaction never qualifies. */
export function isTxnReadonly(req: TxnRequest): boolean {
  return onlyRanges(req.success, false) && onlyRanges(req.failure, false);
}

/** Every operation is a serializable range: served without asking the leader. */
export function isTxnSerializable(req: TxnRequest): boolean {
  return onlyRanges(req.success, true) && onlyRanges(req.failure, true);
}

function onlyRanges(ops: readonly RequestOp[], serializable: boolean): boolean {
  for (const op of ops) {
    if (op.kind !== OpKind.RANGE) return false;
    if (serializable && !op.request.serializable) return false;
  }
  return true;
}
