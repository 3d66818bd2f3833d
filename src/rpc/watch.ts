import type { WatchPart, WatchSink, WatchStream } from '../mvcc/index.js';
import type { MemberApi } from '../server/index.js';
import { failpoint } from '../util/failpoint.js';
import { decodeWatchRequest, encodeWatchResponse, Watch, WatchKind, WireError } from '../wire/index.js';
import type { StreamCall, StreamHandlers } from './call.js';
import { undecodableInStream } from './errors.js';
import { headerOf } from './header.js';
import type { Route, StreamContext } from './route.js';
import { stream } from './route.js';

const beforeSendWatchResponse = failpoint('beforeSendWatchResponse');

/** etcdserverpb.Watch. */
export const watchRoutes: Route[] = [
  stream(Watch.Watch, (member, call, context) => new WatchCall(member, call, context)),
];

/**
 * One watch stream: many watchers, one connection (etcd semantics §4). The store does the watching; here requests are
 * decoded and responses get their header and bytes. Nothing but the client or the server's stop ends it: not a bad
 * create, and not the client's half-close.
 *
 * While the transport is full the store sends no events, and no further request is read, so that the answers to a
 * client that asks and does not listen cannot pile up either.
 */
class WatchCall implements StreamHandlers, WatchSink {
  readonly #member: MemberApi;
  readonly #call: StreamCall;
  readonly #watchers: WatchStream;
  #full = false;
  /** A request was handled while the transport was full: the next is read when it has room. */
  #readHeld = false;

  constructor(member: MemberApi, call: StreamCall, context: StreamContext) {
    this.#member = member;
    this.#call = call;
    this.#watchers = member.watch.openStream(this, { progressIntervalMs: context.watchProgressMs() });
  }

  onMessage(message: Buffer): void {
    try {
      const request = decodeWatchRequest(message);
      if (request.kind === WatchKind.CREATE) this.#watchers.create(request.request);
      else if (request.kind === WatchKind.CANCEL) this.#watchers.cancel(request.request.watchId);
      else if (request.kind === WatchKind.PROGRESS) this.#watchers.progress();
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
      return;
    }
    if (this.#full) this.#readHeld = true;
    else this.#call.read();
  }

  onHalfClose(): void {}

  onDrain(): void {
    this.#full = false;
    this.#watchers.resume();
    if (this.#full || !this.#readHeld) return;
    this.#readHeld = false;
    this.#call.read();
  }

  onClose(): void {
    this.#watchers.close();
  }

  send(part: WatchPart): boolean {
    const header = headerOf(this.#member, part.revision);
    if (beforeSendWatchResponse.on) beforeSendWatchResponse.hit();
    const hasRoom = this.#call.send(encodeWatchResponse(header, part.watchId, part, part.events));
    if (!hasRoom) this.#full = true;
    return hasRoom;
  }
}
