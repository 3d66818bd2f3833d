import type { KeelClient, KeyValue, LeaseId, TxnResult } from '../../client/index.js';
import { Compare, KeelError, Op } from '../../client/index.js';
import { ApiError, alreadyExists, conflict, notFound } from '../machinery/api-error.js';
import { copyJson } from '../machinery/json-value.js';
import type { KubeObject } from '../machinery/object.js';
import { encodeStored, sameStored, withResourceVersion } from './codec.js';
import type { Folder } from './folder.js';
import { KeyQueue } from './key-queue.js';
import { ListPages } from './list-pages.js';
import { ObjectReader } from './object-reader.js';
import type {
  ListOptions,
  ObjectFilter,
  ObjectList,
  ObjectStore,
  Preconditions,
  StoreSpec,
  StoreWatch,
  Updated,
  UpdateOptions,
  WatchOptions,
  WatchSink,
} from './object-store.js';
import { checkListQuery, listPoint, readPoint } from './read-point.js';
import { asApiError, storeError, tooLargeResourceVersion } from './store-error.js';
import type { Timers } from './timers.js';
import type { TtlLeases } from './ttl-leases.js';
import type { WatchCache } from './watch-cache.js';

/** Each lost race is somebody else's success; whoever loses so many is told so. */
const ATTEMPTS_MAX = 100;
/** Lost so often, it stands in line. */
const ATTEMPTS_EAGER = 2;
/** Somebody before us may be asking a webhook. */
const QUEUE_WAIT_MS = 2000;

/** What is there now, as an update sees it. */
interface Current {
  /** Null: nothing. Not to be changed. */
  readonly object: KubeObject | null;
  readonly revision: number;
  /** Read by quorum since the update began; else it may be stale. */
  readonly fresh: boolean;
}

export interface FolderStoreParts {
  readonly client: KeelClient;
  readonly spec: StoreSpec;
  readonly folder: Folder;
  readonly cache: WatchCache;
  readonly leases: TtlLeases;
  readonly timers: Timers;
  /** How long a revision that is not there yet is waited for, and what became of a write whose fate is unknown. */
  readonly freshnessWaitMs: number;
}

/** The ObjectStore of one folder. */
export class FolderStore implements ObjectStore {
  readonly #client: KeelClient;
  readonly #spec: StoreSpec;
  readonly #folder: Folder;
  readonly #cache: WatchCache;
  readonly #leases: TtlLeases;
  readonly #freshnessWaitMs: number;
  readonly #reader: ObjectReader;
  readonly #pages: ListPages;
  readonly #queue: KeyQueue;

  constructor(parts: FolderStoreParts) {
    this.#client = parts.client;
    this.#spec = parts.spec;
    this.#folder = parts.folder;
    this.#cache = parts.cache;
    this.#leases = parts.leases;
    this.#freshnessWaitMs = parts.freshnessWaitMs;
    this.#reader = new ObjectReader(parts.client, parts.cache, parts.timers, parts.freshnessWaitMs);
    this.#pages = new ListPages(parts.client, this.#reader);
    this.#queue = new KeyQueue(parts.timers, QUEUE_WAIT_MS);
  }

  count(): number | null {
    return this.#cache.live ? this.#cache.size : null;
  }

  async create(
    namespace: string,
    name: string,
    object: KubeObject,
    options: { dryRun?: boolean } = {},
  ): Promise<KubeObject> {
    const key = this.#folder.key(namespace, name);
    if (options.dryRun) {
      const { kv } = await asApiError(this.#reader.row(key));
      if (kv !== null) throw alreadyExists(this.#spec, name);
      return object;
    }
    const value = encodeStored(object);
    let result: TxnResult;
    try {
      result = await this.#write(key, 0, value);
    } catch (err) {
      const found = await this.#lookAgain(err, key);
      const theirs = found === null ? null : this.#reader.decode(found);
      if (found === null || theirs === null) throw uncertain(err);
      if (theirs.metadata.uid === undefined || theirs.metadata.uid !== object.metadata.uid) {
        throw alreadyExists(this.#spec, name);
      }
      return theirs;
    }
    if (!result.succeeded) throw alreadyExists(this.#spec, name);
    return withResourceVersion(object, result.header.revision);
  }

  async get(namespace: string, name: string, resourceVersion?: string): Promise<KubeObject> {
    const key = this.#folder.key(namespace, name);
    const point = readPoint(resourceVersion);
    const least = point.from === 'at-least' ? point.revision : 0;
    if (point.from !== 'newest' && this.#cache.live && this.#cache.revision >= least) {
      const object = this.#cache.get(key);
      if (object === undefined) throw notFound(this.#spec, name);
      return object;
    }
    const { kv } = await asApiError(this.#reader.row(key, least));
    if (kv === null) throw notFound(this.#spec, name);
    return this.#reader.decode(kv);
  }

  async update(
    namespace: string,
    name: string,
    tryUpdate: (current: KubeObject | null) => Updated | Promise<Updated>,
    options: UpdateOptions = {},
  ): Promise<KubeObject> {
    const key = this.#folder.key(namespace, name);
    let leave = this.#queue.busy(key) ? await this.#queue.enter(key) : null;
    try {
      let current = this.#firstLook(key, options) ?? (await this.#read(key));
      for (let attempt = 1; ; attempt++) {
        let updated: Updated;
        try {
          updated = await this.#attempt(name, current, tryUpdate, options);
        } catch (err) {
          // What was refused in a stale state may be right in the present one.
          if (current.fresh) throw err;
          current = await this.#read(key);
          continue;
        }
        const done = await this.#settle(key, name, current, updated, options);
        if ('object' in done) return done.object;
        current = done.current;
        if (attempt >= ATTEMPTS_MAX) throw conflict(this.#spec, name);
        if (leave !== null || attempt < ATTEMPTS_EAGER) continue;
        leave = await this.#queue.enter(key);
        // Others came first in the meantime.
        current = await this.#read(key);
      }
    } finally {
      leave?.();
    }
  }

  async list(options: ListOptions): Promise<ObjectList> {
    checkListQuery(options);
    const { filter, scope } = this.#select(options);
    const point = listPoint(options);
    if (!options.continue) {
      const fromCache = await this.#listFromCache(scope, filter, point, options.limit ?? 0);
      if (fromCache !== null) return fromCache;
    }
    return asApiError(this.#pages.list(scope, options, filter, point));
  }

  async watch(options: WatchOptions, sink: WatchSink): Promise<StoreWatch> {
    const { name, filter, bookmarks = false, sendInitialEvents = false } = options;
    const point = readPoint(options.resourceVersion);
    const least = point.from === 'at-least' ? point.revision : 0;
    await asApiError(this.#cache.start(sendInitialEvents ? 0 : least));
    // "The state now" is what a quorum has, not what this cache has heard of.
    const wanted = point.from === 'newest' ? await asApiError(this.#reader.revision()) : least;
    if (!(await this.#cache.reach(wanted, this.#freshnessWaitMs))) {
      throw tooLargeResourceVersion(wanted, this.#cache.revision);
    }
    const spec = { namespace: options.namespace, name, filter, bookmarks };
    const stateFirst = sendInitialEvents || point.from !== 'at-least';
    if (stateFirst) return this.#cache.watchFromNow(spec, sink, sendInitialEvents);
    return this.#cache.watchAfter(spec, sink, least);
  }

  /** A list that the cache may answer; null if it must come from the store. */
  async #listFromCache(
    scope: string,
    filter: ObjectFilter | undefined,
    point: ReturnType<typeof listPoint>,
    limit: number,
  ): Promise<ObjectList | null> {
    if (point.from === 'any') await asApiError(this.#cache.start());
    else if (point.from !== 'at-least' || limit > 0 || !this.#cache.live) return null;
    else if (this.#cache.revision < point.revision) return null;
    const all = this.#cache.list(scope);
    const items = filter === undefined ? all : all.filter(filter);
    return { items, resourceVersion: String(this.#cache.revision) };
  }

  /** Which keys, and which of them: a name narrows like a filter. */
  #select(options: ListOptions): { scope: string; filter: ObjectFilter | undefined } {
    const { name, filter } = options;
    const scope = this.#folder.scope(options.namespace);
    if (name === undefined) return { scope, filter };
    const named: ObjectFilter = (object) => object.metadata.name === name && (filter === undefined || filter(object));
    return { scope, filter: named };
  }

  #firstLook(key: string, options: UpdateOptions): Current | null {
    const object = options.cached ?? (this.#cache.live ? this.#cache.get(key) : undefined);
    if (object === undefined) return null;
    return { object, revision: Number(object.metadata.resourceVersion), fresh: false };
  }

  async #read(key: string): Promise<Current> {
    const { kv } = await asApiError(this.#reader.row(key));
    return this.#currentOf(kv);
  }

  #currentOf(kv: KeyValue | null): Current {
    return { object: kv === null ? null : this.#reader.decode(kv), revision: kv?.modRevision ?? 0, fresh: true };
  }

  async #attempt(
    name: string,
    current: Current,
    tryUpdate: (current: KubeObject | null) => Updated | Promise<Updated>,
    options: UpdateOptions,
  ): Promise<Updated> {
    if (current.object === null && !options.allowMissing) throw notFound(this.#spec, name);
    if (current.object !== null) this.#checkPreconditions(name, current.object, options.preconditions);
    return tryUpdate(copyJson(current.object));
  }

  #checkPreconditions(name: string, object: KubeObject, wanted: Preconditions | undefined): void {
    if (wanted === undefined) return;
    const { uid, resourceVersion } = object.metadata;
    if (wanted.uid !== undefined && wanted.uid !== uid) {
      const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid ?? ''}`;
      throw conflict(this.#spec, name, why);
    }
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
      throw conflict(this.#spec, name, why);
    }
  }

  /** Writes the outcome of an attempt. @returns the object after it, or what is there now if somebody was faster */
  async #settle(
    key: string,
    name: string,
    current: Current,
    updated: Updated,
    options: UpdateOptions,
  ): Promise<{ object: KubeObject } | { current: Current }> {
    if ('remove' in updated) return this.#remove(key, name, current, options);
    const { object } = current;
    const next = 'object' in updated ? updated.object : null;
    if (next === null || (object !== null && sameStored(next, object))) {
      if (object === null) throw notFound(this.#spec, name);
      return current.fresh ? { object } : this.#stillThere(key, current);
    }
    if (options.dryRun) return { object: object === null ? next : withResourceVersion(next, current.revision) };
    const result = await this.#orUncertain(this.#write(key, current.revision, encodeStored(next)));
    if (result.succeeded) return { object: withResourceVersion(next, result.header.revision) };
    return { current: this.#currentOf(rowOf(result)) };
  }

  /** Nothing is to be written; but is what we compared with what is there? */
  async #stillThere(key: string, current: Current): Promise<{ object: KubeObject } | { current: Current }> {
    const now = await this.#read(key);
    return now.revision === current.revision && now.object !== null ? { object: now.object } : { current: now };
  }

  async #remove(
    key: string,
    name: string,
    current: Current,
    options: UpdateOptions,
  ): Promise<{ object: KubeObject } | { current: Current }> {
    const { object, revision } = current;
    if (object === null) throw notFound(this.#spec, name);
    if (options.dryRun) return { object };
    const removal = this.#client.txn({
      compare: [Compare.modRevision(key, '=', revision)],
      success: [Op.delete(key)],
      failure: [Op.get(key)],
    });
    const result = await this.#orUncertain(removal);
    if (result.succeeded) return { object: withResourceVersion(object, result.header.revision) };
    return { current: this.#currentOf(rowOf(result)) };
  }

  /** Puts the value if the key is as it was seen (0: not there), else answers what is there. */
  async #write(key: string, seen: number, value: Buffer): Promise<TxnResult> {
    const ttl = this.#spec.ttlSeconds;
    if (ttl === undefined) return this.#put(key, seen, value, 0n);
    try {
      return await this.#put(key, seen, value, await this.#leases.lease(ttl));
    } catch (err) {
      if (!(err instanceof KeelError && err.code === 'ERR_LEASE_NOT_FOUND')) throw err;
      this.#leases.forget(ttl);
      return this.#put(key, seen, value, await this.#leases.lease(ttl));
    }
  }

  #put(key: string, seen: number, value: Buffer, lease: LeaseId): Promise<TxnResult> {
    return this.#client.txn({
      compare: [Compare.modRevision(key, '=', seen)],
      success: [Op.put(key, value, { lease })],
      failure: [Op.get(key)],
    });
  }

  /**
   * A write over what is there cannot be told from another one's afterwards: two who count the same counter up write
   * the same bytes. If its fate is unknown, that is what is told.
   */
  async #orUncertain(write: Promise<TxnResult>): Promise<TxnResult> {
    try {
      return await write;
    } catch (err) {
      throw err instanceof KeelError && err.mayHaveHappened ? uncertain(err) : storeError(err);
    }
  }

  /**
   * After a create that failed: what is there now, if it may have happened all the same.
   * @throws ApiError the failure's, if it certainly did not happen or nobody can tell
   */
  async #lookAgain(err: unknown, key: string): Promise<KeyValue | null> {
    if (!(err instanceof KeelError) || !err.mayHaveHappened) throw storeError(err);
    try {
      return (await this.#client.get(key, { timeoutMs: this.#freshnessWaitMs })).kvs[0] ?? null;
    } catch {
      throw uncertain(err);
    }
  }
}

function rowOf(result: TxnResult): KeyValue | null {
  const answer = result.responses[0];
  return answer?.type === 'range' ? (answer.kvs[0] ?? null) : null;
}

/**
 * The write may yet come about: that is for the client to find out. No time to come back is told, since clients would
 * send it again by themselves.
 */
function uncertain(err: unknown): unknown {
  const told = storeError(err);
  const open = told instanceof ApiError && (told.code === 503 || told.code === 504);
  return open ? new ApiError(504, 'Timeout', `Timeout: ${(err as Error).message}`, {}) : told;
}
