/**
 * How many pods of a Job have ended well and ill, each counted once though pods may be deleted by anybody at any time:
 *
 *   pod ends, has our finalizer --status names its uid--> finalizer is taken off --seen--> the uid becomes a number
 *
 * Source: kubernetes Jobs, tracking with finalizers.
 */
import type { KubeObject } from '../../machinery/object.js';
import { isFinished, isTerminating, podPhase } from '../pods.js';
import { judge } from './failure-policy.js';
import { indexOf, parseIndexes } from './indexes.js';

export const TRACKING = 'batch.kubernetes.io/job-tracking';
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

export interface Tally {
  /** For the status. */
  readonly counted: { succeeded: number; failed: number };
  readonly uncounted: { succeeded: string[]; failed: string[] };
  readonly completed: Set<number>;
  readonly failedIndexes: Set<number>;
  /** With those that only stand by their uid. */
  readonly succeeded: number;
  readonly failed: number;
  /** When the status has been written their finalizer may go. */
  readonly release: KubeObject[];
  /** A rule says that the Job has failed. */
  readonly fails: string | undefined;
}

export function isIndexed(job: KubeObject): boolean {
  return job.spec.completionMode === 'Indexed';
}

export function isTracked(pod: KubeObject): boolean {
  return (pod.metadata.finalizers ?? []).includes(TRACKING);
}

/** It failed, or is going without having ended well and so will never tell. */
export function hasFailed(job: KubeObject, pod: KubeObject): boolean {
  const phase = podPhase(pod);
  if (phase === 'Failed') return true;
  if (!isTerminating(pod) || phase === 'Succeeded') return false;
  return job.spec.podReplacementPolicy !== 'Failed' || phase === 'Pending';
}

/** How often an index has failed, this pod included. */
export function failuresOf(pod: KubeObject): number {
  return Number(pod.metadata.annotations?.[INDEX_FAILURES] ?? 0) + 1;
}

export function tally(job: KubeObject, pods: readonly KubeObject[]): Tally {
  const { status = {} } = job;
  const indexed = isIndexed(job);
  const limit: number = indexed ? (job.spec.completions ?? 0) : 0;
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? '', pod]));
  const counted = { succeeded: indexed ? 0 : (status.succeeded ?? 0), failed: status.failed ?? 0 };
  const uncounted = { succeeded: [] as string[], failed: [] as string[] };
  for (const how of ['succeeded', 'failed'] as const) {
    for (const uid of (status.uncountedTerminatedPods?.[how] ?? []) as string[]) {
      if (tracked.has(uid)) uncounted[how].push(uid);
      else counted[how]++;
    }
  }
  const completed = parseIndexes(status.completedIndexes, limit);
  const failedIndexes = parseIndexes(status.failedIndexes, limit);
  const known = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const release: KubeObject[] = [];
  let fails: string | undefined;
  for (const [uid, pod] of tracked) {
    const index = indexOf(pod);
    if (known.has(uid)) release.push(pod);
    else if (podPhase(pod) === 'Succeeded') {
      if (!indexed) uncounted.succeeded.push(uid);
      else if (index >= 0 && index < limit) completed.add(index);
      release.push(pod);
    } else if (hasFailed(job, pod)) {
      const verdict = judge(job, pod);
      if (verdict.action === 'FailJob') fails ??= verdict.message;
      if (verdict.action !== 'Ignore') {
        uncounted.failed.push(uid);
        const perIndex: number | undefined = job.spec.backoffLimitPerIndex;
        const isTooMuch = perIndex !== undefined && failuresOf(pod) > perIndex;
        const isIndexLost = verdict.action === 'FailIndex' || isTooMuch;
        if (isIndexLost && index >= 0 && index < limit && !completed.has(index)) failedIndexes.add(index);
      }
      release.push(pod);
    }
  }
  for (const index of completed) failedIndexes.delete(index);
  if (indexed) counted.succeeded = completed.size;
  return {
    counted,
    uncounted,
    completed,
    failedIndexes,
    succeeded: counted.succeeded + uncounted.succeeded.length,
    failed: counted.failed + uncounted.failed.length,
    release,
    fails,
  };
}

/** When a pod ended, ms. */
export function endedAt(pod: KubeObject, now: number): number {
  const statuses: { state?: { terminated?: { finishedAt?: string } } }[] = pod.status?.containerStatuses ?? [];
  const ends = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? '')).filter((at) => at > 0);
  if (ends.length > 0) return Math.max(...ends);
  const told = pod.metadata.deletionTimestamp ?? readyChange(pod);
  return Math.min(now, Date.parse(told ?? '') || now);
}

function readyChange(pod: KubeObject): string | undefined {
  const ready = (pod.status?.conditions ?? []).find((c: { type: string }) => c.type === 'Ready');
  return ready?.lastTransitionTime;
}

/** Failures since the last that ended well: how many, and when the last of them was. */
export function recentFailures(
  job: KubeObject,
  pods: readonly KubeObject[],
  now: number,
): { count: number; last: number } {
  const over = pods.filter((pod) => isFinished(pod) || hasFailed(job, pod));
  const ends = over.map((pod) => ({ at: endedAt(pod, now), failed: hasFailed(job, pod) }));
  const success = Math.max(0, ...ends.filter((end) => !end.failed).map(({ at }) => at));
  const failures = ends.filter((end) => end.failed && end.at > success);
  return { count: failures.length, last: Math.max(0, ...failures.map(({ at }) => at)) };
}
