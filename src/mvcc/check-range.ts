import type { DeleteRangeRequest } from '../wire/delete-range.js';
import type { PutRequest } from '../wire/put.js';
import type { RangeRequest } from '../wire/range.js';
import { SortOrder, SortTarget } from '../wire/range.js';

/**
 * Why a request is refused before anything is looked up. The texts, all with code InvalidArgument (etcd semantics §1.1):
 *
 * | refusal | etcdserver: |
 * |---|---|
 * | empty-key | key is not provided |
 * | invalid-sort-option | invalid sort option |
 * | value-provided | value is provided |
 * | lease-provided | lease is provided |
 * | too-many-ops | too many operations in txn request |
 * | duplicate-key | duplicate key given in txn request |
 * | key-not-found | key not found |
 */
export type CheckRefusal =
  | 'empty-key'
  | 'invalid-sort-option'
  | 'value-provided'
  | 'lease-provided'
  | 'too-many-ops'
  | 'duplicate-key'
  | 'key-not-found';

/** etcd semantics §3.2. */
export function checkRange(req: RangeRequest): CheckRefusal | null {
  if (req.key === '') return 'empty-key';
  if (req.sortOrder < SortOrder.NONE || req.sortOrder > SortOrder.DESCEND) return 'invalid-sort-option';
  if (req.sortTarget < SortTarget.KEY || req.sortTarget > SortTarget.VALUE) return 'invalid-sort-option';
  return null;
}

/** etcd semantics §3.4. */
export function checkPut(req: PutRequest): CheckRefusal | null {
  if (req.key === '') return 'empty-key';
  if (req.ignoreValue && req.value.length !== 0) return 'value-provided';
  if (req.ignoreLease && req.lease !== 0n) return 'lease-provided';
  return null;
}

/** etcd semantics §3.5. */
export function checkDeleteRange(req: DeleteRangeRequest): CheckRefusal | null {
  return req.key === '' ? 'empty-key' : null;
}
