/** Taints that follow from a node's conditions, and which pods bear them how long. Source: kubernetes taints and tolerations. */
import type { Toleration } from '../../kit/tolerations.js';
import { tolerates } from '../../kit/tolerations.js';
import type { KubeObject } from '../../machinery/object.js';
import { conditionOf } from '../conditions.js';

export interface Taint {
  readonly key: string;
  readonly effect: string;
  readonly value?: string;
  readonly timeAdded?: string;
}

const PREFIX = 'node.kubernetes.io/';
const NOT_READY = `${PREFIX}not-ready`;
const UNREACHABLE = `${PREFIX}unreachable`;
const PRESSURES: Readonly<Record<string, string>> = {
  MemoryPressure: `${PREFIX}memory-pressure`,
  DiskPressure: `${PREFIX}disk-pressure`,
  PIDPressure: `${PREFIX}pid-pressure`,
  NetworkUnavailable: `${PREFIX}network-unavailable`,
};
const UNSCHEDULABLE = `${PREFIX}unschedulable`;
const OURS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURES)]);

/**
 * The list that the node shall have; what others put on it stays.
 * @param evict whether pods may be driven away
 */
export function wantedTaints(node: KubeObject, evict: boolean, time: string): Taint[] {
  const old: Taint[] = node.spec?.taints ?? [];
  const wanted: Taint[] = [];
  const add = (key: string, effect: string) => {
    const before = old.find((taint) => taint.key === key && taint.effect === effect);
    wanted.push(before ?? { key, effect, timeAdded: time });
  };
  const ready = conditionOf(node, 'Ready')?.status;
  const down = ready === 'False' ? NOT_READY : ready === 'Unknown' ? UNREACHABLE : undefined;
  // One that never said anything is not ready, but has nothing to lose.
  if (down !== undefined || ready === undefined) add(down ?? NOT_READY, 'NoSchedule');
  for (const [type, key] of Object.entries(PRESSURES)) {
    if (conditionOf(node, type)?.status === 'True') add(key, 'NoSchedule');
  }
  if (node.spec?.unschedulable === true) add(UNSCHEDULABLE, 'NoSchedule');
  if (down !== undefined && evict) add(down, 'NoExecute');
  const others = old.filter(({ key, effect }) => !isOurs(key, effect));
  return [...others, ...wanted];
}

function isOurs(key: string, effect: string): boolean {
  return (
    OURS.has(key) && (effect === 'NoSchedule' || (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)))
  );
}

/**
 * How long the pod may stay where it is, in seconds from when the taints came: Infinity for ever, 0 not at all.
 */
export function staySeconds(pod: KubeObject, taints: readonly Taint[]): number {
  const tolerations: (Toleration & { readonly tolerationSeconds?: number | null })[] = pod.spec?.tolerations ?? [];
  let least = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    for (const { tolerationSeconds } of matching) {
      if (tolerationSeconds !== undefined && tolerationSeconds !== null) least = Math.min(least, tolerationSeconds);
    }
  }
  return Math.max(0, least);
}
