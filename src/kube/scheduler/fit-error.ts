/** Why a pod has no place, in one sentence (kubernetes scheduler's event text). */

/** @param reasons of each node that refused, how often each */
export function fitMessage(nodes: number, reasons: ReadonlyMap<string, number>, whole = ''): string {
  const head = `0/${nodes} nodes are available:`;
  if (nodes === 0) return 'no nodes available to schedule pods';
  if (whole !== '') return `${head} ${whole}.`;
  // Sorted as texts, number and all.
  const list = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return list.length === 0 ? `0/${nodes} nodes are available.` : `${head} ${list.join(', ')}.`;
}

/** What preemption adds to it. */
export function preemptionMessage(nodes: number, reasons: ReadonlyMap<string, number>): string {
  return ` preemption: ${fitMessage(nodes, reasons)}`;
}
