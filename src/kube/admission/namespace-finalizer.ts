/**
 * Empties namespaces that are being deleted and lets them go. A keeper, for where no controllers run. Source:
 * kubernetes namespaces, deletion.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kind, Kinds } from '../kinds/kind.js';
import { ALL_VERBS } from '../kinds/kind.js';
import { ApiError } from '../machinery/api-error.js';
import type { Remaining } from '../machinery/namespace-conditions.js';
import { namespaceConditions } from '../machinery/namespace-conditions.js';
import type { KubeObject } from '../machinery/object.js';
import type { KeeperOptions } from '../rest/keeper.js';
import { Keeper } from '../rest/keeper.js';
import type { Resources } from '../rest/resource.js';
import type { WatchedKind } from '../rest/watched-kind.js';

const FINALIZER = 'kubernetes';
/** Pods have their grace and others their finalizers: how long until the next look, ms. */
const LOOK_AGAIN_MS = 500;
const LOOK_AGAIN_MAX_MS = 15_000;

export class NamespaceFinalizer {
  readonly #kinds: Kinds;
  readonly #resources: Resources;
  readonly #namespaces: WatchedKind;
  readonly #keeper: Keeper;
  readonly #now: () => number;

  /** @param namespaces a watch of them; it is started */
  constructor(
    kinds: Kinds,
    resources: Resources,
    namespaces: WatchedKind,
    options: KeeperOptions & { readonly now?: () => number },
  ) {
    this.#kinds = kinds;
    this.#resources = resources;
    this.#namespaces = namespaces;
    this.#now = options.now ?? Date.now;
    this.#keeper = new Keeper((name) => this.#finalize(name), options);
  }

  start(): this {
    this.#keeper.follow(this.#namespaces, ({ metadata }, gone) =>
      !gone && metadata.deletionTimestamp !== undefined ? [metadata.name ?? ''] : [],
    );
    return this;
  }

  stop(): void {
    this.#keeper.stop();
  }

  /** @returns ms until it is to be looked at again, if something remains */
  async #finalize(name: string): Promise<number | undefined> {
    const { resource } = this.#namespaces;
    const namespace = await found(resource.get('', name));
    if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
    const { context } = this.#keeper;
    const finalizers: string[] = namespace.spec?.finalizers ?? [];
    if (finalizers.includes(FINALIZER)) {
      const remaining = await this.#empty(name);
      if (remaining.errors.length > 0 || remaining.counts.size > 0) {
        await this.#tell(namespace, remaining);
        if (remaining.errors.length > 0) throw new Error(remaining.errors.join('; '));
        return Math.min(LOOK_AGAIN_MAX_MS, Math.max(LOOK_AGAIN_MS, remaining.grace * 500));
      }
      const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
      const object = { ...namespace, spec: { ...namespace.spec, finalizers: left } };
      await found(resource.update(context, '', name, object, 'finalize').then((result) => result.object));
      if (left.length > 0) return undefined;
    }
    // With the last finalizer the object goes by itself; a store that keeps it wants to be asked.
    const still = await found(resource.get('', name));
    const held = (still?.spec?.finalizers ?? []).length > 0 || (still?.metadata.finalizers ?? []).length > 0;
    const same = still?.metadata.uid === namespace.metadata.uid;
    if (still !== null && same && !held) await found(resource.delete(context, '', name, {}).then((r) => r.object));
    return undefined;
  }

  /** Deletes all that is in the namespace. */
  async #empty(namespace: string): Promise<Remaining> {
    const remaining: Remaining = {
      counts: new Map(),
      finalizers: new Map(),
      errors: [],
      undiscovered: [],
      grace: 0,
    };
    const dirs = new Set<string>();
    const kinds = this.#kinds.all().filter((kind) => {
      const fresh = isDeletable(kind) && !dirs.has(kind.storageDir);
      dirs.add(kind.storageDir);
      return fresh;
    });
    await Promise.all(kinds.map((kind) => this.#emptyKind(kind, namespace, remaining)));
    return remaining;
  }

  async #emptyKind(kind: Kind, namespace: string, remaining: Remaining): Promise<void> {
    const resource = this.#resources.of(kind);
    try {
      const before = await resource.list({ namespace });
      if (before.items.length === 0) return;
      const options = { propagationPolicy: 'Background' as const };
      await resource.deleteCollection(this.#keeper.context, options, { namespace });
      const { items } = await resource.list({ namespace });
      if (items.length === 0) return;
      // Also without a group there is the dot: `pods.`.
      remaining.counts.set(`${kind.plural}.${kind.group}`, items.length);
      for (const { metadata } of items) {
        remaining.grace = Math.max(remaining.grace, metadata.deletionGracePeriodSeconds ?? 0);
        for (const finalizer of metadata.finalizers ?? []) {
          remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
        }
      }
    } catch (error) {
      remaining.errors.push((error as Error).message);
    }
  }

  /** Writes into the status why the namespace is still there. */
  async #tell(namespace: KubeObject, remaining: Remaining): Promise<void> {
    const conditions = namespaceConditions(remaining, namespace.status?.conditions ?? [], this.#now());
    const status = { ...namespace.status, phase: 'Terminating', conditions };
    if (isDeepStrictEqual(status, namespace.status)) return;
    const { name = '' } = namespace.metadata;
    await found(
      this.#namespaces.resource
        .update(this.#keeper.context, '', name, { ...namespace, status }, 'status')
        .then((result) => result.object),
    );
  }
}

function isDeletable({ namespaced, verbs = ALL_VERBS }: Kind): boolean {
  return namespaced && verbs.includes('list') && (verbs.includes('deletecollection') || verbs.includes('delete'));
}

/** Null where it is gone already. */
async function found(read: Promise<KubeObject>): Promise<KubeObject | null> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return null;
    throw error;
  }
}
