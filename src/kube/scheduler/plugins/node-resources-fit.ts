import type { FilterPlugin, Refusal, ScorePlugin } from '../plugin.js';
import { SCORE_MAX } from '../plugin.js';

/** Where a node says nothing of how many pods it takes. */
const PODS_MAX = 110;

/** What the pod asks for is free, beside what others asked for. */
export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  wakesOn: ['node', 'pod-gone'],
  prepare({ requests }) {
    return (node) => {
      let refusals: Refusal[] | null = null;
      if (node.podCount + 1 > (node.allocatable.get('pods') ?? PODS_MAX)) {
        refusals = [{ reason: 'Too many pods', final: false }];
      }
      for (const [resource, amount] of requests) {
        const allocatable = node.allocatable.get(resource) ?? 0;
        if (amount <= allocatable - node.requested(resource)) continue;
        refusals ??= [];
        // More than the whole node has: nobody's leaving would help.
        refusals.push({ reason: `Insufficient ${resource}`, final: amount > allocatable });
      }
      return refusals;
    };
  },
};

/** LeastAllocated: the emptier the better, cpu and memory alike. */
export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  score({ assumedCpu, assumedMemory }, nodes) {
    return nodes.map((node) => {
      const cpu = free(node.allocatable.get('cpu') ?? 0, node.assumedCpu + assumedCpu);
      const memory = free(node.allocatable.get('memory') ?? 0, node.assumedMemory + assumedMemory);
      return (cpu + memory) / 2;
    });
  },
};

function free(allocatable: number, asked: number): number {
  return allocatable === 0 || asked > allocatable ? 0 : (SCORE_MAX * (allocatable - asked)) / allocatable;
}
