/** Which volume suits a claim. Source: kubernetes persistent volumes, binding. */
import { labelSelectorOf, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject, Loose } from '../../machinery/object.js';
import { compareQuantities, parseQuantity } from '../../machinery/quantity.js';

/** The class by its old name, too. */
export function classOf(object: KubeObject): string {
  const annotation = object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
  return annotation ?? object.spec?.storageClassName ?? '';
}

/** Whether its claimRef names this claim; a reference without a uid was made by hand, before the claim. */
export function isFor(volume: KubeObject, claim: KubeObject): boolean {
  const ref = volume.spec?.claimRef;
  if (ref === undefined || ref === null) return false;
  const { namespace, name, uid } = claim.metadata;
  return ref.namespace === namespace && ref.name === name && (!ref.uid || ref.uid === uid);
}

/** What is wrong with a volume that the claim asks for by name; undefined: nothing. */
export function misfit(volume: KubeObject, claim: KubeObject): string | undefined {
  if (!isLarge(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  return hasModes(volume, claim) ? undefined : 'incompatible accessMode';
}

/**
 * One that was bound to the claim by hand, else the smallest that is free and large enough.
 * @param node where it is to be used; undefined: anywhere
 */
export function bestMatch(
  claim: KubeObject,
  volumes: readonly KubeObject[],
  node?: KubeObject,
): KubeObject | undefined {
  let best: KubeObject | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (isFor(volume, claim)) {
      if (misfit(volume, claim) === undefined) return volume;
      continue;
    }
    if (volume.spec?.claimRef || volume.status?.phase !== 'Available') continue;
    if (misfit(volume, claim) !== undefined || !isReachable(volume, node)) continue;
    const { selector } = claim.spec;
    if (selector && !matchesLabels(labelSelectorOf(selector), volume.metadata.labels)) continue;
    if (best === undefined || compareQuantities(capacityOf(volume), capacityOf(best)) < 0) best = volume;
  }
  return best;
}

export function capacityOf(volume: KubeObject) {
  return parseQuantity(volume.spec?.capacity?.storage ?? '0');
}

export function requestOf(claim: KubeObject) {
  return parseQuantity(claim.spec?.resources?.requests?.storage ?? '0');
}

function isLarge(volume: KubeObject, claim: KubeObject): boolean {
  return compareQuantities(capacityOf(volume), requestOf(claim)) >= 0;
}

function modeOf(object: KubeObject): string {
  return object.spec?.volumeMode ?? 'Filesystem';
}

function hasModes(volume: KubeObject, claim: KubeObject): boolean {
  const offered: string[] = volume.spec?.accessModes ?? [];
  return ((claim.spec?.accessModes ?? []) as string[]).every((mode) => offered.includes(mode));
}

function isReachable(volume: KubeObject, node?: KubeObject): boolean {
  const terms: Loose[] | undefined = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (terms === undefined || node === undefined) return true;
  return terms.some(
    ({ matchExpressions = [] }) =>
      matchExpressions.length > 0 && matchesLabels(labelSelectorOf({ matchExpressions }), node.metadata.labels),
  );
}
