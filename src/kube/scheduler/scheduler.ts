import type { ControllerContext, EventRecorder } from '../kit/index.js';
import {
  ApiStatusError,
  DISRUPTION_BUDGETS,
  isNotFound,
  NAMESPACES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  SERVICES,
  STORAGE_CLASSES,
} from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { bindClaims } from './claim-binding.js';
import type { WorldResource } from './cluster-view.js';
import { ClusterView } from './cluster-view.js';
import { fitMessage, preemptionMessage } from './fit-error.js';
import type { NoPlace } from './placement.js';
import { placePod } from './placement.js';
import { FILTERS, SCORES } from './plugins/index.js';
import type { PodInfo } from './pod-info.js';
import { isOver, podInfo } from './pod-info.js';
import { choosePreemption } from './preemption.js';
import { SchedulingQueue } from './queue.js';

export const DEFAULT_SCHEDULER = 'default-scheduler';
/** Bindings under way; more decisions wait. */
const BINDINGS_MAX = 32;
/** Decisions in one go, before others get their turn in this process. */
const DECISIONS_A_TURN = 16;

const WATCHED = {
  persistentvolumes: PERSISTENT_VOLUMES,
  persistentvolumeclaims: PERSISTENT_VOLUME_CLAIMS,
  storageclasses: STORAGE_CLASSES,
  services: SERVICES,
} as const;

/** Gives pods their nodes, one decision after the other, bindings beside each other (kubernetes scheduler). */
export class Scheduler {
  readonly #context: ControllerContext;
  readonly #name: string;
  readonly #events: EventRecorder;
  readonly #view: ClusterView;
  readonly #queue: SchedulingQueue;
  readonly #unhook: (() => void)[] = [];
  #pumping: Promise<void> | null = null;
  #synced = false;
  #stopped = false;
  #start = 0;
  #binding = 0;
  #whenFree: (() => void)[] = [];
  /** By their outcome, since the start. */
  readonly attempts = { scheduled: 0, unschedulable: 0, error: 0 };

  constructor(context: ControllerContext, name = DEFAULT_SCHEDULER) {
    this.#context = context;
    this.#name = name;
    this.#events = context.recorder(name);
    const { informers } = context;
    const namespaces = informers.of(NAMESPACES);
    this.#view = new ClusterView({
      namespaceLabels: (namespace) => namespaces.get('', namespace)?.metadata.labels ?? {},
      object: (plural, namespace, one) => informers.of(WATCHED[plural]).get(namespace, one),
      list: (plural, namespace) => informers.of(WATCHED[plural]).list(namespace),
    });
    this.#queue = new SchedulingQueue(context.clock, () => this.#pump());
  }

  start(): void {
    const { informers } = this.#context;
    const watched = [
      NODES,
      PODS,
      NAMESPACES,
      DISRUPTION_BUDGETS,
      ...(Object.keys(WATCHED) as WorldResource[]).map((one) => WATCHED[one]),
    ].map((gvr) => informers.of(gvr));
    this.#unhook.push(
      informers.of(NODES).onChange({
        add: (node) => this.#onNode(node),
        update: (old, node) => {
          if (placesChanged(old, node)) this.#onNode(node);
          else this.#view.setNode(node);
        },
        delete: (node) => this.#view.removeNode(node.metadata.name ?? ''),
      }),
      informers.of(PODS).onChange({
        add: (pod) => this.#onPod(pod, null),
        update: (old, pod) => this.#onPod(pod, old),
        delete: (pod) => this.#onPodGone(pod),
      }),
      informers.of(NAMESPACES).onChange({
        update: (old, now) => {
          const [before, after] = [old, now].map((one) => JSON.stringify(one.metadata.labels));
          if (before !== after) this.#queue.happened('namespace');
        },
      }),
      ...[PERSISTENT_VOLUMES, PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES].map((gvr) =>
        informers.of(gvr).onChange({
          add: () => this.#queue.happened('volume'),
          update: () => this.#queue.happened('volume'),
        }),
      ),
    );
    void Promise.all(watched.map((one) => one.whenSynced())).then(() => {
      this.#synced = true;
      this.#pump();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unhook of this.#unhook.splice(0)) unhook();
    this.#queue.stop();
    for (const wake of this.#whenFree.splice(0)) wake();
    await this.#pumping;
  }

  #onNode(node: KubeObject): void {
    this.#view.setNode(node);
    this.#queue.happened('node');
  }

  #onPod(pod: KubeObject, old: KubeObject | null): void {
    const uid = pod.metadata.uid ?? '';
    // Another of the name: the old one's end was missed.
    if (old !== null && old.metadata.uid !== uid) this.#onPodGone(old);
    if (isOver(pod)) return this.#onPodGone(pod);
    const node: string = pod.spec?.nodeName ?? '';
    if (node !== '') {
      this.#queue.remove(uid);
      const known = old !== null && (old.spec?.nodeName ?? '') !== '';
      if (known && old.metadata.deletionTimestamp === pod.metadata.deletionTimestamp && sameWants(old, pod)) return;
      this.#view.place(podInfo(pod), node, false);
      if (!known) this.#queue.happened('pod-placed');
      return;
    }
    if (this.#view.isAssumed(uid)) return;
    const gated = (pod.spec?.schedulingGates ?? []).length > 0;
    const ours = (pod.spec?.schedulerName ?? DEFAULT_SCHEDULER) === this.#name;
    if (!ours || gated || pod.metadata.deletionTimestamp !== undefined) {
      this.#queue.remove(uid);
      this.#view.unnominate(uid);
      return;
    }
    const info = podInfo(pod);
    const nominated: string = pod.status?.nominatedNodeName ?? '';
    if (nominated !== '') this.#view.nominate(info, nominated);
    else this.#view.unnominate(uid);
    this.#queue.put(info, old === null || !sameWants(old, pod));
  }

  #onPodGone(pod: KubeObject): void {
    const uid = pod.metadata.uid ?? '';
    this.#queue.remove(uid);
    this.#view.remove(uid);
    this.#view.unnominate(uid);
    if ((pod.spec?.nodeName ?? '') !== '') this.#queue.happened('pod-gone');
  }

  #pump(): void {
    if (!this.#synced || this.#stopped || this.#pumping !== null) return;
    this.#pumping = this.#decide().finally(() => {
      this.#pumping = null;
    });
  }

  async #decide(): Promise<void> {
    // Whoever made a pod ready ends its turn first.
    await Promise.resolve();
    for (let n = 1; !this.#stopped; n++) {
      if (this.#binding >= BINDINGS_MAX) await new Promise<void>((resolve) => this.#whenFree.push(resolve));
      if (n % DECISIONS_A_TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const pod = this.#stopped ? undefined : this.#queue.take();
      if (pod === undefined) return;
      try {
        this.#scheduleOne(pod);
      } catch (err) {
        this.attempts.error++;
        this.#context.log.error('a pod could not be decided on', { pod: pod.key, error: (err as Error).stack });
        this.#queue.retry(pod.uid);
      }
    }
  }

  #scheduleOne(pod: PodInfo): void {
    const decision = placePod(pod, this.#view, {
      filters: FILTERS,
      scores: SCORES,
      random: this.#context.random,
      start: this.#start++,
    });
    if (!('node' in decision)) {
      this.attempts.unschedulable++;
      return this.#noPlace(pod, decision);
    }
    this.#view.place(pod, decision.node, true);
    this.#binding++;
    void this.#bind(pod, decision.node).finally(() => {
      this.#binding--;
      this.#whenFree.shift()?.();
    });
  }

  async #bind(pod: PodInfo, node: string): Promise<void> {
    const { client, log } = this.#context;
    const { name = '', namespace = '', uid = '' } = pod.pod.metadata;
    try {
      await bindClaims(this.#context, pod.pod, node);
      await client.resource(PODS).post(namespace, name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      });
      this.attempts.scheduled++;
      this.#queue.remove(uid);
      this.#events.event(pod.pod, 'Normal', 'Scheduled', `Successfully assigned ${pod.key} to ${node}`);
    } catch (err) {
      this.#view.forget(uid);
      if (this.#stopped) return;
      if (isNotFound(err)) return this.#queue.remove(uid);
      this.attempts.error++;
      log.warn('a binding failed', { pod: pod.key, node, error: (err as Error).message });
      // The room that was kept for it is free again.
      this.#queue.happened('pod-gone');
      if (err instanceof ApiStatusError && err.code === 409 && pod.pod.metadata.deletionTimestamp !== undefined) return;
      this.#queue.retry(uid);
    }
  }

  #noPlace(pod: PodInfo, decision: NoPlace): void {
    let message = fitMessage(decision.nodes, decision.reasons, decision.whole);
    let nominated: string | null = null;
    if (decision.nodes > 0) {
      const outcome = this.#preempt(pod, decision);
      message += outcome.message;
      nominated = outcome.node;
    }
    this.#queue.park(pod.uid, decision.wakesOn);
    this.#events.event(pod.pod, 'Warning', 'FailedScheduling', message);
    void this.#tell(pod, message, nominated);
  }

  #preempt(pod: PodInfo, decision: NoPlace): { message: string; node: string | null } {
    if (pod.pod.spec?.preemptionPolicy === 'Never') {
      return { message: ' preemption: not eligible due to preemptionPolicy=Never.', node: null };
    }
    const nominated = this.#view.node(pod.pod.status?.nominatedNodeName ?? '');
    for (const other of nominated?.pods ?? []) {
      if (other.priority >= pod.priority || other.pod.metadata.deletionTimestamp === undefined) continue;
      const message = ' preemption: not eligible due to a terminating pod on the nominated node.';
      return { message, node: nominated?.name ?? null };
    }
    const budgets = this.#context.informers.of(DISRUPTION_BUDGETS).list();
    const chosen = choosePreemption(pod, decision.curable, this.#view, FILTERS, budgets);
    if (chosen === null) {
      const reasons = new Map<string, number>();
      const hopeless = decision.nodes - decision.curable.length;
      if (hopeless > 0) reasons.set('Preemption is not helpful for scheduling', hopeless);
      if (decision.curable.length > 0) {
        reasons.set('No preemption victims found for incoming pod', decision.curable.length);
      }
      return { message: preemptionMessage(decision.nodes, reasons), node: null };
    }
    this.#view.nominate(pod, chosen.node);
    for (const victim of chosen.victims) void this.#sendAway(victim, pod, chosen.node);
    return { message: '', node: chosen.node };
  }

  async #sendAway(victim: PodInfo, pod: PodInfo, node: string): Promise<void> {
    const { client, clock, log } = this.#context;
    const { name = '', namespace = '', uid = '' } = victim.pod.metadata;
    const pods = client.resource(PODS);
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${this.#name}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: timeText(clock.now()),
    };
    try {
      const body = { metadata: { uid }, status: { conditions: [condition] } };
      await pods.patch(namespace, name, 'strategic', body, { subresource: 'status' });
      await pods.delete(namespace, name, { preconditions: { uid } });
      this.#events.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${node}`);
    } catch (err) {
      if (!isNotFound(err)) log.warn('a victim stays', { pod: victim.key, error: (err as Error).message });
    }
  }

  /** The condition PodScheduled, if it says something else now. */
  async #tell(pod: PodInfo, message: string, nominated: string | null): Promise<void> {
    const { client, clock, log } = this.#context;
    const { name = '', namespace = '', uid = '' } = pod.pod.metadata;
    const known = (pod.pod.status?.conditions ?? []).find((one: { type: string }) => one.type === 'PodScheduled');
    const moved = nominated !== null && nominated !== pod.pod.status?.nominatedNodeName;
    if (known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message && !moved) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime:
        known?.status === 'False' ? (known.lastTransitionTime ?? timeText(clock.now())) : timeText(clock.now()),
    };
    const status = { conditions: [condition], ...(moved ? { nominatedNodeName: nominated } : {}) };
    try {
      const body = { metadata: { uid }, status };
      await client.resource(PODS).patch(namespace, name, 'strategic', body, { subresource: 'status' });
    } catch (err) {
      if (!isNotFound(err)) log.warn('a pod was not told', { pod: pod.key, error: (err as Error).message });
    }
  }

  /** For metrics. */
  pending(): { active: number; backoff: number; unschedulable: number } {
    return this.#queue.counts();
  }
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Whether pods that found no place on the old one may find one now. */
function placesChanged(old: KubeObject, node: KubeObject): boolean {
  const relevant = (one: KubeObject): string =>
    JSON.stringify([
      one.metadata.labels,
      one.spec?.taints,
      one.spec?.unschedulable,
      one.status?.allocatable,
      one.status?.images,
    ]);
  return relevant(old) !== relevant(node);
}

/** As far as places are concerned. */
function sameWants(a: KubeObject, b: KubeObject): boolean {
  const wants = (pod: KubeObject): string => JSON.stringify([pod.metadata.labels, pod.spec]);
  return wants(a) === wants(b);
}
