/** Conditions of a Deployment and how they come about. */
import type { KubeObject } from '../../machinery/object.js';
import { availableOf, maxUnavailable, replicasOf, totalOf } from './numbers.js';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastUpdateTime: string;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface DeploymentStatus {
  observedGeneration: number;
  replicas: number;
  updatedReplicas: number;
  readyReplicas: number;
  availableReplicas: number;
  unavailableReplicas: number;
  collisionCount?: number;
  conditions: Condition[];
}

export function conditionOf(status: { conditions?: Condition[] } | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** A condition of the same status and reason stays as it was; one of the same status keeps the time it began. */
export function setCondition(
  conditions: readonly Condition[],
  type: string,
  [status, reason, message]: readonly [Condition['status'], string, string],
  now: number,
): Condition[] {
  const known = conditions.find((condition) => condition.type === type);
  if (known !== undefined && known.status === status && known.reason === reason) return [...conditions];
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const began = known?.status === status ? known.lastTransitionTime : time;
  const rest = conditions.filter((condition) => condition.type !== type);
  return [...rest, { type, status, lastUpdateTime: time, lastTransitionTime: began, reason, message }];
}

export function hasDeadline(deployment: KubeObject): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== null && seconds !== 2 ** 31 - 1;
}

export function isComplete(deployment: KubeObject, status: Partial<DeploymentStatus> | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** More is new, ready or available than before, or less is old. */
function hasProgressed(before: Partial<DeploymentStatus>, now: DeploymentStatus): boolean {
  const { updatedReplicas = 0, replicas = 0, readyReplicas = 0, availableReplicas = 0 } = before;
  return (
    now.updatedReplicas > updatedReplicas ||
    now.replicas - now.updatedReplicas < replicas - updatedReplicas ||
    now.readyReplicas > readyReplicas ||
    now.availableReplicas > availableReplicas
  );
}

/** When the wait for progress is over, ms since the epoch; undefined where nothing is waited for. */
export function deadlineAt(deployment: KubeObject, conditions: readonly Condition[]): number | undefined {
  const progressing = conditions.find((condition) => condition.type === 'Progressing');
  if (!hasDeadline(deployment) || progressing === undefined) return undefined;
  if (progressing.reason === 'NewReplicaSetAvailable' || progressing.reason === 'ProgressDeadlineExceeded') {
    return undefined;
  }
  return Date.parse(progressing.lastUpdateTime) + deployment.spec.progressDeadlineSeconds * 1000;
}

/** Numbers and the condition Available. */
export function countedStatus(
  deployment: KubeObject,
  newSet: KubeObject | undefined,
  oldSets: readonly KubeObject[],
  now: number,
): DeploymentStatus {
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const available = totalOf(all, availableOf);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment);
  const availability = enough
    ? (['True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'] as const)
    : (['False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'] as const);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: totalOf(all, (set) => set.status?.replicas ?? 0),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: totalOf(all, (set) => set.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, totalOf(all, replicasOf) - available),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: setCondition(conditions, 'Available', availability, now),
  };
}

/** What a round of a rollout tells: the above, and whether it gets on. */
export function rolloutStatus(
  deployment: KubeObject,
  newSet: KubeObject | undefined,
  oldSets: readonly KubeObject[],
  now: number,
): DeploymentStatus {
  const status = countedStatus(deployment, newSet, oldSets, now);
  const without = (type: string) => status.conditions.filter((condition) => condition.type !== type);
  const subject =
    newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  const progressing = conditionOf(deployment.status, 'Progressing');
  if (!hasDeadline(deployment)) status.conditions = without('Progressing');
  const done = status.replicas === status.updatedReplicas && progressing?.reason === 'NewReplicaSetAvailable';
  if (hasDeadline(deployment) && !done) {
    if (isComplete(deployment, status)) {
      const news = ['True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`] as const;
      status.conditions = setCondition(status.conditions, 'Progressing', news, now);
    } else if (hasProgressed(deployment.status ?? {}, status)) {
      // Its time of update is what the deadline counts from: it is written anew with each progress.
      const news = ['True', 'ReplicaSetUpdated', `${subject} is progressing.`] as const;
      const [fresh] = setCondition([], 'Progressing', news, now);
      const began = progressing?.status === 'True' ? { lastTransitionTime: progressing.lastTransitionTime } : {};
      status.conditions = [...without('Progressing'), { ...fresh!, ...began }];
    } else if ((deadlineAt(deployment, status.conditions) ?? Number.POSITIVE_INFINITY) < now) {
      const news = ['False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`] as const;
      status.conditions = setCondition(status.conditions, 'Progressing', news, now);
    }
  }
  const failure = [newSet, ...oldSets]
    .flatMap((set) => (set?.status?.conditions ?? []) as Condition[])
    .find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True');
  status.conditions =
    failure === undefined
      ? without('ReplicaFailure')
      : setCondition(status.conditions, 'ReplicaFailure', ['True', failure.reason, failure.message], now);
  return status;
}
