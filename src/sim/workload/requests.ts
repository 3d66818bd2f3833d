import type { CallContext, Completion, Member } from '../../server/index.js';
import type { KeyValue, RequestOp, ResponseOp, ResponsePart, TxnRequest } from '../../wire/index.js';
import {
  CompareResult,
  CompareTarget,
  DeleteRangeResponse,
  decodeKeyValue,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
  KV,
  makeCompare,
  makeDeleteRangeRequest,
  makePutRequest,
  makeRangeRequest,
  makeRequestOp,
  makeTxnRequest,
  OpKind,
  PutResponse,
  RangeResponse,
  TargetUnion,
  TxnResponse,
} from '../../wire/index.js';
import { AS_ROOT } from '../caller.js';
import type {
  CompareOp,
  InnerOp,
  InnerResponse,
  Kv,
  Response,
  SimpleOp,
  TxnResponse as TxnAnswer,
  TxnOp,
} from '../checkers/index.js';

/** An operation as it goes to a member's client port. */
export function encodeOp(op: SimpleOp | TxnOp): { path: string; request: Buffer } {
  switch (op.kind) {
    case 'put':
      return { path: KV.Put.path, request: encodePutRequest(putRequest(op)) };
    case 'delete':
      return { path: KV.DeleteRange.path, request: encodeDeleteRangeRequest(deleteRequest(op)) };
    case 'range':
      return { path: KV.Range.path, request: encodeRangeRequest(rangeRequest(op)) };
    case 'txn':
      return { path: KV.Txn.path, request: encodeTxnRequest(txnRequest(op)) };
  }
}

/** The answer to it, and the member that gave it. */
export function decodeReply(op: SimpleOp | TxnOp, reply: Buffer): { response: Response; memberId: bigint } {
  switch (op.kind) {
    case 'put': {
      const r = PutResponse.decode(reply);
      return { response: putReply(r), memberId: r.header?.memberId ?? 0n };
    }
    case 'delete': {
      const r = DeleteRangeResponse.decode(reply);
      return { response: deleteReply(r), memberId: r.header?.memberId ?? 0n };
    }
    case 'range': {
      const r = RangeResponse.decode(reply);
      return { response: rangeReply(r), memberId: r.header?.memberId ?? 0n };
    }
    case 'txn': {
      const r = TxnResponse.decode(reply);
      return { response: txnReply(r, r.header?.revision ?? 0), memberId: r.header?.memberId ?? 0n };
    }
  }
}

function txnReply({ succeeded, responses }: TxnResponse, revision: number): TxnAnswer {
  return { kind: 'txn', revision, succeeded, responses: responses.map(opReply) };
}

function opReply(op: ResponseOp): InnerResponse {
  switch (op.kind) {
    case OpKind.RANGE:
      return rangeReply(op.response);
    case OpKind.PUT:
      return putReply(op.response);
    case OpKind.DELETE_RANGE:
      return deleteReply(op.response);
    case OpKind.TXN:
      return txnReply(op.response, op.response.header?.revision ?? 0);
    default:
      throw new Error('an answer of no kind');
  }
}

function putReply(r: PutResponse): InnerResponse {
  return { kind: 'put', revision: r.header?.revision ?? 0, prev: r.prevKv === null ? null : kvOfKeyValue(r.prevKv) };
}

function deleteReply(r: DeleteRangeResponse): InnerResponse {
  const prevs = r.prevKvs.map(kvOfKeyValue);
  return { kind: 'delete', revision: r.header?.revision ?? 0, deleted: r.deleted, prevs };
}

function rangeReply(r: RangeResponse): InnerResponse {
  return { kind: 'range', revision: r.header?.revision ?? 0, kvs: r.kvs.map(kvOfKeyValue) };
}

/** Asks a member for an operation of the history, as its rpc handlers would. */
export function send(
  member: Member,
  op: SimpleOp | TxnOp,
  done: Completion<Response>,
  ctx: CallContext = AS_ROOT,
): void {
  const fail = (err: Parameters<typeof done.fail>[0]): void => done.fail(err);
  switch (op.kind) {
    case 'put': {
      const req = putRequest(op);
      return member.put(req, encodePutRequest(req), ctx, {
        ok: ({ revision, prevKv }) => done.ok({ kind: 'put', revision, prev: kvOf(prevKv) }),
        fail,
      });
    }
    case 'delete': {
      const req = deleteRequest(op);
      return member.deleteRange(req, encodeDeleteRangeRequest(req), ctx, {
        ok: ({ revision, deleted, prevKvs }) =>
          done.ok({ kind: 'delete', revision, deleted, prevs: prevKvs.map(kvOf) as Kv[] }),
        fail,
      });
    }
    case 'range':
      return member.range(rangeRequest(op), ctx, {
        ok: ({ revision, kvs }) => done.ok({ kind: 'range', revision, kvs: kvs.map(kvOf) as Kv[] }),
        fail,
      });
    case 'txn': {
      const req = txnRequest(op);
      return member.txn(req, encodeTxnRequest(req), ctx, {
        ok: ({ revision, succeeded, parts }) =>
          done.ok({ kind: 'txn', revision, succeeded, responses: parts.map(partOf) }),
        fail,
      });
    }
  }
}

function putRequest(op: SimpleOp & { kind: 'put' }): ReturnType<typeof makePutRequest> {
  const req = makePutRequest();
  req.key = op.key;
  req.value = Buffer.from(op.value, 'latin1');
  req.lease = BigInt(op.lease);
  req.prevKv = op.prev;
  return req;
}

function deleteRequest(op: SimpleOp & { kind: 'delete' }): ReturnType<typeof makeDeleteRangeRequest> {
  const req = makeDeleteRangeRequest();
  req.key = op.key;
  req.rangeEnd = op.rangeEnd;
  req.prevKv = op.prev;
  return req;
}

function rangeRequest(op: SimpleOp & { kind: 'range' }): ReturnType<typeof makeRangeRequest> {
  const req = makeRangeRequest();
  req.key = op.key;
  req.rangeEnd = op.rangeEnd;
  req.revision = op.revision;
  req.serializable = op.serializable;
  return req;
}

function txnRequest(op: TxnOp): TxnRequest {
  const req = makeTxnRequest();
  req.compare = op.compare.map(compareOf);
  req.success = op.success.map(requestOp);
  req.failure = op.failure.map(requestOp);
  return req;
}

function requestOp(op: InnerOp): RequestOp {
  switch (op.kind) {
    case 'put':
      return makeRequestOp(OpKind.PUT, putRequest(op));
    case 'delete':
      return makeRequestOp(OpKind.DELETE_RANGE, deleteRequest(op));
    case 'range':
      return makeRequestOp(OpKind.RANGE, rangeRequest(op));
    case 'txn':
      return makeRequestOp(OpKind.TXN, txnRequest(op));
  }
}

const RESULTS = {
  '=': CompareResult.EQUAL,
  '>': CompareResult.GREATER,
  '<': CompareResult.LESS,
  '!=': CompareResult.NOT_EQUAL,
};

function compareOf({ key, target, result, operand }: CompareOp): ReturnType<typeof makeCompare> {
  const c = makeCompare();
  c.key = key;
  c.result = RESULTS[result];
  switch (target) {
    case 'version':
      c.target = CompareTarget.VERSION;
      c.targetUnion = TargetUnion.VERSION;
      c.version = operand as number;
      break;
    case 'create':
      c.target = CompareTarget.CREATE;
      c.targetUnion = TargetUnion.CREATE_REVISION;
      c.createRevision = operand as number;
      break;
    case 'mod':
      c.target = CompareTarget.MOD;
      c.targetUnion = TargetUnion.MOD_REVISION;
      c.modRevision = operand as number;
      break;
    case 'value':
      c.target = CompareTarget.VALUE;
      c.targetUnion = TargetUnion.VALUE;
      c.value = Buffer.from(operand as string, 'latin1');
      break;
  }
  return c;
}

function partOf(part: ResponsePart): InnerResponse {
  switch (part.kind) {
    case OpKind.RANGE:
      return { kind: 'range', revision: part.revision, kvs: part.kvs.map(kvOf) as Kv[] };
    case OpKind.PUT:
      return { kind: 'put', revision: part.revision, prev: kvOf(part.prevKv) };
    case OpKind.DELETE_RANGE:
      return { kind: 'delete', revision: part.revision, deleted: part.deleted, prevs: part.prevKvs.map(kvOf) as Kv[] };
    case OpKind.TXN:
      return { kind: 'txn', revision: 0, succeeded: part.succeeded, responses: part.parts.map(partOf) };
  }
}

/** The checkers know the present only: of a transaction they are not told its reads at a named revision. */
export function withoutPast(op: TxnOp): TxnOp {
  return { ...op, success: op.success.filter(isPresent), failure: op.failure.filter(isPresent) };
}

/** The same for its answer. */
export function dropPast(op: TxnOp, response: Response): Response {
  if (response.kind !== 'txn') return response;
  const branch = response.succeeded ? op.success : op.failure;
  return { ...response, responses: response.responses.filter((_, i) => isPresent(branch[i] as InnerOp)) };
}

function isPresent(op: InnerOp): boolean {
  return op.kind !== 'range' || op.revision === 0;
}

/** A marshalled KeyValue as the checkers have it. */
export function kvOf(row: Buffer | null): Kv | null {
  return row === null ? null : kvOfKeyValue(decodeKeyValue(row));
}

export function kvOfKeyValue({ key, value, createRevision, modRevision, version, lease }: KeyValue): Kv {
  return {
    key,
    value: value.toString('latin1'),
    create: createRevision,
    mod: modRevision,
    version,
    lease: lease.toString(),
  };
}
