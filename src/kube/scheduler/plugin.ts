/** What a plug-in of the scheduler is. Both kinds are pure: they see a pod, a node and the world, and no clock or client. */
import type { World } from './cluster-view.js';
import type { NodeInfo } from './node-info.js';
import type { PodInfo } from './pod-info.js';

/** Why a node will not do, in the words of events. */
export interface Refusal {
  readonly reason: string;
  /** Sending other pods away would not help. */
  readonly final: boolean;
}

/** What happens in a cluster that may make room for a pod that found none. */
export type Happening = 'node' | 'pod-gone' | 'pod-placed' | 'volume' | 'namespace';

export interface FilterPlugin {
  readonly name: string;
  /** Pods that this one refused are tried again after one of these. */
  readonly wakesOn: readonly Happening[];
  /**
   * @returns the check of a node, whose answer is null where it will do; null if there is nothing to check for this pod;
   * a text if no node will do, and why
   */
  prepare(pod: PodInfo, world: World): ((node: NodeInfo) => readonly Refusal[] | null) | null | string;
}

export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /**
   * @param nodes those that passed the filters
   * @returns any number for each, in their order, the higher the better, and how they become 0 to 100; null: all alike
   */
  score(pod: PodInfo, nodes: readonly NodeInfo[], world: World): readonly number[] | null;
}

export const SCORE_MAX = 100;

/** 0 to 100 in proportion to the highest. @param reverse the lowest is best */
export function byHighest(scores: readonly number[], reverse = false): number[] {
  const highest = Math.max(...scores);
  if (highest <= 0) return scores.map(() => (reverse ? SCORE_MAX : 0));
  return scores.map((score) => {
    const part = (SCORE_MAX * score) / highest;
    return reverse ? SCORE_MAX - part : part;
  });
}

/** The lowest becomes 0, the highest 100. */
export function bySpan(scores: readonly number[], reverse = false): number[] {
  const lowest = Math.min(...scores);
  const span = Math.max(...scores) - lowest;
  return scores.map((score) => {
    if (span === 0) return reverse ? SCORE_MAX : 0;
    const part = (SCORE_MAX * (score - lowest)) / span;
    return reverse ? SCORE_MAX - part : part;
  });
}

export const refusal = (reason: string, final = false): readonly Refusal[] => [{ reason, final }];
