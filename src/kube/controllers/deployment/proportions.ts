/** A change of size in the middle of a rollout is shared among the sets by their size (kubernetes Deployment). */
import type { KubeObject } from '../../machinery/object.js';
import { byAge } from '../pods.js';
import { MAX_REPLICAS, maxSurge, numberIn, replicasOf, totalOf } from './numbers.js';

/**
 * @param sets the active ones, new and old
 * @returns the size of each
 */
export function shares(deployment: KubeObject, sets: readonly KubeObject[]): Map<KubeObject, number> {
  const replicas = replicasOf(deployment);
  const max = replicas + maxSurge(deployment);
  const missing = (replicas > 0 ? max : 0) - totalOf(sets, replicasOf);
  // The largest first: what cannot be shared is least there. Of equal ones grow the newer, shrink the older.
  const order = [...sets].sort((a, b) => replicasOf(b) - replicasOf(a) || (missing > 0 ? byAge(b, a) : byAge(a, b)));
  const sizes = new Map<KubeObject, number>();
  let given = 0;
  for (const set of order) {
    const share = missing === 0 ? 0 : shareOf(set, deployment, max, missing - given);
    sizes.set(set, replicasOf(set) + share);
    given += share;
  }
  const first = order[0];
  if (first !== undefined && missing !== 0) {
    sizes.set(first, Math.max(0, (sizes.get(first) as number) + missing - given));
  }
  return sizes;
}

/** @param left what is to be given yet, negative when taken */
function shareOf(set: KubeObject, deployment: KubeObject, max: number, left: number): number {
  const size = replicasOf(set);
  if (size === 0 || left === 0) return 0;
  const share = replicasOf(deployment) === 0 ? -size : Math.round((size * max) / before(set, deployment, max)) - size;
  return left > 0 ? Math.min(share, left) : Math.max(share, left);
}

/** The bound that the set was given its size under. */
function before(set: KubeObject, deployment: KubeObject, max: number): number {
  return numberIn(set, MAX_REPLICAS) || deployment.status?.replicas || max;
}
