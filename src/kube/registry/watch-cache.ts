import { randomInt } from 'node:crypto';
import type { Header, KeelClient, KeyValue, Watch, WatchBatch } from '../../client/index.js';
import type { Logger } from '../../util/log.js';
import { serviceUnavailable } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { WatcherHost, WatcherSpec } from './cache-watcher.js';
import { CacheWatcher } from './cache-watcher.js';
import { decodeStored } from './codec.js';
import type { RingLimits } from './event-ring.js';
import { CacheEvent, EventRing } from './event-ring.js';
import { Folder } from './folder.js';
import type { CacheEntry } from './folder-cache.js';
import { FolderCache } from './folder-cache.js';
import type { StoreEvent, WatchSink } from './object-store.js';
import { readPast } from './past-events.js';
import type { Rows } from './range-reader.js';
import { readAll } from './range-reader.js';
import { isCompacted, isFuture, tooOldResourceVersion } from './store-error.js';
import type { Timers } from './timers.js';
import { sleep } from './timers.js';

export interface WatchCacheOptions {
  readonly ring: RingLimits;
  /** 0: only on demand. */
  readonly bookmarkIntervalMs: number;
}

/** What a bookmark says it is of. */
export interface ObjectIdentity {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Between attempts to read a folder anew. */
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 5000;
/** How often a member is asked how far a quiet watch has come while somebody waits for it. */
const PROGRESS_EVERY_MS = 150;
/** How long a bookmark waits for an answer to that. */
const PROGRESS_WAIT_MS = 500;
/** How long a member may take to tell the past. */
const PAST_WAIT_MS = 2000;
/** Beside its value, of an object in the cache. */
const EVENT_BYTES = 200;

/**
 * The objects of one folder, kept up to date by one watch of the store, and its recent events; all watches of the API
 * on that folder are served from here.
 *
 *   off --start--> reading --list done--> live --watch lost (compacted)--> live, read anew; what differs become events
 *                     ^                      |
 *                     `-- all is forgotten --'-- the store went back in time: watchers end
 *   any --close--> closed
 */
export class WatchCache implements WatcherHost {
  readonly ring: EventRing;
  readonly #client: KeelClient;
  readonly #folder: Folder;
  readonly #identity: ObjectIdentity;
  readonly #timers: Timers;
  readonly #options: WatchCacheOptions;
  readonly #log: Logger;
  readonly #objects = new FolderCache();
  readonly #watchers = new Set<CacheWatcher>();
  #waiters: { revision: number; wake: () => void }[] = [];
  #state: 'off' | 'reading' | 'live' | 'closed' = 'off';
  #starting: Promise<void> | null = null;
  #watch: Watch | null = null;
  #revision = 0;
  /** Of the store, by quorum reads: it never falls, unless the store was restored. */
  #raftTerm = 0;
  #clusterId = 0n;
  #checking = false;
  /** One reading of the past at a time. */
  #extending: Promise<CacheEvent[] | null> | null = null;
  #bookmarkTimer: unknown = null;

  constructor(
    client: KeelClient,
    folder: Folder,
    identity: ObjectIdentity,
    timers: Timers,
    options: WatchCacheOptions,
    log: Logger,
  ) {
    this.#client = client;
    this.#folder = folder;
    this.#identity = identity;
    this.#timers = timers;
    this.#options = options;
    this.#log = log.with({ caller: 'kube/registry/watch-cache.ts', folder: folder.prefix });
    this.ring = new EventRing(options.ring);
  }

  /** Everything up to here is in it. */
  get revision(): number {
    return this.#revision;
  }

  get live(): boolean {
    return this.#state === 'live';
  }

  get size(): number {
    return this.#objects.size;
  }

  /**
   * Reads the folder and starts to follow it; later calls wait for the same.
   * @param from where somebody wants to watch from: the cache begins there if the store still knows it; 0: now
   * @throws KeelError what the first reading fails with; the next call tries again
   */
  start(from = 0): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(serviceUnavailable());
    if (this.#state === 'live') return Promise.resolve();
    this.#starting ??= this.#begin(from).finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  close(error: Error | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#watch?.cancel();
    this.#watch = null;
    if (this.#bookmarkTimer !== null) this.#timers.clear(this.#bookmarkTimer);
    for (const watcher of [...this.#watchers]) watcher.end(error);
    for (const waiter of this.#waiters.splice(0)) waiter.wake();
    this.#objects.clear();
    this.ring.clear();
  }

  /** @returns the object as last seen, if it is there */
  get(key: string): KubeObject | undefined {
    return this.#objects.get(key)?.object;
  }

  /** The object of a row that was read from the store, if it is the one that is here. */
  known(kv: KeyValue, key: string): KubeObject | undefined {
    const entry = this.#objects.get(key);
    if (entry === undefined || entry.revision !== kv.modRevision) return undefined;
    return entry.createRevision === kv.createRevision && entry.bytes === kv.value.length ? entry.object : undefined;
  }

  /** Objects below a prefix, in the order of keys. */
  list(prefix: string): KubeObject[] {
    return this.#objects.under(prefix).map((entry) => entry.object);
  }

  /** Resolves with whether the cache has come to this revision within the time. */
  async reach(revision: number, ms: number): Promise<boolean> {
    if (this.#revision >= revision) return true;
    const until = this.#timers.now() + ms;
    let wake!: () => void;
    const reached = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const waiter = { revision, wake };
    this.#waiters.push(waiter);
    while (this.#revision < revision && this.#state !== 'closed') {
      const left = until - this.#timers.now();
      if (left <= 0) break;
      this.#watch?.requestProgress();
      await Promise.race([reached, sleep(this.#timers, Math.min(left, PROGRESS_EVERY_MS))]);
    }
    this.#waiters = this.#waiters.filter((w) => w !== waiter);
    return this.#revision >= revision;
  }

  /** State now, then changes. */
  watchFromNow(spec: WatcherSpec, sink: WatchSink, mark: boolean): CacheWatcher {
    const watcher = new CacheWatcher(this, spec, sink, this.ring.end, this.#revision);
    const prefix = this.#folder.scope(spec.namespace);
    const { name, filter } = spec;
    const objects = this.list(prefix).filter(
      (object) => (name === undefined || object.metadata.name === name) && (filter === undefined || filter(object)),
    );
    watcher.beginWith({ objects, revision: this.#revision, mark });
    return this.#add(watcher);
  }

  /** Changes after a revision that the cache has reached. @throws ApiError 410 if it is from before what is remembered */
  async watchAfter(spec: WatcherSpec, sink: WatchSink, revision: number): Promise<CacheWatcher> {
    while (revision < this.ring.oldest) {
      if (!(await this.#extendPast(revision))) throw tooOldResourceVersion(revision, this.ring.oldest);
    }
    return this.#add(new CacheWatcher(this, spec, sink, this.ring.after(revision), revision));
  }

  bookmark(revision: number, initialEventsEnd: boolean): StoreEvent {
    const resourceVersion = String(revision);
    const marks = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const { apiVersion, kind } = this.#identity;
    const object = { kind, apiVersion, metadata: { resourceVersion, creationTimestamp: null, ...marks } };
    return { type: 'BOOKMARK', object, resourceVersion, ...(initialEventsEnd ? { initialEventsEnd } : {}) };
  }

  gone(watcher: CacheWatcher): void {
    this.#watchers.delete(watcher);
  }

  #add(watcher: CacheWatcher): CacheWatcher {
    this.#watchers.add(watcher);
    // Not before the caller has it in hand: the sink may want to stop it at the first event.
    setImmediate(() => watcher.pump());
    return watcher;
  }

  /** Puts what the store still knows of before in front of the ring. @returns false if that cannot be */
  async #extendPast(revision: number): Promise<boolean> {
    if (this.#extending !== null) {
      await this.#extending;
      return true;
    }
    if (!this.ring.extensible || this.closed) return false;
    const oldest = this.ring.oldest;
    const { maxEvents, maxBytes } = this.#options.ring;
    const limits = { maxEvents: maxEvents / 2, maxBytes: maxBytes / 2, waitMs: PAST_WAIT_MS };
    const entry = (kv: KeyValue) => this.#entry(kv);
    const reading = readPast(
      { client: this.#client, folder: this.#folder, timers: this.#timers, limits, entry },
      revision,
      oldest,
    );
    this.#extending = reading.finally(() => {
      this.#extending = null;
    });
    const events = await this.#extending;
    if (events === null || !this.ring.extensible || this.ring.oldest !== oldest) return false;
    // Numbers below the first are given out anew: nobody may stand there.
    for (const watcher of [...this.#watchers]) watcher.checkPlace();
    this.ring.prepend(events, revision);
    return true;
  }

  async #begin(from: number): Promise<void> {
    this.#state = 'reading';
    try {
      const rows = await this.#readFrom(from);
      if (this.closed) throw serviceUnavailable();
      this.#fill(rows);
      this.#follow();
      this.#armBookmarks();
    } catch (err) {
      if (!this.closed) this.#state = 'off';
      throw err;
    }
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  async #readFrom(from: number): Promise<Rows> {
    if (from > 0) {
      try {
        return await readAll(this.#client, this.#folder.prefix, from);
      } catch (err) {
        if (!isCompacted(err) && !isFuture(err)) throw err;
      }
    }
    return readAll(this.#client, this.#folder.prefix, 0);
  }

  #fill(rows: Rows): void {
    this.#objects.clear();
    for (const kv of rows.kvs) {
      const entry = this.#entry(kv);
      if (entry !== null) this.#objects.set(entry);
    }
    this.#note(rows);
    this.ring.startAt(rows.revision);
    this.#advance(rows.revision);
  }

  #note(rows: { raftTerm: number; clusterId: bigint }): void {
    this.#raftTerm = rows.raftTerm;
    this.#clusterId = rows.clusterId;
  }

  #entry(kv: KeyValue): CacheEntry | null {
    const key = kv.key.toString('utf8');
    const at = this.#folder.parse(key);
    if (at === null) return null;
    try {
      const { modRevision: revision, createRevision } = kv;
      const object = decodeStored(kv.value, revision);
      return { key, ...at, revision, createRevision, object, bytes: kv.value.length };
    } catch (err) {
      this.#log.warn('a stored object cannot be read', { key, error: (err as Error).message });
      return null;
    }
  }

  #follow(): void {
    this.#state = 'live';
    const watch = this.#client.watch(this.#folder.prefix, {
      rangeEnd: Folder.end(this.#folder.prefix),
      startRevision: this.#revision + 1,
      progressNotify: true,
    });
    this.#watch = watch;
    watch.on('batch', (batch) => {
      if (this.#watch === watch) this.#apply(batch);
    });
    watch.on('interrupted', () => void this.#checkTime(watch));
    watch.on('error', (error) => {
      if (this.#watch !== watch) return;
      this.#watch = null;
      // The client itself was closed: there is nothing left to read from.
      if (error.code === 'ERR_CANCELED') return this.close(null);
      this.#log.info('the watch of the store ended; reading anew', { error: error.message });
      void this.#readAgain(false);
    });
  }

  #apply(batch: WatchBatch): void {
    for (const { type, kv } of batch.events) {
      const key = kv.key.toString('utf8');
      if (type === 'delete') this.#remove(key, kv.modRevision);
      else this.#put(kv, key);
    }
    const last = batch.events[batch.events.length - 1];
    // A batch with events may be behind its header; only one without speaks for all of it.
    this.#advance(last === undefined ? batch.header.revision : last.kv.modRevision);
    if (last !== undefined) this.#pump();
  }

  #put(kv: KeyValue, key: string): void {
    const entry = this.#entry(kv);
    // What cannot be read is not there for our clients.
    if (entry === null) return this.#remove(key, kv.modRevision);
    const before = this.#objects.set(entry);
    const bytes = kv.value.length + EVENT_BYTES;
    this.ring.push(new CacheEvent(entry, entry.revision, entry.object, before?.object ?? null, bytes));
  }

  #remove(key: string, revision: number): void {
    const before = this.#objects.delete(key);
    if (before === undefined) return;
    this.ring.push(new CacheEvent(before, revision, null, before.object, before.bytes + EVENT_BYTES));
  }

  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) if (waiter.revision <= this.#revision) waiter.wake();
  }

  #pump(): void {
    for (const watcher of this.#watchers) watcher.pump();
  }

  /**
   * After a break: is the store still the one we know? One that was restored from a copy has an older revision, or at
   * least an older term, and would never tell us what happened to it.
   */
  async #checkTime(watch: Watch): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      const header = await this.#quorumHeader(watch);
      if (header === null || this.#watch !== watch) return;
      if (this.#wentBack(header)) {
        this.#watch = null;
        watch.cancel();
        this.#log.warn('the store is older than it was: it was restored', { revision: header.revision });
        await this.#readAgain(true);
      } else this.#note(header);
    } finally {
      this.#checking = false;
    }
  }

  #wentBack(header: Header | Rows): boolean {
    const { revision, raftTerm, clusterId } = header;
    return revision < this.#revision || raftTerm < this.#raftTerm || clusterId !== this.#clusterId;
  }

  async #quorumHeader(watch: Watch): Promise<Header | null> {
    for (let attempt = 0; this.#watch === watch && !this.closed; attempt++) {
      try {
        return (await this.#client.get(this.#folder.prefix)).header;
      } catch {
        await this.#backOff(attempt);
      }
    }
    return null;
  }

  /** @param forget the store is another one: nothing of what we had is a state before what it has */
  #readAgain(forget: boolean): Promise<void> {
    const done = this.#readUntilDone(forget);
    if (forget) {
      this.#state = 'reading';
      this.#forget();
      this.#starting = done.finally(() => {
        this.#starting = null;
      });
    }
    return done;
  }

  async #readUntilDone(forget: boolean): Promise<void> {
    for (let attempt = 0; !this.closed; attempt++) {
      try {
        const rows = await readAll(this.#client, this.#folder.prefix, 0);
        if (this.closed) return;
        if (!forget && this.#wentBack(rows)) {
          this.#forget();
          this.#fill(rows);
        } else if (forget) this.#fill(rows);
        else this.#catchUp(rows);
        this.#follow();
        this.#pump();
        return;
      } catch (err) {
        this.#log.warn('a folder could not be read', { error: (err as Error).message });
        await this.#backOff(attempt);
      }
    }
  }

  #forget(): void {
    const error = tooOldResourceVersion(this.#revision, 0);
    for (const watcher of [...this.#watchers]) watcher.end(error);
    this.#objects.clear();
    this.ring.clear();
    this.#revision = 0;
  }

  /** History has a hole: what differs between then and now become events, for those who watch. */
  #catchUp(rows: Rows): void {
    const seen = new Set<string>();
    const changed: CacheEntry[] = [];
    for (const kv of rows.kvs) {
      const key = kv.key.toString('utf8');
      const old = this.#objects.get(key);
      const entry = old?.revision === kv.modRevision ? old : this.#entry(kv);
      if (entry === null) continue;
      seen.add(key);
      if (entry !== old) changed.push(entry);
    }
    // An object that was deleted and made again under its name is two events; the deletion's own revision is lost.
    const reborn = (entry: CacheEntry) => entry.createRevision > this.#revision && this.#objects.get(entry.key);
    changed.sort((a, b) => a.revision - b.revision);
    const removed = [...this.#objects.entries()].filter((entry) => !seen.has(entry.key));
    for (const entry of changed) {
      if (reborn(entry)) this.#remove(entry.key, entry.createRevision);
      const before = this.#objects.set(entry);
      const bytes = entry.bytes + EVENT_BYTES;
      this.ring.push(new CacheEvent(entry, entry.revision, entry.object, before?.object ?? null, bytes));
    }
    for (const entry of removed) this.#remove(entry.key, rows.revision);
    this.#note(rows);
    this.ring.startAt(rows.revision);
    this.#advance(rows.revision);
  }

  #backOff(attempt: number): Promise<void> {
    const ms = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt, 10));
    return sleep(this.#timers, ms + randomInt(Math.ceil(ms / 2) + 1));
  }

  #armBookmarks(): void {
    if (this.#options.bookmarkIntervalMs <= 0 || this.#bookmarkTimer !== null) return;
    this.#bookmarkTimer = this.#timers.set(this.#options.bookmarkIntervalMs, () => {
      this.#bookmarkTimer = null;
      void this.#bookmarks().finally(() => {
        if (!this.closed) this.#armBookmarks();
      });
    });
  }

  async #bookmarks(): Promise<void> {
    const wanting = [...this.#watchers].filter((watcher) => watcher.spec.bookmarks);
    if (wanting.length === 0 || !this.live) return;
    // A quiet folder's revision moves only when the member is asked.
    await this.reach(this.#revision + 1, PROGRESS_WAIT_MS);
    for (const watcher of wanting) watcher.bookmark();
  }
}
