/** An ObjectReader that answers from memory: each kind is watched from its first question on. */
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import type { Resources } from '../rest/resource.js';
import type { WatchedKindOptions } from '../rest/watched-kind.js';
import { WatchedKind } from '../rest/watched-kind.js';

/** The first question waits so long for the state to come; then it is asked live. */
const SYNC_MS = 1000;

export class CachedReader implements ObjectReader {
  readonly #kinds: Kinds;
  readonly #resources: Resources;
  readonly #live: ObjectReader;
  readonly #options: WatchedKindOptions;
  readonly #watched = new Map<string, WatchedKind>();

  constructor(kinds: Kinds, resources: Resources, live: ObjectReader, options: WatchedKindOptions = {}) {
    this.#kinds = kinds;
    this.#resources = resources;
    this.#live = live;
    this.#options = options;
  }

  /** The watch behind the answers, for those who want to hear of changes. Undefined if nobody serves the kind. */
  watched(group: string, plural: string): WatchedKind | undefined {
    const key = `${group}/${plural}`;
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const kind = this.#kinds.findResource(group, plural);
    if (kind === undefined) return undefined;
    const watched = new WatchedKind(this.#resources.of(kind), this.#options).start();
    this.#watched.set(key, watched);
    return watched;
  }

  /** Shared: not to be changed. */
  async get(group: string, plural: string, namespace: string, name: string): Promise<KubeObject | null> {
    const watched = this.watched(group, plural);
    if (watched === undefined) return null;
    if (!watched.synced && !(await watched.whenSynced(SYNC_MS))) {
      return this.#live.get(group, plural, namespace, name);
    }
    return watched.get(namespace, name) ?? null;
  }

  async list(group: string, plural: string, namespace: string): Promise<KubeObject[]> {
    const watched = this.watched(group, plural);
    if (watched === undefined) return [];
    if (!watched.synced && !(await watched.whenSynced(SYNC_MS))) return this.#live.list(group, plural, namespace);
    return [...watched.list(namespace === '' ? undefined : namespace)];
  }

  stop(): void {
    for (const watched of this.#watched.values()) watched.stop();
  }
}
