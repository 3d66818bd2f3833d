/**
 * Objects of one storage folder (`/registry/<dir>/`) as a typed store over an etcd v3 API. It knows keys, revisions and JSON;
 * not metadata rules, admission or HTTP. Sources: kubernetes storage layout, list and watch semantics.
 */
import type { KubeObject } from '../machinery/object.js';

/** Tells whether an object is wanted (label and field selectors). */
export type ObjectFilter = (object: KubeObject) => boolean;

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export type VersionMatch = 'Exact' | 'NotOlderThan';

export interface ListOptions {
  /** Empty for all. */
  readonly namespace: string;
  /** Only this object (fieldSelector metadata.name=x). */
  readonly name?: string;
  /** As the client sent it; undefined or '' for the newest. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: VersionMatch;
  /** 0 or undefined for all. */
  readonly limit?: number;
  readonly continue?: string;
  /** Absent: everything (then remainingItemCount is known). */
  readonly filter?: ObjectFilter;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface StoreEvent {
  readonly type: EventType;
  /** Shared between all watchers and frozen by convention: never changed. Of a BOOKMARK only metadata.resourceVersion counts. */
  readonly object: KubeObject;
  /** Revision of the event; also the object's resourceVersion, deletions included. */
  readonly resourceVersion: string;
  /** The bookmark that ends the initial events. */
  readonly initialEventsEnd?: boolean;
}

export interface WatchOptions {
  readonly namespace: string;
  readonly name?: string;
  /** undefined or '': state now, then changes; '0': the same from any state; N: after N. */
  readonly resourceVersion?: string;
  readonly filter?: ObjectFilter;
  readonly bookmarks?: boolean;
  /** State as ADDED (not older than resourceVersion), a bookmark marked as the end of it, then changes. */
  readonly sendInitialEvents?: boolean;
}

/** Who hears of events. Called in order, never at the same time. */
export interface WatchSink {
  /** @returns false when it cannot take more for now; the store then stops and waits for `resume`, within bounds */
  event(event: StoreEvent): boolean;
  /** The last call. `error` is an ApiError's cause of the end (410), or null for a clean close. */
  end(error: Error | null): void;
}

export interface StoreWatch {
  /** The sink can take more again. */
  resume(): void;
  /** A bookmark now, where bookmarks are on and everything before it has been given (before the watch's timeout). */
  bookmark(): void;
  /** No call to the sink after this. */
  stop(): void;
}

/** What a tryUpdate makes of an object: the new one, or one of the two other outcomes. */
export type Updated = { readonly object: KubeObject } | { readonly unchanged: true } | { readonly remove: true };

export interface UpdateOptions {
  /** Checked against what is there at the moment of the write; a mismatch is 409 without a retry. */
  readonly preconditions?: Preconditions;
  /** A missing object is given to tryUpdate as null instead of a 404. */
  readonly allowMissing?: boolean;
  /** An attempt to save a read: where the object was last seen. It may be stale: on conflict the store reads anew. */
  readonly cached?: KubeObject;
  /** Everything but the write. */
  readonly dryRun?: boolean;
}

export interface ObjectStore {
  /** 409 AlreadyExists if the key is there. Answers the object with its resourceVersion. */
  create(namespace: string, name: string, object: KubeObject, options?: { dryRun?: boolean }): Promise<KubeObject>;
  /** 404 if it is not there. @param resourceVersion '0': any state; N: not older than that; undefined: newest */
  get(namespace: string, name: string, resourceVersion?: string): Promise<KubeObject>;
  /**
   * Reads, lets `tryUpdate` make the new object (it may be called again after a conflict), writes by one Txn that
   * compares mod_revision. Bytes that did not change are not written: the same resourceVersion is answered.
   * `tryUpdate` gets an object of its own, which it may change.
   * @returns the object after; for `remove` the one that was removed, with the deletion's resourceVersion
   */
  update(
    namespace: string,
    name: string,
    tryUpdate: (current: KubeObject | null) => Updated | Promise<Updated>,
    options?: UpdateOptions,
  ): Promise<KubeObject>;
  list(options: ListOptions): Promise<ObjectList>;
  /** Starts at once; errors of the start (410, 504) come through the promise, later ones through the sink. */
  watch(options: WatchOptions, sink: WatchSink): Promise<StoreWatch>;
  /** How many objects the cache holds; null if it does not stand. */
  count(): number | null;
}

/** What a store must know to be opened. Kinds that share a folder share a store. */
export interface StoreSpec {
  /** `pods`, `services/specs` */
  readonly dir: string;
  /** Of the stored form. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly ttlSeconds?: number;
}

export interface Registry {
  /** The store of a folder, opened at the first call; kinds that share a folder share its watch cache, which starts with the first list from cache or watch. */
  store(spec: StoreSpec): ObjectStore;
  /** A custom resource went: its watches end, its cache is dropped. */
  close(dir: string): Promise<void>;
  /** Is the store there? Rejects with a 503 or 504 and the reason. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}
