/** Volumes and claims outlive their deletion as long as they are in use: by a finalizer that whoever knows takes off. */
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

export const STORAGE_FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

export class StorageObjectInUseProtection implements AdmissionPlugin {
  readonly name = 'StorageObjectInUseProtection';

  async admit({ kind, operation, subresource, object }: AdmissionRequest): Promise<void> {
    const finalizer = kind.group === '' && subresource === '' ? STORAGE_FINALIZERS[kind.plural] : undefined;
    if (finalizer === undefined || operation !== 'CREATE' || object === null) return;
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
  }
}
