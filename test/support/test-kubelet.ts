import type { ControllerContext } from '../../src/kube/kit/index.js';
import { isConflict, isNotFound, PODS } from '../../src/kube/kit/index.js';
import type { KubeObject } from '../../src/kube/machinery/object.js';

/**
 * Plays scheduler and kubelet of all nodes through the API: binds pods, makes them Running and Ready, and lets go of
 * those that are deleted. What an image's name says happens: one with `stuck` in it never becomes ready, one with
 * `held` stays while it is being deleted, until `letGo`.
 */
export class TestKubelet {
  readonly #context: ControllerContext;
  readonly #nodes: readonly string[];
  readonly #off: () => void;
  #turn = 0;
  readonly #busy = new Map<string, Promise<void>>();
  #stopped = false;
  #lettingGo = false;
  /** Names of pods in the order in which they became ready. */
  readonly started: string[] = [];
  /** Likewise of those that ended. */
  readonly ended: string[] = [];
  /** The most pods, counted without those that were being deleted, that were there at once. */
  most = 0;
  /** The fewest ready ones since `watchFloor`. */
  fewestReady = Number.POSITIVE_INFINITY;
  #floor = false;

  constructor(context: ControllerContext, nodes: readonly string[] = ['node-a', 'node-b']) {
    this.#context = context;
    this.#nodes = nodes;
    const pods = context.informers.of(PODS);
    const seen = (pod: KubeObject) => {
      this.#count();
      this.#work(pod);
    };
    this.#off = pods.onChange({ add: seen, update: (_, pod) => seen(pod), delete: () => this.#count() });
  }

  /** From now on the fewest ready pods are counted. */
  watchFloor(): void {
    this.#floor = true;
    this.fewestReady = Number.POSITIVE_INFINITY;
    this.#count();
  }

  /** Those that are `held` go now and from now on, until `hold`. */
  letGo(): void {
    this.#lettingGo = true;
    for (const pod of this.#context.informers.of(PODS).list()) this.#work(pod);
  }

  hold(): void {
    this.#lettingGo = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#off();
    await Promise.all(this.#busy.values());
  }

  #count(): void {
    const pods = this.#context.informers
      .of(PODS)
      .list()
      .filter((pod) => pod.metadata.deletionTimestamp === undefined);
    this.most = Math.max(this.most, pods.length);
    if (this.#floor) this.fewestReady = Math.min(this.fewestReady, pods.filter(ready).length);
  }

  #work(pod: KubeObject): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#stopped) return;
    const before = this.#busy.get(uid) ?? Promise.resolve();
    const work = before
      .then(() => this.#step(pod))
      .catch((err) => {
        if (!isNotFound(err) && !isConflict(err) && !this.#stopped) throw err;
      });
    this.#busy.set(uid, work);
    void work.then(() => {
      if (this.#busy.get(uid) === work) this.#busy.delete(uid);
    });
  }

  async #step(seen: KubeObject): Promise<void> {
    const client = this.#context.client.resource(PODS);
    const { namespace = '', name = '', uid } = seen.metadata;
    // What was seen may be old by now.
    const pod = this.#context.informers.of(PODS).get(namespace, name);
    if (this.#stopped || pod === undefined || pod.metadata.uid !== uid) return;
    const image: string = pod.spec.containers[0].image;
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (image.includes('held') && !this.#lettingGo) return;
      this.ended.push(name);
      await client.delete(namespace, name, { gracePeriodSeconds: 0, preconditions: { uid: uid ?? '' } });
      return;
    }
    if (!pod.spec.nodeName) {
      const wanted = nodeOfAffinity(pod) ?? this.#nodes[this.#turn++ % this.#nodes.length]!;
      const target = { apiVersion: 'v1', kind: 'Node', name: wanted };
      await client.post(namespace, name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name },
        target,
      });
      return;
    }
    if (pod.status?.phase === 'Running' || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return;
    const now = new Date(this.#context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const well = !image.includes('stuck');
    const status = {
      phase: 'Running',
      startTime: now,
      conditions: [{ type: 'Ready', status: well ? 'True' : 'False', lastTransitionTime: now }],
    };
    await client.patch(namespace, name, 'strategic', { status }, { subresource: 'status' });
    if (well) this.started.push(name);
  }
}

function ready(pod: KubeObject): boolean {
  return (pod.status?.conditions ?? []).some(
    (c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True',
  );
}

/** Where a daemon's pod must go. */
function nodeOfAffinity(pod: KubeObject): string | undefined {
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms[0]?.matchFields?.[0]?.values?.[0];
}
