/** Deletes Jobs some time after they ended. Source: kubernetes TTL-after-finished. */
import type { StartController } from '../kit/index.js';
import { isNotFound, JOBS, keyOf, splitKey } from '../kit/index.js';
import type { KubeObject } from '../machinery/object.js';
import { conditionOf } from './conditions.js';
import { startLoop } from './loop.js';

/** When its time is over, ms; undefined: it may stay. */
export function expiryOf(job: KubeObject): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || ttl === null || job.metadata.deletionTimestamp !== undefined) return undefined;
  for (const type of ['Complete', 'Failed']) {
    const condition = conditionOf(job, type);
    if (condition?.status === 'True') return Date.parse(condition.lastTransitionTime ?? '') + ttl * 1000;
  }
  return undefined;
}

export const startTtlAfterFinished: StartController = (context) => {
  const jobs = context.informers.of(JOBS);
  const queue = context.queue('ttl_jobs_to_delete');
  const add = (job: KubeObject) => {
    const at = expiryOf(job);
    if (at !== undefined) queue.addAfter(keyOf(job), at - context.clock.now());
  };
  return startLoop({
    name: 'ttl-after-finished-controller',
    queue,
    informers: [jobs],
    workers: 2,
    handlers: [jobs.onChange({ add, update: (_, job) => add(job) })],
    async sync(key) {
      const { namespace, name } = splitKey(key);
      const client = context.client.resource(JOBS);
      try {
        // Its time may just have been made longer.
        const job = await client.get(namespace, name);
        const at = expiryOf(job);
        if (at === undefined) return;
        if (at > context.clock.now()) return add(job);
        const { uid = '', resourceVersion = '' } = job.metadata;
        const preconditions = { uid, resourceVersion };
        await client.delete(namespace, name, { propagationPolicy: 'Foreground', preconditions });
      } catch (err) {
        if (!isNotFound(err)) throw err;
      }
    },
  });
};
