import { isTxnReadonly } from '../mvcc/index.js';
import type { RequestOp, TxnRequest } from '../wire/index.js';
import { EMPTY_END, OpKind } from '../wire/index.js';

/**
 * A range_end that is there but empty. etcd's reads take it as they find it, which makes it an open end; its writes go
 * through the log, where an empty field is not written, which makes it none. So a read gets the open end, and what is
 * proposed loses the field: another member, or an etcd that replays the log, must not find it there.
 */

/** @returns whether the request has to be encoded anew */
export function settleTxnEnds(req: TxnRequest): boolean {
  if (!hasEmptyEnd(req)) return false;
  const readonly = isTxnReadonly(req);
  settle(req, readonly ? OPEN_END : '');
  return !readonly;
}

export const OPEN_END = '\0';

function hasEmptyEnd(req: TxnRequest): boolean {
  for (const compare of req.compare) if (compare.rangeEnd === EMPTY_END) return true;
  return req.success.some(opHasEmptyEnd) || req.failure.some(opHasEmptyEnd);
}

function opHasEmptyEnd(op: RequestOp): boolean {
  switch (op.kind) {
    case OpKind.RANGE:
    case OpKind.DELETE_RANGE:
      return op.request.rangeEnd === EMPTY_END;
    case OpKind.TXN:
      return hasEmptyEnd(op.request);
    default:
      return false;
  }
}

function settle(req: TxnRequest, end: string): void {
  for (const compare of req.compare) if (compare.rangeEnd === EMPTY_END) compare.rangeEnd = end;
  for (const ops of [req.success, req.failure]) {
    for (const op of ops) {
      if (op.kind === OpKind.TXN) settle(op.request, end);
      else if (op.kind === OpKind.RANGE || op.kind === OpKind.DELETE_RANGE) {
        if (op.request.rangeEnd === EMPTY_END) op.request.rangeEnd = end;
      }
    }
  }
}
