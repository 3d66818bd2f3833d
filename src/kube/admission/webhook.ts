/** Webhook configurations as they are stored, and which of their webhooks a request concerns. */
import type { Kind, Kinds, ObjectReader } from '../kinds/kind.js';
import { notFound } from '../machinery/api-error.js';
import type { LabelSelectorObject } from '../machinery/label-selector.js';
import { labelSelectorOf, matchesLabels } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import type { AdmissionRequest } from '../rest/admission.js';
import { equivalents } from './equivalent.js';

export const REGISTRATION_GROUP = 'admissionregistration.k8s.io';

export interface WebhookRule {
  operations: string[];
  apiGroups: string[];
  apiVersions: string[];
  resources: string[];
  scope?: string;
}

export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
  /** base64 of PEM certificates. */
  caBundle?: string;
}

export interface Webhook {
  name: string;
  clientConfig: WebhookClientConfig;
  rules?: WebhookRule[];
  failurePolicy?: 'Fail' | 'Ignore';
  /** Default Equivalent. */
  matchPolicy?: 'Exact' | 'Equivalent';
  namespaceSelector?: LabelSelectorObject | null;
  objectSelector?: LabelSelectorObject | null;
  matchConditions?: { name: string; expression: string }[];
  sideEffects?: string;
  timeoutSeconds?: number;
  admissionReviewVersions?: string[];
  reinvocationPolicy?: 'Never' | 'IfNeeded';
}

/** All webhooks of one of the two kinds, configurations in the order of their names. */
export async function webhooksOf(objects: ObjectReader, plural: string): Promise<Webhook[]> {
  const configurations = await objects.list(REGISTRATION_GROUP, plural, '');
  const name = ({ metadata }: KubeObject) => metadata.name ?? '';
  const sorted = configurations.sort((a, b) => (name(a) < name(b) ? -1 : 1));
  return sorted.flatMap((configuration) => (configuration.webhooks ?? []) as Webhook[]);
}

/** Those that can keep everybody out are let be, or nobody could take them back. */
export function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === REGISTRATION_GROUP;
}

/**
 * The kind as which a webhook wants to see the request: its own, or with matchPolicy Equivalent another version of it.
 * Null if it does not concern the webhook.
 * @throws ApiError 404 if the namespace is gone whose labels it would take
 */
export async function concerns(
  hook: Webhook,
  request: AdmissionRequest,
  objects: ObjectReader,
  kinds: Kinds,
): Promise<Kind | null> {
  const matches = (kind: Kind) => (hook.rules ?? []).some((rule) => ruleMatches(rule, request, kind));
  let kind: Kind | undefined = request.kind;
  if (!matches(kind)) kind = hook.matchPolicy === 'Exact' ? undefined : equivalents(kinds, kind).find(matches);
  if (kind === undefined || !objectMatches(hook, request)) return null;
  return (await namespaceMatches(hook, request, objects)) ? kind : null;
}

function ruleMatches(rule: WebhookRule, { operation, subresource }: AdmissionRequest, kind: Kind): boolean {
  const has = (list: readonly string[] | undefined, wanted: string) => list?.includes('*') || list?.includes(wanted);
  if (!has(rule.operations, operation) || !has(rule.apiGroups, kind.group)) return false;
  if (!has(rule.apiVersions, kind.version)) return false;
  if (rule.scope === 'Namespaced' && !kind.namespaced) return false;
  if (rule.scope === 'Cluster' && kind.namespaced) return false;
  return (rule.resources ?? []).some((pattern) => {
    const [resource = '', sub = ''] = pattern.split('/');
    return (resource === '*' || resource === kind.plural) && (sub === '*' || sub === subresource);
  });
}

/** An object that matches before or after the change is meant: a label taken off is no way around. */
function objectMatches({ objectSelector }: Webhook, { object, oldObject }: AdmissionRequest): boolean {
  const selector = labelSelectorOf(objectSelector ?? {});
  if (selector.requirements.length === 0 && selector.nothing !== true) return true;
  return [object, oldObject].some((o) => o !== null && matchesLabels(selector, o.metadata?.labels));
}

async function namespaceMatches(
  { namespaceSelector }: Webhook,
  request: AdmissionRequest,
  objects: ObjectReader,
): Promise<boolean> {
  const selector = labelSelectorOf(namespaceSelector ?? {});
  if (selector.requirements.length === 0 && selector.nothing !== true) return true;
  const { kind, namespace, object, oldObject } = request;
  if (kind.group === '' && kind.plural === 'namespaces') {
    return matchesLabels(selector, (object ?? oldObject)?.metadata.labels);
  }
  if (!kind.namespaced || namespace === '') return true;
  const found = await objects.get('', 'namespaces', '', namespace);
  if (found === null) throw notFound({ group: '', plural: 'namespaces' }, namespace);
  return matchesLabels(selector, found.metadata.labels);
}
