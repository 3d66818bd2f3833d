import type { MessageType } from './codec.js';
import {
  bool,
  define,
  defineByHand,
  enumeration,
  int,
  key,
  list,
  message,
  oneof,
  packed,
  string,
  wide,
} from './codec.js';
import { Event, readEvent, writeEvent } from './key-value.js';
import { reserveRows, writeRows } from './range.js';
import { Reader } from './reader.js';
import { ResponseHeader, readHeaderField, writeHeaderField } from './response-header.js';
import type { Writer } from './writer.js';
import { scratch } from './writer.js';

/** As a client chose it, any int64: a bigint where a number would not be exact. */
export type WatchId = number | bigint;

export const FilterType = { NOPUT: 0, NODELETE: 1 } as const;

export const WatchCreateRequest = define('etcdserverpb.WatchCreateRequest', {
  key: key(1),
  rangeEnd: key(2),
  startRevision: int(3),
  progressNotify: bool(4),
  filters: packed(enumeration(5, FilterType)),
  prevKv: bool(6),
  watchId: wide(7),
  fragment: bool(8),
});
export type WatchCreateRequest = MessageType<typeof WatchCreateRequest>;

export const WatchCancelRequest = define('etcdserverpb.WatchCancelRequest', { watchId: wide(1) });
export type WatchCancelRequest = MessageType<typeof WatchCancelRequest>;

export const WatchProgressRequest = define('etcdserverpb.WatchProgressRequest', {});
export type WatchProgressRequest = MessageType<typeof WatchProgressRequest>;

/** The member of a WatchRequest that is set: its field number. */
export const WatchKind = { NONE: 0, CREATE: 1, CANCEL: 2, PROGRESS: 3 } as const;

/** etcdserverpb.WatchRequest. */
export type WatchRequest =
  | { kind: typeof WatchKind.NONE; request: null }
  | { kind: typeof WatchKind.CREATE; request: WatchCreateRequest }
  | { kind: typeof WatchKind.CANCEL; request: WatchCancelRequest }
  | { kind: typeof WatchKind.PROGRESS; request: WatchProgressRequest };

/** @param kind fits `request` */
export function makeWatchRequest(kind: number, request: WatchRequest['request']): WatchRequest {
  return { kind, request } as WatchRequest;
}

export const WatchRequest = defineByHand<WatchRequest>(
  'etcdserverpb.WatchRequest',
  oneof('request_union', 'kind', 'request', {
    createRequest: message(1, () => WatchCreateRequest),
    cancelRequest: message(2, () => WatchCancelRequest),
    progressRequest: message(3, () => WatchProgressRequest),
  }),
  { make: () => makeWatchRequest(WatchKind.NONE, null), read: readWatchRequest, write: writeWatchRequest },
);

export function readWatchRequest(r: Reader): WatchRequest {
  let kind = 0;
  let request: WatchRequest['request'] = null;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag !== 10 && tag !== 18 && tag !== 26) {
      r.skip(tag, WatchRequest.known);
      continue;
    }
    const outer = r.enter();
    kind = tag >>> 3;
    if (tag === 10) request = WatchCreateRequest.read(r);
    else if (tag === 18) request = WatchCancelRequest.read(r);
    else request = WatchProgressRequest.read(r);
    r.leave(outer);
  }
  return makeWatchRequest(kind, request);
}

export function writeWatchRequest(w: Writer, m: WatchRequest): void {
  if (m.kind === WatchKind.NONE) return;
  const mark = w.size;
  if (m.kind === WatchKind.CREATE) WatchCreateRequest.write(w, m.request);
  else if (m.kind === WatchKind.CANCEL) WatchCancelRequest.write(w, m.request);
  w.close(m.kind * 8 + 2, mark);
}

export function decodeWatchRequest(buf: Buffer): WatchRequest {
  return readWatchRequest(new Reader(buf));
}

export function encodeWatchRequest(m: WatchRequest): Buffer {
  writeWatchRequest(scratch.reset(), m);
  return scratch.finish();
}

/** etcdserverpb.WatchResponse. */
export interface WatchResponse {
  header: ResponseHeader | null;
  watchId: WatchId;
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  fragment: boolean;
  events: Event[];
}

export function makeWatchResponse(): WatchResponse {
  return {
    header: null,
    watchId: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: '',
    fragment: false,
    events: [],
  };
}

export const WatchResponse = defineByHand<WatchResponse>(
  'etcdserverpb.WatchResponse',
  {
    header: message(1, () => ResponseHeader),
    watchId: wide(2),
    created: bool(3),
    canceled: bool(4),
    compactRevision: int(5),
    cancelReason: string(6),
    fragment: bool(7),
    events: list(message(11, () => Event)),
  },
  { make: makeWatchResponse, read: readWatchResponse, write: writeWatchResponse },
);

export function readWatchResponse(r: Reader): WatchResponse {
  const m = makeWatchResponse();
  while (r.pos < r.end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.header = readHeaderField(r);
        break;
      case 16:
        m.watchId = r.wide();
        break;
      case 24:
        m.created = r.bool();
        break;
      case 32:
        m.canceled = r.bool();
        break;
      case 40:
        m.compactRevision = r.int();
        break;
      case 50:
        m.cancelReason = r.utf8();
        break;
      case 56:
        m.fragment = r.bool();
        break;
      case 90: {
        const outer = r.enter();
        m.events.push(readEvent(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag, WatchResponse.known);
    }
  }
  return m;
}

export function writeWatchResponse(w: Writer, m: WatchResponse): void {
  for (let i = m.events.length - 1; i >= 0; i--) {
    const mark = w.size;
    writeEvent(w, m.events[i] as Event);
    w.close(90, mark);
  }
  writeWatchState(w, m.header, m.watchId, m);
}

export function decodeWatchResponse(buf: Buffer): WatchResponse {
  return readWatchResponse(new Reader(buf));
}

/** What a WatchResponse says besides its events. */
export interface WatchState {
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
}

/** The state of a response that carries events and no more. */
export const WATCH_EVENTS: WatchState = {
  created: false,
  canceled: false,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
};

/** A WatchResponse around events that are encoded once for all watchers. @param events marshalled Events, copied as they are */
export function encodeWatchResponse(
  header: ResponseHeader | null,
  watchId: WatchId,
  state: WatchState,
  events: readonly Buffer[],
): Buffer {
  const w = scratch.reset();
  reserveRows(w, events);
  writeRows(w, 90, events);
  writeWatchState(w, header, watchId, state);
  return w.finish();
}

function writeWatchState(w: Writer, header: ResponseHeader | null, watchId: WatchId, state: WatchState): void {
  w.boolField(56, state.fragment);
  w.utf8Field(50, state.cancelReason);
  w.intField(40, state.compactRevision);
  w.boolField(32, state.canceled);
  w.boolField(24, state.created);
  w.wideField(16, watchId);
  writeHeaderField(w, header);
}
