import type { NodeSelectorTerm } from '../node-selector.js';
import { matchesTerm, wantsNode } from '../node-selector.js';
import type { FilterPlugin, ScorePlugin } from '../plugin.js';
import { byHighest, refusal } from '../plugin.js';

const REFUSED = refusal("node(s) didn't match Pod's node affinity/selector", true);

export const nodeAffinity: FilterPlugin = {
  name: 'NodeAffinity',
  wakesOn: ['node'],
  prepare({ pod }) {
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (pod.spec?.nodeSelector === undefined && required == null) return null;
    return ({ node }) => (wantsNode(pod, node) ? null : REFUSED);
  },
};

interface PreferredTerm {
  readonly weight: number;
  readonly preference: NodeSelectorTerm;
}

/** The sum of the weights of the preferred terms that a node meets. */
export const nodePreference: ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  score({ pod }, nodes) {
    const terms: readonly PreferredTerm[] =
      pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return null;
    return byHighest(
      nodes.map(({ node }) => {
        let sum = 0;
        for (const { weight, preference } of terms) if (matchesTerm(preference, node)) sum += weight;
        return sum;
      }),
    );
  },
};
