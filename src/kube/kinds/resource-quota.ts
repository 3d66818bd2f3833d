import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { checkQualifiedName } from '../machinery/names.js';
import { AGE, age, NAME, nameOf, text } from './columns.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { entriesOf, listOf, same } from './loose.js';
import { isWhole, validateNotNegative } from './quantities.js';

const STANDARD = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'services',
  'services.nodeports',
  'services.loadbalancers',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]);
const COUNTED =
  /^(pods|services|services\..*|replicationcontrollers|resourcequotas|secrets|configmaps|persistentvolumeclaims|count\/.*)$/;
const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];

function validateName(name: string, field: string): FieldError[] {
  const errors = checkQualifiedName(name).map((e) => invalid(field, name, e));
  if (errors.length > 0 || name.includes('/') || STANDARD.has(name)) return errors;
  if (/^(requests|limits)\.hugepages-/.test(name) || name.startsWith('hugepages-')) return errors;
  return [invalid(field, name, 'must be a standard resource type or fully qualified')];
}

function validateAmounts(amounts: Loose, field: string): FieldError[] {
  return entriesOf(amounts).flatMap(([name, quantity]) => {
    const at = `${field}[${name}]`;
    const errors = [...validateName(name, at), ...validateNotNegative(quantity, at)];
    if (COUNTED.test(name) && !isWhole(quantity)) errors.push(invalid(at, quantity, 'must be an integer'));
    return errors;
  });
}

function validateScopes(spec: Loose): FieldError[] {
  const errors: FieldError[] = [];
  const scopes = listOf(spec.scopes);
  scopes.forEach((scope) => {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
  });
  for (const [a, b] of [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ] as const) {
    if (scopes.includes(a) && scopes.includes(b)) errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
  }
  listOf(spec.scopeSelector?.matchExpressions).forEach((expression, i) => {
    const field = `spec.scopeSelector.matchExpressions[${i}]`;
    if (!SCOPES.includes(expression.scopeName))
      errors.push(invalid(`${field}.scopeName`, expression.scopeName ?? '', 'unsupported scope'));
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(expression.operator)) {
      errors.push(invalid(`${field}.operator`, expression.operator ?? '', 'not a valid selector operator'));
    }
  });
  return errors;
}

/** `pods: 1/10, secrets: 0/5`, sorted by name. */
function usageText(status: Loose, wanted: (name: string) => boolean): string {
  return entriesOf(status?.hard)
    .filter(([name]) => wanted(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

export const resourceQuotaKind: Kind = defineKind({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  description: 'ResourceQuota limits what a namespace may have in all.',
  hasStatus: true,
  prepareForCreate(object) {
    delete object.status;
  },
  validate: ({ spec }) => [...validateAmounts(spec?.hard, 'spec.hard'), ...validateScopes(spec ?? {})],
  validateUpdate(object, old) {
    const sorted = (spec: Loose) => [...listOf(spec?.scopes)].sort();
    if (same(sorted(object.spec), sorted(old.spec))) return [];
    return [invalid('spec.scopes', listOf(object.spec?.scopes), 'field is immutable')];
  },
  validateStatusUpdate: ({ status }) => [
    ...validateAmounts(status?.hard, 'status.hard'),
    ...validateAmounts(status?.used, 'status.used'),
  ],
  columns: [
    NAME,
    text('Request', 'Used and allowed of what is asked for.'),
    text('Limit', 'Used and allowed of limits.'),
    AGE,
  ],
  cells: (object, now) => [
    nameOf(object),
    usageText(object.status, (name) => !name.startsWith('limits.')),
    usageText(object.status, (name) => name.startsWith('limits.')),
    age(object, now),
  ],
});
