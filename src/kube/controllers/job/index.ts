/** Runs pods until so many have ended well. Source: kubernetes Jobs. */
import type { StartController } from '../../kit/index.js';
import { controllerOf, JOBS, keyOf, PODS, splitKey } from '../../kit/index.js';
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { watchChildren } from '../children.js';
import { startLoop } from '../loop.js';
import { isJobFinished, JobSync } from './sync.js';
import { isTracked } from './tally.js';

const WORKERS = 5;

export const startJobs: StartController = (context) => {
  const jobs = context.informers.of(JOBS);
  const pods = context.informers.of(PODS);
  const queue = context.queue('job');
  const orphans = context.queue('job_orphan_pod');
  const sync = new JobSync(context, queue);
  const enqueue = (job: KubeObject) => queue.add(keyOf(job));
  const ownerOf = (pod: KubeObject): KubeObject | undefined => {
    const ref = controllerOf(pod);
    const job = ref?.kind === 'Job' ? jobs.get(pod.metadata.namespace ?? '', ref.name) : undefined;
    return job?.metadata.uid === ref?.uid ? job : undefined;
  };
  /** Nobody will ever count it: our finalizer must not hold it. */
  const maybeOrphan = (pod: KubeObject) => {
    if (isTracked(pod) && (ownerOf(pod) === undefined || isJobFinished(ownerOf(pod)!))) orphans.add(keyOf(pod));
  };
  const handlers = [
    jobs.onChange({
      add: enqueue,
      update: (_, job) => enqueue(job),
      delete(job) {
        enqueue(job);
        for (const pod of pods.byIndex('owner', job.metadata.uid ?? '')) maybeOrphan(pod);
      },
    }),
    watchChildren({
      children: pods,
      owners: jobs,
      kind: 'Job',
      matches: (job, pod) => matchesLabels(labelSelectorOf(job.spec.selector), pod.metadata.labels),
      enqueue: (key) => queue.add(key),
      added: (key) => sync.expectations.added(key),
      deleted: (key, pod) => sync.expectations.deleted(key, keyOf(pod)),
    }),
    pods.onChange({ add: maybeOrphan, update: (_, pod) => maybeOrphan(pod) }),
  ];
  const informers = [jobs, pods];
  const loop = startLoop({
    name: 'job-controller',
    queue,
    informers,
    workers: WORKERS,
    sync: (key) => sync.sync(key),
    handlers,
  });
  const orphanLoop = startLoop({
    name: 'job-controller',
    queue: orphans,
    informers,
    workers: 1,
    async sync(key) {
      const { namespace, name } = splitKey(key);
      const pod = pods.get(namespace, name);
      if (pod === undefined || !isTracked(pod)) return;
      const ref = controllerOf(pod);
      if (ref?.kind === 'Job') {
        // The informers of pods and Jobs have no common order: what is not seen may only be late.
        const job =
          ownerOf(pod) ??
          (await context.client
            .resource(JOBS)
            .get(namespace, ref.name)
            .catch(() => undefined));
        if (job !== undefined && job.metadata.uid === ref.uid && !isJobFinished(job)) return;
      } else if (ref !== undefined) return;
      await sync.release(pod);
    },
    handlers: [],
  });
  return {
    name: loop.name,
    async stop() {
      await Promise.all([loop.stop(), orphanLoop.stop()]);
    },
  };
};
