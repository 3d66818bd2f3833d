/**
 * All objects of one kind in memory, kept by one watch: what RBAC, admission and the keepers read instead of the
 * store. Behind the store by no more than the watch's delay; a watch that ends is begun anew and the state is
 * compared, so that nothing which happened in between is missed.
 */
import type { KubeObject } from '../machinery/object.js';
import type { StoreEvent, StoreWatch } from '../registry/object-store.js';
import type { Resource } from './resource.js';

/** `object` is null when it went; `old` is null when it came. */
export type ChangeListener = (object: KubeObject | null, old: KubeObject | null) => void;

export interface WatchedKindOptions {
  /** Pause before a failed watch is begun anew, ms. Default 200. */
  readonly retryMs?: number;
  readonly setTimer?: (run: () => void, ms: number) => () => void;
}

function realTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

export class WatchedKind {
  readonly resource: Resource;
  readonly #options: Required<WatchedKindOptions>;
  readonly #listeners = new Set<ChangeListener>();
  #objects = new Map<string, Map<string, KubeObject>>();
  /** The state that the watch is sending, until it is whole. */
  #incoming: Map<string, Map<string, KubeObject>> | undefined;
  #synced = false;
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  /** Counts attempts, so that a sink of an earlier one is told from the present one. */
  #attempt = 0;
  #watch: StoreWatch | undefined;
  #cancelRetry: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #generation = 0;

  constructor(resource: Resource, options: WatchedKindOptions = {}) {
    this.resource = resource;
    this.#options = { retryMs: options.retryMs ?? 200, setTimer: options.setTimer ?? realTimer };
  }

  /** Begins to watch; again and again does no harm. */
  start(): this {
    if (this.#state === 'idle') {
      this.#state = 'running';
      void this.#begin();
    }
    return this;
  }

  stop(): void {
    this.#state = 'stopped';
    this.#attempt++;
    this.#cancelRetry?.();
    this.#watch?.stop();
    this.#watch = undefined;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Has it seen the whole state once? It stays true when the watch is lost: old answers are better than none. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Counts changes. */
  get generation(): number {
    return this.#generation;
  }

  /** @returns synced; false if that took longer than `ms` or it was stopped */
  async whenSynced(ms: number): Promise<boolean> {
    if (this.#synced || this.#state === 'stopped') return this.#synced;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.setTimer(resolve, ms);
      this.#waiting.push(() => {
        cancel();
        resolve();
      });
    });
    return this.#synced;
  }

  /** Shared: not to be changed. @param namespace empty for a cluster-scoped kind */
  get(namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(namespace)?.get(name);
  }

  /** @param namespace undefined for all */
  *list(namespace?: string): Generator<KubeObject> {
    if (namespace !== undefined) {
      yield* this.#objects.get(namespace)?.values() ?? [];
      return;
    }
    for (const objects of this.#objects.values()) yield* objects.values();
  }

  /** Hears of what is there already, too. @returns takes the listener off */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    for (const object of this.list()) listener(object, null);
    return () => this.#listeners.delete(listener);
  }

  async #begin(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#incoming = new Map();
    const mine = () => attempt === this.#attempt && this.#state === 'running';
    try {
      const watch = await this.resource.watch(
        { namespace: '', sendInitialEvents: true, bookmarks: true },
        {
          event: (event) => {
            if (mine()) this.#apply(event);
            return true;
          },
          end: () => {
            if (mine()) this.#again();
          },
        },
      );
      if (mine()) this.#watch = watch;
      else watch.stop();
    } catch {
      // The store is away or has compacted: whatever it was, the next attempt starts from the state of then.
      if (mine()) this.#again();
    }
  }

  #again(): void {
    this.#watch = undefined;
    this.#attempt++;
    this.#cancelRetry = this.#options.setTimer(() => {
      if (this.#state === 'running') void this.#begin();
    }, this.#options.retryMs);
  }

  #apply(event: StoreEvent): void {
    if (event.type === 'BOOKMARK') {
      if (event.initialEventsEnd === true && this.#incoming !== undefined) this.#replace(this.#incoming);
      return;
    }
    const { object } = event;
    const gone = event.type === 'DELETED';
    if (this.#incoming !== undefined) {
      put(this.#incoming, object, gone);
      return;
    }
    const old = put(this.#objects, object, gone);
    this.#tell(gone ? null : object, old);
  }

  /** The state of now in place of that of before; what differs is told. */
  #replace(next: Map<string, Map<string, KubeObject>>): void {
    const before = this.#objects;
    this.#objects = next;
    this.#incoming = undefined;
    this.#synced = true;
    this.#generation++;
    for (const [namespace, objects] of before) {
      for (const [name, old] of objects) if (next.get(namespace)?.has(name) !== true) this.#tell(null, old);
    }
    for (const [namespace, objects] of next) {
      for (const [name, object] of objects) {
        const old = before.get(namespace)?.get(name) ?? null;
        if (old?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#tell(object, old);
      }
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #tell(object: KubeObject | null, old: KubeObject | null): void {
    this.#generation++;
    for (const listener of this.#listeners) listener(object, old);
  }
}

/** @returns what was there */
function put(objects: Map<string, Map<string, KubeObject>>, object: KubeObject, gone: boolean): KubeObject | null {
  const namespace = object.metadata.namespace ?? '';
  const name = object.metadata.name ?? '';
  let folder = objects.get(namespace);
  const old = folder?.get(name) ?? null;
  if (gone) {
    if (folder?.delete(name) && folder.size === 0) objects.delete(namespace);
    return old;
  }
  if (folder === undefined) objects.set(namespace, (folder = new Map()));
  folder.set(name, object);
  return old;
}
