/** Wire types of storage.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const storageV1: TypeGroup = {
  name: 'storage.v1',
  group: 'storage.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.storage.v1',
  table: `
CSIDriver = 1 metadata meta.v1/ObjectMeta; 2 spec CSIDriverSpec!
CSIDriverSpec = 1 attachRequired b?; 2 podInfoOnMount b?; 3 volumeLifecycleModes s*#set; 4 storageCapacity b?; 5 fsGroupPolicy s?; 6 tokenRequests TokenRequest*; 7 requiresRepublish b?; 8 seLinuxMount b?; 9 nodeAllocatableUpdatePeriodSeconds l?; 10 serviceAccountTokenInSecrets b?; 11 preventPodSchedulingIfMissing b?
CSINode = 1 metadata meta.v1/ObjectMeta; 2 spec CSINodeSpec!
CSINodeDriver = 1 name s!; 2 nodeID s!; 3 topologyKeys s*!; 4 allocatable VolumeNodeResources?
CSINodeSpec = 1 drivers CSINodeDriver*!@name#name
CSIStorageCapacity = 1 metadata meta.v1/ObjectMeta; 2 nodeTopology meta.v1/LabelSelector?; 3 storageClassName s!; 4 capacity resource/Quantity?; 5 maximumVolumeSize resource/Quantity?
StorageClass = 1 metadata meta.v1/ObjectMeta; 2 provisioner s!; 3 parameters {s,s}; 4 reclaimPolicy s?; 5 mountOptions s*; 6 allowVolumeExpansion b?; 7 volumeBindingMode s?; 8 allowedTopologies core.v1/TopologySelectorTerm*
TokenRequest = 1 audience s!; 2 expirationSeconds l?
VolumeAttachment = 1 metadata meta.v1/ObjectMeta; 2 spec VolumeAttachmentSpec!; 3 status VolumeAttachmentStatus
VolumeAttachmentSource = 1 persistentVolumeName s?; 2 inlineVolumeSpec core.v1/PersistentVolumeSpec?
VolumeAttachmentSpec = 1 attacher s!; 2 source VolumeAttachmentSource!; 3 nodeName s!
VolumeAttachmentStatus = 1 attached b!; 2 attachmentMetadata {s,s}; 3 attachError VolumeError?; 4 detachError VolumeError?
VolumeAttributesClass = 1 metadata meta.v1/ObjectMeta; 2 driverName s!; 3 parameters {s,s}
VolumeError = 1 time meta.v1/Time; 2 message s; 3 errorCode i?
VolumeNodeResources = 1 count i?
`,
};
