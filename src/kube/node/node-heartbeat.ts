/** Keeps a Node registered: the object, its Lease every few seconds, its status on a change and every few minutes. */
import type { ApiClient, KubeClock, Logger } from '../kit/index.js';
import { isAlreadyExists, isNotFound, LEASES, microTime, NODES } from '../kit/index.js';
import type { JsonObject, KubeObject } from '../machinery/object.js';
import type { NodeFacts } from './node-object.js';
import { newNode, nodeLabels, nodeStatus } from './node-object.js';

const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_S = 40;

export interface HeartbeatOptions {
  readonly client: ApiClient;
  readonly clock: KubeClock;
  readonly log: Logger;
  readonly facts: NodeFacts;
  /** Default 10 s. */
  readonly leaseMs?: number;
  /** Default 5 min. */
  readonly statusMs?: number;
  /** The range of its pods' addresses, once the node has one. */
  readonly onRange: (cidr: string) => void;
}

export class NodeHeartbeat {
  readonly #options: HeartbeatOptions;
  #lease: KubeObject | null = null;
  #uid = '';
  #range = '';
  #statusAt = 0;
  #timer: unknown = null;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#beat();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    return this.#turn;
  }

  /** The Node as the API has it now: somebody may have given it a range, or deleted it. */
  seen(node: KubeObject | null): void {
    if (this.#stopped) return;
    const range: string = node?.spec?.podCIDR ?? '';
    const lost = node === null || conditionOf(node, 'Ready') !== 'True';
    if (range !== '' && this.#range === '') {
      this.#range = range;
      this.#options.onRange(range);
      this.#soon();
    } else if (lost && this.#uid !== '') this.#soon();
  }

  #soon(): void {
    this.#statusAt = 0;
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#options.clock.setTimeout(() => this.#beat(), 10);
  }

  #beat(): void {
    const { clock, log, leaseMs = 10_000, facts } = this.#options;
    this.#turn = this.#turn
      .then(() => this.#once())
      .catch((err: Error) => {
        if (!this.#stopped) log.warn('a heartbeat failed', { node: facts.name, error: err.message });
      })
      .then(() => {
        if (this.#stopped) return;
        clock.clearTimeout(this.#timer);
        this.#timer = clock.setTimeout(() => this.#beat(), leaseMs);
      });
  }

  async #once(): Promise<void> {
    if (this.#stopped) return;
    const { clock, statusMs = 300_000 } = this.#options;
    if (this.#uid === '' || clock.now() - this.#statusAt >= statusMs) await this.#tellStatus();
    await this.#renew();
  }

  async #tellStatus(): Promise<void> {
    const { client, clock, facts, onRange } = this.#options;
    const nodes = client.resource(NODES);
    const status = (known: KubeObject | null): JsonObject =>
      nodeStatus(facts, known, (known?.spec?.podCIDR ?? this.#range) !== '', clock.now());
    let node: KubeObject;
    try {
      node = await nodes.get('', facts.name);
    } catch (err) {
      if (!isNotFound(err)) throw err;
      try {
        node = await nodes.create('', newNode(facts, status(null)));
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        node = await nodes.get('', facts.name);
      }
    }
    const labels = nodeLabels(facts);
    if (Object.entries(labels).some(([key, value]) => node.metadata.labels?.[key] !== value)) {
      node = await nodes.patch('', facts.name, 'merge', { metadata: { labels } });
    }
    node = await nodes.patch('', facts.name, 'strategic', { status: status(node) }, { subresource: 'status' });
    this.#uid = node.metadata.uid ?? '';
    this.#statusAt = clock.now();
    const range: string = node.spec?.podCIDR ?? '';
    if (range !== '' && this.#range === '') {
      this.#range = range;
      onRange(range);
    }
  }

  async #renew(): Promise<void> {
    const { client, clock, facts } = this.#options;
    const leases = client.resource(LEASES);
    const { name } = facts;
    const renewTime = microTime(clock.now());
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_S, renewTime };
    if (this.#lease !== null) {
      try {
        this.#lease = await leases.update(LEASE_NAMESPACE, { ...this.#lease, spec });
        return;
      } catch {
        // Changed or gone: read anew.
        this.#lease = null;
      }
    }
    const metadata = {
      name,
      namespace: LEASE_NAMESPACE,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: this.#uid }],
    };
    try {
      const found = await leases.get(LEASE_NAMESPACE, name);
      this.#lease = await leases.update(LEASE_NAMESPACE, { ...found, spec });
    } catch (err) {
      if (!isNotFound(err)) throw err;
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      this.#lease = await leases.create(LEASE_NAMESPACE, lease);
    }
  }
}

function conditionOf(node: KubeObject, type: string): string {
  return (node.status?.conditions ?? []).find((one: { type: string }) => one.type === type)?.status ?? '';
}
