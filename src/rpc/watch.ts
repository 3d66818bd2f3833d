import type { WatchPart, WatchSink, WatchStream } from '../mvcc/index.js';
import type { MemberApi, ServerError } from '../server/index.js';
import { failpoint } from '../util/failpoint.js';
import type { WatchCreateRequest, WatchId } from '../wire/index.js';
import { decodeWatchRequest, encodeWatchResponse, Watch, WatchKind, WireError } from '../wire/index.js';
import type { Audit } from './audit.js';
import type { StreamCall, StreamHandlers } from './call.js';
import { OK, statusOf, undecodableInStream } from './errors.js';
import { headerOf } from './header.js';
import type { Route, StreamContext } from './route.js';
import { stream } from './route.js';
import { refusedReason, WatchPermits } from './watch-permits.js';

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
  /** Null: a permission is asked for once, when a watcher is created, as etcd does. */
  readonly #permits: WatchPermits | null;
  readonly #audit: Audit | null;
  #full = false;
  /** A request was handled while the transport was full: the next is read when it has room. */
  #readHeld = false;

  constructor(member: MemberApi, call: StreamCall, context: StreamContext) {
    this.#member = member;
    this.#call = call;
    this.#watchers = member.watch.openStream(this, { progressIntervalMs: context.watchProgressMs() });
    this.#audit = context.audit;
    this.#permits = context.recheckWatches ? new WatchPermits(member.guard, this.#watchers) : null;
  }

  onMessage(message: Buffer): void {
    try {
      const request = decodeWatchRequest(message);
      if (request.kind === WatchKind.CREATE) return this.#create(request.request);
      if (request.kind === WatchKind.CANCEL) this.#cancel(request.request.watchId);
      else if (request.kind === WatchKind.PROGRESS) this.#watchers.progress();
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
      return;
    }
    this.#next();
  }

  #next(): void {
    if (this.#full) this.#readHeld = true;
    else this.#call.read();
  }

  /** Requests are handled in their order: the next is not read before this one's permission is known. */
  #create(request: WatchCreateRequest): void {
    const { guard } = this.#member;
    if (!guard.enabled && this.#permits === null && this.#audit === null) {
      this.#watchers.create(request);
      return this.#next();
    }
    const key = request.key === '' ? '\0' : request.key;
    const refused = {
      fail: (err: ServerError): void => {
        this.#audit?.note(Watch.Watch, request, this.#call, statusOf(err));
        this.#watchers.refuse(refusedReason(err));
        this.#next();
      },
    };
    guard.toRead(key, request.rangeEnd, this.#call, refused, ({ username }) => {
      this.#audit?.note(Watch.Watch, request, this.#call, OK);
      const id = this.#watchers.create(request);
      if (id !== null) this.#permits?.add(id, { username, key, rangeEnd: request.rangeEnd });
      this.#next();
    });
  }

  #cancel(id: WatchId): void {
    this.#permits?.delete(id);
    this.#watchers.cancel(id);
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
    this.#permits?.close();
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
