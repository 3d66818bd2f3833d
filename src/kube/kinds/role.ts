import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import { validateLabelSelector } from '../machinery/label-selector.js';
import type { KubeObject } from '../machinery/object.js';
import { CREATED_AT, created, NAME, nameOf } from './columns.js';
import type { KindDefinition } from './define.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { listOf } from './loose.js';

/** @param namespaced Roles know no paths: those belong to no namespace */
function validateRule(rule: Loose, field: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (listOf(rule.verbs).length === 0) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  const paths = listOf(rule.nonResourceURLs);
  if (paths.length > 0) {
    const at = `${field}.nonResourceURLs`;
    if (namespaced) return [...errors, invalid(at, paths, 'namespaced rules cannot apply to non-resource URLs')];
    if (['apiGroups', 'resources', 'resourceNames'].some((member) => listOf(rule[member]).length > 0)) {
      errors.push(invalid(at, paths, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (listOf(rule.apiGroups).length === 0) {
    errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (listOf(rule.resources).length === 0) {
    errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

function validateRules(object: KubeObject, namespaced: boolean): FieldError[] {
  return listOf(object.rules).flatMap((rule, i) => validateRule(rule, `rules[${i}]`, namespaced));
}

const common = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  columns: [NAME, CREATED_AT],
  cells: (object) => [nameOf(object), created(object)],
} satisfies Partial<KindDefinition>;

export const roleKind: Kind = defineKind({
  ...common,
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  description: 'Role is a list of what may be done in one namespace.',
  validate: (object) => validateRules(object, true),
});

export const clusterRoleKind: Kind = defineKind({
  ...common,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  description: 'ClusterRole is a list of what may be done in all namespaces, or with what is in none.',
  validate(object) {
    const errors = validateRules(object, false);
    if (!object.aggregationRule) return errors;
    const selectors = listOf(object.aggregationRule.clusterRoleSelectors);
    const field = 'aggregationRule.clusterRoleSelectors';
    if (selectors.length === 0)
      errors.push(required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    selectors.forEach((selector, i) => {
      errors.push(...validateLabelSelector(selector, `${field}[${i}]`));
    });
    return errors;
  },
});
