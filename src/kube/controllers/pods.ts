/** What loops ask of a pod. Source: kubernetes pod life cycle. */
import type { KubeObject } from '../machinery/object.js';

export function podPhase(pod: KubeObject): string {
  return pod.status?.phase ?? '';
}

export function isTerminating(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** It has ended by itself. */
export function isFinished(pod: KubeObject): boolean {
  return podPhase(pod) === 'Succeeded' || podPhase(pod) === 'Failed';
}

/** It counts for the number its controller wants. */
export function isActive(pod: KubeObject): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

function readyCondition(pod: KubeObject): { status: string; lastTransitionTime?: string } | undefined {
  return (pod.status?.conditions ?? []).find((condition: { type: string }) => condition.type === 'Ready');
}

export function isReady(pod: KubeObject): boolean {
  return readyCondition(pod)?.status === 'True';
}

/** When it became ready, ms; 0 where it is not told. */
export function readySince(pod: KubeObject): number {
  return Date.parse(readyCondition(pod)?.lastTransitionTime ?? '') || 0;
}

export function isRunningAndReady(pod: KubeObject): boolean {
  return podPhase(pod) === 'Running' && isReady(pod);
}

/**
 * How long until it has been ready for `minReadySeconds`, ms: 0 when it is available, Infinity when it is not even ready.
 */
export function availableIn(pod: KubeObject, minReadySeconds: number | undefined, now: number): number {
  if (!isReady(pod)) return Number.POSITIVE_INFINITY;
  if (!minReadySeconds) return 0;
  const since = readySince(pod);
  // Whole seconds on the wire: since then, or nearly a second later.
  return since === 0 ? Number.POSITIVE_INFINITY : Math.max(0, since + minReadySeconds * 1000 - now);
}

export function isAvailable(pod: KubeObject, minReadySeconds: number | undefined, now: number): boolean {
  return availableIn(pod, minReadySeconds, now) === 0;
}

/** When to look again since a ready pod will have become available by then; undefined: at no time. */
export function nextAvailable(
  pods: readonly KubeObject[],
  minReadySeconds: number | undefined,
  now: number,
): number | undefined {
  const waits = pods.map((pod) => availableIn(pod, minReadySeconds, now)).filter((ms) => ms > 0 && Number.isFinite(ms));
  return waits.length === 0 ? undefined : Math.min(...waits);
}

export function createdAt(object: KubeObject): number {
  return Date.parse(object.metadata.creationTimestamp ?? '') || 0;
}

/** Oldest first; names decide between those of one second. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return createdAt(a) - createdAt(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
}

/** The most restarts of any of its containers. */
export function restartsOf(pod: KubeObject): number {
  const statuses: { restartCount?: number }[] = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ];
  return Math.max(0, ...statuses.map((status) => status.restartCount ?? 0));
}
