/** Webhooks that the server asks about writes; the two kinds differ in whether the answer may change the object. */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, invalid, required } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import { checkDnsLabel, checkDnsSubdomain, checkQualifiedName } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, integer, NAME, nameOf } from './columns.js';
import type { KindDefinition } from './define.js';
import { defineKind } from './define.js';
import { mandatory, oneOf } from './field-rules.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fill, fillText, listOf, unset } from './loose.js';

const TIMEOUT_SECONDS = 10;
const TIMEOUT_SECONDS_MAX = 30;
const HTTPS_PORT = 443;
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

function setWebhookDefaults(object: KubeObject, mutating: boolean): void {
  for (const webhook of listOf(object.webhooks)) {
    fillText(webhook, 'failurePolicy', 'Fail');
    fillText(webhook, 'matchPolicy', 'Equivalent');
    fill(webhook, 'namespaceSelector', {});
    fill(webhook, 'objectSelector', {});
    fill(webhook, 'timeoutSeconds', TIMEOUT_SECONDS);
    if (mutating) fillText(webhook, 'reinvocationPolicy', 'Never');
    for (const rule of listOf(webhook.rules)) fillText(rule, 'scope', '*');
    if (webhook.clientConfig?.service) fill(webhook.clientConfig.service, 'port', HTTPS_PORT);
  }
}

/** Of webhooks of any sort: an address, or a Service of the cluster. */
export function validateClientConfig(config: Loose, field: string): FieldError[] {
  const { url, service } = config ?? {};
  if (unset(url) === !service) {
    return [required(field, 'exactly one of url or service is required')];
  }
  if (!service) return validateUrl(url, `${field}.url`);
  const at = `${field}.service`;
  const errors = [...mandatory(service.name, `${at}.name`), ...mandatory(service.namespace, `${at}.namespace`)];
  if (typeof service.port === 'number' && (service.port < 1 || service.port > 65535)) {
    const why = `port is not valid: must be between 1 and 65535, inclusive`;
    errors.push(invalid(`${at}.port`, service.port, why));
  }
  if (!unset(service.path) && !service.path.startsWith('/')) {
    errors.push(invalid(`${at}.path`, service.path, "must start with a '/'"));
  }
  return errors;
}

function validateUrl(text: string, field: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return [required(field, `url must be a valid URL: parse "${text}": invalid URI${form}`)];
  }
  if (url.protocol !== 'https:') {
    return [invalid(field, text, `'https' is the only allowed URL scheme${form}`)];
  }
  const errors: FieldError[] = [];
  if (url.username !== '' || url.password !== '')
    errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '')
    errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}

function checkWebhookName(name: string): string[] {
  const errors = checkDnsSubdomain(name);
  if (errors.length > 0) return errors;
  return name.split('.').length < 3 ? ['should be a domain with at least three segments separated by dots'] : [];
}

function validateWebhook(webhook: Loose, field: string): FieldError[] {
  const errors = [
    ...mandatory(webhook.name, `${field}.name`, checkWebhookName),
    ...listOf(webhook.rules).flatMap((rule, i) => validateRule(rule, `${field}.rules[${i}]`)),
    ...oneOf(webhook.failurePolicy, `${field}.failurePolicy`, ['Fail', 'Ignore']),
    ...oneOf(webhook.matchPolicy, `${field}.matchPolicy`, ['Equivalent', 'Exact']),
    ...oneOf(webhook.reinvocationPolicy, `${field}.reinvocationPolicy`, ['IfNeeded', 'Never']),
    ...validateLabelSelector(webhook.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${field}.objectSelector`),
    ...validateClientConfig(webhook.clientConfig, `${field}.clientConfig`),
    ...oneOf(webhook.sideEffects, `${field}.sideEffects`, ['None', 'NoneOnDryRun'], true),
  ];
  const seconds = webhook.timeoutSeconds;
  if (typeof seconds === 'number' && (seconds < 1 || seconds > TIMEOUT_SECONDS_MAX)) {
    const why = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    errors.push(invalid(`${field}.timeoutSeconds`, seconds, why));
  }
  const versions = listOf(webhook.admissionReviewVersions);
  const at = `${field}.admissionReviewVersions`;
  if (versions.length === 0) {
    errors.push(required(at, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
  } else {
    versions.forEach((version, i) => {
      for (const e of checkDnsLabel(version)) errors.push(invalid(`${at}[${i}]`, version, e));
    });
    if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
      errors.push(invalid(at, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
    }
  }
  listOf(webhook.matchConditions).forEach((condition, i) => {
    const here = `${field}.matchConditions[${i}]`;
    errors.push(...mandatory(condition.name, `${here}.name`, checkQualifiedName));
    errors.push(...mandatory(condition.expression, `${here}.expression`));
  });
  return errors;
}

function validateRule(rule: Loose, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const member of ['operations', 'apiGroups', 'apiVersions', 'resources']) {
    const values = listOf(rule[member]);
    if (values.length === 0) errors.push(required(`${field}.${member}`));
    if (member !== 'resources' && values.length > 1 && values.includes('*')) {
      errors.push(invalid(`${field}.${member}`, values, `if '*' is present, must not specify other ${member}`));
    }
  }
  listOf(rule.operations).forEach((operation, i) => {
    errors.push(...oneOf(operation, `${field}.operations[${i}]`, OPERATIONS));
  });
  return [...errors, ...oneOf(rule.scope, `${field}.scope`, ['*', 'Cluster', 'Namespaced'])];
}

function validateWebhooks(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  listOf(object.webhooks).forEach((webhook, i) => {
    const field = `webhooks[${i}]`;
    errors.push(...validateWebhook(webhook, field));
    if (names.has(webhook.name)) errors.push(duplicate(`${field}.name`, webhook.name));
    names.add(webhook.name);
  });
  return errors;
}

const common = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  namespaced: false,
  categories: ['api-extensions'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validate: validateWebhooks,
  columns: [NAME, integer('Webhooks', 'How many it has.'), AGE],
  cells: (object, now) => [nameOf(object), listOf(object.webhooks).length, age(object, now)],
} satisfies Partial<KindDefinition>;

export const mutatingWebhookKind: Kind = defineKind({
  ...common,
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  description: 'MutatingWebhookConfiguration names webhooks that may change objects before they are written.',
  setDefaults: (object) => setWebhookDefaults(object, true),
});

export const validatingWebhookKind: Kind = defineKind({
  ...common,
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  description: 'ValidatingWebhookConfiguration names webhooks that may refuse writes.',
  setDefaults: (object) => setWebhookDefaults(object, false),
});
