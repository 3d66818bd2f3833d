import type { WatchId } from '../../wire/index.js';
import {
  decodeWatchResponse,
  encodeWatchRequest,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  makeWatchRequest,
  WatchCancelRequest,
  WatchCreateRequest,
  WatchKind,
  WatchProgressRequest,
} from '../../wire/index.js';
import type { WatchSpec } from './watcher.js';

/** The few messages that the core itself reads and writes. */
export { decodeWatchResponse as decodeWatch };

/** The server chooses the id. */
export function encodeWatchCreate(spec: WatchSpec, startRevision: number): Buffer {
  const request = WatchCreateRequest.make({
    key: spec.key,
    rangeEnd: spec.rangeEnd,
    startRevision,
    progressNotify: spec.progressNotify,
    filters: [...spec.filters],
    prevKv: spec.prevKv,
    fragment: spec.fragment,
  });
  return encodeWatchRequest(makeWatchRequest(WatchKind.CREATE, request));
}

export function encodeWatchCancel(watchId: WatchId): Buffer {
  return encodeWatchRequest(makeWatchRequest(WatchKind.CANCEL, WatchCancelRequest.make({ watchId })));
}

export const WATCH_PROGRESS: Buffer = encodeWatchRequest(
  makeWatchRequest(WatchKind.PROGRESS, WatchProgressRequest.make()),
);

export function encodeKeepAlive(id: bigint): Buffer {
  return LeaseKeepAliveRequest.encode({ id });
}

export function decodeKeepAlive(reply: Buffer): LeaseKeepAliveResponse {
  return LeaseKeepAliveResponse.decode(reply);
}
