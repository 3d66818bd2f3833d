/** The steps of a rolling update: how far the new set may grow, how far the old ones may shrink (kubernetes Deployment). */
import type { KubeObject } from '../../machinery/object.js';
import { byAge } from '../pods.js';
import { availableOf, isRolling, maxSurge, maxUnavailable, replicasOf, totalOf } from './numbers.js';

/** The size that the new set should have now. @param sets all of them, the new one among them if it is there */
export function newSize(deployment: KubeObject, sets: readonly KubeObject[], current: number): number {
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment) || current > replicas) return replicas;
  const room = replicas + maxSurge(deployment) - totalOf(sets, replicasOf);
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/**
 * The sizes that old sets should have now; those that stay as they are, are not named. First pods that do not work are
 * given up, which costs nothing; then working ones, as long as enough are available.
 */
export function oldSizes(
  deployment: KubeObject,
  newSet: KubeObject,
  oldSets: readonly KubeObject[],
): Map<KubeObject, number> {
  const sizes = new Map<KubeObject, number>();
  const all = [newSet, ...oldSets];
  const floor = replicasOf(deployment) - maxUnavailable(deployment);
  // Pods of the new set that are not available yet cannot stand in for anybody.
  const most = totalOf(all, replicasOf) - floor - (replicasOf(newSet) - availableOf(newSet));
  if (totalOf(oldSets, replicasOf) === 0 || most <= 0) return sizes;
  const order = [...oldSets].sort(byAge);
  let down = 0;
  for (const set of order) {
    if (down >= most) break;
    const dead = replicasOf(set) - availableOf(set);
    if (replicasOf(set) === 0 || dead <= 0) continue;
    const count = Math.min(most - down, dead);
    sizes.set(set, replicasOf(set) - count);
    down += count;
  }
  let spare = totalOf(all, availableOf) - floor;
  for (const set of order) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? replicasOf(set);
    if (size === 0) continue;
    const count = Math.min(size, spare);
    sizes.set(set, size - count);
    spare -= count;
  }
  return sizes;
}
