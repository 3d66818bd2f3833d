/** How many pods a Deployment may have at most and at least, and what its sets ask for (kubernetes Deployment). */
import type { KubeObject } from '../../machinery/object.js';
import { scaledValue } from '../int-or-percent.js';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

export function replicasOf(object: KubeObject): number {
  return object.spec?.replicas ?? 0;
}

export function availableOf(set: KubeObject): number {
  return set.status?.availableReplicas ?? 0;
}

export function totalOf(sets: readonly KubeObject[], count: (set: KubeObject) => number): number {
  return sets.reduce((sum, set) => sum + count(set), 0);
}

export function isRolling(deployment: KubeObject): boolean {
  return deployment.spec?.strategy?.type !== 'Recreate';
}

function bounds(deployment: KubeObject): { surge: number; unavailable: number } {
  const rolling = deployment.spec?.strategy?.rollingUpdate ?? {};
  const replicas = replicasOf(deployment);
  const surge = scaledValue(rolling.maxSurge, replicas, 'up', 0);
  const unavailable = scaledValue(rolling.maxUnavailable, replicas, 'down', 0);
  // Percentages of little may both come to nothing, and nothing would ever move.
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function maxSurge(deployment: KubeObject): number {
  return isRolling(deployment) ? bounds(deployment).surge : 0;
}

export function maxUnavailable(deployment: KubeObject): number {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment) || replicas === 0) return 0;
  return Math.min(bounds(deployment).unavailable, replicas);
}

/** A number in an annotation, or undefined. */
export function numberIn(object: KubeObject, annotation: string): number | undefined {
  const text = object.metadata.annotations?.[annotation];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

export function revisionOf(object: KubeObject): number {
  return numberIn(object, REVISION) ?? 0;
}
