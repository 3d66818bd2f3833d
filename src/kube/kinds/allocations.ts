/**
 * Who holds which cluster address and which node port, recorded in the store: one object each, made by an atomic
 * create, so that no two Services get the same one even from API servers that know nothing of each other.
 */
import { ApiError } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { ObjectStore, Registry } from '../registry/object-store.js';

/** The Service that holds something. */
export interface Holder {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Allocation {
  /** `10.96.0.1`, `30080` */
  readonly item: string;
  readonly holder: Holder;
  /** RFC 3339. */
  readonly since: string;
}

/** One space of things that only one Service can hold. */
export interface Allocator {
  /** False if somebody holds it, be it the same holder. @param dryRun only looks */
  claim(item: string, holder: Holder, dryRun?: boolean): Promise<boolean>;
  /** Does nothing if another holds it. */
  release(item: string, holder: Holder): Promise<void>;
  list(): Promise<Allocation[]>;
}

const UID_ANNOTATION = 'keel/service-uid';

export class StoredAllocator implements Allocator {
  readonly #store: ObjectStore;
  readonly #apiVersion: string;
  readonly #kind: string;
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(store: ObjectStore, apiVersion: string, kind: string, now: () => number) {
    this.#store = store;
    this.#apiVersion = apiVersion;
    this.#kind = kind;
    this.#now = now;
  }

  async claim(item: string, holder: Holder, dryRun = false): Promise<boolean> {
    const { namespace, name, uid } = holder;
    try {
      await this.#store.create(
        '',
        item,
        {
          apiVersion: this.#apiVersion,
          kind: this.#kind,
          metadata: {
            name: item,
            uid: globalThis.crypto.randomUUID(),
            creationTimestamp: new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z'),
            labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
            annotations: { [UID_ANNOTATION]: uid },
          },
          spec: { parentRef: { resource: 'services', namespace, name } },
        },
        { dryRun },
      );
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'AlreadyExists') return false;
      throw error;
    }
  }

  async release(item: string, holder: Holder): Promise<void> {
    await this.#store.update(
      '',
      item,
      (current) => (current !== null && isHeldBy(current, holder) ? { remove: true } : { unchanged: true }),
      { allowMissing: true },
    );
  }

  async list(): Promise<Allocation[]> {
    const { items } = await this.#store.list({ namespace: '' });
    return items.map((object) => ({
      item: object.metadata.name ?? '',
      holder: holderIn(object),
      since: object.metadata.creationTimestamp ?? '',
    }));
  }
}

function holderIn(object: KubeObject): Holder {
  const { namespace = '', name = '' } = object.spec?.parentRef ?? {};
  return { namespace, name, uid: object.metadata.annotations?.[UID_ANNOTATION] ?? '' };
}

/** A record without a uid (of another make) is told by the name. */
function isHeldBy(object: KubeObject, holder: Holder): boolean {
  const held = holderIn(object);
  return (
    held.namespace === holder.namespace && held.name === holder.name && (held.uid === '' || held.uid === holder.uid)
  );
}

/** The two spaces of Services. */
export interface ServiceAllocators {
  readonly addresses: Allocator;
  readonly ports: Allocator;
}

/** Addresses are IPAddress objects, which the API serves; ports a folder of their own. */
export function storedAllocators(registry: Registry, now: () => number = Date.now): ServiceAllocators {
  const group = 'networking.k8s.io';
  const apiVersion = `${group}/v1`;
  const addresses = registry.store({
    dir: 'ipaddresses',
    apiVersion,
    kind: 'IPAddress',
    group,
    plural: 'ipaddresses',
    namespaced: false,
  });
  const ports = registry.store({
    dir: 'ranges/servicenodeports',
    apiVersion,
    kind: 'NodePort',
    group,
    plural: 'nodeports',
    namespaced: false,
  });
  return {
    addresses: new StoredAllocator(addresses, apiVersion, 'IPAddress', now),
    ports: new StoredAllocator(ports, apiVersion, 'NodePort', now),
  };
}

/** For one process that keeps nothing (tests, kinds without a store). */
export class MemoryAllocator implements Allocator {
  readonly #held = new Map<string, Allocation>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async claim(item: string, holder: Holder, dryRun = false): Promise<boolean> {
    if (this.#held.has(item)) return false;
    if (!dryRun) this.#held.set(item, { item, holder, since: new Date(this.#now()).toISOString() });
    return true;
  }

  async release(item: string, holder: Holder): Promise<void> {
    if (this.#held.get(item)?.holder.uid === holder.uid) this.#held.delete(item);
  }

  async list(): Promise<Allocation[]> {
    return [...this.#held.values()];
  }
}
