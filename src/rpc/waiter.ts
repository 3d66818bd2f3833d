import type { MemberApi } from '../server/index.js';
import type { Codec } from '../wire/index.js';
import { Event, EventType, WireError } from '../wire/index.js';
import type { StreamCall, StreamHandlers } from './call.js';
import type { Status } from './errors.js';
import { NO_MESSAGE, OK, SERVER_STATUS, undecodable } from './errors.js';
import { KeyWatch, Requests, unknown } from './keys-in-order.js';
import type { StreamContext } from './route.js';

const COMPACTED = unknown(SERVER_STATUS.ERR_COMPACTED.message);

/**
 * A call with one request and one answer that may be long in coming. To the transport it is a stream: that is how it
 * hears that its client has gone, and lets go of its place in the queue.
 */
export abstract class Waiter<Req> implements StreamHandlers {
  protected readonly member: MemberApi;
  protected readonly call: StreamCall;
  protected readonly requests: Requests;
  /** The call is over: whatever is answered by the member now is not wanted. */
  protected over = false;
  readonly #codec: Codec<Req>;
  readonly #context: StreamContext;
  #asked = false;
  /** Its key stands in the queue, and must not stay there without it. */
  #waits = false;
  #watch: KeyWatch | null = null;

  constructor(member: MemberApi, call: StreamCall, context: StreamContext, codec: Codec<Req>) {
    this.member = member;
    this.call = call;
    this.#codec = codec;
    this.#context = context;
    this.requests = new Requests(member, call, (status) => this.failed(status));
  }

  protected abstract run(request: Req): void;
  /** The client has gone while this waited for others. */
  protected abstract abandon(): void;

  onMessage(message: Buffer): void {
    this.#asked = true;
    try {
      this.run(this.#codec.decode(message));
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.end(undecodable(err.message));
    }
  }

  onHalfClose(): void {
    if (!this.#asked) this.end(NO_MESSAGE);
  }

  onDrain(): void {}

  onClose(): void {
    const hasGone = !this.over;
    this.over = true;
    this.#watch?.close();
    if (hasGone && this.#waits) this.abandon();
  }

  protected reply(response: Buffer): void {
    if (this.over) return;
    this.call.send(response);
    this.end(OK);
  }

  protected end(status: Status): void {
    if (this.over) return;
    this.over = true;
    this.call.end(status);
  }

  /** Requests in the caller's name that are made although the call is over; nobody hears of their failure. */
  protected afterwards(): Requests {
    const { token, certificateName } = this.call;
    return new Requests(this.member, { deadline: 0, token, certificateName }, () => {});
  }

  /** A call to the member was refused. */
  protected failed(status: Status): void {
    this.end(status);
  }

  /**
   * Waits until every key below `name` that was created up to `createRevisionMax` is gone: always for the last of them,
   * which waits for the one in front of it. One watcher wakes for one deletion, not all for each.
   */
  protected waitDeletes(name: string, createRevisionMax: number, next: () => void): void {
    this.#waits = true;
    this.requests.lastBefore(name, createRevisionMax, (revision, kv) => {
      if (this.over) return;
      if (kv === null) return next();
      this.#watch = new KeyWatch(this.member, { key: kv.key, rangeEnd: '' }, revision, (part, watch) => {
        const gone = part.events.some((event) => Event.decode(event).type === EventType.DELETE);
        if (gone) watch.leave(this.#context.defer, () => this.waitDeletes(name, createRevisionMax, next));
        else if (part.canceled) watch.leave(this.#context.defer, () => this.failed(COMPACTED));
        return true;
      });
    });
  }
}
