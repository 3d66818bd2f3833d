/** Keeps the status of PodDisruptionBudgets, which evictions are granted by. Source: kubernetes disruptions. */
import type { ControllerContext, StartController } from '../kit/index.js';
import { controllerOf, DISRUPTION_BUDGETS, keyOf, PODS, splitKey } from '../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../machinery/label-selector.js';
import type { KubeObject, OwnerReference } from '../machinery/object.js';
import { parseApiVersion } from '../machinery/object.js';
import { withCondition } from './conditions.js';
import { scaledValue } from './int-or-percent.js';
import { startLoop } from './loop.js';
import { isFinished, isReady, isTerminating } from './pods.js';
import { sameStatus } from './same.js';

/** An eviction that was granted and did not come about is forgotten after this. */
const DISRUPTED_MS = 120_000;
const NAME = 'disruption-controller';
const PLURALS: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  ReplicationController: 'replicationcontrollers',
  StatefulSet: 'statefulsets',
};

export interface Numbers {
  readonly expected: number;
  readonly desired: number;
  readonly healthy: number;
  readonly allowed: number;
}

/**
 * @param expected pods that there should be
 * @param going pods whose eviction was granted
 */
export function budgetNumbers(
  spec: { readonly minAvailable?: unknown; readonly maxUnavailable?: unknown },
  expected: number,
  pods: readonly KubeObject[],
  going: ReadonlySet<string>,
): Numbers {
  const { minAvailable, maxUnavailable } = spec;
  const desired =
    maxUnavailable !== undefined && maxUnavailable !== null
      ? Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up', 0))
      : scaledValue(minAvailable, expected, 'up', 0);
  const healthy = pods.filter(
    (pod) => !isTerminating(pod) && !isFinished(pod) && isReady(pod) && !going.has(pod.metadata.name ?? ''),
  ).length;
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  return { expected, desired, healthy, allowed };
}

export const startDisruption: StartController = (context) => {
  const budgets = context.informers.of(DISRUPTION_BUDGETS);
  const pods = context.informers.of(PODS);
  const queue = context.queue('disruption');
  const events = context.recorder('controllermanager');
  const add = (budget: KubeObject) => queue.add(keyOf(budget));
  const covers = (budget: KubeObject, pod: KubeObject) =>
    matchesLabels(labelSelectorOf(budget.spec?.selector), pod.metadata.labels);
  const ofPod = (pod: KubeObject) => {
    for (const budget of budgets.list(pod.metadata.namespace)) if (covers(budget, pod)) add(budget);
  };

  /** Only on what was looked at: evictions write there as well, and count on it. */
  async function write(budget: KubeObject, status: unknown): Promise<void> {
    if (sameStatus(budget.status, status)) return;
    const client = context.client.resource(DISRUPTION_BUDGETS);
    await client.update(budget.metadata.namespace ?? '', { ...budget, status }, 'status');
  }

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const budget = budgets.get(namespace, name);
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return;
    const now = context.clock.now();
    const mine = pods.list(namespace).filter((pod) => covers(budget, pod));
    const status = structuredClone(budget.status ?? {});
    const disrupted: Record<string, string> = {};
    for (const [pod, at] of Object.entries((status.disruptedPods ?? {}) as Record<string, string>)) {
      const live = mine.find(({ metadata }) => metadata.name === pod);
      if (live === undefined || isTerminating(live)) continue;
      const left = Date.parse(at) + DISRUPTED_MS - now;
      if (left > 0) {
        disrupted[pod] = at;
        queue.addAfter(key, left);
      } else events.event(live, 'Warning', 'NotDeleted', `Pod was expected by PDB ${key} to be deleted but it wasn't`);
    }
    const common = { observedGeneration: budget.metadata.generation };
    try {
      const numbers = budgetNumbers(
        budget.spec,
        await expectedPods(context, budget, mine),
        mine,
        new Set(Object.keys(disrupted)),
      );
      const enough = numbers.allowed > 0;
      const condition = {
        type: 'DisruptionAllowed',
        status: enough ? 'True' : 'False',
        reason: enough ? 'SufficientPods' : 'InsufficientPods',
        message: '',
      };
      const { disruptedPods: _, ...rest } = status;
      await write(budget, {
        ...rest,
        ...common,
        ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
        expectedPods: numbers.expected,
        desiredHealthy: numbers.desired,
        currentHealthy: numbers.healthy,
        disruptionsAllowed: numbers.allowed,
        conditions: withCondition(status.conditions ?? [], condition, now),
      });
    } catch (err) {
      if (!(err instanceof NoScale)) throw err;
      // Nothing is allowed where it is not known what there should be.
      events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', err.message);
      const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: err.message };
      const conditions = withCondition(status.conditions ?? [], condition, now);
      await write(budget, { ...status, ...common, disruptionsAllowed: 0, conditions });
    }
  }

  return startLoop({
    name: NAME,
    queue,
    informers: [budgets, pods],
    workers: 2,
    handlers: [
      budgets.onChange({ add, update: (_, budget) => add(budget) }),
      pods.onChange({
        add: ofPod,
        update(old, pod) {
          ofPod(old);
          ofPod(pod);
        },
        delete: ofPod,
      }),
    ],
    sync,
  });
};

class NoScale extends Error {}

/** By the scales of the controllers where the budget speaks of shares; else those that are there. */
async function expectedPods(
  context: ControllerContext,
  budget: KubeObject,
  pods: readonly KubeObject[],
): Promise<number> {
  const { minAvailable, maxUnavailable } = budget.spec;
  const usesShare = (maxUnavailable !== undefined && maxUnavailable !== null) || typeof minAvailable === 'string';
  if (!usesShare) return pods.length;
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const ref = controllerOf(pod);
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (ref === undefined) throw new NoScale(`found no controller ref for pod "${name}"`);
    if (scales.has(ref.uid)) continue;
    const { uid, replicas } = await scaleOf(context, pod.metadata.namespace ?? '', ref);
    scales.set(ref.uid, 0);
    scales.set(uid, replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** Of a ReplicaSet its Deployment's: while that rolls there are two sets. */
async function scaleOf(
  context: ControllerContext,
  namespace: string,
  ref: OwnerReference,
): Promise<{ uid: string; replicas: number }> {
  const plural = PLURALS[ref.kind];
  if (plural === undefined)
    throw new NoScale(`${ref.kind}.${parseApiVersion(ref.apiVersion).group} does not implement the scale subresource`);
  const gvr = { ...parseApiVersion(ref.apiVersion), plural };
  const owner = await context.client.resource(gvr).get(namespace, ref.name);
  const above = controllerOf(owner);
  if (ref.kind === 'ReplicaSet' && above?.kind === 'Deployment') return scaleOf(context, namespace, above);
  return { uid: owner.metadata.uid ?? '', replicas: owner.spec?.replicas ?? 1 };
}
