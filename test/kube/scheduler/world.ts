import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { Surroundings } from '../../../src/kube/scheduler/cluster-view.js';
import { ClusterView, NO_SURROUNDINGS } from '../../../src/kube/scheduler/cluster-view.js';
import { placePod } from '../../../src/kube/scheduler/placement.js';
import { FILTERS, SCORES } from '../../../src/kube/scheduler/plugins/index.js';
import { podInfo } from '../../../src/kube/scheduler/pod-info.js';

export function node(name: string, more: { labels?: object; spec?: object; status?: object } = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: { ...more.spec },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, ...more.status },
  };
}

export function pod(
  name: string,
  more: { spec?: object; labels?: Record<string, string>; cpu?: string; memory?: string; status?: object } = {},
): KubeObject {
  const requests = {
    ...(more.cpu === undefined ? {} : { cpu: more.cpu }),
    ...(more.memory === undefined ? {} : { memory: more.memory }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, labels: more.labels ?? {} },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...more.spec },
    status: { ...more.status },
  };
}

/** @param placed pods by node */
export function viewOf(
  nodes: readonly KubeObject[],
  placed: Readonly<Record<string, readonly KubeObject[]>> = {},
  around: Partial<Surroundings> = {},
): ClusterView {
  const view = new ClusterView({ ...NO_SURROUNDINGS, ...around });
  for (const one of nodes) view.setNode(one);
  for (const [at, pods] of Object.entries(placed)) for (const one of pods) view.place(podInfo(one), at, false);
  return view;
}

export function decide(one: KubeObject, view: ClusterView) {
  return placePod(podInfo(one), view, { filters: FILTERS, scores: SCORES, random: () => 0.5 });
}

/** The node; or the reasons, as `2 why`, sorted. */
export function outcome(one: KubeObject, view: ClusterView): string | string[] {
  const decision = decide(one, view);
  if ('node' in decision) return decision.node;
  return decision.whole !== '' ? [decision.whole] : [...decision.reasons].map(([why, n]) => `${n} ${why}`).sort();
}
