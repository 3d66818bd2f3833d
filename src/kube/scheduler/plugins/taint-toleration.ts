import type { FilterPlugin, ScorePlugin } from '../plugin.js';
import { byHighest } from '../plugin.js';
import { isTolerated, tolerationsOf } from '../tolerations.js';

/** Nodes with a taint that the pod does not bear, NoSchedule or NoExecute. */
export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  wakesOn: ['node'],
  prepare({ pod }) {
    const tolerations = tolerationsOf(pod);
    return ({ taints }) => {
      for (const taint of taints) {
        if (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') continue;
        if (isTolerated(tolerations, taint)) continue;
        return [{ reason: `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`, final: true }];
      }
      return null;
    };
  },
};

/** The fewest taints PreferNoSchedule that the pod does not bear. */
export const taintPreference: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  score({ pod }, nodes) {
    const soft = (effect: string) => effect === 'PreferNoSchedule';
    if (!nodes.some(({ taints }) => taints.some((taint) => soft(taint.effect)))) return null;
    const tolerations = tolerationsOf(pod).filter((one) => (one.effect ?? '') === '' || soft(one.effect ?? ''));
    const counts = nodes.map(
      ({ taints }) => taints.filter((taint) => soft(taint.effect) && !isTolerated(tolerations, taint)).length,
    );
    return byHighest(counts, true);
  },
};
