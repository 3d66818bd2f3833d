import { bool, bytes, defineByHand, id, key, message } from './codec.js';
import { KeyValue, readKeyValueField, writeKeyValueField } from './key-value.js';
import { EMPTY, Reader } from './reader.js';
import { ResponseHeader, readHeaderField, writeHeaderField } from './response-header.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** etcdserverpb.PutRequest. */
export interface PutRequest {
  key: string;
  value: Buffer;
  lease: bigint;
  prevKv: boolean;
  ignoreValue: boolean;
  ignoreLease: boolean;
}

export function makePutRequest(): PutRequest {
  return { key: '', value: EMPTY, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
}

export const PutRequest = defineByHand<PutRequest>(
  'etcdserverpb.PutRequest',
  { key: key(1), value: bytes(2), lease: id(3), prevKv: bool(4), ignoreValue: bool(5), ignoreLease: bool(6) },
  { make: makePutRequest, read: readPutRequest, write: writePutRequest },
);

export function readPutRequest(r: Reader): PutRequest {
  const m = makePutRequest();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.latin1();
        break;
      case 18:
        m.value = r.bytes();
        break;
      case 24:
        m.lease = r.id();
        break;
      case 32:
        m.prevKv = r.bool();
        break;
      case 40:
        m.ignoreValue = r.bool();
        break;
      case 48:
        m.ignoreLease = r.bool();
        break;
      default:
        r.skip(tag, PutRequest.known);
    }
  }
  return m;
}

export function writePutRequest(w: Writer, m: PutRequest): void {
  w.boolField(48, m.ignoreLease);
  w.boolField(40, m.ignoreValue);
  w.boolField(32, m.prevKv);
  w.idField(24, m.lease);
  w.bytesField(18, m.value);
  w.latin1Field(10, m.key);
}

export function decodePutRequest(buf: Buffer): PutRequest {
  return readPutRequest(new Reader(buf));
}

export function encodePutRequest(m: PutRequest): Buffer {
  writePutRequest(scratch.reset(), m);
  return scratch.finish();
}

/** etcdserverpb.PutResponse. */
export interface PutResponse {
  header: ResponseHeader | null;
  prevKv: KeyValue | null;
}

export function makePutResponse(): PutResponse {
  return { header: null, prevKv: null };
}

export const PutResponse = defineByHand<PutResponse>(
  'etcdserverpb.PutResponse',
  { header: message(1, () => ResponseHeader), prevKv: message(2, () => KeyValue) },
  { make: makePutResponse, read: readPutResponse, write: writePutResponse },
);

export function readPutResponse(r: Reader): PutResponse {
  const m = makePutResponse();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.header = readHeaderField(r);
        break;
      case 18:
        m.prevKv = readKeyValueField(r);
        break;
      default:
        r.skip(tag, PutResponse.known);
    }
  }
  return m;
}

export function writePutResponse(w: Writer, m: PutResponse): void {
  writeKeyValueField(w, 18, m.prevKv);
  writeHeaderField(w, m.header);
}

export function decodePutResponse(buf: Buffer): PutResponse {
  return readPutResponse(new Reader(buf));
}

/** @param prevKv a marshalled KeyValue, copied as it is */
export function encodePutResponse(header: ResponseHeader | null, prevKv: Buffer | null): Buffer {
  const w = scratch.reset();
  if (prevKv !== null) w.bytes(18, prevKv);
  writeHeaderField(w, header);
  return w.finish();
}
