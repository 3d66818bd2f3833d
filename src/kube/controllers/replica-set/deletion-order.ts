/** Which pods go first when there are too many: those whose loss is felt least (kubernetes ReplicaSet). */
import type { KubeObject } from '../../machinery/object.js';
import { createdAt, isActive, isReady, podPhase, readySince, restartsOf } from '../pods.js';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const PHASES = ['Pending', 'Unknown', 'Running'];

/** How many active pods of the same family stand on the node of each pod. */
export function nodeRanks(pods: readonly KubeObject[], family: readonly KubeObject[]): Map<KubeObject, number> {
  const perNode = new Map<string, number>();
  for (const pod of family) {
    const node = pod.spec?.nodeName;
    if (node && isActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  return new Map(pods.map((pod) => [pod, perNode.get(pod.spec?.nodeName ?? '') ?? 0]));
}

/** Spans are compared by their magnitude: a difference of seconds means nothing after days. */
function magnitude(since: number, now: number): number {
  const seconds = Math.floor((now - since) / 1000);
  return seconds <= 0 ? 0 : Math.floor(Math.log2(seconds)) + 1;
}

function costOf(pod: KubeObject): number {
  const text = pod.metadata.annotations?.[DELETION_COST] ?? '';
  return /^[+-]?\d+$/.test(text) ? Number(text) : 0;
}

/** @returns a comparison: less than 0 if `a` is deleted before `b` */
export function deletionOrder(
  ranks: ReadonlyMap<KubeObject, number>,
  now: number,
): (a: KubeObject, b: KubeObject) => number {
  const keys = [
    (pod: KubeObject) => (pod.spec?.nodeName ? 1 : 0),
    (pod: KubeObject) => PHASES.indexOf(podPhase(pod) || 'Pending'),
    (pod: KubeObject) => (isReady(pod) ? 1 : 0),
    costOf,
    (pod: KubeObject) => -(ranks.get(pod) ?? 0),
    // Ready for a shorter time first; one that does not tell when, before all.
    (pod: KubeObject) => (!isReady(pod) || readySince(pod) === 0 ? -1 : magnitude(readySince(pod), now)),
    (pod: KubeObject) => -restartsOf(pod),
    (pod: KubeObject) => magnitude(createdAt(pod), now),
  ];
  return (a, b) => {
    for (const key of keys) {
      const difference = key(a) - key(b);
      if (difference !== 0) return difference;
    }
    return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
  };
}

/** The `count` of `pods` that go. */
export function podsToDelete(
  pods: readonly KubeObject[],
  family: readonly KubeObject[],
  count: number,
  now: number,
): KubeObject[] {
  if (count >= pods.length) return [...pods];
  return [...pods].sort(deletionOrder(nodeRanks(pods, family), now)).slice(0, count);
}
