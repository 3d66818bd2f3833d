import type { MessageType } from './codec.js';
import { bool, define, defineByHand, enumeration, int, key, list, message } from './codec.js';
import { KeyValue, readKeyValueField, writeKeyValueField } from './key-value.js';
import { Reader } from './reader.js';
import { ResponseHeader, readHeaderField, writeHeaderField } from './response-header.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

export const SortOrder = { NONE: 0, ASCEND: 1, DESCEND: 2 } as const;
export const SortTarget = { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 } as const;

/** etcdserverpb.RangeRequest. */
export interface RangeRequest {
  key: string;
  rangeEnd: string;
  limit: number;
  revision: number;
  sortOrder: number;
  sortTarget: number;
  serializable: boolean;
  keysOnly: boolean;
  countOnly: boolean;
  minModRevision: number;
  maxModRevision: number;
  minCreateRevision: number;
  maxCreateRevision: number;
}

export function makeRangeRequest(): RangeRequest {
  return {
    key: '',
    rangeEnd: '',
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

export const RangeRequest = defineByHand<RangeRequest>(
  'etcdserverpb.RangeRequest',
  {
    key: key(1),
    rangeEnd: key(2),
    limit: int(3),
    revision: int(4),
    sortOrder: enumeration(5, SortOrder),
    sortTarget: enumeration(6, SortTarget),
    serializable: bool(7),
    keysOnly: bool(8),
    countOnly: bool(9),
    minModRevision: int(10),
    maxModRevision: int(11),
    minCreateRevision: int(12),
    maxCreateRevision: int(13),
  },
  { make: makeRangeRequest, read: readRangeRequest, write: writeRangeRequest },
);

export function readRangeRequest(r: Reader): RangeRequest {
  const m = makeRangeRequest();
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
        m.limit = r.int();
        break;
      case 32:
        m.revision = r.int();
        break;
      case 40:
        m.sortOrder = r.int32();
        break;
      case 48:
        m.sortTarget = r.int32();
        break;
      case 56:
        m.serializable = r.bool();
        break;
      case 64:
        m.keysOnly = r.bool();
        break;
      case 72:
        m.countOnly = r.bool();
        break;
      case 80:
        m.minModRevision = r.int();
        break;
      case 88:
        m.maxModRevision = r.int();
        break;
      case 96:
        m.minCreateRevision = r.int();
        break;
      case 104:
        m.maxCreateRevision = r.int();
        break;
      default:
        r.skip(tag, RangeRequest.known);
    }
  }
  return m;
}

export function writeRangeRequest(w: Writer, m: RangeRequest): void {
  w.intField(104, m.maxCreateRevision);
  w.intField(96, m.minCreateRevision);
  w.intField(88, m.maxModRevision);
  w.intField(80, m.minModRevision);
  w.boolField(72, m.countOnly);
  w.boolField(64, m.keysOnly);
  w.boolField(56, m.serializable);
  w.intField(48, m.sortTarget);
  w.intField(40, m.sortOrder);
  w.intField(32, m.revision);
  w.intField(24, m.limit);
  w.rangeEndField(18, m.rangeEnd);
  w.latin1Field(10, m.key);
}

export function decodeRangeRequest(buf: Buffer): RangeRequest {
  return readRangeRequest(new Reader(buf));
}

export function encodeRangeRequest(m: RangeRequest): Buffer {
  writeRangeRequest(scratch.reset(), m);
  return scratch.finish();
}

/** etcdserverpb.RangeResponse. */
export interface RangeResponse {
  header: ResponseHeader | null;
  kvs: KeyValue[];
  more: boolean;
  count: number;
}

export function makeRangeResponse(): RangeResponse {
  return { header: null, kvs: [], more: false, count: 0 };
}

export const RangeResponse = defineByHand<RangeResponse>(
  'etcdserverpb.RangeResponse',
  { header: message(1, () => ResponseHeader), kvs: list(message(2, () => KeyValue)), more: bool(3), count: int(4) },
  { make: makeRangeResponse, read: readRangeResponse, write: writeRangeResponse },
);

export function readRangeResponse(r: Reader): RangeResponse {
  const m = makeRangeResponse();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.header = readHeaderField(r);
        break;
      case 18:
        m.kvs.push(readKeyValueField(r));
        break;
      case 24:
        m.more = r.bool();
        break;
      case 32:
        m.count = r.int();
        break;
      default:
        r.skip(tag, RangeResponse.known);
    }
  }
  return m;
}

export function writeRangeResponse(w: Writer, m: RangeResponse): void {
  w.intField(32, m.count);
  w.boolField(24, m.more);
  for (let i = m.kvs.length - 1; i >= 0; i--) writeKeyValueField(w, 18, m.kvs[i] as KeyValue);
  writeHeaderField(w, m.header);
}

export function decodeRangeResponse(buf: Buffer): RangeResponse {
  return readRangeResponse(new Reader(buf));
}

/** Since etcd 3.7. */
export const RangeStreamResponse = define('etcdserverpb.RangeStreamResponse', {
  rangeResponse: message(1, () => RangeResponse),
});
export type RangeStreamResponse = MessageType<typeof RangeStreamResponse>;

/** A RangeResponse around stored rows. @param kvs marshalled KeyValues, copied as they are */
export function encodeRangeResponse(
  header: ResponseHeader | null,
  kvs: readonly Buffer[],
  more: boolean,
  count: number,
): Buffer {
  const w = scratch.reset();
  reserveRows(w, kvs);
  writeRangeParts(w, kvs, more, count);
  writeHeaderField(w, header);
  return w.finish();
}

/** Some of a RangeResponse's rows: the encoding is what comes of those before, these and those behind in a row. */
export function encodeRangeRows(kvs: readonly Buffer[], from: number, to: number): Buffer {
  const w = scratch.reset();
  let bytes = 64;
  for (let i = from; i < to; i++) bytes += (kvs[i] as Buffer).length + 6;
  w.reserve(bytes);
  for (let i = to - 1; i >= from; i--) w.bytes(18, kvs[i] as Buffer);
  return w.finish();
}

/** All of a RangeResponse but the header. */
export function writeRangeParts(w: Writer, kvs: readonly Buffer[], more: boolean, count: number): void {
  w.intField(32, count);
  w.boolField(24, more);
  writeRows(w, 18, kvs);
}

export function writeRows(w: Writer, tag: number, rows: readonly Buffer[]): void {
  for (let i = rows.length - 1; i >= 0; i--) w.bytes(tag, rows[i] as Buffer);
}

/** One allocation for a big answer instead of one for each doubling. */
export function reserveRows(w: Writer, rows: readonly Buffer[]): void {
  let total = 64;
  for (let i = 0; i < rows.length; i++) total += (rows[i] as Buffer).length + 6;
  w.reserve(total);
}
