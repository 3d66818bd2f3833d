/** Asking what would be allowed: the four reviews of authorization.k8s.io. */
import { badRequest } from '../machinery/api-error.js';
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, invalidObject } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Attributes, UserInfo } from '../machinery/request.js';
import type { VirtualHandler, VirtualHandlers } from '../rest/virtual.js';
import type { Authorizer } from './authorizer.js';

const GROUP = 'authorization.k8s.io';

interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
}
interface ReviewSpec {
  resourceAttributes?: ResourceAttributes | null;
  nonResourceAttributes?: { path?: string; verb?: string } | null;
  user?: string;
  groups?: string[];
  uid?: string;
  extra?: Record<string, string[]>;
}

export function authorizationReviews(authorizer: Authorizer): VirtualHandlers {
  const answer = async (object: KubeObject, user: UserInfo): Promise<KubeObject> => {
    const { allowed, reason } = await authorizer.authorize(attributesOf(object.spec ?? {}, user));
    return { ...object, status: { allowed, ...(reason === '' ? {} : { reason }) } };
  };
  return new Map<string, VirtualHandler>([
    [
      `${GROUP}/subjectaccessreviews`,
      async (object) => {
        mustBeValid('SubjectAccessReview', object, [...oneTarget(object.spec), ...aSubject(object.spec)]);
        return answer(object, userOf(object.spec));
      },
    ],
    [
      `${GROUP}/localsubjectaccessreviews`,
      async (object, { namespace }) => {
        const kind = 'LocalSubjectAccessReview';
        mustBeValid(kind, object, [...local(object), ...oneTarget(object.spec), ...aSubject(object.spec)]);
        if (object.spec.resourceAttributes?.namespace !== namespace) {
          const asked = object.spec.resourceAttributes?.namespace ?? '';
          throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${asked} != ${namespace}`);
        }
        return answer(object, userOf(object.spec));
      },
    ],
    [
      `${GROUP}/selfsubjectaccessreviews`,
      async (object, { user }) => {
        mustBeValid('SelfSubjectAccessReview', object, oneTarget(object.spec));
        return answer(object, user);
      },
    ],
    [
      `${GROUP}/selfsubjectrulesreviews`,
      async (object, { user }) => {
        const namespace: string = object.spec?.namespace ?? '';
        if (namespace === '') throw badRequest('no namespace on request');
        const status = await authorizer.rulesFor(user, namespace);
        return { ...object, status };
      },
    ],
  ]);
}

function userOf({ user, groups, uid, extra }: ReviewSpec): UserInfo {
  return { username: user ?? '', groups: groups ?? [], uid: uid ?? '', extra: extra ?? {} };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: ReviewSpec, user: UserInfo): Attributes {
  const asked = resourceAttributes ?? {};
  return {
    user,
    verb: (resourceAttributes ? asked.verb : nonResourceAttributes?.verb) ?? '',
    isResource: Boolean(resourceAttributes),
    group: asked.group ?? '',
    version: asked.version ?? '',
    resource: asked.resource ?? '',
    subresource: asked.subresource ?? '',
    namespace: asked.namespace ?? '',
    name: asked.name ?? '',
    path: nonResourceAttributes?.path ?? '',
  };
}

function mustBeValid(kind: string, object: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(GROUP, kind, object.metadata?.name ?? '', errors);
}

function oneTarget(spec: ReviewSpec | undefined): FieldError[] {
  const both = 'cannot be specified in combination with resourceAttributes';
  const none = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  if (spec?.resourceAttributes && spec.nonResourceAttributes) {
    return [invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, both)];
  }
  return spec?.resourceAttributes || spec?.nonResourceAttributes
    ? []
    : [invalid('spec.resourceAttributes', spec?.resourceAttributes ?? null, none)];
}

function aSubject(spec: ReviewSpec | undefined): FieldError[] {
  if (spec?.user || (spec?.groups ?? []).length > 0) return [];
  return [invalid('spec.user', '', 'at least one of user or group must be specified')];
}

function local({ spec }: KubeObject): FieldError[] {
  return spec?.nonResourceAttributes
    ? [forbiddenField('spec.nonResourceAttributes', 'disallowed on this kind of request')]
    : [];
}
