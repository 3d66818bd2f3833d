/**
 * Nobody hands out by roles and bindings what they do not hold themselves, unless they may `escalate` the role or
 * `bind` to it. An admission plug-in, since that is where a write passes with its user. Source: kubernetes RBAC,
 * privilege escalation prevention.
 */
import { isDeepStrictEqual } from 'node:util';
import { forbidden, notFound } from '../machinery/api-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Attributes } from '../machinery/request.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';
import type { Authorizer } from './authorizer.js';
import type { RbacAuthorizer } from './rbac.js';
import { PRIVILEGED_GROUP } from './rbac.js';
import type { Binding, Role } from './rbac-source.js';
import { RBAC_GROUP } from './rbac-source.js';
import type { PolicyRule } from './rule.js';
import { compact, goList, notCovered, ruleText } from './rule.js';

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export class RbacEscalation implements AdmissionPlugin {
  readonly name = 'RBACEscalation';
  readonly #rbac: RbacAuthorizer;
  readonly #authorizer: Authorizer;

  /** @param authorizer asked for the verbs `escalate` and `bind` */
  constructor(rbac: RbacAuthorizer, authorizer: Authorizer = rbac) {
    this.#rbac = rbac;
    this.#authorizer = authorizer;
  }

  async validate(request: AdmissionRequest): Promise<void> {
    const { kind, operation, object, user } = request;
    if (kind.group !== RBAC_GROUP || object === null || request.subresource !== '') return;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    if (user.groups.includes(PRIVILEGED_GROUP)) return;
    switch (kind.plural) {
      case 'roles':
      case 'clusterroles':
        return this.#checkRole(request, object, request.oldObject);
      case 'rolebindings':
      case 'clusterrolebindings':
        return this.#checkBinding(request, object as Binding, request.oldObject as Binding | null);
    }
  }

  async #checkRole(request: AdmissionRequest, role: Role, old: Role | null): Promise<void> {
    const { aggregationRule } = role;
    const grants = !isDeepStrictEqual(role.rules ?? [], old?.rules ?? []);
    const gathers = aggregationRule != null && !isDeepStrictEqual(aggregationRule, old?.aggregationRule);
    if (!grants && !gathers) return;
    const { namespace, kind } = request;
    if (await this.#may(request, 'escalate', kind.plural, role.metadata.name ?? '', namespace)) return;
    if (grants) this.#mustHold(request, role.rules ?? []);
    // It gathers the rules of roles that are yet to come, so whatever they will be has to be held.
    if (gathers && this.#missing(request, EVERYTHING).length > 0) {
      throw refusal(request, 'must have cluster-admin privileges to use the aggregationRule');
    }
  }

  async #checkBinding(request: AdmissionRequest, binding: Binding, old: Binding | null): Promise<void> {
    if (old !== null && isDeepStrictEqual(withoutCollected(binding), withoutCollected(old))) return;
    const { roleRef } = binding;
    const plural = roleRef.kind === 'Role' ? 'roles' : 'clusterroles';
    if (await this.#may(request, 'bind', plural, roleRef.name, request.namespace)) return;
    const rules = this.#rbac.rulesOf(roleRef, request.namespace);
    if (rules === undefined) throw notFound({ group: RBAC_GROUP, plural }, roleRef.name);
    this.#mustHold(request, rules);
  }

  async #may(request: AdmissionRequest, verb: string, resource: string, name: string, namespace: string) {
    const asked: Attributes = {
      user: request.user,
      verb,
      isResource: true,
      group: RBAC_GROUP,
      version: '*',
      resource,
      subresource: '',
      namespace,
      name,
      path: '',
    };
    return (await this.#authorizer.authorize(asked)).allowed;
  }

  #missing({ user, namespace }: AdmissionRequest, wanted: readonly PolicyRule[]): PolicyRule[] {
    return notCovered(this.#rbac.policyRules(user, namespace), wanted);
  }

  #mustHold(request: AdmissionRequest, wanted: readonly PolicyRule[]): void {
    const missing = this.#missing(request, wanted);
    if (missing.length === 0) return;
    const { username, groups } = request.user;
    const who = `user ${JSON.stringify(username)} (groups=${goList(groups)})`;
    const texts = [...new Set(compact(missing).map(ruleText))].sort();
    throw refusal(request, `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}`);
  }
}

function refusal({ kind, name, object }: AdmissionRequest, why: string) {
  return forbidden({ group: kind.group, plural: kind.plural }, name || (object?.metadata.name ?? ''), why);
}

/** What the garbage collector touches grants nothing. */
function withoutCollected(object: KubeObject): unknown {
  const { ownerReferences: _o, finalizers: _f, managedFields: _m, resourceVersion: _r, ...metadata } = object.metadata;
  return { ...object, metadata };
}
