import type { ScorePlugin } from '../plugin.js';
import { SCORE_MAX } from '../plugin.js';

/** cpu and memory used in like parts: what is left of the one is worth little without the other. */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score({ requests }, nodes) {
    const [cpu, memory] = [requests.get('cpu') ?? 0, requests.get('memory') ?? 0];
    // It takes nothing: no node is more balanced for it.
    if (cpu === 0 && memory === 0) return null;
    return nodes.map((node) => {
      const part = (resource: string, more: number): number =>
        Math.min(1, (node.requested(resource) + more) / (node.allocatable.get(resource) || 1));
      // The standard deviation of two numbers is half of their difference.
      return SCORE_MAX * (1 - Math.abs(part('cpu', cpu) - part('memory', memory)) / 2);
    });
  },
};
