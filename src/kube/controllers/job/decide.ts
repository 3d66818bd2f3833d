/** Whether a Job is over, and how many pods it wants if not. Source: kubernetes Jobs. */
import type { KubeObject, Loose } from '../../machinery/object.js';
import { conditionOf } from '../conditions.js';
import { podPhase } from '../pods.js';
import { parseIndexes } from './indexes.js';
import type { Tally } from './tally.js';
import { isIndexed } from './tally.js';

/** After a failure the next pod waits so long, doubled each time. */
const BACKOFF_MS = 10_000;
const BACKOFF_MAX_MS = 600_000;

export interface Outcome {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

const failed = (reason: string, message: string): Outcome => ({ type: 'Failed', reason, message });
const complete = (reason: string, message: string): Outcome => ({ type: 'Complete', reason, message });

/** @param active pods that run or will */
export function decide(job: KubeObject, sum: Tally, active: readonly KubeObject[], now: number): Outcome | null {
  for (const [interim, type] of [['FailureTarget', 'Failed'] as const, ['SuccessCriteriaMet', 'Complete'] as const]) {
    const said = conditionOf(job, interim);
    if (said?.status === 'True') return { type, reason: said.reason ?? '', message: said.message ?? '' };
  }
  const { spec } = job;
  if (sum.fails !== undefined) return failed('PodFailurePolicy', sum.fails);
  const byPolicy = matchesSuccessPolicy(job, sum);
  if (byPolicy !== undefined) return complete('SuccessPolicy', `Matched rules at index ${byPolicy}`);
  const limit: number = spec.backoffLimit ?? 6;
  if (sum.failed > limit || isPastLimitByRestarts(job, active, limit)) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (deadlineIn(job, now) === 0) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (isIndexed(job) && spec.backoffLimitPerIndex !== undefined) {
    const lost = sum.failedIndexes.size;
    if (spec.maxFailedIndexes !== undefined && lost > spec.maxFailedIndexes) {
      const why = 'Job has exceeded the specified maximal number of failed indexes';
      return failed('MaxFailedIndexesExceeded', why);
    }
    if (lost > 0 && sum.completed.size + lost >= spec.completions)
      return failed('FailedIndexes', 'Job has failed indexes');
  }
  const isDone =
    spec.completions === undefined || spec.completions === null
      ? sum.succeeded > 0 && active.length === 0
      : sum.succeeded >= spec.completions;
  return isDone ? complete('CompletionsReached', 'Reached expected number of succeeded pods') : null;
}

/** Pods that restart their containers themselves have failed as often as those were started again. */
function isPastLimitByRestarts(job: KubeObject, pods: readonly KubeObject[], limit: number): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods) {
    if (podPhase(pod) !== 'Running' && podPhase(pod) !== 'Pending') continue;
    const statuses: Loose[] = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
    for (const { restartCount = 0 } of statuses) restarts += restartCount;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function matchesSuccessPolicy(job: KubeObject, { completed }: Tally): number | undefined {
  const rules: Loose[] = job.spec.successPolicy?.rules ?? [];
  const index = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted = succeededIndexes === undefined ? null : parseIndexes(succeededIndexes, job.spec.completions ?? 0);
    const met = wanted === null ? completed.size : [...completed].filter((i) => wanted.has(i)).length;
    return met >= (succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY);
  });
  return index < 0 ? undefined : index;
}

/** ms, 0: it has passed; undefined: there is none. */
export function deadlineIn(job: KubeObject, now: number): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec;
  const started = Date.parse(job.status?.startTime ?? '');
  if (activeDeadlineSeconds === undefined || suspend === true || Number.isNaN(started)) return undefined;
  return Math.max(0, started + activeDeadlineSeconds * 1000 - now);
}

/** How long the next pod has to wait, ms. */
export function backoffIn(failures: { count: number; last: number }, now: number): number {
  if (failures.count === 0) return 0;
  const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(30, failures.count - 1));
  return Math.max(0, failures.last + wait - now);
}

/** How many pods shall run at once. */
export function wantedActive(job: KubeObject, sum: Tally, active: number): number {
  const { completions, parallelism = 1 } = job.spec;
  if (completions === undefined || completions === null)
    return sum.succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  return Math.max(0, Math.min(parallelism, completions - sum.succeeded - sum.failedIndexes.size));
}
