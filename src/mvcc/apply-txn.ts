import { assert } from '../util/assert.js';
import type { DeleteRangeRequest } from '../wire/delete-range.js';
import { decodeKeyValue } from '../wire/key-value.js';
import type { PutRequest } from '../wire/put.js';
import type { RequestOp, ResponsePart, TxnRequest } from '../wire/txn.js';
import { deleteRangePart, OpKind, putPart, rangePart, txnPart } from '../wire/txn.js';
import { evaluate } from './compare.js';
import type { Keyspace } from './keyspace.js';
import { readRange } from './read-range.js';
import type { LeaseKeeper, ReadRefusal, WriteRefusal } from './types.js';
import type { WriteTxn } from './write-txn.js';

/**
 * Which branches a transaction takes: of itself, and of each nested one in them. All comparisons are made on the
 * state before the first change (etcd semantics §3.6).
 */
export interface TxnPath {
  readonly succeeded: boolean;
  readonly ops: readonly RequestOp[];
  /** Of the nested transactions among `ops`, in their order. */
  readonly nested: readonly TxnPath[];
}

const NO_NESTED: readonly TxnPath[] = [];

export function takePath(space: Keyspace, req: TxnRequest): TxnPath {
  const succeeded = evaluate(space, req.compare);
  const ops = succeeded ? req.success : req.failure;
  let nested: TxnPath[] | null = null;
  for (const op of ops) if (op.kind === OpKind.TXN) (nested ??= []).push(takePath(space, op.request));
  return { succeeded, ops, nested: nested ?? NO_NESTED };
}

/**
 * Looks for whatever would refuse an operation on the path, before any of them is executed: first the puts, then the
 * ranges, as etcd does.
 * @param compactRev of the store: what was applied, never what this member has physically compacted
 */
export function refusePath(
  space: Keyspace,
  leases: LeaseKeeper | null,
  path: TxnPath,
  compactRev: number,
): WriteRefusal | null {
  return refusePuts(space, leases, path) ?? refuseRanges(space, path, compactRev);
}

function refusePuts(space: Keyspace, leases: LeaseKeeper | null, path: TxnPath): WriteRefusal | null {
  let next = 0;
  for (const op of path.ops) {
    let refusal: WriteRefusal | null = null;
    if (op.kind === OpKind.PUT) refusal = refusePut(space, leases, op.request);
    else if (op.kind === OpKind.TXN) refusal = refusePuts(space, leases, path.nested[next++] as TxnPath);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Inside a transaction: the order of the two checks is not that of a put on its own. */
function refusePut(space: Keyspace, leases: LeaseKeeper | null, req: PutRequest): WriteRefusal | null {
  if ((req.ignoreValue || req.ignoreLease) && !exists(space, req.key)) return 'key-not-found';
  if (req.lease !== 0n && !leaseExists(leases, req.lease)) return 'lease-not-found';
  return null;
}

function refuseRanges(space: Keyspace, path: TxnPath, compactRev: number): ReadRefusal | null {
  let next = 0;
  for (const op of path.ops) {
    let refusal: ReadRefusal | null = null;
    if (op.kind === OpKind.RANGE) refusal = refuseRevision(space, op.request.revision, compactRev);
    else if (op.kind === OpKind.TXN) refusal = refuseRanges(space, path.nested[next++] as TxnPath, compactRev);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Inside a transaction only 0 means the current revision: a negative one has been compacted (§3.2). */
function refuseRevision(space: Keyspace, revision: number, compactRev: number): ReadRefusal | null {
  if (revision === 0) return null;
  if (revision > space.currentRev) return 'future';
  return revision < compactRev ? 'compacted' : null;
}

/** Executes a path whose operations have been checked. */
export function execute(txn: WriteTxn, path: TxnPath): ResponsePart[] {
  const parts: ResponsePart[] = [];
  let next = 0;
  for (const op of path.ops) {
    switch (op.kind) {
      case OpKind.RANGE: {
        const result = readRange(txn.space, op.request, txn.revision);
        assert(typeof result !== 'string', () => `mvcc: a checked range is ${String(result)}`);
        parts.push(rangePart(result.revision, result.kvs, result.more, result.count));
        break;
      }
      case OpKind.PUT: {
        const prev = executePut(txn, op.request);
        parts.push(putPart(txn.revision, prev));
        break;
      }
      case OpKind.DELETE_RANGE: {
        const prevKvs = op.request.prevKv ? txn.rows(op.request.key, op.request.rangeEnd) : [];
        const deleted = txn.deleteRange(op.request.key, op.request.rangeEnd);
        parts.push(deleteRangePart(txn.revision, deleted, prevKvs));
        break;
      }
      case OpKind.TXN: {
        const inner = path.nested[next++] as TxnPath;
        parts.push(txnPart(inner.succeeded, execute(txn, inner)));
        break;
      }
    }
  }
  return parts;
}

/** As on its own: the lease is looked for first (etcd semantics §3.4). */
export function refuseSinglePut(space: Keyspace, leases: LeaseKeeper | null, req: PutRequest): WriteRefusal | null {
  if (req.lease !== 0n && !leaseExists(leases, req.lease)) return 'lease-not-found';
  if ((req.ignoreValue || req.ignoreLease) && !exists(space, req.key)) return 'key-not-found';
  return null;
}

const EMPTY = Buffer.alloc(0);

/** @returns the previous row, if the request asks for it and there is one */
export function executePut(txn: WriteTxn, req: PutRequest): Buffer | null {
  if (!req.prevKv && !req.ignoreValue && !req.ignoreLease) {
    txn.put(req.key, req.value, req.lease);
    return null;
  }
  const { space } = txn;
  const entry = space.index.get(req.key);
  const prev = entry === undefined || entry.version === 0 ? null : space.newest(entry);
  let { value, lease } = req;
  if (req.ignoreValue || req.ignoreLease) {
    // The check saw the key, but a delete from-key earlier in the same transaction may have taken it: the check of
    // duplicates does not see that one (check-txn.ts). etcd panics there; an empty value and no lease do no harm.
    const kv = prev === null ? null : decodeKeyValue(prev);
    if (req.ignoreValue) value = kv?.value ?? EMPTY;
    if (req.ignoreLease) lease = kv?.lease ?? 0n;
  }
  txn.put(req.key, value, lease);
  return req.prevKv ? prev : null;
}

/** @returns the rows that were deleted, if the request asks for them */
export function executeDeleteRange(txn: WriteTxn, req: DeleteRangeRequest): { deleted: number; prevKvs: Buffer[] } {
  const prevKvs = req.prevKv ? txn.rows(req.key, req.rangeEnd) : [];
  return { deleted: txn.deleteRange(req.key, req.rangeEnd), prevKvs };
}

function exists(space: Keyspace, key: string): boolean {
  const entry = space.index.get(key);
  return entry !== undefined && entry.version !== 0;
}

function leaseExists(leases: LeaseKeeper | null, id: bigint): boolean {
  return leases?.exists(id) ?? false;
}
