/** Makes Jobs at the times of a schedule. Source: kubernetes CronJobs. */
import type { StartController } from '../../kit/index.js';
import {
  CRON_JOBS,
  controllerOf,
  controllerRef,
  isAlreadyExists,
  isControlledBy,
  isNamespaceTerminating,
  isNotFound,
  JOBS,
  keyOf,
  splitKey,
} from '../../kit/index.js';
import type { Schedule } from '../../machinery/cron/schedule.js';
import { parseSchedule } from '../../machinery/cron/schedule.js';
import { wallText } from '../../machinery/cron/wall-clock.js';
import type { KubeObject, Loose } from '../../machinery/object.js';
import { conditionOf, hasCondition, timeOf } from '../conditions.js';
import { startLoop } from '../loop.js';
import { sameStatus } from '../same.js';
import { newest } from '../write-status.js';

/** A little later than the minute begins, so that it has begun. */
const LATE_MS = 100;
const MISSED_MAX = 100;
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

interface Reference {
  readonly name: string;
  readonly uid: string;
}

export const startCronJobs: StartController = (context) => {
  const { clock } = context;
  const crons = context.informers.of(CRON_JOBS);
  const jobs = context.informers.of(JOBS);
  const cronClient = context.client.resource(CRON_JOBS);
  const jobClient = context.client.resource(JOBS);
  const queue = context.queue('cronjob');
  const events = context.recorder('cronjob-controller');
  /** As we wrote them last. */
  const written = new Map<string, KubeObject>();
  const ofJob = (job: KubeObject) => {
    const ref = controllerOf(job);
    if (ref?.kind === 'CronJob') queue.add(`${job.metadata.namespace}/${ref.name}`);
  };
  const add = (cron: KubeObject) => queue.add(keyOf(cron));

  async function sync(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const seen = crons.get(namespace, name);
    if (seen === undefined) return void written.delete(key);
    const ours = written.get(key);
    const cron = ours?.metadata.uid === seen.metadata.uid ? newest(crons, ours!) : seen;
    const status = structuredClone(cron.status ?? {});
    const children = jobs.byIndex('owner', cron.metadata.uid ?? '');
    try {
      await reconcile(cron, status, children);
      await clean(cron, status, children);
      const next = await schedule(cron, status);
      if (next !== undefined) queue.addAfter(key, Math.max(0, next - clock.now()) + LATE_MS);
    } finally {
      if (status.active?.length === 0) delete status.active;
      if (!sameStatus(cron.status ?? {}, status)) {
        written.set(key, await cronClient.update(namespace, { ...cron, status }, 'status'));
      }
    }
  }

  /** The list of those that run, against those that are there. */
  async function reconcile(cron: KubeObject, status: Loose, children: readonly KubeObject[]): Promise<void> {
    const active: Reference[] = status.active ?? [];
    for (const job of children) {
      const { uid, name } = job.metadata;
      const listed = active.some((ref) => ref.uid === uid);
      const isComplete = hasCondition(job, 'Complete');
      const isOver = isComplete || hasCondition(job, 'Failed');
      if (!listed && !isOver) {
        // Made by hand of this one, or by us just before we fell.
        const fresh = await cronClient.get(cron.metadata.namespace ?? '', cron.metadata.name ?? '').catch(ignoreGone);
        if (fresh?.status?.active?.some((ref: Reference) => ref.uid === uid)) continue;
        const what = `Saw a job that the controller did not create or forgot: ${name}`;
        events.event(cron, 'Warning', 'UnexpectedJob', what);
      } else if (listed && isOver) {
        active.splice(
          active.findIndex((ref) => ref.uid === uid),
          1,
        );
        const how = isComplete ? 'Complete' : 'Failed';
        events.event(cron, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${how}`);
      }
      const ended = job.status?.completionTime ?? conditionOf(job, 'Complete')?.lastTransitionTime;
      if (isComplete && ended !== undefined && !(status.lastSuccessfulTime >= ended)) status.lastSuccessfulTime = ended;
    }
    for (const ref of [...active]) {
      if (children.some((job) => job.metadata.uid === ref.uid)) continue;
      const job = await jobClient.get(cron.metadata.namespace ?? '', ref.name).catch(ignoreGone);
      if (job?.metadata.uid === ref.uid) continue;
      active.splice(active.indexOf(ref), 1);
      events.event(cron, 'Normal', 'MissingJob', `Active job went missing: ${ref.name}`);
    }
    status.active = active;
  }

  /** The oldest of those that are over go. */
  async function clean(cron: KubeObject, status: Loose, children: readonly KubeObject[]): Promise<void> {
    const limits = [
      ['Complete', cron.spec.successfulJobsHistoryLimit],
      ['Failed', cron.spec.failedJobsHistoryLimit],
    ] as const;
    const startOf = (job: KubeObject) => job.status?.startTime ?? job.metadata.creationTimestamp ?? '';
    for (const [type, limit] of limits) {
      if (limit === undefined || limit === null) continue;
      const over = children.filter((job) => hasCondition(job, type) && job.metadata.deletionTimestamp === undefined);
      over.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
      for (const job of over.slice(0, Math.max(0, over.length - limit))) await remove(cron, status, job.metadata);
    }
  }

  async function remove(cron: KubeObject, status: Loose, of: { name?: string; uid?: string }): Promise<void> {
    const { name = '', uid = '' } = of;
    const query = { propagationPolicy: 'Background' as const, preconditions: { uid } };
    const gone = await jobClient.delete(cron.metadata.namespace ?? '', name, query).catch(ignoreGone);
    status.active = (status.active ?? []).filter((ref: Reference) => ref.uid !== uid);
    if (gone !== undefined) events.event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }

  /** @returns when to look again */
  async function schedule(cron: KubeObject, status: Loose): Promise<number | undefined> {
    const { spec, metadata } = cron;
    if (metadata.deletionTimestamp !== undefined || spec.suspend === true) return undefined;
    let times: Schedule;
    try {
      times = parseSchedule(spec.schedule, spec.timeZone ?? undefined);
    } catch (err) {
      const what = `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${(err as Error).message}`;
      events.event(cron, 'Warning', 'UnparseableSchedule', what);
      return undefined;
    }
    const now = clock.now();
    const deadline = spec.startingDeadlineSeconds;
    const last = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp ?? '');
    const since = deadline === undefined || deadline === null ? last : Math.max(last, now - deadline * 1000);
    const due = times.latest(since, now);
    const next = times.next(now);
    if (due === undefined) return next;
    if (isMoreThan(times, since, now, MISSED_MAX)) {
      const what = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      events.event(cron, 'Warning', 'TooManyMissedTimes', what);
    }
    if (deadline !== undefined && deadline !== null && due + deadline * 1000 < now) {
      const what = `Missed scheduled time to start a job: ${new Date(due).toUTCString()}`;
      events.event(cron, 'Warning', 'MissSchedule', what);
      return next;
    }
    const active: Reference[] = status.active ?? [];
    if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
      const what = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      events.event(cron, 'Normal', 'JobAlreadyActive', what);
      return next;
    }
    if (spec.concurrencyPolicy === 'Replace') for (const ref of [...active]) await remove(cron, status, ref);
    const job = await start(cron, due);
    if (job === null) return undefined;
    const { name = '', uid = '', namespace = '', resourceVersion = '' } = job.metadata;
    const listed = (status.active ?? []).some((ref: Reference) => ref.uid === uid);
    const ref = { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
    if (!listed && !hasCondition(job, 'Complete') && !hasCondition(job, 'Failed')) {
      status.active = [...(status.active ?? []), ref];
    }
    status.lastScheduleTime = timeOf(due);
    return next;
  }

  /** The Job of that time; its name says which, so that there is one only. Null: nobody wants it any more. */
  async function start(cron: KubeObject, due: number): Promise<KubeObject | null> {
    const { namespace = '', name = '' } = cron.metadata;
    const { metadata = {}, spec } = cron.spec.jobTemplate;
    const annotations = { ...metadata.annotations, [SCHEDULED_AT]: wallText(due, cron.spec.timeZone ?? undefined) };
    const job: KubeObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: `${name}-${Math.floor(due / 60_000)}`,
        namespace,
        labels: { ...metadata.labels },
        annotations,
        ownerReferences: [controllerRef(cron)],
      },
      spec: structuredClone(spec),
    };
    try {
      const made = await jobClient.create(namespace, job);
      events.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`);
      return made;
    } catch (err) {
      if (isNamespaceTerminating(err)) return null;
      if (isAlreadyExists(err)) {
        const there = await jobClient.get(namespace, job.metadata.name ?? '');
        if (isControlledBy(there, cron)) return there;
      }
      events.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${(err as Error).message}`);
      throw err;
    }
  }

  return startLoop({
    name: 'cronjob-controller',
    queue,
    informers: [crons, jobs],
    workers: 5,
    handlers: [
      crons.onChange({ add, update: (_, cron) => add(cron), delete: add }),
      jobs.onChange({ add: ofJob, update: (_, job) => ofJob(job), delete: ofJob }),
    ],
    sync,
  });
};

function isMoreThan(times: Schedule, since: number, until: number, max: number): boolean {
  let count = 0;
  for (let at = times.next(since); at !== undefined && at <= until; at = times.next(at)) if (++count > max) return true;
  return false;
}

function ignoreGone(err: unknown): undefined {
  if (!isNotFound(err)) throw err;
  return undefined;
}
