/** Which nodes a daemon belongs to (kubernetes DaemonSet). */
import { wantsNode } from '../../kit/node-selector.js';
import type { Taint, Toleration } from '../../kit/tolerations.js';
import { isTolerated, tolerationsOf } from '../../kit/tolerations.js';
import type { KubeObject, Loose } from '../../machinery/object.js';
import { podOfTemplate } from '../pod-control.js';
import { REVISION_HASH } from '../revisions/history.js';

const on = (key: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect,
});

/** Daemons stay where others go: they are part of what makes the node well again. */
const TOLERATED = [
  on('not-ready', 'NoExecute'),
  on('unreachable', 'NoExecute'),
  on('disk-pressure', 'NoSchedule'),
  on('memory-pressure', 'NoSchedule'),
  on('pid-pressure', 'NoSchedule'),
  on('unschedulable', 'NoSchedule'),
];
/** Of those that bring the network up. */
const TOLERATED_OF_HOST = on('network-unavailable', 'NoSchedule');

/** The pod of this set for this node: bound there by a term that the scheduler obeys. */
export function daemonPod(set: KubeObject, node: string, hash: string): KubeObject {
  const pod = podOfTemplate(set, set.spec.template);
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_HASH]: hash };
  const { spec } = pod;
  const own: Toleration[] = spec.tolerations ?? [];
  const wanted = spec.hostNetwork === true ? [...TOLERATED, TOLERATED_OF_HOST] : TOLERATED;
  const missing = wanted.filter(
    (one) => !own.some((t) => t.key === one.key && t.operator === one.operator && t.effect === one.effect && !t.value),
  );
  spec.tolerations = [...own, ...missing];
  // In place of the terms of the template: that they hold for this node was seen before.
  const here = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] };
  spec.affinity = {
    ...spec.affinity,
    nodeAffinity: {
      ...spec.affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [here] },
    },
  };
  return pod;
}

/** Where a daemon's pod is or is meant to be. */
export function nodeOf(pod: KubeObject): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const affinity = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms: Loose[] = affinity?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    for (const field of matchFields as Loose[]) {
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1)
        return field.values[0];
    }
  }
  return undefined;
}

export interface Eligibility {
  /** A pod should be there. */
  readonly run: boolean;
  /** One that is there may stay. */
  readonly stay: boolean;
}

export function eligibility(set: KubeObject, node: KubeObject): Eligibility {
  const template = set.spec?.template?.spec ?? {};
  const name = node.metadata.name ?? '';
  if (template.nodeName && template.nodeName !== name) return { run: false, stay: false };
  if (!wantsNode({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: template }, node))
    return { run: false, stay: false };
  const tolerations = tolerationsOf(daemonPod(set, name, ''));
  const against = ((node.spec?.taints ?? []) as Taint[]).filter((taint) => !isTolerated(tolerations, taint));
  const stay = !against.some((taint) => taint.effect === 'NoExecute');
  return { run: stay && !against.some((taint) => taint.effect === 'NoSchedule'), stay };
}
