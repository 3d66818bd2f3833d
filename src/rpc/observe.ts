import type { WatchPart } from '../mvcc/index.js';
import type { MemberApi } from '../server/index.js';
import type { KeyValue } from '../wire/index.js';
import { Event, EventType, LeaderRequest, LeaderResponse, WireError } from '../wire/index.js';
import type { StreamCall, StreamHandlers } from './call.js';
import { NO_MESSAGE, undecodableInStream } from './errors.js';
import { headerOf } from './header.js';
import { KeyWatch, prefixOf, Requests, unknown } from './keys-in-order.js';
import type { StreamContext } from './route.js';

/**
 * Tells who leads, from now on and for as long as the client listens (etcd semantics §11). It looks who leads, tells,
 * and follows that key until it is deleted; then it looks again. While nobody leads it waits for the first key.
 */
export class ObserveCall implements StreamHandlers {
  readonly #member: MemberApi;
  readonly #call: StreamCall;
  readonly #context: StreamContext;
  readonly #requests: Requests;
  #name: string | null = null;
  #watch: KeyWatch | null = null;
  #full = false;
  #over = false;

  constructor(member: MemberApi, call: StreamCall, context: StreamContext) {
    this.#member = member;
    this.#call = call;
    this.#context = context;
    this.#requests = new Requests(member, call, () => this.#endEarly());
  }

  onMessage(message: Buffer): void {
    if (this.#name !== null) return;
    try {
      this.#name = LeaderRequest.decode(message).name;
      this.#look(this.#name);
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
    }
  }

  onHalfClose(): void {
    if (this.#name === null) this.#call.end(NO_MESSAGE);
  }

  onDrain(): void {
    this.#full = false;
    this.#watch?.resume();
  }

  onClose(): void {
    this.#over = true;
    this.#watch?.close();
  }

  #look(name: string): void {
    this.#requests.first(name, (revision, kv) => {
      if (this.#over) return;
      if (kv === null) return this.#await(name, revision);
      this.#tell(kv, revision);
      this.#follow(name, kv.key, revision + 1);
    });
  }

  /** Waits for somebody to stand. */
  #await(name: string, revision: number): void {
    this.#watch = new KeyWatch(this.#member, prefixOf(name), revision, (part, watch) => {
      const put = part.events.map((event) => Event.decode(event)).find((event) => event.type === EventType.PUT);
      const kv = put?.kv ?? null;
      if (kv !== null) {
        // The part may hold several revisions: it is this one's leader.
        this.#tell(kv, kv.modRevision);
        watch.leave(this.#context.defer, () => this.#follow(name, kv.key, kv.modRevision + 1));
      } else if (part.canceled) watch.leave(this.#context.defer, () => this.#endEarly());
      return !this.#full;
    });
  }

  #follow(name: string, key: string, startRevision: number): void {
    let deleted = false;
    const listener = (part: WatchPart, watch: KeyWatch): boolean => {
      for (const bytes of part.events) {
        const { type, kv } = Event.decode(bytes);
        if (deleted || kv === null) break;
        if (type === EventType.DELETE) deleted = true;
        else this.#tell(kv, part.revision);
      }
      if (deleted) watch.leave(this.#context.defer, () => this.#look(name));
      else if (part.canceled) watch.leave(this.#context.defer, () => this.#endEarly());
      return !this.#full;
    };
    this.#watch = new KeyWatch(this.#member, { key, rangeEnd: '' }, startRevision, listener);
  }

  #tell(kv: KeyValue, revision: number): void {
    const response = LeaderResponse.encode({ header: headerOf(this.#member, revision), kv });
    if (!this.#call.send(response)) this.#full = true;
  }

  #endEarly(): void {
    if (!this.#over) this.#call.end(unknown('election: observe closed early'));
  }
}
