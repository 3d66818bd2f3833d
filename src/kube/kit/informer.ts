import type { KubeObject } from '../machinery/object.js';
import type { Gvr, Informer, InformerHandler, KubeClock, Logger, ResourceClient, WatchEventFromServer } from './api.js';
import { ApiStatusError, isExpired } from './api-status-error.js';
import { sleep } from './clock.js';

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 30_000;
const PAGE = 500;
/** A watch is asked to end by itself after this, with a spread of as much again. */
const WATCH_S = 300;

export interface InformerOptions {
  readonly client: ResourceClient;
  readonly clock: KubeClock;
  readonly log: Logger;
  readonly random: () => number;
  /** Default '': all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Handlers hear of everything again this often, in ms; 0 (default): never. */
  readonly resyncMs?: number;
}

interface Index {
  readonly of: (object: KubeObject) => readonly string[];
  readonly keys: Map<string, Set<string>>;
}

/** `namespace/name`, or the name alone without a namespace. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? (name ?? '') : `${namespace}/${name}`;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * A copy of a resource kept by list and watch.
 *
 *   listing --> watching --ended, broken--> watching from the last version seen
 *      ^            `--410 Gone--> listing anew: what is missing then was deleted, in its final state unknown
 *      `--failed: after a growing wait
 */
export class ListWatchInformer implements Informer {
  readonly gvr: Gvr;
  readonly #options: InformerOptions;
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes = new Map<string, Index>();
  readonly #handlers = new Set<InformerHandler>();
  readonly #stopping = new AbortController();
  #version = '';
  #synced = false;
  #whenSynced: (() => void)[] = [];
  #running: Promise<void> | null = null;
  #resync: unknown = null;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.gvr = options.client.gvr;
    this.addIndex('namespace', (object) => [object.metadata.namespace ?? '']);
    this.addIndex('owner', (object) =>
      (object.metadata.ownerReferences ?? []).filter((ref) => ref.controller === true).map((ref) => ref.uid),
    );
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** The version up to which everything has been seen. */
  get resourceVersion(): string {
    return this.#version;
  }

  start(): void {
    if (this.#running !== null) return;
    this.#running = this.#run();
    this.#armResync();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#resync !== null) this.#options.clock.clearTimeout(this.#resync);
    for (const wake of this.#whenSynced.splice(0)) wake();
    await this.#running;
  }

  whenSynced(): Promise<void> {
    if (this.#synced || this.#stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#whenSynced.push(resolve));
  }

  get(namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(namespace === '' ? name : `${namespace}/${name}`);
  }

  list(namespace = ''): KubeObject[] {
    return namespace === '' ? [...this.#objects.values()] : this.byIndex('namespace', namespace);
  }

  byIndex(index: string, value: string): KubeObject[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new TypeError(`no index ${index} of ${this.gvr.plural}`);
    return [...(found.keys.get(value) ?? [])].map((key) => this.#objects.get(key)!);
  }

  addIndex(name: string, of: (object: KubeObject) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index: Index = { of, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  onChange(handler: InformerHandler): () => void {
    this.#handlers.add(handler);
    for (const object of [...this.#objects.values()]) this.#tell(() => handler.add?.(object));
    return () => void this.#handlers.delete(handler);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list();
        await this.#watch();
        failures = 0;
      } catch (err) {
        if (signal.aborted) return;
        if (isExpired(err)) {
          // Everything anew; an empty server may say so many times, so not at once for ever.
          this.#version = '';
          if (failures++ === 0) continue;
        } else {
          failures++;
          this.#options.log.warn('the list or watch was lost', {
            resource: this.gvr.plural,
            error: (err as Error).message,
          });
        }
        const base = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(failures - 1, 20));
        await sleep(this.#options.clock, base * (1 + this.#options.random()), signal);
      }
    }
  }

  async #list(): Promise<void> {
    const { client, namespace = '', labelSelector, fieldSelector } = this.#options;
    const selection = {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    const seen = new Map<string, KubeObject>();
    let page = await client.list(namespace, { ...selection, limit: PAGE });
    for (;;) {
      for (const object of page.items) seen.set(keyOf(object), object);
      if (page.metadata.continue === undefined || page.metadata.continue === '') break;
      page = await client.list(namespace, { ...selection, limit: PAGE, continue: page.metadata.continue });
    }
    if (this.#stopping.signal.aborted) return;
    for (const [key, object] of [...this.#objects]) {
      const now = seen.get(key);
      // Another of the same name: the one we knew was deleted.
      if (now === undefined || now.metadata.uid !== object.metadata.uid) this.#remove(key, object, true);
    }
    for (const object of seen.values()) this.#put(object);
    this.#version = page.metadata.resourceVersion;
    if (this.#synced) return;
    this.#synced = true;
    for (const wake of this.#whenSynced.splice(0)) wake();
  }

  async #watch(): Promise<void> {
    const { client, namespace = '', labelSelector, fieldSelector, random } = this.#options;
    const query = {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(WATCH_S * (1 + random())),
    };
    const { signal } = this.#stopping;
    let gone: Error | null = null;
    const ending = new AbortController();
    const abort = () => ending.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await client.watch(
        namespace,
        query,
        (event) => {
          if (ending.signal.aborted) return;
          gone = this.#event(event);
          if (gone !== null) ending.abort();
        },
        ending.signal,
      );
    } finally {
      signal.removeEventListener('abort', abort);
    }
    if (gone !== null) throw gone;
  }

  /** @returns why the watch cannot go on, or null */
  #event({ type, object }: WatchEventFromServer): Error | null {
    if (type === 'ERROR') {
      const status = object as unknown as { message?: string };
      // Whatever it says, what comes next is not known: as if it had expired.
      return new ApiStatusError(410, 'Expired', status.message ?? 'the watch failed');
    }
    if (type === 'ADDED' || type === 'MODIFIED') this.#put(object);
    else if (type === 'DELETED') this.#remove(keyOf(object), object, false);
    this.#version = object.metadata.resourceVersion ?? this.#version;
    return null;
  }

  #put(object: KubeObject): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    if (old !== undefined) for (const index of this.#indexes.values()) leave(index, key, old);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) enter(index, key, object);
    for (const handler of [...this.#handlers])
      this.#tell(() => (old === undefined ? handler.add?.(object) : handler.update?.(old, object)));
  }

  #remove(key: string, last: KubeObject, unknown: boolean): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    for (const index of this.#indexes.values()) leave(index, key, old);
    this.#objects.delete(key);
    for (const handler of [...this.#handlers]) this.#tell(() => handler.delete?.(last, unknown));
  }

  /** A handler that throws is a bug of its own, and must not stop the others. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (err) {
      this.#options.log.error('a handler failed', { resource: this.gvr.plural, error: (err as Error).stack });
    }
  }

  #armResync(): void {
    const { resyncMs = 0, clock } = this.#options;
    if (resyncMs === 0) return;
    this.#resync = clock.setTimeout(() => {
      for (const object of [...this.#objects.values()])
        for (const handler of [...this.#handlers]) this.#tell(() => handler.update?.(object, object));
      if (!this.#stopping.signal.aborted) this.#armResync();
    }, resyncMs);
  }
}

function enter(index: Index, key: string, object: KubeObject): void {
  for (const value of index.of(object)) {
    let keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, (keys = new Set()));
    keys.add(key);
  }
}

function leave(index: Index, key: string, object: KubeObject): void {
  for (const value of index.of(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}
