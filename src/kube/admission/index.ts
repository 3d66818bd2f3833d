/** What a write has to pass: the front door. Also the keepers that stand in for controllers. */
import type { Kinds, ObjectReader } from '../kinds/kind.js';
import type { AdmissionPlugin } from '../rest/admission.js';
import type { Resources } from '../rest/resource.js';
import type { CachedReader } from './cached-reader.js';
import type { AdmissionChain } from './chain.js';
import { CsrRequestor } from './csr-requestor.js';
import { defaultIngressClass, defaultStorageClass } from './default-class.js';
import { DefaultTolerationSeconds } from './default-toleration-seconds.js';
import { LimitRanger } from './limit-ranger.js';
import { MutatingWebhooks } from './mutating-webhooks.js';
import { NamespaceLifecycle } from './namespace-lifecycle.js';
import { PendingCharges } from './pending-charges.js';
import { Priority } from './priority.js';
import { ResourceQuotaPlugin } from './resource-quota.js';
import { ServiceAccountPlugin } from './service-account.js';
import { StorageObjectInUseProtection } from './storage-protection.js';
import { TaintNodesByCondition } from './taint-nodes.js';
import { ValidatingWebhooks } from './validating-webhooks.js';
import type { ServiceResolver } from './webhook-client.js';
import { WebhookReviewer } from './webhook-review.js';

export { CachedReader } from './cached-reader.js';
export { AdmissionChain } from './chain.js';
export { type KeepersOptions, startKeepers } from './keepers.js';
export { PendingCharges } from './pending-charges.js';
export type { ServiceResolver } from './webhook-client.js';

export interface AdmissionOptions {
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly cached: CachedReader;
  readonly live: ObjectReader;
  /** Validates before the webhooks: the guard of roles and bindings. */
  readonly guards?: readonly AdmissionPlugin[];
  readonly services?: ServiceResolver;
  /** The one that the keepers are given, too. */
  readonly pending?: PendingCharges;
  /** Of ADMISSION_PLUGINS (or guards): left out. */
  readonly disabled?: readonly string[];
  /** ms since the epoch */
  readonly now?: () => number;
}

/** In the order of their turns; guards stand before the validating webhooks. */
export const ADMISSION_PLUGINS: readonly string[] = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'TaintNodesByCondition',
  'Priority',
  'DefaultTolerationSeconds',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'DefaultIngressClass',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
];

/**
 * Gives the chain every plug-in, in the order of their turns.
 * @returns ends the connections to webhooks
 */
export function plugAdmission(chain: AdmissionChain, options: AdmissionOptions): () => void {
  const { kinds, resources, cached, live, guards = [], services, disabled = [], now = Date.now } = options;
  const pending = options.pending ?? new PendingCharges(now);
  const enabled = ({ name }: AdmissionPlugin) => !disabled.includes(name);
  const mutating = [
    new CsrRequestor(),
    new NamespaceLifecycle(cached, live, now),
    new LimitRanger(cached),
    new ServiceAccountPlugin({ cached, live }),
    new TaintNodesByCondition(),
    new Priority(cached, live),
    new DefaultTolerationSeconds(),
    defaultStorageClass(cached),
    new StorageObjectInUseProtection(),
    defaultIngressClass(cached),
  ].filter(enabled);
  const reviewer = new WebhookReviewer(services);
  const last = [
    new MutatingWebhooks(reviewer, cached, kinds, mutating),
    ...guards,
    new ValidatingWebhooks(reviewer, cached, kinds),
    new ResourceQuotaPlugin({ kinds, resources, cached, live, pending }),
  ].filter(enabled);
  chain.use([...mutating, ...last]);
  return () => reviewer.stop();
}
