import { describe } from 'vitest';
import type { KeelClientOptions } from '../../../src/client/index.js';
import { KeelClient } from '../../../src/client/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { RegistryOptions } from '../../../src/kube/registry/index.js';
import { openRegistry } from '../../../src/kube/registry/index.js';
import type {
  ObjectStore,
  Registry,
  StoreEvent,
  StoreSpec,
  StoreWatch,
  WatchOptions,
} from '../../../src/kube/registry/object-store.js';
import { startTestMember } from '../../rpc/support/member.js';
import type { StoreKind } from '../../support/binaries.js';
import { Cluster } from '../../support/cluster.js';

/** An etcd v3 for tests of kube: a member of our own in this process, or a real etcd. */
export interface TestStore {
  readonly endpoint: string;
  stop(): Promise<void>;
}

export async function startStore(kind: StoreKind): Promise<TestStore> {
  if (kind === 'keel') return startTestMember();
  const cluster = await Cluster.start({ kind, size: 1 });
  return { endpoint: cluster.endpoints[0]!, stop: () => cluster.dispose() };
}

/** One suite for our own member and, where KEEL_TEST_ETCD_BIN names one, for a real etcd. */
export function describeBackends(name: string, body: (kind: StoreKind) => void): void {
  describe(`${name} (keel)`, () => body('keel'));
  if (process.env.KEEL_TEST_ETCD_BIN) describe(`${name} (etcd)`, () => body('etcd'));
  else describe.skip(`${name} (etcd): KEEL_TEST_ETCD_BIN is not set`, () => body('etcd'));
}

/** A registry of its own prefix on a store. */
export class TestRegistry {
  readonly client: KeelClient;
  readonly prefix: string;
  readonly registry: Registry;
  static #count = 0;

  constructor(endpoint: string, options: RegistryOptions = {}, client: Partial<KeelClientOptions> = {}) {
    this.client = new KeelClient({ endpoints: endpoint, ...client });
    this.prefix = options.prefix ?? `/t${TestRegistry.#count++}`;
    this.registry = openRegistry(this.client, {
      compactionIntervalMs: 0,
      freshnessWaitMs: 300,
      ...options,
      prefix: this.prefix,
    });
  }

  maps(dir = 'configmaps'): ObjectStore {
    return this.registry.store({ ...MAPS, dir });
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await this.client.close();
  }
}

export const MAPS: StoreSpec = {
  dir: 'configmaps',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  group: '',
  plural: 'configmaps',
  namespaced: true,
};

let uids = 0;

/** A ConfigMap. */
export function map(name: string, data: Record<string, string> = {}, labels?: Record<string, string>): KubeObject {
  const metadata = { name, namespace: 'd', uid: `u${uids++}`, ...(labels === undefined ? {} : { labels }) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

/** A watch whose events are kept. */
export class Seen {
  readonly events: StoreEvent[] = [];
  ended: Error | null | undefined;
  watch!: StoreWatch;
  /** What `event` answers; asked each time. */
  takes: () => boolean = () => true;
  #waiting: { until: () => boolean; resolve: () => void }[] = [];

  static async start(store: ObjectStore, options: Partial<WatchOptions> = {}): Promise<Seen> {
    const seen = new Seen();
    seen.watch = await store.watch(
      { namespace: '', ...options },
      {
        event: (event) => {
          seen.events.push(event);
          seen.#wake();
          return seen.takes();
        },
        end: (error) => {
          seen.ended = error;
          seen.#wake();
        },
      },
    );
    return seen;
  }

  /** `ADDED a`, `DELETED b` ... */
  get lines(): string[] {
    return this.events.map((e) => (e.type === 'BOOKMARK' ? 'BOOKMARK' : `${e.type} ${e.object.metadata.name}`));
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: condition, resolve }));
  }

  count(events: number): Promise<void> {
    return this.until(() => this.events.length >= events || this.ended !== undefined);
  }

  #wake(): void {
    const ready = this.#waiting.filter((w) => w.until());
    this.#waiting = this.#waiting.filter((w) => !ready.includes(w));
    for (const waiting of ready) waiting.resolve();
  }
}
