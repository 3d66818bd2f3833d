/** A node's agent: registers it, and keeps the pods that are bound to it running as they say. */
import type { ApiClient, ControllerContext, EventRecorder } from '../kit/index.js';
import { ApiEventRecorder, ApiStatusError, isNotFound, NODES, PODS } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { NodeHeartbeat } from './node-heartbeat.js';
import type { NodeFacts } from './node-object.js';
import { PodIps } from './pod-ips.js';
import type { RestartBackoff } from './pod-worker.js';
import { PodWorker, RESTART_BACKOFF } from './pod-worker.js';
import type { Runtime } from './runtime.js';
import { StatusWriter } from './status-writer.js';

export interface KubeletOptions {
  readonly context: ControllerContext;
  readonly facts: NodeFacts;
  readonly runtime: Runtime;
  readonly backoff?: Partial<RestartBackoff>;
  /** Between heartbeats, ms. Default 10 s. */
  readonly leaseMs?: number;
  /** For events alone: they are many, and must not stand before what pods wait for. Default: the context's. */
  readonly events?: ApiClient;
}

/** Pods by their node; all kubelets of a process share it. */
export const BY_NODE = 'node';

export class Kubelet {
  readonly facts: NodeFacts;
  readonly runtime: Runtime;
  readonly #context: ControllerContext;
  readonly #backoff: RestartBackoff;
  readonly #events: EventRecorder;
  readonly #status: StatusWriter;
  readonly #heartbeat: NodeHeartbeat;
  readonly #workers = new Map<string, PodWorker>();
  readonly #unhook: (() => void)[] = [];
  #ips: PodIps | null = null;
  #stopped = false;

  constructor(options: KubeletOptions) {
    const { context, facts, runtime } = options;
    const { client, clock, log } = context;
    this.#context = context;
    this.facts = facts;
    this.runtime = runtime;
    this.#backoff = { ...RESTART_BACKOFF, ...options.backoff };
    this.#events = new ApiEventRecorder({
      client: options.events ?? client,
      clock,
      log,
      component: 'kubelet',
      host: facts.name,
    });
    this.#status = new StatusWriter(client, clock, log);
    this.#heartbeat = new NodeHeartbeat({
      client,
      clock,
      log,
      facts,
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
      onRange: (cidr) => this.#onRange(cidr),
    });
  }

  get name(): string {
    return this.facts.name;
  }

  start(): void {
    const { informers } = this.#context;
    const pods = informers.of(PODS);
    const nodes = informers.of(NODES);
    pods.addIndex(BY_NODE, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName as string] : []));
    this.#heartbeat.start();
    // Addresses that pods have are kept before others get theirs: all pods first.
    void Promise.all([pods.whenSynced(), nodes.whenSynced()]).then(() => {
      if (this.#stopped) return;
      const mine = (object: KubeObject): boolean => object.metadata.name === this.name;
      this.#unhook.push(
        nodes.onChange({
          add: (node) => mine(node) && this.#heartbeat.seen(node),
          update: (_, node) => mine(node) && this.#heartbeat.seen(node),
          delete: (node) => mine(node) && this.#heartbeat.seen(null),
        }),
        pods.onChange({
          add: (pod) => this.#onPod(pod),
          update: (_, pod) => this.#onPod(pod),
          delete: (pod) => this.#onGone(pod),
        }),
      );
    });
  }

  /** Without a word to anybody: to the cluster the node is silent from now on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unhook of this.#unhook.splice(0)) unhook();
    this.#status.stop();
    for (const worker of this.#workers.values()) worker.stop();
    this.#workers.clear();
    await this.#heartbeat.stop();
  }

  /** The pod's worker, if it is here. */
  worker(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.name === name && metadata.namespace === namespace) return worker;
    }
    return undefined;
  }

  get workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  #onRange(cidr: string): void {
    try {
      const ips = new PodIps(cidr);
      for (const pod of this.#context.informers.of(PODS).byIndex(BY_NODE, this.name)) {
        const ip: string = pod.status?.podIP ?? '';
        const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
        if (ip !== '' && !over && pod.spec?.hostNetwork !== true) ips.keep(pod.metadata.uid ?? '', ip);
      }
      this.#ips = ips;
    } catch (err) {
      this.#context.log.error('the node has no range that can be used', { node: this.name, error: String(err) });
      return;
    }
    for (const worker of [...this.#workers.values()]) worker.sync();
  }

  #onPod(pod: KubeObject): void {
    if (pod.spec?.nodeName !== this.name) return;
    const uid = pod.metadata.uid ?? '';
    const known = this.#workers.get(uid);
    if (known !== undefined) return known.update(pod);
    for (const [other, worker] of this.#workers) {
      // Another of its name: the end of that one was missed.
      const { name, namespace } = worker.pod.metadata;
      if (name !== pod.metadata.name || namespace !== pod.metadata.namespace) continue;
      worker.gone();
      this.#workers.delete(other);
    }
    const { clock, log } = this.#context;
    const worker = new PodWorker(pod, {
      runtime: this.runtime,
      clock,
      log,
      events: this.#events,
      status: this.#status,
      hostIp: this.facts.address,
      ips: () => this.#ips,
      backoff: this.#backoff,
      remove: (gone) => this.#remove(gone),
    });
    this.#workers.set(uid, worker);
    worker.sync();
  }

  #onGone(pod: KubeObject): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    this.#workers.delete(uid);
    this.#status.forget(uid);
    worker.gone();
  }

  async #remove(pod: KubeObject): Promise<void> {
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    try {
      const query = { gracePeriodSeconds: 0, preconditions: { uid } };
      await this.#context.client.resource(PODS).delete(namespace, name, query);
    } catch (err) {
      // Gone already, or another of its name.
      if (isNotFound(err) || (err instanceof ApiStatusError && err.code === 409)) return;
      throw err;
    }
  }
}
