import type { KeelClient, KeyValue, WatchBatch, WatchEvent } from '../../client/index.js';
import type { KubeObject } from '../machinery/object.js';
import { CacheEvent } from './event-ring.js';
import { Folder } from './folder.js';
import type { CacheEntry } from './folder-cache.js';
import type { Timers } from './timers.js';

/** What may be read of the past for one watch. */
export interface PastLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly waitMs: number;
}

export interface PastOptions {
  readonly client: KeelClient;
  readonly folder: Folder;
  readonly timers: Timers;
  readonly limits: PastLimits;
  /** A row as an object; null for one that cannot be read. */
  readonly entry: (kv: KeyValue) => CacheEntry | null;
}

/** How often the member is asked whether that was all. */
const PROGRESS_EVERY_MS = 50;

/**
 * The events of a folder after one revision up to another, from the store's own history: for a watch from before what
 * is remembered, as after a restart. Null if the store no longer knows them all, or they are too many.
 */
export function readPast(options: PastOptions, after: number, until: number): Promise<CacheEvent[] | null> {
  return new Promise((resolve) => new Reading(options, after, until, resolve));
}

class Reading {
  readonly #options: PastOptions;
  readonly #until: number;
  readonly #resolve: (events: CacheEvent[] | null) => void;
  readonly #watch;
  readonly #events: CacheEvent[] = [];
  /** Objects as of the event before, by key: the next event's previous one is the same object. */
  readonly #last = new Map<string, KubeObject>();
  #bytes = 0;
  #asking: unknown = null;
  readonly #deadline: unknown;
  #over = false;

  constructor(options: PastOptions, after: number, until: number, resolve: (events: CacheEvent[] | null) => void) {
    this.#options = options;
    this.#until = until;
    this.#resolve = resolve;
    const { client, folder, timers, limits } = options;
    const rangeEnd = Folder.end(folder.prefix);
    this.#watch = client.watch(folder.prefix, { rangeEnd, startRevision: after + 1, prevKv: true });
    this.#watch.on('batch', (batch) => this.#take(batch));
    this.#watch.on('error', () => this.#end(null));
    const ask = () => {
      this.#watch.requestProgress();
      this.#asking = timers.set(PROGRESS_EVERY_MS, ask);
    };
    this.#watch.once('created', ask);
    this.#deadline = timers.set(limits.waitMs, () => this.#end(null));
  }

  #take(batch: WatchBatch): void {
    if (this.#over) return;
    for (const event of batch.events) {
      if (event.kv.modRevision > this.#until) return this.#end(this.#events);
      if (!this.#add(event)) return this.#end(null);
    }
    const last = batch.events[batch.events.length - 1];
    if ((last === undefined ? batch.header.revision : last.kv.modRevision) >= this.#until) this.#end(this.#events);
  }

  /** @returns false where the past has a hole, or is too much */
  #add({ type, kv, prevKv }: WatchEvent): boolean {
    const { folder, entry, limits } = this.#options;
    const key = kv.key.toString('utf8');
    const at = folder.parse(key);
    if (at === null) return true;
    const isNew = type === 'put' && kv.createRevision === kv.modRevision;
    if (!isNew && prevKv === null) return false;
    const previous = isNew ? null : (this.#last.get(key) ?? entry(prevKv!)?.object ?? null);
    const object = type === 'put' ? (entry(kv)?.object ?? null) : null;
    if (object === null) this.#last.delete(key);
    else this.#last.set(key, object);
    if (object === null && previous === null) return true;
    const event = new CacheEvent(at, kv.modRevision, object, previous, kv.value.length);
    this.#events.push(event);
    this.#bytes += event.bytes;
    return this.#events.length <= limits.maxEvents && this.#bytes <= limits.maxBytes;
  }

  #end(events: CacheEvent[] | null): void {
    if (this.#over) return;
    this.#over = true;
    const { timers } = this.#options;
    timers.clear(this.#deadline);
    if (this.#asking !== null) timers.clear(this.#asking);
    this.#watch.cancel();
    this.#resolve(events);
  }
}
