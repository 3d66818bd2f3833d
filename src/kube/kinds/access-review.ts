/** Questions to the server about who somebody is and what they may do. Nothing is stored: the answer is in the status. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid, required } from '../machinery/field-error.js';
import { CREATE_ONLY, defineKind } from './define.js';
import type { Kind } from './kind.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';

const AUTHENTICATION = { group: 'authentication.k8s.io', version: 'v1', verbs: CREATE_ONLY } as const;
const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1', verbs: CREATE_ONLY } as const;

function validateAttributes(spec: Loose): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec ?? {};
  if (resource && path) {
    return [invalid('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes')];
  }
  if (resource || path) return [];
  return [
    invalid(
      'spec.resourceAttributes',
      null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ),
  ];
}

function validateSubject(spec: Loose): FieldError[] {
  const errors = validateAttributes(spec);
  if (unset(spec?.user) && listOf(spec?.groups).length === 0) {
    errors.push(invalid('spec.user', spec?.user ?? '', 'at least one of user or group must be specified'));
  }
  return errors;
}

export const tokenReviewKind: Kind = defineKind({
  ...AUTHENTICATION,
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  description: 'TokenReview asks whose a token is.',
  validate: (object) => (unset(object.spec?.token) ? [required('spec.token')] : []),
});

export const selfSubjectReviewKind: Kind = defineKind({
  ...AUTHENTICATION,
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  description: 'SelfSubjectReview asks who I am.',
});

export const subjectAccessReviewKind: Kind = defineKind({
  ...AUTHORIZATION,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  description: 'SubjectAccessReview asks whether somebody may do something.',
  validate: (object) => validateSubject(object.spec),
});

export const localSubjectAccessReviewKind: Kind = defineKind({
  ...AUTHORIZATION,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  description: 'LocalSubjectAccessReview asks whether somebody may do something in one namespace.',
  validate(object) {
    const errors = validateSubject(object.spec);
    const namespace = object.spec?.resourceAttributes?.namespace ?? '';
    if (namespace !== (object.metadata.namespace ?? '')) {
      const why = 'must match metadata.namespace';
      errors.push(invalid('spec.resourceAttributes.namespace', namespace, why));
    }
    if (object.spec?.nonResourceAttributes) {
      const why = 'disallowed on this kind of request';
      errors.push(invalid('spec.nonResourceAttributes', object.spec.nonResourceAttributes, why));
    }
    return errors;
  },
});

export const selfSubjectAccessReviewKind: Kind = defineKind({
  ...AUTHORIZATION,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  description: 'SelfSubjectAccessReview asks whether I may do something.',
  validate: (object) => validateAttributes(object.spec),
});

export const selfSubjectRulesReviewKind: Kind = defineKind({
  ...AUTHORIZATION,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  description: 'SelfSubjectRulesReview asks for all that I may do in a namespace.',
});
