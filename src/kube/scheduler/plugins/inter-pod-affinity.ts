import { matchesLabels } from '../../machinery/selectors.js';
import type { World } from '../cluster-view.js';
import { selectsNamespace } from '../cluster-view.js';
import type { NodeInfo } from '../node-info.js';
import type { FilterPlugin, ScorePlugin } from '../plugin.js';
import { bySpan, refusal } from '../plugin.js';
import type { AffinityTerm, PodInfo } from '../pod-info.js';

const NO_AFFINITY = refusal("node(s) didn't match pod affinity rules", true);
const ANTI_AFFINITY = refusal("node(s) didn't match pod anti-affinity rules");
const OTHERS = refusal("node(s) didn't satisfy existing pods anti-affinity rules");

/** Whom a pod wants near, whom it will not have near, and who will not have it near; near: one value of a node label. */
export const interPodAffinity: FilterPlugin = {
  name: 'InterPodAffinity',
  wakesOn: ['node', 'pod-gone', 'pod-placed', 'namespace'],
  prepare(pod, world) {
    const affine = pod.affinity.required;
    const anti = pod.antiAffinity.required;
    // Places (`label=value`) where a pod stands that will not have this one.
    const forbidden = new Set<string>();
    for (const node of world.withAffinity) {
      for (const other of node.pods) {
        for (const term of other.antiAffinity.required) {
          const place = placeOf(node, term.topologyKey);
          if (place !== null && !forbidden.has(place) && selects(term, pod, world)) forbidden.add(place);
        }
      }
    }
    if (affine.length === 0 && anti.length === 0 && forbidden.size === 0) return null;

    const near = affine.map(() => new Set<string>());
    const away = new Set<string>();
    if (affine.length + anti.length > 0) {
      for (const node of world.nodes) {
        for (const other of node.pods) {
          // A pod counts for affinity only if it is what all terms look for.
          if (affine.length > 0 && affine.every((term) => selects(term, other, world))) {
            affine.forEach((term, i) => {
              const place = placeOf(node, term.topologyKey);
              if (place !== null) near[i]?.add(place);
            });
          }
          for (const term of anti) {
            const place = placeOf(node, term.topologyKey);
            if (place !== null && selects(term, other, world)) away.add(place);
          }
        }
      }
    }
    // The first of a group that wants to be together has nobody to be near to.
    const first = near.every((places) => places.size === 0) && affine.every((term) => selects(term, pod, world));
    const keys = [...new Set([...forbidden].map((place) => place.slice(0, place.indexOf('='))))];
    return (node) => {
      for (const [i, { topologyKey }] of affine.entries()) {
        const place = placeOf(node, topologyKey);
        if (place === null || !(first || near[i]?.has(place))) return NO_AFFINITY;
      }
      for (const { topologyKey } of anti) {
        const place = placeOf(node, topologyKey);
        if (place !== null && away.has(place)) return ANTI_AFFINITY;
      }
      for (const key of keys) {
        const place = placeOf(node, key);
        if (place !== null && forbidden.has(place)) return OTHERS;
      }
      return null;
    };
  },
};

/** Preferences of the pod, and those of the pods that stand there towards it; their needs count as a weight of 1. */
export const interPodPreference: ScorePlugin = {
  name: 'InterPodAffinity',
  weight: 2,
  score(pod, nodes, world) {
    const mine = pod.affinity.preferred.length + pod.antiAffinity.preferred.length > 0;
    const sums = new Map<string, number>();
    const count = (node: NodeInfo, term: AffinityTerm, towards: PodInfo, sign: number): void => {
      const place = placeOf(node, term.topologyKey);
      if (place === null || !selects(term, towards, world)) return;
      sums.set(place, (sums.get(place) ?? 0) + sign * term.weight);
    };
    for (const node of mine ? world.nodes : world.withAffinity) {
      for (const other of node.pods) {
        for (const term of pod.affinity.preferred) count(node, term, other, 1);
        for (const term of pod.antiAffinity.preferred) count(node, term, other, -1);
        for (const term of other.affinity.required) count(node, term, pod, 1);
        for (const term of other.affinity.preferred) count(node, term, pod, 1);
        for (const term of other.antiAffinity.preferred) count(node, term, pod, -1);
      }
    }
    if (sums.size === 0) return null;
    const keys = [...new Set([...sums.keys()].map((place) => place.slice(0, place.indexOf('='))))];
    return bySpan(
      nodes.map((node) => {
        let sum = 0;
        for (const key of keys) sum += sums.get(placeOf(node, key) ?? '') ?? 0;
        return sum;
      }),
    );
  },
};

function placeOf(node: NodeInfo, topologyKey: string): string | null {
  const value = node.labels[topologyKey];
  return value === undefined ? null : `${topologyKey}=${value}`;
}

function selects(term: AffinityTerm, pod: PodInfo, world: World): boolean {
  return (
    matchesLabels(term.selector, pod.labels) &&
    selectsNamespace(world, term.namespaces, term.namespaceSelector, pod.namespace)
  );
}
