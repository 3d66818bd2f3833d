/** All built-in kinds in the order of discovery: it decides which group a bare name means, and the order of `get all`. */
import * as reviews from './access-review.js';
import { apiServiceKind } from './api-service.js';
import { bindingKind } from './binding.js';
import { certificateSigningRequestKind } from './certificate-signing-request.js';
import { componentStatusKind } from './component-status.js';
import { configMapKind } from './config-map.js';
import { controllerRevisionKind } from './controller-revision.js';
import { cronJobKind } from './cron-job.js';
import { csiDriverKind, csiNodeKind, volumeAttachmentKind } from './csi.js';
import { customResourceDefinitionKind } from './custom-resource-definition.js';
import { daemonSetKind } from './daemon-set.js';
import { deploymentKind } from './deployment.js';
import { endpointSliceKind, endpointsKind } from './endpoints.js';
import { eventKind, newEventKind } from './event.js';
import { hpaKind, hpaV1Kind } from './horizontal-pod-autoscaler.js';
import { ingressClassKind, ingressKind } from './ingress.js';
import { ipAddressKind, serviceCidrKind } from './ip-address.js';
import { jobKind } from './job.js';
import type { Kind, KindHooks } from './kind.js';
import { leaseKind } from './lease.js';
import { limitRangeKind } from './limit-range.js';
import { namespaceKind } from './namespace.js';
import { networkPolicyKind } from './network-policy.js';
import { nodeKind } from './node.js';
import { persistentVolumeKind } from './persistent-volume.js';
import { persistentVolumeClaimKind } from './persistent-volume-claim.js';
import { podKind } from './pod.js';
import { podDisruptionBudgetKind } from './pod-disruption-budget.js';
import { podTemplateKind } from './pod-template.js';
import { priorityClassKind } from './priority-class.js';
import { replicaSetKind } from './replica-set.js';
import { replicationControllerKind } from './replication-controller.js';
import { resourceQuotaKind } from './resource-quota.js';
import { clusterRoleKind, roleKind } from './role.js';
import { clusterRoleBindingKind, roleBindingKind } from './role-binding.js';
import { runtimeClassKind } from './runtime-class.js';
import { secretKind } from './secret.js';
import { serviceKind } from './service.js';
import { serviceAccountKind } from './service-account.js';
import { statefulSetKind } from './stateful-set.js';
import { storageClassKind } from './storage-class.js';
import { mutatingWebhookKind, validatingWebhookKind } from './webhook-configuration.js';

/** @param serviceHooks allocate addresses and ports of Services */
export function builtinOrder(serviceHooks: KindHooks | undefined): readonly Kind[] {
  return [
    bindingKind,
    componentStatusKind,
    configMapKind,
    endpointsKind,
    eventKind,
    limitRangeKind,
    namespaceKind,
    nodeKind,
    persistentVolumeClaimKind,
    persistentVolumeKind,
    podKind,
    podTemplateKind,
    replicationControllerKind,
    resourceQuotaKind,
    secretKind,
    serviceAccountKind,
    serviceKind(serviceHooks),
    apiServiceKind,
    controllerRevisionKind,
    daemonSetKind,
    deploymentKind,
    replicaSetKind,
    statefulSetKind,
    newEventKind,
    reviews.selfSubjectReviewKind,
    reviews.tokenReviewKind,
    reviews.localSubjectAccessReviewKind,
    reviews.selfSubjectAccessReviewKind,
    reviews.selfSubjectRulesReviewKind,
    reviews.subjectAccessReviewKind,
    hpaKind,
    hpaV1Kind,
    cronJobKind,
    jobKind,
    certificateSigningRequestKind,
    ingressClassKind,
    ingressKind,
    ipAddressKind,
    networkPolicyKind,
    serviceCidrKind,
    podDisruptionBudgetKind,
    clusterRoleBindingKind,
    clusterRoleKind,
    roleBindingKind,
    roleKind,
    csiDriverKind,
    csiNodeKind,
    storageClassKind,
    volumeAttachmentKind,
    mutatingWebhookKind,
    validatingWebhookKind,
    customResourceDefinitionKind,
    priorityClassKind,
    leaseKind,
    runtimeClassKind,
    endpointSliceKind,
  ];
}
