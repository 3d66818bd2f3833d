/** Who a numbered pod is: its name, its labels, its claims (kubernetes StatefulSet). */
import { controllerOf, controllerRef } from '../../kit/index.js';
import type { KubeObject, Loose, OwnerReference } from '../../machinery/object.js';
import { podOfTemplate } from '../pod-control.js';
import { REVISION_HASH } from '../revisions/history.js';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

export function startOf(set: KubeObject): number {
  return set.spec?.ordinals?.start ?? 0;
}

export function podName(set: KubeObject, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** The number of a pod of this set by its name; -1 for a stranger. */
export function ordinalOf(set: KubeObject, pod: KubeObject): number {
  const match = /^(.*)-(\d+)$/.exec(pod.metadata.name ?? '');
  return match !== null && match[1] === set.metadata.name ? Number(match[2]) : -1;
}

export function claimName(set: KubeObject, template: Loose, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The claims that a pod needs, by templates; `ownerReferences` come later. */
export function claimsOf(set: KubeObject, ordinal: number): KubeObject[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template: Loose) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...(template.metadata.annotations === undefined ? {} : { annotations: { ...template.metadata.annotations } }),
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata.labels, ...set.spec?.selector?.matchLabels },
    },
    spec: structuredClone(template.spec),
  }));
}

export function newPod(set: KubeObject, template: Loose, revision: string, ordinal: number): KubeObject {
  const pod = podOfTemplate(set, template);
  delete pod.metadata.generateName;
  pod.metadata.name = podName(set, ordinal);
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_HASH]: revision };
  pod.spec.hostname = pod.metadata.name;
  if (set.spec?.serviceName) pod.spec.subdomain = set.spec.serviceName;
  fixIdentity(set, pod, ordinal);
  fixStorage(set, pod, ordinal);
  return pod;
}

function fixIdentity(set: KubeObject, pod: KubeObject, ordinal: number): void {
  const own = { [POD_NAME]: podName(set, ordinal), [POD_INDEX]: String(ordinal) };
  pod.metadata.labels = { ...pod.metadata.labels, ...own };
}

/** Volumes of the claim templates, in place of those of the same names. */
function fixStorage(set: KubeObject, pod: KubeObject, ordinal: number): void {
  const templates: Loose[] = set.spec?.volumeClaimTemplates ?? [];
  if (templates.length === 0) return;
  const names = new Set(templates.map((template) => template.metadata.name));
  pod.spec.volumes = [
    ...templates.map((template) => ({
      name: template.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
    })),
    ...(pod.spec.volumes ?? []).filter((volume: Loose) => !names.has(volume.name)),
  ];
}

/** The labels of a pod that make it ours are there; volumes of a pod cannot change. */
export function hasIdentity(pod: KubeObject, ordinal: number): boolean {
  const { labels = {}, name } = pod.metadata;
  return labels[POD_NAME] === name && labels[POD_INDEX] === String(ordinal);
}

export function withIdentity(set: KubeObject, pod: KubeObject, ordinal: number): KubeObject {
  const copy = structuredClone(pod);
  fixIdentity(set, copy, ordinal);
  return copy;
}

/**
 * Who should own a claim, so that it goes with them (persistentVolumeClaimRetentionPolicy): the set, the pod that was
 * scaled away, or neither.
 * @param pod undefined where there is none
 * @returns the references the claim should have, or undefined if it has them
 */
export function claimOwners(
  set: KubeObject,
  claim: KubeObject,
  pod: KubeObject | undefined,
  scaledDown: boolean,
): OwnerReference[] | undefined {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const byPod = policy.whenScaled === 'Delete' && scaledDown && pod !== undefined;
  const bySet = policy.whenDeleted === 'Delete' && !byPod;
  const references = claim.metadata.ownerReferences ?? [];
  const isSet = (ref: OwnerReference) => ref.kind === 'StatefulSet' && ref.name === set.metadata.name;
  const isPod = (ref: OwnerReference) => ref.kind === 'Pod' && pod !== undefined && ref.name === pod.metadata.name;
  // What somebody else controls is theirs.
  const controller = controllerOf(claim);
  if (controller !== undefined && !isSet(controller) && !isPod(controller)) return undefined;
  const wanted = references.filter((ref) => !isSet(ref) && !isPod(ref));
  if (bySet) wanted.push(controllerRef(set));
  if (byPod) wanted.push(controllerRef({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
  const text = (refs: readonly OwnerReference[]) =>
    refs
      .map((ref) => `${ref.kind}/${ref.name}/${ref.uid}`)
      .sort()
      .join();
  return text(wanted) === text(references) ? undefined : wanted;
}
