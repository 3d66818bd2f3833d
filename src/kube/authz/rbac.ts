/** Role-based access control: a request is allowed when a rule of a role that is bound to its user says so. */
import { serviceUnavailable } from '../machinery/api-error.js';
import type { Attributes, UserInfo } from '../machinery/request.js';
import type { Authorizer, Decision, NonResourceRule, ResourceRule } from './authorizer.js';
import type { Match } from './binding-index.js';
import { BindingIndex } from './binding-index.js';
import type { RbacSource, RoleRef, Subject } from './rbac-source.js';
import { RBAC_GROUP } from './rbac-source.js';
import type { PolicyRule } from './rule.js';
import { ruleAllows } from './rule.js';

/** Its members may do everything, whatever is bound: the way back in when the roles are lost. */
export const PRIVILEGED_GROUP = 'system:masters';

const ALLOWED: Decision = { allowed: true, reason: '' };
const DENIED: Decision = { allowed: false, reason: '' };

export class RbacAuthorizer implements Authorizer {
  readonly #source: RbacSource;
  readonly #bindings: BindingIndex;

  constructor(source: RbacSource) {
    this.#source = source;
    this.#bindings = new BindingIndex(source);
  }

  /** @throws ApiError 503 before the roles are known */
  async authorize(asked: Attributes): Promise<Decision> {
    if (asked.user.groups.includes(PRIVILEGED_GROUP)) return ALLOWED;
    const missing: string[] = [];
    for (const { rule, match } of this.#rules(asked.user, asked.isResource ? asked.namespace : '', missing)) {
      if (ruleAllows(rule, asked)) return { allowed: true, reason: because(match) };
    }
    return missing.length === 0 ? DENIED : { allowed: false, reason: `RBAC: ${aggregate(missing)}` };
  }

  async rulesFor(user: UserInfo, namespace: string) {
    const resourceRules: ResourceRule[] = [];
    const nonResourceRules: NonResourceRule[] = [];
    for (const rule of this.policyRules(user, namespace)) {
      const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
      if ((resources ?? []).length > 0) {
        const names = (resourceNames ?? []).length === 0 ? {} : { resourceNames: resourceNames! };
        resourceRules.push({ verbs, apiGroups: apiGroups ?? [], resources: resources!, ...names });
      }
      if ((nonResourceURLs ?? []).length > 0) nonResourceRules.push({ verbs, nonResourceURLs: nonResourceURLs! });
    }
    return { resourceRules, nonResourceRules, incomplete: false };
  }

  /** What the user holds in the namespace (and cluster-wide). @param namespace empty: cluster-wide alone */
  policyRules(user: UserInfo, namespace: string): PolicyRule[] {
    return [...this.#rules(user, namespace, [])].map(({ rule }) => rule);
  }

  /** Rules of the role that a binding refers to; undefined if there is no such role. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role = ref.kind === 'Role' ? this.#source.role(namespace, ref.name) : this.#source.clusterRole(ref.name);
    return role === undefined ? undefined : (role.rules ?? []);
  }

  /** Rules by way of cluster role bindings first. @param missing gets words for roles that are not there */
  *#rules(user: UserInfo, namespace: string, missing: string[]): Generator<{ rule: PolicyRule; match: Match }> {
    if (!this.#source.synced) throw serviceUnavailable();
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      for (const match of this.#bindings.matches(user, scope)) {
        const { roleRef } = match.binding;
        const rules = this.rulesOf(roleRef, scope);
        if (rules === undefined) missing.push(noSuchRole(roleRef));
        else for (const rule of rules) yield { rule, match };
      }
    }
  }
}

export function noSuchRole({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(name)} not found`;
}

function aggregate(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`;
}

function because({ binding, subject }: Match): string {
  const { name, namespace } = binding.metadata;
  const [kind, called] = namespace ? ['RoleBinding', `${name}/${namespace}`] : ['ClusterRoleBinding', name];
  const { roleRef } = binding;
  const to = subjectText(subject, namespace ?? '');
  return `RBAC: allowed by ${kind} "${called}" of ${roleRef.kind} "${roleRef.name}" to ${to}`;
}

function subjectText({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind !== 'ServiceAccount') return `${kind} "${name}"`;
  return `ServiceAccount "${name}/${namespace || bindingNamespace}"`;
}
