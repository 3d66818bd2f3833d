import type { Codec } from './codec.js';
import { bool, defineByHand, list, message, oneof } from './codec.js';
import { Compare, readCompare, writeCompare } from './compare.js';
import {
  DeleteRangeRequest,
  DeleteRangeResponse,
  readDeleteRangeRequest,
  readDeleteRangeResponse,
  writeDeleteRangeRequest,
  writeDeleteRangeResponse,
} from './delete-range.js';
import { PutRequest, PutResponse, readPutRequest, readPutResponse, writePutRequest, writePutResponse } from './put.js';
import {
  RangeRequest,
  RangeResponse,
  readRangeRequest,
  readRangeResponse,
  writeRangeParts,
  writeRangeRequest,
  writeRangeResponse,
  writeRows,
} from './range.js';
import { Reader } from './reader.js';
import { ResponseHeader, readHeaderField, writeHeaderField } from './response-header.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** The member of a RequestOp or ResponseOp that is set: its field number. */
export const OpKind = { NONE: 0, RANGE: 1, PUT: 2, DELETE_RANGE: 3, TXN: 4 } as const;

/** etcdserverpb.RequestOp. */
export type RequestOp =
  | { kind: typeof OpKind.NONE; request: null }
  | { kind: typeof OpKind.RANGE; request: RangeRequest }
  | { kind: typeof OpKind.PUT; request: PutRequest }
  | { kind: typeof OpKind.DELETE_RANGE; request: DeleteRangeRequest }
  | { kind: typeof OpKind.TXN; request: TxnRequest };

/** etcdserverpb.TxnRequest. */
export interface TxnRequest {
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
}

/** @param kind fits `request` */
export function makeRequestOp(kind: number, request: RequestOp['request']): RequestOp {
  return { kind, request } as RequestOp;
}

export function makeTxnRequest(): TxnRequest {
  return { compare: [], success: [], failure: [] };
}

export const RequestOp: Codec<RequestOp> = defineByHand<RequestOp>(
  'etcdserverpb.RequestOp',
  oneof('request', 'kind', 'request', {
    requestRange: message(1, () => RangeRequest),
    requestPut: message(2, () => PutRequest),
    requestDeleteRange: message(3, () => DeleteRangeRequest),
    requestTxn: message(4, (): Codec<TxnRequest> => TxnRequest),
  }),
  { make: () => makeRequestOp(OpKind.NONE, null), read: readRequestOp, write: writeRequestOp },
);

export const TxnRequest: Codec<TxnRequest> = defineByHand<TxnRequest>(
  'etcdserverpb.TxnRequest',
  {
    compare: list(message(1, () => Compare)),
    success: list(message(2, () => RequestOp)),
    failure: list(message(3, () => RequestOp)),
  },
  { make: makeTxnRequest, read: readTxnRequest, write: writeTxnRequest },
);

export function readRequestOp(r: Reader): RequestOp {
  let kind = 0;
  let request: RequestOp['request'] = null;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag !== 10 && tag !== 18 && tag !== 26 && tag !== 34) {
      r.skip(tag, RequestOp.known);
      continue;
    }
    const outer = r.enter();
    kind = tag >>> 3;
    if (tag === 10) request = readRangeRequest(r);
    else if (tag === 18) request = readPutRequest(r);
    else if (tag === 26) request = readDeleteRangeRequest(r);
    else request = readTxnRequest(r);
    r.leave(outer);
  }
  return makeRequestOp(kind, request);
}

export function writeRequestOp(w: Writer, m: RequestOp): void {
  const mark = w.size;
  switch (m.kind) {
    case OpKind.NONE:
      return;
    case OpKind.RANGE:
      writeRangeRequest(w, m.request);
      break;
    case OpKind.PUT:
      writePutRequest(w, m.request);
      break;
    case OpKind.DELETE_RANGE:
      writeDeleteRangeRequest(w, m.request);
      break;
    case OpKind.TXN:
      writeTxnRequest(w, m.request);
      break;
  }
  w.close(m.kind * 8 + 2, mark);
}

export function readTxnRequest(r: Reader): TxnRequest {
  const m = makeTxnRequest();
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag !== 10 && tag !== 18 && tag !== 26) {
      r.skip(tag, TxnRequest.known);
      continue;
    }
    const outer = r.enter();
    if (tag === 10) m.compare.push(readCompare(r));
    else if (tag === 18) m.success.push(readRequestOp(r));
    else m.failure.push(readRequestOp(r));
    r.leave(outer);
  }
  return m;
}

export function writeTxnRequest(w: Writer, m: TxnRequest): void {
  writeOps(w, 26, m.failure);
  writeOps(w, 18, m.success);
  for (let i = m.compare.length - 1; i >= 0; i--) {
    const mark = w.size;
    writeCompare(w, m.compare[i] as Compare);
    w.close(10, mark);
  }
}

function writeOps(w: Writer, tag: number, ops: readonly RequestOp[]): void {
  for (let i = ops.length - 1; i >= 0; i--) {
    const mark = w.size;
    writeRequestOp(w, ops[i] as RequestOp);
    w.close(tag, mark);
  }
}

export function decodeTxnRequest(buf: Buffer): TxnRequest {
  return readTxnRequest(new Reader(buf));
}

export function encodeTxnRequest(m: TxnRequest): Buffer {
  writeTxnRequest(scratch.reset(), m);
  return scratch.finish();
}

/** etcdserverpb.ResponseOp. */
export type ResponseOp =
  | { kind: typeof OpKind.NONE; response: null }
  | { kind: typeof OpKind.RANGE; response: RangeResponse }
  | { kind: typeof OpKind.PUT; response: PutResponse }
  | { kind: typeof OpKind.DELETE_RANGE; response: DeleteRangeResponse }
  | { kind: typeof OpKind.TXN; response: TxnResponse };

/** etcdserverpb.TxnResponse. */
export interface TxnResponse {
  header: ResponseHeader | null;
  succeeded: boolean;
  responses: ResponseOp[];
}

/** @param kind fits `response` */
export function makeResponseOp(kind: number, response: ResponseOp['response']): ResponseOp {
  return { kind, response } as ResponseOp;
}

export function makeTxnResponse(): TxnResponse {
  return { header: null, succeeded: false, responses: [] };
}

export const ResponseOp: Codec<ResponseOp> = defineByHand<ResponseOp>(
  'etcdserverpb.ResponseOp',
  oneof('response', 'kind', 'response', {
    responseRange: message(1, () => RangeResponse),
    responsePut: message(2, () => PutResponse),
    responseDeleteRange: message(3, () => DeleteRangeResponse),
    responseTxn: message(4, (): Codec<TxnResponse> => TxnResponse),
  }),
  { make: () => makeResponseOp(OpKind.NONE, null), read: readResponseOp, write: writeResponseOp },
);

export const TxnResponse: Codec<TxnResponse> = defineByHand<TxnResponse>(
  'etcdserverpb.TxnResponse',
  {
    header: message(1, () => ResponseHeader),
    succeeded: bool(2),
    responses: list(message(3, () => ResponseOp)),
  },
  { make: makeTxnResponse, read: readTxnResponse, write: writeTxnResponse },
);

export function readResponseOp(r: Reader): ResponseOp {
  let kind = 0;
  let response: ResponseOp['response'] = null;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag !== 10 && tag !== 18 && tag !== 26 && tag !== 34) {
      r.skip(tag, ResponseOp.known);
      continue;
    }
    const outer = r.enter();
    kind = tag >>> 3;
    if (tag === 10) response = readRangeResponse(r);
    else if (tag === 18) response = readPutResponse(r);
    else if (tag === 26) response = readDeleteRangeResponse(r);
    else response = readTxnResponse(r);
    r.leave(outer);
  }
  return makeResponseOp(kind, response);
}

export function writeResponseOp(w: Writer, m: ResponseOp): void {
  const mark = w.size;
  switch (m.kind) {
    case OpKind.NONE:
      return;
    case OpKind.RANGE:
      writeRangeResponse(w, m.response);
      break;
    case OpKind.PUT:
      writePutResponse(w, m.response);
      break;
    case OpKind.DELETE_RANGE:
      writeDeleteRangeResponse(w, m.response);
      break;
    case OpKind.TXN:
      writeTxnResponse(w, m.response);
      break;
  }
  w.close(m.kind * 8 + 2, mark);
}

export function readTxnResponse(r: Reader): TxnResponse {
  const m = makeTxnResponse();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.header = readHeaderField(r);
        break;
      case 16:
        m.succeeded = r.bool();
        break;
      case 26: {
        const outer = r.enter();
        m.responses.push(readResponseOp(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag, TxnResponse.known);
    }
  }
  return m;
}

export function writeTxnResponse(w: Writer, m: TxnResponse): void {
  for (let i = m.responses.length - 1; i >= 0; i--) {
    const mark = w.size;
    writeResponseOp(w, m.responses[i] as ResponseOp);
    w.close(26, mark);
  }
  w.boolField(16, m.succeeded);
  writeHeaderField(w, m.header);
}

export function decodeTxnResponse(buf: Buffer): TxnResponse {
  return readTxnResponse(new Reader(buf));
}

/**
 * One answer of a transaction, its rows marshalled. The header of an operation inside a
 * transaction carries the revision alone, and that of a nested transaction nothing.
 */
export type ResponsePart =
  | { kind: typeof OpKind.RANGE; revision: number; kvs: readonly Buffer[]; more: boolean; count: number }
  | { kind: typeof OpKind.PUT; revision: number; prevKv: Buffer | null }
  | { kind: typeof OpKind.DELETE_RANGE; revision: number; deleted: number; prevKvs: readonly Buffer[] }
  | { kind: typeof OpKind.TXN; succeeded: boolean; parts: readonly ResponsePart[] };

export function rangePart(revision: number, kvs: readonly Buffer[], more: boolean, count: number): ResponsePart {
  return { kind: OpKind.RANGE, revision, kvs, more, count };
}

export function putPart(revision: number, prevKv: Buffer | null): ResponsePart {
  return { kind: OpKind.PUT, revision, prevKv };
}

export function deleteRangePart(revision: number, deleted: number, prevKvs: readonly Buffer[]): ResponsePart {
  return { kind: OpKind.DELETE_RANGE, revision, deleted, prevKvs };
}

export function txnPart(succeeded: boolean, parts: readonly ResponsePart[]): ResponsePart {
  return { kind: OpKind.TXN, succeeded, parts };
}

export function encodeTxnResponse(
  header: ResponseHeader | null,
  succeeded: boolean,
  parts: readonly ResponsePart[],
): Buffer {
  const w = scratch.reset();
  writeParts(w, succeeded, parts);
  writeHeaderField(w, header);
  return w.finish();
}

function writeParts(w: Writer, succeeded: boolean, parts: readonly ResponsePart[]): void {
  for (let i = parts.length - 1; i >= 0; i--) {
    const part = parts[i] as ResponsePart;
    const mark = w.size;
    switch (part.kind) {
      case OpKind.RANGE:
        writeRangeParts(w, part.kvs, part.more, part.count);
        writeRevisionHeader(w, part.revision);
        break;
      case OpKind.PUT:
        if (part.prevKv !== null) w.bytes(18, part.prevKv);
        writeRevisionHeader(w, part.revision);
        break;
      case OpKind.DELETE_RANGE:
        writeRows(w, 26, part.prevKvs);
        w.intField(16, part.deleted);
        writeRevisionHeader(w, part.revision);
        break;
      case OpKind.TXN:
        writeParts(w, part.succeeded, part.parts);
        writeRevisionHeader(w, 0);
        break;
    }
    w.close(part.kind * 8 + 2, mark);
    w.close(26, mark);
  }
  w.boolField(16, succeeded);
}

function writeRevisionHeader(w: Writer, revision: number): void {
  const mark = w.size;
  w.intField(24, revision);
  w.close(10, mark);
}
