/** Volumes made for claims, of classes whose provisioner is ours: directories of the node. */
import type { KubeObject } from '../../machinery/object.js';
import { classOf } from './match.js';

export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const BOUND_BY = 'pv.kubernetes.io/bound-by-controller';
/** Below this each volume has its directory; a class may say another (`parameters.path`). */
const FOLDER = '/var/lib/keel/volumes';
/** Ours, and those of small clusters that manifests are written for: all give a directory of the node. */
const OURS = new Set([
  'keel.dev/host-path',
  'kubernetes.io/host-path',
  'k8s.io/minikube-hostpath',
  'docker.io/hostpath',
  'rancher.io/local-path',
]);

export function isOurs(provisioner: string | undefined): boolean {
  return provisioner !== undefined && OURS.has(provisioner);
}

/** A reference to the claim as a volume keeps it. */
export function claimReference(claim: KubeObject) {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata;
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion };
}

/** One claim has one name for its volume: a second try makes no second volume. */
export function volumeFor(claim: KubeObject, storageClass: KubeObject): KubeObject {
  const name = `pvc-${claim.metadata.uid}`;
  const { provisioner, reclaimPolicy = 'Delete', mountOptions, parameters } = storageClass;
  const path = `${String(parameters?.path ?? FOLDER).replace(/\/+$/, '')}/${name}`;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [PROVISIONED_BY]: provisioner, [BOUND_BY]: 'yes' } },
    spec: {
      capacity: { storage: claim.spec.resources.requests.storage },
      accessModes: [...claim.spec.accessModes],
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: classOf(claim),
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
      ...(mountOptions === undefined ? {} : { mountOptions: [...mountOptions] }),
      claimRef: claimReference(claim),
      hostPath: { path, type: 'DirectoryOrCreate' },
    },
  };
}
