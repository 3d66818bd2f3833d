import { bool, defineByHand, int, key, list, message } from './codec.js';
import { KeyValue, readKeyValueField, writeKeyValueField } from './key-value.js';
import { reserveRows, writeRows } from './range.js';
import { Reader } from './reader.js';
import { ResponseHeader, readHeaderField, writeHeaderField } from './response-header.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** etcdserverpb.DeleteRangeRequest. */
export interface DeleteRangeRequest {
  key: string;
  rangeEnd: string;
  prevKv: boolean;
}

export function makeDeleteRangeRequest(): DeleteRangeRequest {
  return { key: '', rangeEnd: '', prevKv: false };
}

export const DeleteRangeRequest = defineByHand<DeleteRangeRequest>(
  'etcdserverpb.DeleteRangeRequest',
  { key: key(1), rangeEnd: key(2), prevKv: bool(3) },
  { make: makeDeleteRangeRequest, read: readDeleteRangeRequest, write: writeDeleteRangeRequest },
);

export function readDeleteRangeRequest(r: Reader): DeleteRangeRequest {
  const m = makeDeleteRangeRequest();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.latin1();
        break;
      case 18:
        m.rangeEnd = r.rangeEnd();
        break;
      case 24:
        m.prevKv = r.bool();
        break;
      default:
        r.skip(tag, DeleteRangeRequest.known);
    }
  }
  return m;
}

export function writeDeleteRangeRequest(w: Writer, m: DeleteRangeRequest): void {
  w.boolField(24, m.prevKv);
  w.rangeEndField(18, m.rangeEnd);
  w.latin1Field(10, m.key);
}

export function decodeDeleteRangeRequest(buf: Buffer): DeleteRangeRequest {
  return readDeleteRangeRequest(new Reader(buf));
}

export function encodeDeleteRangeRequest(m: DeleteRangeRequest): Buffer {
  writeDeleteRangeRequest(scratch.reset(), m);
  return scratch.finish();
}

/** etcdserverpb.DeleteRangeResponse. */
export interface DeleteRangeResponse {
  header: ResponseHeader | null;
  deleted: number;
  prevKvs: KeyValue[];
}

export function makeDeleteRangeResponse(): DeleteRangeResponse {
  return { header: null, deleted: 0, prevKvs: [] };
}

export const DeleteRangeResponse = defineByHand<DeleteRangeResponse>(
  'etcdserverpb.DeleteRangeResponse',
  { header: message(1, () => ResponseHeader), deleted: int(2), prevKvs: list(message(3, () => KeyValue)) },
  { make: makeDeleteRangeResponse, read: readDeleteRangeResponse, write: writeDeleteRangeResponse },
);

export function readDeleteRangeResponse(r: Reader): DeleteRangeResponse {
  const m = makeDeleteRangeResponse();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.header = readHeaderField(r);
        break;
      case 16:
        m.deleted = r.int();
        break;
      case 26:
        m.prevKvs.push(readKeyValueField(r));
        break;
      default:
        r.skip(tag, DeleteRangeResponse.known);
    }
  }
  return m;
}

export function writeDeleteRangeResponse(w: Writer, m: DeleteRangeResponse): void {
  for (let i = m.prevKvs.length - 1; i >= 0; i--) writeKeyValueField(w, 26, m.prevKvs[i] as KeyValue);
  w.intField(16, m.deleted);
  writeHeaderField(w, m.header);
}

export function decodeDeleteRangeResponse(buf: Buffer): DeleteRangeResponse {
  return readDeleteRangeResponse(new Reader(buf));
}

/** @param prevKvs marshalled KeyValues, copied as they are */
export function encodeDeleteRangeResponse(
  header: ResponseHeader | null,
  deleted: number,
  prevKvs: readonly Buffer[],
): Buffer {
  const w = scratch.reset();
  reserveRows(w, prevKvs);
  writeRows(w, 26, prevKvs);
  w.intField(16, deleted);
  writeHeaderField(w, header);
  return w.finish();
}
