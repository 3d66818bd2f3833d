/** Whom to send away for a pod that found no place (kubernetes scheduler, DefaultPreemption). Pure. */
import type { KubeObject } from '../machinery/object.js';
import { labelSelectorOf, matchesLabels } from '../machinery/selectors.js';
import type { ClusterView } from './cluster-view.js';
import { worldWith } from './cluster-view.js';
import type { NodeInfo } from './node-info.js';
import { checkNode, prepareFilters } from './placement.js';
import type { FilterPlugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';

export interface Preemption {
  readonly node: string;
  readonly victims: readonly PodInfo[];
}

interface Candidate extends Preemption {
  readonly violations: number;
}

/** Nodes that are tried out. */
const CANDIDATES_MAX = 100;

/**
 * @param nodes where sending pods away may help
 * @param budgets PodDisruptionBudgets
 * @returns null: nowhere does it help
 */
export function choosePreemption(
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  view: ClusterView,
  filters: readonly FilterPlugin[],
  budgets: readonly KubeObject[],
): Preemption | null {
  const candidates: Candidate[] = [];
  for (const node of nodes) {
    const candidate = victimsOn(pod, node, view, filters, budgets);
    if (candidate !== null) candidates.push(candidate);
    if (candidates.length >= CANDIDATES_MAX) break;
  }
  let best: Candidate | null = null;
  for (const one of candidates) if (best === null || better(one, best)) best = one;
  return best;
}

/** As few as possible: all with less priority go, and those come back, the most important first, for whom there is room. */
function victimsOn(
  pod: PodInfo,
  node: NodeInfo,
  view: ClusterView,
  filters: readonly FilterPlugin[],
  budgets: readonly KubeObject[],
): Candidate | null {
  const lower = [...node.pods].filter((one) => one.priority < pod.priority);
  if (lower.length === 0) return null;
  const tried = node.copy();
  for (const one of lower) tried.remove(one.uid);
  for (const one of view.nominatedOn(node.name, pod.priority, pod.uid)) tried.add(one);
  const world = worldWith(view, tried);
  const fits = (): boolean => {
    const ready = prepareFilters(pod, world, filters);
    return ready.whole === null && checkNode(ready, tried) === null;
  };
  if (!fits()) return null;

  const { violating, others } = byBudget(lower.sort(moreImportantFirst), budgets);
  const victims: PodInfo[] = [];
  let violations = 0;
  for (const [group, counts] of [
    [violating, true],
    [others, false],
  ] as const) {
    for (const one of group) {
      tried.add(one);
      if (fits()) continue;
      tried.remove(one.uid);
      victims.push(one);
      if (counts) violations++;
    }
  }
  return victims.length === 0 ? null : { node: node.name, victims: victims.sort(moreImportantFirst), violations };
}

/** Those whose eviction a budget would not allow. A budget's allowance is used up in the order of the list. */
function byBudget(
  pods: readonly PodInfo[],
  budgets: readonly KubeObject[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = new Map(budgets.map((budget) => [budget, (budget.status?.disruptionsAllowed ?? 0) as number]));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    let violates = false;
    for (const budget of budgets) {
      if (budget.metadata.namespace !== pod.namespace) continue;
      if (!matchesLabels(labelSelectorOf(budget.spec?.selector), pod.labels)) continue;
      const allowed = left.get(budget) as number;
      left.set(budget, allowed - 1);
      if (allowed <= 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return { violating, others };
}

const startOf = ({ pod }: PodInfo): string => pod.status?.startTime ?? pod.metadata.creationTimestamp ?? '';

/** Higher priority, then the longer running. */
function moreImportantFirst(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0;
}

/** Fewer broken budgets, a lower first victim, a lower sum of priorities, fewer victims, victims that began later. */
function better(a: Candidate, b: Candidate): boolean {
  if (a.violations !== b.violations) return a.violations < b.violations;
  const top = ({ victims }: Candidate): number => victims[0]?.priority ?? 0;
  if (top(a) !== top(b)) return top(a) < top(b);
  // Priorities may be negative; what counts is how far above the lowest.
  const sum = ({ victims }: Candidate): number => victims.reduce((total, one) => total + one.priority + 2 ** 31, 0);
  if (sum(a) !== sum(b)) return sum(a) < sum(b);
  if (a.victims.length !== b.victims.length) return a.victims.length < b.victims.length;
  const earliest = ({ victims }: Candidate): string =>
    victims
      .filter((one) => one.priority === (victims[0]?.priority ?? 0))
      .map(startOf)
      .sort()[0] ?? '';
  return earliest(a) > earliest(b);
}
