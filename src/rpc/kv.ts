import type { DeleteRangeResult, PutResult, RangeResult, TxnResult } from '../mvcc/index.js';
import { checkDeleteRange, checkPut, checkRange, checkTxn } from '../mvcc/index.js';
import type { MemberApi } from '../server/index.js';
import { putCost, txnCost } from '../server/index.js';
import type { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from '../wire/index.js';
import {
  CompactionResponse,
  EMPTY_END,
  encodeDeleteRangeRequest,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRangeResponse,
  encodeTxnRequest,
  encodeTxnResponse,
  KV,
} from '../wire/index.js';
import type { UnaryCall } from './call.js';
import { CHECK_STATUS } from './errors.js';
import { headerOf } from './header.js';
import { OPEN_END, settleTxnEnds } from './range-end.js';
import type { Route } from './route.js';
import { unary } from './route.js';
import { isLarge } from './slicer.js';

/** etcdserverpb.KV. RangeStream is not among them: it came with etcd 3.7. */
export const kvRoutes: Route[] = [
  unary(KV.Range, range, (request) => request.serializable),
  unary(KV.Put, put),
  unary(KV.DeleteRange, deleteRange),
  unary(KV.Txn, txn),
  unary(KV.Compact, compact),
];

function range(member: MemberApi, request: RangeRequest, call: UnaryCall): void {
  const refused = checkRange(request);
  if (refused !== null) return call.refuse(CHECK_STATUS[refused]);
  if (request.rangeEnd === EMPTY_END) request.rangeEnd = OPEN_END;
  member.range(request, call, call.answer(encodeRange));
}

function encodeRange(member: MemberApi, result: RangeResult, call: UnaryCall): Buffer | null {
  if (isLarge(result.kvs)) {
    call.slicer.reply(member, result, call);
    return null;
  }
  return encodeRangeResponse(headerOf(member, result.revision), result.kvs, result.more, result.count);
}

function put(member: MemberApi, request: PutRequest, call: UnaryCall): void {
  if (!member.admits(putCost(request), call)) return;
  const refused = checkPut(request);
  if (refused !== null) return call.refuse(CHECK_STATUS[refused]);
  member.put(request, call.request, call, call.answer(encodePut));
}

function encodePut(member: MemberApi, result: PutResult): Buffer {
  return encodePutResponse(headerOf(member, result.revision), result.prevKv);
}

function deleteRange(member: MemberApi, request: DeleteRangeRequest, call: UnaryCall): void {
  const refused = checkDeleteRange(request);
  if (refused !== null) return call.refuse(CHECK_STATUS[refused]);
  let raw = call.request;
  if (request.rangeEnd === EMPTY_END) {
    request.rangeEnd = '';
    raw = encodeDeleteRangeRequest(request);
  }
  member.deleteRange(request, raw, call, call.answer(encodeDeleteRange));
}

function encodeDeleteRange(member: MemberApi, result: DeleteRangeResult): Buffer {
  return encodeDeleteRangeResponse(headerOf(member, result.revision), result.deleted, result.prevKvs);
}

function txn(member: MemberApi, request: TxnRequest, call: UnaryCall): void {
  if (!member.admits(txnCost(request), call)) return;
  const raw = settleTxnEnds(request) ? encodeTxnRequest(request) : call.request;
  const refused = checkTxn(request, member.limits.maxTxnOps);
  if (refused !== null) return call.refuse(CHECK_STATUS[refused]);
  member.txn(request, raw, call, call.answer(encodeTxn));
}

function encodeTxn(member: MemberApi, result: TxnResult): Buffer {
  return encodeTxnResponse(headerOf(member, result.revision), result.succeeded, result.parts);
}

function compact(member: MemberApi, request: CompactionRequest, call: UnaryCall): void {
  member.compact(request, call.request, call, call.answer(encodeCompact));
}

function encodeCompact(member: MemberApi, result: { revision: number }): Buffer {
  return CompactionResponse.encode({ header: headerOf(member, result.revision) });
}
