import type { ControllerContext, EventRecorder, Informer, WorkQueue } from '../../kit/index.js';
import {
  claim,
  controllerOf,
  Expectations,
  isNotFound,
  JOBS,
  keyOf,
  PODS,
  slowStart,
  splitKey,
} from '../../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { candidates } from '../children.js';
import { conditionOf, hasCondition, timeOf, withCondition } from '../conditions.js';
import { PodControl } from '../pod-control.js';
import { isActive, isFinished, isReady, isTerminating } from '../pods.js';
import { sameStatus } from '../same.js';
import { newest } from '../write-status.js';
import type { Outcome } from './decide.js';
import { backoffIn, deadlineIn, decide, wantedActive } from './decide.js';
import { formatIndexes } from './indexes.js';
import { missingIndexes, newPod, superfluous, worstFirst } from './job-pods.js';
import type { Tally } from './tally.js';
import { isIndexed, isTracked, recentFailures, TRACKING, tally } from './tally.js';

/** Pods made or deleted in one go. */
const BURST = 500;
const MANAGER = 'kubernetes.io/job-controller';

export function isJobFinished(job: KubeObject): boolean {
  return hasCondition(job, 'Complete') || hasCondition(job, 'Failed');
}

export class JobSync {
  readonly expectations: Expectations;
  readonly #context: ControllerContext;
  readonly #jobs: Informer;
  readonly #pods: Informer;
  readonly #queue: WorkQueue;
  readonly #recorder: EventRecorder;
  readonly #control: PodControl;
  /** As we wrote them last: a status that was counted on must not be forgotten. */
  readonly #written = new Map<string, KubeObject>();

  constructor(context: ControllerContext, queue: WorkQueue) {
    this.#context = context;
    this.#jobs = context.informers.of(JOBS);
    this.#pods = context.informers.of(PODS);
    this.#queue = queue;
    this.expectations = new Expectations(context.clock);
    this.#recorder = context.recorder('job-controller');
    this.#control = new PodControl(context, this.#recorder);
  }

  async sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const seen = this.#jobs.get(namespace, name);
    if (seen === undefined) {
      this.expectations.forget(key);
      this.#written.delete(key);
      return;
    }
    const ours = this.#written.get(key);
    const job = ours !== undefined && ours.metadata.uid === seen.metadata.uid ? newest(this.#jobs, ours) : seen;
    if ((job.spec.managedBy ?? MANAGER) !== MANAGER) return;
    const fulfilled = this.expectations.fulfilled(key);
    const pods = await this.#claim(job);
    if (isTerminating(job) || isJobFinished(job)) {
      // What a deletion waits for, or nobody counts any more.
      await Promise.all(pods.filter((pod) => isTracked(pod)).map((pod) => this.release(pod)));
      return;
    }
    const now = this.#context.clock.now();
    const sum = tally(job, pods);
    const active = pods.filter(isActive);
    const outcome = decide(job, sum, active, now);
    const running =
      outcome === null ? await this.#manage(key, job, sum, pods, fulfilled) : await this.#end(job, active);
    const status = this.#status(job, sum, pods, running, outcome);
    const changed = { ...job, status };
    if (!sameStatus(job.status, status)) {
      const written = await this.#context.client.resource(JOBS).update(namespace, changed, 'status');
      this.#written.set(key, written);
      this.#tell(job, written);
    }
    await Promise.all(sum.release.map((pod) => this.release(pod)));
    const deadline = deadlineIn(changed, now);
    if (deadline !== undefined && outcome === null) this.#queue.addAfter(key, deadline + 1);
  }

  /** Takes our finalizer off. */
  async release(pod: KubeObject): Promise<void> {
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    const metadata = { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING] };
    await this.#context.client.resource(PODS).patch(namespace, name, 'strategic', { metadata }).catch(ignoreGone);
  }

  async #claim(job: KubeObject): Promise<KubeObject[]> {
    const { namespace = '', name = '' } = job.metadata;
    const selector = labelSelectorOf(job.spec.selector);
    const children = candidates(this.#pods, job);
    const pods = await claim({
      owner: job,
      children,
      matches: (pod) => matchesLabels(selector, pod.metadata.labels),
      childClient: this.#context.client.resource(PODS),
      readOwner: () => this.#context.client.resource(JOBS).get(namespace, name),
    });
    const strangers = new Set(children.filter((pod) => controllerOf(pod) === undefined).map(keyOf));
    for (const [i, pod] of pods.entries()) {
      if (!strangers.has(keyOf(pod)) || isTracked(pod)) continue;
      // Adopted: from now on it is counted.
      const metadata = { uid: pod.metadata.uid ?? '', finalizers: [TRACKING] };
      pods[i] = await this.#context.client.resource(PODS).patch(namespace, pod.metadata.name ?? '', 'strategic', {
        metadata,
      });
    }
    return pods;
  }

  /** @returns how many pods are active now */
  async #manage(
    key: string,
    job: KubeObject,
    sum: Tally,
    pods: readonly KubeObject[],
    fulfilled: boolean,
  ): Promise<number> {
    const active = pods.filter(isActive);
    if (!fulfilled) return active.length;
    if (job.spec.suspend === true) return active.length - (await this.#delete(key, job, active));
    const wanted = wantedActive(job, sum, active.length);
    const surplus = isIndexed(job) ? superfluous(job, sum, active) : [];
    const rest = active.filter((pod) => !surplus.includes(pod));
    surplus.push(...worstFirst(rest).slice(0, Math.max(0, rest.length - wanted)));
    if (surplus.length > 0) return active.length - (await this.#delete(key, job, surplus.slice(0, BURST)));
    // Those that are going make room only when they are gone, if so wished.
    const going = pods.filter((pod) => isTerminating(pod) && !isFinished(pod));
    const busy = job.spec.podReplacementPolicy === 'Failed' ? [...active, ...going] : active;
    let missing = Math.min(BURST, wanted - busy.length);
    if (missing <= 0) return active.length;
    const now = this.#context.clock.now();
    const wait = job.spec.backoffLimitPerIndex === undefined ? backoffIn(recentFailures(job, pods, now), now) : 0;
    if (wait > 0) {
      this.#queue.addAfter(key, wait);
      return active.length;
    }
    const indexes = isIndexed(job) ? missingIndexes(job, sum, busy, missing) : undefined;
    if (indexes !== undefined) missing = indexes.length;
    this.expectations.expectAdds(key, missing);
    const { done, error } = await slowStart(missing, async (i) => {
      const made = await this.#control.create(job, newPod(job, indexes?.[i], pods)).catch((err) => {
        this.expectations.added(key);
        throw err;
      });
      if (made === null) this.expectations.added(key);
    });
    if (error !== null) {
      this.expectations.forget(key);
      throw error;
    }
    return active.length + done;
  }

  /** Not wanted any more, and no failures of theirs. */
  async #delete(key: string, job: KubeObject, pods: readonly KubeObject[]): Promise<number> {
    if (pods.length === 0) return 0;
    this.expectations.expectDeletes(key, pods.map(keyOf));
    await Promise.all(
      pods.map(async (pod) => {
        try {
          await this.release(pod);
          if (await this.#control.delete(job, pod)) return;
          this.expectations.deleted(key, keyOf(pod));
        } catch (err) {
          this.expectations.deleted(key, keyOf(pod));
          throw err;
        }
      }),
    );
    return pods.length;
  }

  /** The Job is over: what still runs is stopped, and counted with what failed. */
  async #end(job: KubeObject, active: readonly KubeObject[]): Promise<number> {
    await Promise.all(active.map((pod) => this.#control.delete(job, pod)));
    return 0;
  }

  #status(job: KubeObject, sum: Tally, pods: readonly KubeObject[], active: number, outcome: Outcome | null) {
    const now = this.#context.clock.now();
    const { suspend = false } = job.spec;
    const old = job.status ?? {};
    let conditions = old.conditions ?? [];
    const status = {
      ...old,
      active,
      ready: pods.filter((pod) => isActive(pod) && isReady(pod)).length,
      terminating: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length,
      succeeded: sum.counted.succeeded,
      failed: sum.counted.failed,
      uncountedTerminatedPods: sum.uncounted,
    };
    if (isIndexed(job)) {
      status.completedIndexes = formatIndexes(sum.completed);
      if (job.spec.backoffLimitPerIndex !== undefined) status.failedIndexes = formatIndexes(sum.failedIndexes);
    }
    if (outcome !== null) {
      const { type, reason, message } = outcome;
      const interim = type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet';
      conditions = withProbe(conditions, { type: interim, status: 'True', reason, message }, now);
      const isSettled =
        sum.uncounted.succeeded.length + sum.uncounted.failed.length + sum.release.length === 0 &&
        !pods.some((pod) => isActive(pod) && isTracked(pod));
      if (isSettled) {
        conditions = withProbe(conditions, { type, status: 'True', reason, message }, now);
        if (type === 'Complete') status.completionTime = timeOf(now);
      }
    } else if (suspend) {
      const paused = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' };
      conditions = withProbe(conditions, paused, now);
      delete status.startTime;
    } else {
      if (conditionOf(job, 'Suspended')?.status === 'True') {
        const resumed = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' };
        conditions = withProbe(conditions, resumed, now);
      }
      status.startTime ??= timeOf(now);
    }
    if (conditions.length > 0) status.conditions = conditions;
    return status;
  }

  #tell(old: KubeObject, job: KubeObject): void {
    const turned = (type: string, status = 'True') =>
      conditionOf(job, type)?.status === status && conditionOf(old, type)?.status !== status;
    if (turned('Complete')) this.#recorder.event(job, 'Normal', 'Completed', 'Job completed');
    const failure = conditionOf(job, 'Failed');
    if (turned('Failed')) this.#recorder.event(job, 'Warning', failure?.reason ?? '', failure?.message ?? '');
    if (turned('Suspended')) this.#recorder.event(job, 'Normal', 'Suspended', 'Job suspended');
    if (turned('Suspended', 'False')) this.#recorder.event(job, 'Normal', 'Resumed', 'Job resumed');
  }
}

function withProbe(...[conditions, wanted, now]: Parameters<typeof withCondition>): ReturnType<typeof withCondition> {
  const made = withCondition(conditions, wanted, now);
  return made.map((each) => (each.type === wanted.type ? { ...each, lastProbeTime: each.lastTransitionTime! } : each));
}

function ignoreGone(err: unknown): void {
  if (!isNotFound(err)) throw err;
}
