/** The decision for one pod: which nodes will do, and which is best. Pure. */
import type { ClusterView, World } from './cluster-view.js';
import { worldWith } from './cluster-view.js';
import type { NodeInfo } from './node-info.js';
import type { FilterPlugin, Happening, Refusal, ScorePlugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';

type Check = (node: NodeInfo) => readonly Refusal[] | null;

/** The filters made ready for one pod in one world. */
export interface Preparation {
  readonly checks: readonly { readonly plugin: FilterPlugin; readonly check: Check }[];
  /** No node will do, and why. */
  readonly whole: { readonly plugin: FilterPlugin; readonly reason: string } | null;
}

export function prepareFilters(pod: PodInfo, world: World, filters: readonly FilterPlugin[]): Preparation {
  const checks: { plugin: FilterPlugin; check: Check }[] = [];
  for (const plugin of filters) {
    const check = plugin.prepare(pod, world);
    if (typeof check === 'string') return { checks, whole: { plugin, reason: check } };
    if (check !== null) checks.push({ plugin, check });
  }
  return { checks, whole: null };
}

export interface Unfit {
  readonly refusals: readonly Refusal[];
  readonly plugin: FilterPlugin;
}

/** @returns null if the node will do; else what the first filter that refuses it says */
export function checkNode({ checks }: Preparation, node: NodeInfo): Unfit | null {
  for (const { plugin, check } of checks) {
    const refusals = check(node);
    if (refusals !== null) return { refusals, plugin };
  }
  return null;
}

export interface NoPlace {
  readonly nodes: number;
  /** How many nodes refused for each reason. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly whole: string;
  /** Nodes whose refusal may be cured by sending pods away. */
  readonly curable: readonly NodeInfo[];
  readonly wakesOn: ReadonlySet<Happening>;
}

export type Decision = { readonly node: string } | NoPlace;

export interface PlacementOptions {
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly ScorePlugin[];
  readonly random: () => number;
  /** Where to begin among the nodes, so that all get their turn where not all are looked at. */
  readonly start?: number;
}

/** All nodes up to here; beyond, a part of them that shrinks from one half to a twentieth. */
const ALL_NODES = 100;

export function enoughNodes(nodes: number): number {
  if (nodes <= ALL_NODES) return nodes;
  const percent = Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(ALL_NODES, Math.floor((nodes * percent) / 100));
}

export function placePod(pod: PodInfo, view: ClusterView, options: PlacementOptions): Decision {
  const { nodes } = view;
  const ready = prepareFilters(pod, view, options.filters);
  const reasons = new Map<string, number>();
  const wakesOn = new Set<Happening>(['node']);
  if (ready.whole !== null) {
    for (const one of ready.whole.plugin.wakesOn) wakesOn.add(one);
    return { nodes: nodes.length, reasons, whole: ready.whole.reason, curable: [], wakesOn };
  }
  const curable: NodeInfo[] = [];
  const fitting: NodeInfo[] = [];
  const enough = enoughNodes(nodes.length);
  const start = nodes.length === 0 ? 0 : (options.start ?? 0) % nodes.length;
  for (let i = 0; i < nodes.length && fitting.length < enough; i++) {
    const node = nodes[(start + i) % nodes.length] as NodeInfo;
    const unfit = checkNode(ready, node) ?? checkNominated(pod, view, node, options.filters);
    if (unfit === null) {
      fitting.push(node);
      continue;
    }
    for (const { reason } of unfit.refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    for (const one of unfit.plugin.wakesOn) wakesOn.add(one);
    if (!unfit.refusals.some((one) => one.final)) curable.push(node);
  }
  if (fitting.length === 0) return { nodes: nodes.length, reasons, whole: '', curable, wakesOn };
  return { node: bestOf(pod, fitting, view, options).name };
}

/** It must also do once those have come for whom others were sent away from it. */
function checkNominated(
  pod: PodInfo,
  view: ClusterView,
  node: NodeInfo,
  filters: readonly FilterPlugin[],
): Unfit | null {
  const coming = view.nominatedOn(node.name, pod.priority, pod.uid);
  if (coming.length === 0) return null;
  const full = node.copy();
  for (const one of coming) full.add(one);
  return checkNode(prepareFilters(pod, worldWith(view, full), filters), full);
}

function bestOf(pod: PodInfo, nodes: readonly NodeInfo[], world: World, options: PlacementOptions): NodeInfo {
  if (nodes.length === 1) return nodes[0] as NodeInfo;
  const sums = totalScores(pod, nodes, world, options.scores);
  let best = 0;
  let ties = 1;
  for (let i = 1; i < sums.length; i++) {
    const [sum, top] = [sums[i] as number, sums[best] as number];
    if (sum > top) {
      best = i;
      ties = 1;
    } else if (sum === top) {
      // Each of those that are alike with the same chance.
      ties++;
      if (options.random() * ties < 1) best = i;
    }
  }
  return nodes[best] as NodeInfo;
}

/** Rounded down score by score: a hair's breadth of difference is none. */
export function totalScores(
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  world: World,
  plugins: readonly ScorePlugin[],
): number[] {
  const sums = nodes.map(() => 0);
  for (const plugin of plugins) {
    const scores = plugin.score(pod, nodes, world);
    if (scores === null) continue;
    for (let i = 0; i < sums.length; i++) {
      sums[i] = (sums[i] as number) + plugin.weight * Math.floor(scores[i] as number);
    }
  }
  return sums;
}
