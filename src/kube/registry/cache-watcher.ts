import type { KubeObject } from '../machinery/object.js';
import type { CacheEvent, EventRing } from './event-ring.js';
import type { ObjectFilter, StoreEvent, StoreWatch, WatchSink } from './object-store.js';
import { tooOldResourceVersion } from './store-error.js';

/** So many events a turn; then other watchers come first. */
const TURN_EVENTS = 200;

/** What a watcher wants of a folder's events. */
export interface WatcherSpec {
  readonly namespace: string;
  readonly name: string | undefined;
  readonly filter: ObjectFilter | undefined;
  readonly bookmarks: boolean;
}

/** The state a watch begins with. */
export interface InitialState {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
  /** Tell by a marked bookmark when all have been given. */
  readonly mark: boolean;
}

/** What a watcher needs of its cache. */
export interface WatcherHost {
  readonly ring: EventRing;
  /** Every event up to here is in the ring or was. */
  readonly revision: number;
  bookmark(revision: number, initialEventsEnd: boolean): StoreEvent;
  gone(watcher: CacheWatcher): void;
}

/**
 * One watch of a folder. It has no queue: it stands at a number in the ring and moves when its sink takes events. A
 * sink that lets the ring pass it by is ended with 410, as if it had come too late.
 */
export class CacheWatcher implements StoreWatch {
  readonly spec: WatcherSpec;
  readonly #host: WatcherHost;
  readonly #sink: WatchSink;
  /** Given before anything of the ring; null when through. */
  #initial: InitialState | null;
  #initialGiven = 0;
  /** Number of the next event. */
  #next: number;
  /** Of the last thing the sink was told, for the text of a 410. */
  #revision: number;
  #paused = false;
  #pumping = false;
  #turn: NodeJS.Immediate | null = null;
  #over = false;

  constructor(host: WatcherHost, spec: WatcherSpec, sink: WatchSink, next: number, revision: number) {
    this.spec = spec;
    this.#host = host;
    this.#sink = sink;
    this.#initial = null;
    this.#next = next;
    this.#revision = revision;
  }

  /** Before the first pump. */
  beginWith(initial: InitialState): void {
    this.#initial = initial;
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    this.pump();
  }

  stop(): void {
    if (this.#over) return;
    this.#finish();
  }

  end(error: Error | null): void {
    if (this.#over) return;
    this.#finish();
    this.#sink.end(error);
  }

  /** A bookmark now, if one is wanted and it would be true: everything before it has been given. */
  bookmark(): void {
    if (!this.spec.bookmarks || this.#over || this.#paused || this.#pumping || this.#initial !== null) return;
    if (this.#next < this.#host.ring.end) return;
    this.#give(this.#host.bookmark(this.#host.revision, false));
  }

  /** Ends if what it still needs is forgotten, also while its sink takes nothing. */
  checkPlace(): void {
    if (this.#over || this.#next >= this.#host.ring.first) return;
    this.end(tooOldResourceVersion(this.#revision, this.#host.ring.oldest));
  }

  /** Gives what there is, a turn's worth at most. */
  pump(): void {
    if (this.#pumping || this.#turn !== null) return;
    this.#pumping = true;
    let left = TURN_EVENTS;
    while (!this.#over && !this.#paused) {
      if (left-- === 0) {
        this.#turn = setImmediate(() => {
          this.#turn = null;
          this.pump();
        });
        break;
      }
      if (this.#initial !== null) this.#giveInitial(this.#initial);
      else if (this.#next < this.#host.ring.first) this.checkPlace();
      else if (this.#next < this.#host.ring.end) this.#giveEvent(this.#host.ring.at(this.#next++));
      else break;
    }
    this.#pumping = false;
  }

  #giveInitial(initial: InitialState): void {
    const object = initial.objects[this.#initialGiven++];
    if (object !== undefined) {
      this.#give({ type: 'ADDED', object, resourceVersion: object.metadata.resourceVersion! });
      return;
    }
    this.#initial = null;
    this.#revision = initial.revision;
    if (initial.mark) this.#give(this.#host.bookmark(initial.revision, true));
  }

  #giveEvent(event: CacheEvent): void {
    const { namespace, name, filter } = this.spec;
    if (namespace !== '' && event.namespace !== namespace) return;
    if (name !== undefined && event.objectName !== name) return;
    const before = event.previous !== null && (filter === undefined || filter(event.previous));
    const after = event.object !== null && (filter === undefined || filter(event.object));
    if (!before && !after) return;
    this.#revision = event.revision;
    this.#give(!after ? event.deleted : before ? event.modified : event.added);
  }

  #give(event: StoreEvent): void {
    if (!this.#sink.event(event)) this.#paused = true;
  }

  #finish(): void {
    this.#over = true;
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    this.#initial = null;
    this.#host.gone(this);
  }
}
