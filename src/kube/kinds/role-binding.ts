import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { checkDnsSubdomain, checkPathSegment } from '../machinery/names.js';
import type { KubeObject } from '../machinery/object.js';
import { AGE, age, NAME, nameOf, text, wide } from './columns.js';
import type { KindDefinition } from './define.js';
import { defineKind } from './define.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { fillText, listOf, same, unset, within } from './loose.js';

const GROUP = 'rbac.authorization.k8s.io';

function validateSubject(subject: Loose, field: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (unset(subject.name)) errors.push(required(`${field}.name`));
  switch (subject.kind) {
    case 'ServiceAccount':
      if (!unset(subject.name)) {
        errors.push(...checkDnsSubdomain(subject.name).map((e) => invalid(`${field}.name`, subject.name, e)));
      }
      if (!unset(subject.apiGroup)) errors.push(notSupported(`${field}.apiGroup`, subject.apiGroup, ['']));
      // A RoleBinding's own namespace is what is meant by none.
      if (!namespaced && unset(subject.namespace)) errors.push(required(`${field}.namespace`));
      return errors;
    case 'User':
    case 'Group':
      if (subject.apiGroup !== GROUP) errors.push(notSupported(`${field}.apiGroup`, subject.apiGroup ?? '', [GROUP]));
      if (!unset(subject.namespace)) {
        errors.push(forbiddenField(`${field}.namespace`, 'namespace is not allowed for User and Group'));
      }
      return errors;
    default:
      return [...errors, notSupported(`${field}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group'])];
  }
}

function validateBinding(object: KubeObject, roles: readonly string[], namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = object.roleRef ?? {};
  if (apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup ?? '', [GROUP]));
  if (!roles.includes(kind)) errors.push(notSupported('roleRef.kind', kind ?? '', roles));
  if (unset(name)) errors.push(required('roleRef.name'));
  else errors.push(...checkPathSegment(name).map((e) => invalid('roleRef.name', name, e)));
  listOf(object.subjects).forEach((subject, i) => {
    errors.push(...validateSubject(subject, `subjects[${i}]`, namespaced));
  });
  return errors;
}

function names(object: KubeObject, kind: string): string {
  return listOf(object.subjects)
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
    .join(', ');
}

const common = {
  group: GROUP,
  version: 'v1',
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  setDefaults(object) {
    if (object.roleRef) fillText(within(object, 'roleRef'), 'apiGroup', GROUP);
    for (const subject of listOf(object.subjects)) {
      if (subject.kind === 'User' || subject.kind === 'Group') fillText(subject, 'apiGroup', GROUP);
    }
  },
  validateUpdate: (object, old) =>
    same(object.roleRef, old.roleRef) ? [] : [invalid('roleRef', object.roleRef, 'cannot change roleRef')],
  columns: [
    NAME,
    text('Role', 'What is given.'),
    AGE,
    wide(text('Users', 'To which users.')),
    wide(text('Groups', 'To which groups.')),
    wide(text('ServiceAccounts', 'To which service accounts.')),
  ],
  cells: (object, now) => [
    nameOf(object),
    `${object.roleRef?.kind}/${object.roleRef?.name}`,
    age(object, now),
    names(object, 'User'),
    names(object, 'Group'),
    names(object, 'ServiceAccount'),
  ],
} satisfies Partial<KindDefinition>;

export const roleBindingKind: Kind = defineKind({
  ...common,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  description: 'RoleBinding gives a Role, or a ClusterRole, to users within one namespace.',
  validate: (object) => validateBinding(object, ['Role', 'ClusterRole'], true),
});

export const clusterRoleBindingKind: Kind = defineKind({
  ...common,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  description: 'ClusterRoleBinding gives a ClusterRole to users everywhere.',
  validate: (object) => validateBinding(object, ['ClusterRole'], false),
});
