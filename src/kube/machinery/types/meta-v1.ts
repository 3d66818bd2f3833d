/** Wire types of meta.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const metaV1: TypeGroup = {
  name: 'meta.v1',
  group: 'meta.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.apimachinery.pkg.apis.meta.v1',
  table: `
Condition = 1 type s!; 2 status s!; 3 observedGeneration l; 4 lastTransitionTime Time!; 5 reason s!; 6 message s!
DeleteOptions = 1 gracePeriodSeconds l?; 2 preconditions Preconditions?; 3 orphanDependents b?; 4 propagationPolicy s?; 5 dryRun s*; 6 ignoreStoreReadErrorWithClusterBreakingPotential b?
LabelSelector(atomic) = 1 matchLabels {s,s}; 2 matchExpressions LabelSelectorRequirement*
LabelSelectorRequirement = 1 key s!; 2 operator s!; 3 values s*
ListMeta = 1 selfLink s; 2 resourceVersion s; 3 continue s; 4 remainingItemCount l?; 5 shardInfo ShardInfo?
ManagedFieldsEntry = 1 manager s; 2 operation s; 3 apiVersion s; 4 time Time?; 6 fieldsType s; 7 fieldsV1 FieldsV1?; 8 subresource s
ObjectMeta = 1 name s; 2 generateName s; 3 namespace s; 4 selfLink s; 5 uid s; 6 resourceVersion s; 7 generation l; 8 creationTimestamp Time; 9 deletionTimestamp Time?; 10 deletionGracePeriodSeconds l?; 11 labels {s,s}; 12 annotations {s,s}; 13 ownerReferences OwnerReference*@uid#uid; 14 finalizers s*@=#set; 17 managedFields ManagedFieldsEntry*
OwnerReference(atomic) = 5 apiVersion s!; 1 kind s!; 3 name s!; 4 uid s!; 6 controller b?; 7 blockOwnerDeletion b?
Patch = -
Preconditions = 1 uid s?; 2 resourceVersion s?
Status = 1 metadata ListMeta; 2 status s; 3 message s; 4 reason s; 5 details StatusDetails?; 6 code i
StatusCause = 1 reason s; 2 message s; 3 field s
StatusDetails = 1 name s; 2 group s; 3 kind s; 6 uid s; 4 causes StatusCause*; 5 retryAfterSeconds i
`,
};
