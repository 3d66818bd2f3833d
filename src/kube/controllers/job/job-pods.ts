/** The pods that a Job makes, and which of them it can do without. */
import type { KubeObject, Loose } from '../../machinery/object.js';
import { podOfTemplate } from '../pod-control.js';
import { byAge, isReady, podPhase } from '../pods.js';
import { INDEX, indexOf } from './indexes.js';
import type { Tally } from './tally.js';
import { failuresOf, hasFailed, INDEX_FAILURES, TRACKING } from './tally.js';

/** @param index of an Indexed Job */
export function newPod(job: KubeObject, index: number | undefined, pods: readonly KubeObject[]): KubeObject {
  const pod = podOfTemplate(job, job.spec.template);
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), TRACKING];
  if (index === undefined) return pod;
  const text = String(index);
  const { name = '' } = job.metadata;
  pod.metadata.generateName = `${name}-${text}-`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [INDEX]: text };
  pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: text };
  if (job.spec.backoffLimitPerIndex !== undefined) {
    const failures = pods.filter((each) => indexOf(each) === index && hasFailed(job, each)).map(failuresOf);
    pod.metadata.annotations[INDEX_FAILURES] = String(Math.max(0, ...failures));
  }
  pod.spec.hostname = `${name}-${text}`.slice(0, 63).replace(/-+$/, '');
  const variable = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${INDEX}']` } },
  };
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers] as Loose[]) {
    if (container.env?.some((each: Loose) => each.name === variable.name)) continue;
    container.env = [...(container.env ?? []), structuredClone(variable)];
  }
  return pod;
}

/** The lowest that nobody works on. */
export function missingIndexes(job: KubeObject, sum: Tally, busy: readonly KubeObject[], count: number): number[] {
  const taken = new Set(busy.map(indexOf));
  const missing: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && missing.length < count; index++) {
    if (!taken.has(index) && !sum.completed.has(index) && !sum.failedIndexes.has(index)) missing.push(index);
  }
  return missing;
}

/** Of an Indexed Job: a second one of its index, or one whose index is done or none. */
export function superfluous(job: KubeObject, sum: Tally, active: readonly KubeObject[]): KubeObject[] {
  const seen = new Set<number>();
  return [...active].sort(byAge).filter((pod) => {
    const index = indexOf(pod);
    const needed = index >= 0 && index < (job.spec.completions ?? 0) && !sum.completed.has(index);
    if (!needed || sum.failedIndexes.has(index) || seen.has(index)) return true;
    seen.add(index);
    return false;
  });
}

/** Those go first that have done the least. */
export function worstFirst(pods: readonly KubeObject[]): KubeObject[] {
  const rank = (pod: KubeObject) =>
    (pod.spec.nodeName ? 4 : 0) + (podPhase(pod) === 'Running' ? 2 : 0) + (isReady(pod) ? 1 : 0);
  return [...pods].sort((a, b) => rank(a) - rank(b) || -byAge(a, b));
}
