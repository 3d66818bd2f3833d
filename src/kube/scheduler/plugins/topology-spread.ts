import type { KubeObject } from '../../machinery/object.js';
import type { LabelSelector } from '../../machinery/selectors.js';
import { labelSelectorOf, labelSelectorOfMap, matchesLabels } from '../../machinery/selectors.js';
import type { World } from '../cluster-view.js';
import type { NodeInfo } from '../node-info.js';
import { wantsNode } from '../node-selector.js';
import type { FilterPlugin, ScorePlugin } from '../plugin.js';
import { bySpan, refusal } from '../plugin.js';
import type { PodInfo } from '../pod-info.js';
import { isTolerated, tolerationsOf } from '../tolerations.js';

const MISSING = refusal("node(s) didn't match pod topology spread constraints (missing required label)", true);
const SKEWED = refusal("node(s) didn't match pod topology spread constraints");

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelector;
  readonly honoursAffinity: boolean;
  readonly honoursTaints: boolean;
}

/** Pods of a kind are spread over the values of a node label, so that no value has maxSkew more than the least. */
export const topologySpread: FilterPlugin = {
  name: 'PodTopologySpread',
  wakesOn: ['node', 'pod-gone', 'pod-placed'],
  prepare(pod, world) {
    const constraints = constraintsOf(pod, 'DoNotSchedule');
    if (constraints.length === 0) return null;
    const counts = constraints.map((constraint) => countPods(pod, constraint, constraints, world.nodes));
    const least = counts.map((domains, i) =>
      domains.size < (constraints[i] as Constraint).minDomains ? 0 : Math.min(...domains.values()),
    );
    return (node) => {
      for (const [i, constraint] of constraints.entries()) {
        const value = node.labels[constraint.topologyKey];
        if (value === undefined) return MISSING;
        const self = matchesLabels(constraint.selector, pod.labels) ? 1 : 0;
        const found = counts[i]?.get(value) ?? 0;
        if (found + self - (least[i] as number) > constraint.maxSkew) return SKEWED;
      }
      return null;
    };
  },
};

/** The same as a preference; pods of Services without constraints are spread over hosts and zones. */
export const topologyPreference: ScorePlugin = {
  name: 'PodTopologySpread',
  weight: 2,
  score(pod, nodes, world) {
    const own = pod.pod.spec?.topologySpreadConstraints ?? [];
    const constraints = own.length > 0 ? constraintsOf(pod, 'ScheduleAnyway') : usual(pod, world);
    if (constraints.length === 0) return null;
    const sums = nodes.map(() => 0);
    for (const constraint of constraints) {
      const counts = countPods(pod, constraint, constraints, world.nodes);
      // More values: each pod matters more.
      const weight = Math.log(counts.size + 2);
      nodes.forEach((node, i) => {
        const value = node.labels[constraint.topologyKey];
        const found = value === undefined ? Number.POSITIVE_INFINITY : (counts.get(value) ?? 0);
        sums[i] = (sums[i] as number) + found * weight + (constraint.maxSkew - 1);
      });
    }
    const known = sums.filter(Number.isFinite);
    if (known.length === 0) return null;
    const worst = Math.max(...known);
    const scores = bySpan(
      sums.map((sum) => (Number.isFinite(sum) ? sum : worst)),
      true,
    );
    return scores.map((score, i) => (Number.isFinite(sums[i]) ? score : 0));
  },
};

function constraintsOf(pod: PodInfo, when: string): Constraint[] {
  const spec = pod.pod.spec ?? {};
  return (spec.topologySpreadConstraints ?? [])
    .filter((one: { whenUnsatisfiable: string }) => one.whenUnsatisfiable === when)
    .map(
      // biome-ignore lint/suspicious/noExplicitAny: a part of a spec
      (one: any): Constraint => ({
        topologyKey: one.topologyKey,
        maxSkew: one.maxSkew ?? 1,
        minDomains: one.minDomains ?? 1,
        selector: withKeys(labelSelectorOf(one.labelSelector), one.matchLabelKeys, pod),
        honoursAffinity: one.nodeAffinityPolicy !== 'Ignore',
        honoursTaints: one.nodeTaintsPolicy === 'Honor',
      }),
    );
}

/** matchLabelKeys: the pod's own values of those labels. */
function withKeys(selector: LabelSelector, keys: readonly string[] | undefined, pod: PodInfo): LabelSelector {
  const more = (keys ?? []).filter((key) => pod.labels[key] !== undefined);
  if (more.length === 0) return selector;
  const requirements = more.map((key) => ({ key, operator: 'In' as const, values: [pod.labels[key] as string] }));
  return { ...selector, requirements: [...selector.requirements, ...requirements] };
}

function usual(pod: PodInfo, world: World): Constraint[] {
  const service = world
    .list('services', pod.namespace)
    .find((one: KubeObject) => matchesLabels(labelSelectorOfMap(one.spec?.selector), pod.labels));
  if (service === undefined) return [];
  const selector = labelSelectorOfMap(service.spec.selector);
  const common = { minDomains: 1, selector, honoursAffinity: true, honoursTaints: false };
  const all = [
    { topologyKey: 'kubernetes.io/hostname', maxSkew: 3, ...common },
    { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, ...common },
  ];
  return all.filter(({ topologyKey }) => world.nodes.some((node) => node.labels[topologyKey] !== undefined));
}

/** Pods that the constraint selects, by value of the label; of nodes that the pod could be on, in all constraints' eyes. */
function countPods(
  pod: PodInfo,
  constraint: Constraint,
  all: readonly Constraint[],
  nodes: readonly NodeInfo[],
): Map<string, number> {
  const counts = new Map<string, number>();
  const tolerations = tolerationsOf(pod.pod);
  for (const node of nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || all.some((one) => node.labels[one.topologyKey] === undefined)) continue;
    if (constraint.honoursAffinity && !wantsNode(pod.pod, node.node)) continue;
    if (constraint.honoursTaints) {
      const barred = node.taints.some((t) => t.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, t));
      if (barred) continue;
    }
    let found = counts.get(value) ?? 0;
    for (const other of node.pods) {
      if (other.namespace !== pod.namespace || other.pod.metadata.deletionTimestamp !== undefined) continue;
      if (matchesLabels(constraint.selector, other.labels)) found++;
    }
    counts.set(value, found);
  }
  return counts;
}
