/** What a StatefulSet does next, as a value: no client, no clock but `now` (kubernetes StatefulSet). */
import type { KubeObject } from '../../machinery/object.js';
import { isAvailable, isFinished, isReady, isRunningAndReady, isTerminating, podPhase } from '../pods.js';
import { REVISION_HASH } from '../revisions/history.js';
import { ordinalOf, startOf } from './identity.js';

export type Step =
  | { readonly do: 'create'; readonly ordinal: number; readonly revision: 'current' | 'update' }
  | { readonly do: 'delete'; readonly pod: KubeObject }
  /** It ended by itself: deleted, and made anew when it is gone. */
  | { readonly do: 'replace'; readonly pod: KubeObject }
  | { readonly do: 'mend'; readonly pod: KubeObject; readonly scaledDown: boolean };

export interface PlanInput {
  readonly set: KubeObject;
  /** Its pods, whatever their state. */
  readonly pods: readonly KubeObject[];
  /** Names of revisions. */
  readonly current: string;
  readonly update: string;
  readonly now: number;
}

/** The steps of this round, in order. What they lead to is seen by the next round. */
export function plan(input: PlanInput): Step[] {
  const { set, pods, now } = input;
  const steps: Step[] = [];
  if (isTerminating(set)) return steps;
  const monotonic = set.spec?.podManagementPolicy !== 'Parallel';
  const start = startOf(set);
  const count: number = set.spec?.replicas ?? 0;
  const numbered = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]));
  numbered.delete(-1);
  const kept = Array.from({ length: count }, (_, i) => numbered.get(start + i));
  const condemned = [...numbered]
    .filter(([ordinal]) => ordinal < start || ordinal >= start + count)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  const well = (pod: KubeObject) => isRunningAndReady(pod) && !isTerminating(pod);
  const available = (pod: KubeObject) => well(pod) && isAvailable(pod, set.spec?.minReadySeconds, now);
  const firstUnwell = [...kept.filter((pod) => pod !== undefined), ...[...condemned].reverse()].find(
    (pod) => !well(pod),
  );

  for (const [i, pod] of kept.entries()) {
    if (pod === undefined) {
      steps.push({ do: 'create', ordinal: start + i, revision: revisionFor(input, start + i) });
      if (monotonic) return steps;
      continue;
    }
    if (isFinished(pod)) {
      // The name is free only when it is gone.
      if (!isTerminating(pod)) steps.push({ do: 'replace', pod });
      if (monotonic) return steps;
      continue;
    }
    if (isTerminating(pod)) {
      if (monotonic) return steps;
      continue;
    }
    steps.push({ do: 'mend', pod, scaledDown: false });
    if (monotonic && !available(pod)) return steps;
  }
  for (const pod of condemned) steps.push({ do: 'mend', pod, scaledDown: true });
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (monotonic) return steps;
      continue;
    }
    // One that is ill may hold up the others, but not its own end.
    if (monotonic && !available(pod) && pod !== firstUnwell) return steps;
    steps.push({ do: 'delete', pod });
    if (monotonic) return steps;
  }
  if (set.spec?.updateStrategy?.type === 'OnDelete') return steps;
  const partition: number = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let i = count - 1; i >= partition; i--) {
    const pod = kept[i];
    // Missing ones, and those that ended, are on their way, made of the revision they should be.
    if (pod === undefined || isFinished(pod)) return steps;
    if (pod.metadata.labels?.[REVISION_HASH] !== input.update && !isTerminating(pod)) {
      steps.push({ do: 'delete', pod });
      return steps;
    }
    if (!available(pod)) return steps;
  }
  return steps;
}

/** New pods below the partition are made as they were. */
function revisionFor({ set, pods, current, update }: PlanInput, ordinal: number): 'current' | 'update' {
  const strategy = set.spec?.updateStrategy;
  if (strategy?.type === 'OnDelete' || current === update) return 'update';
  const { rollingUpdate } = strategy ?? {};
  const bound: number = rollingUpdate?.partition ?? pods.filter((pod) => isOf(pod, current)).length;
  return ordinal < startOf(set) + bound ? 'current' : 'update';
}

function isOf(pod: KubeObject, revision: string): boolean {
  return !isTerminating(pod) && pod.metadata.labels?.[REVISION_HASH] === revision;
}

/** @param pods as the steps left them */
export function setStatus({ set, pods, current, update, now }: PlanInput, collisions: number | undefined) {
  const mine = pods.filter((pod) => podPhase(pod) !== '' && !isFinished(pod));
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: mine.length,
    readyReplicas: mine.filter((pod) => isRunningAndReady(pod)).length,
    availableReplicas: mine.filter((pod) => isReady(pod) && isAvailable(pod, set.spec?.minReadySeconds, now)).length,
    currentReplicas: mine.filter((pod) => isOf(pod, current)).length,
    updatedReplicas: mine.filter((pod) => isOf(pod, update)).length,
    currentRevision: current,
    updateRevision: update,
    ...(collisions === undefined ? {} : { collisionCount: collisions }),
  };
  // The rollout is over: what was to come is what is.
  const { replicas, readyReplicas, updatedReplicas } = status;
  const over =
    set.spec?.updateStrategy?.type !== 'OnDelete' && updatedReplicas === replicas && readyReplicas === replicas;
  return over && replicas === (set.spec?.replicas ?? 0)
    ? { ...status, currentReplicas: updatedReplicas, currentRevision: update }
    : status;
}
