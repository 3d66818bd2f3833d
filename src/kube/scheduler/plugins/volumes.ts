import type { KubeObject } from '../../machinery/object.js';
import type { World } from '../cluster-view.js';
import type { NodeSelectorTerm } from '../node-selector.js';
import { matchesNodeSelector } from '../node-selector.js';
import type { FilterPlugin } from '../plugin.js';
import { refusal } from '../plugin.js';
import type { PodInfo } from '../pod-info.js';

const CONFLICT = refusal('node(s) had volume node affinity conflict', true);
const IN_USE = refusal('node(s) unavailable due to one or more pvc(s) used as ReadWriteOncePod');
const UNBOUND = 'pod has unbound immediate PersistentVolumeClaims';

/**
 * Claims must be there and bound, or be of a class that waits for the first consumer; bound volumes may be of certain
 * nodes only. Which volume a waiting claim gets is the binder's business, after the pod has its node.
 */
export const volumes: FilterPlugin = {
  name: 'VolumeBinding',
  wakesOn: ['node', 'volume', 'pod-gone'],
  prepare(pod, world) {
    const claims = claimsOf(pod);
    if (claims.length === 0) return null;
    const affinities: (readonly NodeSelectorTerm[])[] = [];
    const exclusive = new Set<string>();
    for (const name of claims) {
      const claim = world.object('persistentvolumeclaims', pod.namespace, name);
      if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
      if (claim.metadata.deletionTimestamp !== undefined) {
        return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`;
      }
      if ((claim.spec?.accessModes ?? []).includes('ReadWriteOncePod')) exclusive.add(name);
      const bound: string = claim.spec?.volumeName ?? '';
      if (bound === '' || claim.status?.phase !== 'Bound') {
        if (!waitsForConsumer(claim, world)) return UNBOUND;
        continue;
      }
      const volume = world.object('persistentvolumes', '', bound);
      if (volume === undefined) return `persistentvolume ${JSON.stringify(bound)} not found`;
      const required = volume.spec?.nodeAffinity?.required;
      if (required != null) affinities.push(required.nodeSelectorTerms ?? []);
    }
    return (node) => {
      if (affinities.some((terms) => !matchesNodeSelector(terms, node.node))) return CONFLICT;
      if (exclusive.size > 0 && isUsed(exclusive, pod, world)) return IN_USE;
      return null;
    };
  },
};

function claimsOf({ pod }: PodInfo): string[] {
  const names: string[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) names.push(volume.persistentVolumeClaim.claimName);
    else if (volume.ephemeral !== undefined) names.push(`${pod.metadata.name}-${volume.name}`);
  }
  return names;
}

function waitsForConsumer(claim: KubeObject, world: World): boolean {
  const name: string = claim.spec?.storageClassName ?? '';
  if (name === '' || (claim.spec?.volumeName ?? '') !== '') return false;
  return world.object('storageclasses', '', name)?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** By a pod on any node. */
function isUsed(claims: ReadonlySet<string>, pod: PodInfo, world: World): boolean {
  for (const node of world.nodes) {
    for (const other of node.pods) {
      if (other.namespace === pod.namespace && claimsOf(other).some((name) => claims.has(name))) return true;
    }
  }
  return false;
}
