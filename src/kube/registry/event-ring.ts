import { RingBuffer } from '../../util/ring-buffer.js';
import type { KubeObject } from '../machinery/object.js';
import { withResourceVersion } from './codec.js';
import type { StoreEvent } from './object-store.js';

/** One change of one object, as all watchers share it. */
export class CacheEvent {
  readonly namespace: string;
  readonly objectName: string;
  readonly revision: number;
  /** Null: it was deleted. */
  readonly object: KubeObject | null;
  /** Null: it was not there. */
  readonly previous: KubeObject | null;
  /** About what it costs to remember it. */
  readonly bytes: number;
  #added: StoreEvent | null = null;
  #modified: StoreEvent | null = null;
  #deleted: StoreEvent | null = null;

  constructor(
    at: { readonly namespace: string; readonly name: string },
    revision: number,
    object: KubeObject | null,
    previous: KubeObject | null,
    bytes: number,
  ) {
    this.namespace = at.namespace;
    this.objectName = at.name;
    this.revision = revision;
    this.object = object;
    this.previous = previous;
    this.bytes = bytes;
  }

  get added(): StoreEvent {
    return (this.#added ??= this.#event('ADDED', this.object!));
  }

  get modified(): StoreEvent {
    return (this.#modified ??= this.#event('MODIFIED', this.object!));
  }

  /** Carries the object as it last was to the watcher, with the revision of the change that took it away. */
  get deleted(): StoreEvent {
    return (this.#deleted ??= this.#event('DELETED', withResourceVersion(this.previous!, this.revision)));
  }

  #event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): StoreEvent {
    return { type, object, resourceVersion: String(this.revision) };
  }
}

export interface RingLimits {
  /** So many are remembered whatever they weigh. */
  readonly minEvents: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/**
 * The recent events of a folder, numbered without gaps. Watchers stand at a number; what is in between is what they
 * still get, so a slow one costs nothing but its number.
 */
export class EventRing {
  readonly #limits: RingLimits;
  readonly #events = new RingBuffer<CacheEvent>(64);
  #bytes = 0;
  /** Number of the oldest that is remembered. */
  #first = 0;
  /** A watch may start after this revision, not before. */
  #oldest = 0;
  /** Events before this number are for those who stand there, not for new watches: some between them are not known. */
  #startable = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#first + this.#events.length;
  }

  get oldest(): number {
    return this.#oldest;
  }

  at(number: number): CacheEvent {
    return this.#events.at(number - this.#first);
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.bytes;
    const { minEvents, maxEvents, maxBytes } = this.#limits;
    while (this.#events.length > maxEvents || (this.#bytes > maxBytes && this.#events.length > minEvents)) {
      const gone = this.#events.shift()!;
      this.#bytes -= gone.bytes;
      this.#first++;
      if (this.#first > this.#startable) this.#oldest = Math.max(this.#oldest, gone.revision);
    }
  }

  /** History is complete from this revision on, and not before: new watches start there or later. */
  startAt(revision: number): void {
    this.#oldest = revision;
    this.#startable = this.end;
  }

  /** May older events be put in front? Not where some are forgotten already, or the past has a hole. */
  get extensible(): boolean {
    return this.#startable <= this.#first && this.#events.length < this.#limits.maxEvents / 2;
  }

  /** Older events, all of them after `oldest` and up to what was the oldest until now. */
  prepend(events: readonly CacheEvent[], oldest: number): void {
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i]!;
      if (event.revision > this.#oldest) continue;
      this.#events.unshift(event);
      this.#bytes += event.bytes;
      this.#first--;
      this.#startable--;
    }
    this.#oldest = oldest;
  }

  /** Forgets all; numbers go on. */
  clear(): void {
    this.#first = this.end;
    this.#events.clear();
    this.#bytes = 0;
  }

  /** Number of the first event after a revision; the revision is not below `oldest`. */
  after(revision: number): number {
    let low = Math.max(this.#first, this.#startable);
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
