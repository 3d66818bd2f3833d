/** A controller as its users write them, with @kubernetes/client-node: one ConfigMap for each Sail, one leader. */
import type { Informer, KubeConfig, KubernetesObject, V1Lease } from '@kubernetes/client-node';
import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  makeInformer,
  V1MicroTime,
} from '@kubernetes/client-node';

export const GROUP = 'sea.example.com';
export const NAMESPACE = 'default';
const LEASE = 'sail-controller';
const LEASE_MS = 1500;
const RENEW_MS = 300;

export interface Sail extends KubernetesObject {
  spec: { size: number };
  status?: { child?: string };
}

/** What the replicas did, as one clock saw it: who led from when to when, in its own view. */
export interface Journal {
  readonly reigns: { who: string; from: number; until: number | null }[];
  /** Children that were made, by name; one that is made twice was lost or doubled. */
  readonly made: string[];
  errors: number;
}

const codeOf = (err: unknown): number => (err instanceof ApiException ? err.code : 0);

/** One replica. Everything it does may fail at any moment, and is then done again. */
export class Controller {
  readonly #who: string;
  readonly #journal: Journal;
  readonly #core: CoreV1Api;
  readonly #leases: CoordinationV1Api;
  readonly #custom: CustomObjectsApi;
  readonly #informer: Informer<Sail>;
  readonly #queue = new Set<string>();
  readonly #known = new Map<string, Sail>();
  #stopped = false;
  /** Until when it may act, by its own clock; it is the leader no longer than that. */
  #leadsUntil = 0;
  /** The holder's record and since when it is unchanged. */
  #observed: { record: string; since: number } = { record: '', since: 0 };
  #lastError = '';
  readonly #loops: Promise<void>[] = [];

  constructor(who: string, config: KubeConfig, journal: Journal) {
    this.#who = who;
    this.#journal = journal;
    this.#core = config.makeApiClient(CoreV1Api);
    this.#leases = config.makeApiClient(CoordinationV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
    const at = { group: GROUP, version: 'v1', namespace: NAMESPACE, plural: 'sails' };
    const list = () => this.#custom.listNamespacedCustomObject(at);
    this.#informer = makeInformer(config, `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/sails`, list);
    const note = (sail: Sail) => {
      this.#known.set(sail.metadata!.name!, sail);
      this.#queue.add(sail.metadata!.name!);
    };
    this.#informer.on('add', note);
    this.#informer.on('update', note);
    this.#informer.on('delete', (sail) => this.#known.delete(sail.metadata!.name!));
    this.#informer.on('error', (err) => {
      this.#failed(err);
      setTimeout(() => this.#stopped || void this.#informer.start(), 100);
    });
  }

  get leading(): boolean {
    return performance.now() < this.#leadsUntil;
  }

  get todo(): number {
    return this.#queue.size;
  }

  /** For who waits in vain. */
  get words(): string {
    const state = this.#stopped ? 'stopped' : this.leading ? 'leads' : 'follows';
    return `${this.#who} ${state}, knows ${this.#known.size}, has ${this.#queue.size} to do, last: ${this.#lastError}`;
  }

  start(): void {
    void this.#informer.start();
    this.#loops.push(this.#elect(), this.#work());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#informer.stop();
    await Promise.all(this.#loops);
  }

  #failed(err: unknown): void {
    this.#journal.errors++;
    this.#lastError = `${new Date().toISOString()} ${String(err).slice(0, 300)}`;
  }

  async #elect(): Promise<void> {
    while (!this.#stopped) {
      const asked = performance.now();
      let ours = false;
      try {
        // An answer that takes longer than the lease is worth nothing.
        ours = await Promise.race([this.#attempt(), this.#sleep(LEASE_MS).then(() => false)]);
      } catch (err) {
        this.#failed(err);
      }
      if (ours) this.#extend(asked + LEASE_MS - 2 * RENEW_MS);
      await this.#sleep(RENEW_MS);
    }
  }

  #extend(until: number): void {
    const now = performance.now();
    const { reigns } = this.#journal;
    const last = reigns.at(-1);
    this.#leadsUntil = until;
    if (until <= now) return;
    if (last?.who === this.#who && (last.until ?? 0) >= now) last.until = until;
    else reigns.push({ who: this.#who, from: now, until });
  }

  /** @returns whether the Lease is ours now, as the server said */
  async #attempt(): Promise<boolean> {
    const name = LEASE;
    const now = new V1MicroTime();
    const spec = { holderIdentity: this.#who, leaseDurationSeconds: Math.ceil(LEASE_MS / 1000), renewTime: now };
    let lease: V1Lease;
    try {
      lease = await this.#leases.readNamespacedLease({ name, namespace: NAMESPACE });
    } catch (err) {
      if (codeOf(err) !== 404) throw err;
      await this.#leases.createNamespacedLease({
        namespace: NAMESPACE,
        body: { metadata: { name }, spec: { ...spec, acquireTime: now, leaseTransitions: 0 } },
      });
      return true;
    }
    const record = lease.metadata!.resourceVersion!;
    if (record !== this.#observed.record) this.#observed = { record, since: performance.now() };
    const ours = lease.spec?.holderIdentity === this.#who;
    if (!ours && performance.now() - this.#observed.since < LEASE_MS) return false;
    const transitions = lease.spec?.leaseTransitions ?? 0;
    // Beside the version that was read: of two who try, one is told 409.
    lease.spec = {
      ...spec,
      acquireTime: ours ? lease.spec!.acquireTime! : now,
      leaseTransitions: ours ? transitions : transitions + 1,
    };
    await this.#leases.replaceNamespacedLease({ name, namespace: NAMESPACE, body: lease });
    return true;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const [name] = this.#queue;
      if (name === undefined || !this.leading) {
        await this.#sleep(20);
        continue;
      }
      this.#queue.delete(name);
      try {
        await this.#reconcile(name);
      } catch (err) {
        this.#failed(err);
        this.#queue.add(name);
        await this.#sleep(50);
      }
    }
  }

  async #reconcile(name: string): Promise<void> {
    const sail = this.#known.get(name);
    if (sail === undefined || sail.metadata!.deletionTimestamp !== undefined) return;
    const child = `${name}-cloth`;
    const data = { size: String(sail.spec.size) };
    const { uid } = sail.metadata!;
    try {
      const there = await this.#core.readNamespacedConfigMap({ name: child, namespace: NAMESPACE });
      if (there.data?.size !== data.size) {
        await this.#core.replaceNamespacedConfigMap({ name: child, namespace: NAMESPACE, body: { ...there, data } });
      }
    } catch (err) {
      if (codeOf(err) !== 404) throw err;
      const owner = { apiVersion: `${GROUP}/v1`, kind: 'Sail', name, uid: uid!, controller: true };
      await this.#core.createNamespacedConfigMap({
        namespace: NAMESPACE,
        body: { metadata: { name: child, labels: { sail: name }, ownerReferences: [owner] }, data },
      });
      this.#journal.made.push(child);
    }
    const done = `${child} ${data.size}`;
    if (sail.status?.child === done) return;
    const at = { group: GROUP, version: 'v1', namespace: NAMESPACE, plural: 'sails', name };
    const now = await this.#custom.getNamespacedCustomObject(at);
    await this.#custom.replaceNamespacedCustomObjectStatus({ ...at, body: { ...now, status: { child: done } } });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
