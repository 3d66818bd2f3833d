/** Pods as plug-ins look at them. */
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionRequest } from '../rest/admission.js';

export interface Container {
  name: string;
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  restartPolicy?: string;
}

const MIRROR = 'kubernetes.io/config.mirror';

/** A pod that is being written itself, not a part of it. */
export function isPod({ kind, subresource }: AdmissionRequest): boolean {
  return kind.group === '' && kind.plural === 'pods' && subresource === '';
}

/** A kubelet's picture of a pod that it runs from a file: it is there already, so it is taken as it is. */
export function isMirror(pod: KubeObject): boolean {
  return pod.metadata.annotations?.[MIRROR] !== undefined;
}

export function containersOf(pod: KubeObject): Container[] {
  return pod.spec?.containers ?? [];
}

export function initContainersOf(pod: KubeObject): Container[] {
  return pod.spec?.initContainers ?? [];
}
