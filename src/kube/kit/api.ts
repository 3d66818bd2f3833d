/**
 * What a controller is written against: a client of the Kubernetes API, informers, a work queue, events, time. Nothing here
 * knows the server: everything goes over HTTP, as it would for a program of a user. The classes behind these shapes are in
 * this folder; tests and simulated time hand in others.
 */
import type { JsonObject, KubeObject, ListMeta } from '../machinery/object.js';

/** A resource of the API: `{ group: 'apps', version: 'v1', plural: 'deployments' }`. */
export interface Gvr {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface ObjectListing {
  readonly metadata: ListMeta;
  /** With apiVersion and kind, though items of a list on the wire omit them. */
  readonly items: KubeObject[];
}

export interface ListQuery {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface DeleteQuery {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  /** Only if it still is the object of this uid (and version). */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

export interface WatchEventFromServer {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** All calls reject with an ApiStatusError when the server refuses, and with another Error when it cannot be reached. */
export interface ResourceClient {
  readonly gvr: Gvr;
  /** Namespace '' for cluster-scoped ones, and for all namespaces in list and watch. */
  get(namespace: string, name: string): Promise<KubeObject>;
  list(namespace: string, query?: ListQuery): Promise<ObjectListing>;
  create(namespace: string, object: KubeObject): Promise<KubeObject>;
  /** PUT; with the object's resourceVersion a comparison. @param subresource `status`, `scale` ... */
  update(namespace: string, object: KubeObject, subresource?: string): Promise<KubeObject>;
  patch(
    namespace: string,
    name: string,
    kind: PatchKind,
    body: JsonObject | readonly JsonObject[],
    options?: { readonly subresource?: string; readonly fieldManager?: string; readonly force?: boolean },
  ): Promise<KubeObject>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  post(namespace: string, name: string, subresource: string, body: JsonObject): Promise<KubeObject>;
  delete(namespace: string, name: string, query?: DeleteQuery): Promise<KubeObject>;
  deleteCollection(namespace: string, query?: DeleteQuery & ListQuery): Promise<void>;
  /** Until it is aborted or ends: resolves when the server closed it cleanly, rejects with what broke it. */
  watch(
    namespace: string,
    query: ListQuery & { readonly allowWatchBookmarks?: boolean; readonly timeoutSeconds?: number },
    onEvent: (event: WatchEventFromServer) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface ApiClient {
  resource(gvr: Gvr): ResourceClient;
  /** Any path: discovery, /healthz. @returns status and body */
  raw(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  close(): void;
}

/** Time that tests move. Milliseconds. */
export interface KubeClock {
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface InformerHandler {
  add?(object: KubeObject): void;
  /** Also on a resync, with one object for both. */
  update?(old: KubeObject, object: KubeObject): void;
  /** The last state that is known; `finalStateUnknown` if it was missed and found gone by a list. */
  delete?(object: KubeObject, finalStateUnknown: boolean): void;
}

/** A local copy of what a list-and-watch sees. Objects in it are shared: never change one, copy it (structuredClone). */
export interface Informer {
  readonly gvr: Gvr;
  /** The first list is in, and all handlers have heard of it. */
  readonly synced: boolean;
  whenSynced(): Promise<void>;
  get(namespace: string, name: string): KubeObject | undefined;
  /** Namespace '' or none: all. */
  list(namespace?: string): KubeObject[];
  /** @param index a name given to addIndex */
  byIndex(index: string, value: string): KubeObject[];
  /** Before or after the start. `of` gives the values under which an object is found. */
  addIndex(name: string, of: (object: KubeObject) => readonly string[]): void;
  /** One that comes late hears of everything that is there as added. @returns how to take it off again */
  onChange(handler: InformerHandler): () => void;
}

/** One informer a resource for all controllers of a process. */
export interface Informers {
  /** Starts with the first asking. Every informer has the indexes `namespace` and `owner` (uid of the controller). */
  of(gvr: Gvr): Informer;
  allSynced(): Promise<void>;
  stop(): void;
}

/**
 * Keys to work on: each once, never with two workers, again if it was added meanwhile.
 * Rate limit: 5 ms doubling up to 1000 s per key, and a bucket of 10 a second with a burst of 100 over all.
 */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, ms: number): void;
  addRateLimited(key: string): void;
  /** The key went well: its back-off starts anew. */
  forget(key: string): void;
  retries(key: string): number;
  readonly length: number;
  /** Runs `work` for keys until shut down. A rejection is logged and the key added with its rate limit; else forgotten. */
  run(workers: number, work: (key: string) => Promise<void>): void;
  /** Resolves when the work under way has ended. */
  shutDown(): Promise<void>;
}

export interface EventRecorder {
  /** Never rejects, never waits for the server. @param related object the event is about */
  event(related: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export interface Logger {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What every loop is started with. */
export interface ControllerContext {
  readonly client: ApiClient;
  readonly informers: Informers;
  readonly clock: KubeClock;
  readonly log: Logger;
  /** @param component `deployment-controller` */
  recorder(component: string): EventRecorder;
  queue(name: string): WorkQueue;
  /** A number in [0, 1), for names and jitter. */
  random(): number;
}

/** A loop that was started. */
export interface Controller {
  readonly name: string;
  stop(): Promise<void>;
}

/** How each file of controllers/ is entered: `export const startReplicaSets: StartController = (context) => ...`. */
export type StartController = (context: ControllerContext) => Controller;
