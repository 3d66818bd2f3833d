/** What a DaemonSet does next, as values: pods that go, nodes that get one (kubernetes DaemonSet). */
import type { KubeObject } from '../../machinery/object.js';
import { scaledValue } from '../int-or-percent.js';
import { byAge, isAvailable, isFinished, isReady, isTerminating } from '../pods.js';
import { REVISION_HASH } from '../revisions/history.js';
import { eligibility, nodeOf } from './eligible.js';

export interface PlanInput {
  readonly set: KubeObject;
  readonly nodes: readonly KubeObject[];
  /** Of the set, whatever their state. */
  readonly pods: readonly KubeObject[];
  /** Of the present revision. */
  readonly hash: string;
  readonly now: number;
}

export interface Plan {
  /** Names of nodes. */
  readonly create: string[];
  readonly remove: KubeObject[];
  /** Those that ended by themselves: told in an Event, and deleted with a growing wait. */
  readonly ended: KubeObject[];
}

export function byNode(pods: readonly KubeObject[]): Map<string, KubeObject[]> {
  const map = new Map<string, KubeObject[]>();
  for (const pod of pods) {
    const node = nodeOf(pod);
    if (node === undefined) continue;
    const there = map.get(node);
    if (there === undefined) map.set(node, [pod]);
    else there.push(pod);
  }
  return map;
}

const isNew = (pod: KubeObject, hash: string) => pod.metadata.labels?.[REVISION_HASH] === hash;

/** One pod on every node that should have one, none elsewhere. */
export function placement(input: PlanInput): Plan {
  const { set, nodes, pods, hash, now } = input;
  const plan: Plan = { create: [], remove: [], ended: [] };
  const map = byNode(pods);
  const surge = bounds(input).surge > 0;
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const there = map.get(name) ?? [];
    map.delete(name);
    const { run, stay } = eligibility(set, node);
    if (!stay) {
      plan.remove.push(...there.filter((pod) => !isTerminating(pod)));
      continue;
    }
    // One that is going holds its place until it is gone: two daemons at once may be worse than none.
    const ended = there.filter((pod) => isFinished(pod) && !isTerminating(pod));
    plan.ended.push(...ended);
    const living = there.filter((pod) => !isFinished(pod) && !isTerminating(pod));
    if (there.length === 0) {
      if (run) plan.create.push(name);
      continue;
    }
    if (living.length <= 1) continue;
    living.sort(oldestFirst);
    if (!surge) {
      plan.remove.push(...living.slice(1));
      continue;
    }
    const fresh = living.find((pod) => isNew(pod, hash));
    const old = living.find((pod) => !isNew(pod, hash));
    plan.remove.push(...living.filter((pod) => pod !== fresh && pod !== old));
    if (fresh === undefined || old === undefined) continue;
    // The old one has been replaced, or is of no use.
    if (!isReady(old) || isAvailable(fresh, set.spec?.minReadySeconds, now)) plan.remove.push(old);
  }
  // Waiting for nodes that are no more. Those that stood on one are the collector's.
  for (const there of map.values()) {
    plan.remove.push(...there.filter((pod) => !pod.spec?.nodeName && !isTerminating(pod)));
  }
  return plan;
}

/** Running ones before waiting ones, then by age. */
function oldestFirst(a: KubeObject, b: KubeObject): number {
  const placed = (pod: KubeObject) => (pod.spec?.nodeName ? 0 : 1);
  return placed(a) - placed(b) || byAge(a, b);
}

function bounds({ set, nodes }: PlanInput): { surge: number; unavailable: number } {
  const rolling = set.spec?.updateStrategy?.rollingUpdate ?? {};
  if (set.spec?.updateStrategy?.type === 'OnDelete') return { surge: 0, unavailable: 0 };
  const wanted = nodes.filter((node) => eligibility(set, node).run).length;
  const surge = scaledValue(rolling.maxSurge, wanted, 'up', 0);
  const unavailable = scaledValue(rolling.maxUnavailable, wanted, 'up', 1);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** A step of a rolling update. Nodes that have no pod, or too many, are placement's and count as unavailable. */
export function rolling(input: PlanInput): Plan {
  const { set, nodes, pods, hash, now } = input;
  const plan: Plan = { create: [], remove: [], ended: [] };
  if (set.spec?.updateStrategy?.type === 'OnDelete') return plan;
  const { surge, unavailable } = bounds(input);
  const map = byNode(pods);
  const well = (pod: KubeObject) => isAvailable(pod, set.spec?.minReadySeconds, now);
  let down = 0;
  let doubled = 0;
  /** Old pods, by whether they work. */
  const dead: KubeObject[] = [];
  const candidates: KubeObject[] = [];
  for (const node of nodes) {
    if (!eligibility(set, node).run) continue;
    const living = (map.get(node.metadata.name ?? '') ?? []).filter((pod) => !isTerminating(pod) && !isFinished(pod));
    const fresh = living.find((pod) => isNew(pod, hash));
    const old = living.find((pod) => !isNew(pod, hash));
    if (fresh !== undefined && old !== undefined) doubled++;
    else if (old !== undefined) (well(old) ? candidates : dead).push(old);
    else if (fresh === undefined || !well(fresh)) down++;
  }
  if (surge > 0) {
    const start = [...dead, ...candidates.slice(0, Math.max(0, surge - doubled))];
    plan.create.push(...start.map((pod) => nodeOf(pod) as string));
    return plan;
  }
  // Those that do not work are no loss; of the others as many as may be missing.
  const spare = Math.max(0, unavailable - down - dead.length);
  plan.remove.push(...dead, ...candidates.slice(0, spare));
  return plan;
}

export function daemonStatus({ set, nodes, pods, hash, now }: PlanInput, collisions: number | undefined) {
  const map = byNode(pods);
  const status = {
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
    updatedNumberScheduled: 0,
    numberAvailable: 0,
    numberUnavailable: 0,
    observedGeneration: set.metadata.generation ?? 0,
    ...(collisions === undefined ? {} : { collisionCount: collisions }),
  };
  for (const node of nodes) {
    const there = (map.get(node.metadata.name ?? '') ?? []).filter((pod) => !isTerminating(pod));
    if (!eligibility(set, node).run) {
      if (there.length > 0) status.numberMisscheduled++;
      continue;
    }
    status.desiredNumberScheduled++;
    if (there.length === 0) continue;
    status.currentNumberScheduled++;
    // A node is as well as the best of its pods: while two overlap, one of them serves.
    const ready = there.filter(isReady);
    if (ready.length > 0) status.numberReady++;
    if (ready.some((pod) => isAvailable(pod, set.spec?.minReadySeconds, now))) status.numberAvailable++;
    if ([...there].sort(oldestFirst).some((pod, i) => i === 0 && isNew(pod, hash))) status.updatedNumberScheduled++;
  }
  status.numberUnavailable = Math.max(0, status.desiredNumberScheduled - status.numberAvailable);
  return status;
}
