import type { Attributes, UserInfo } from '../machinery/request.js';

export interface Decision {
  readonly allowed: boolean;
  /** `RBAC: allowed by ...`; empty if there is nothing to say. */
  readonly reason: string;
}
export interface ResourceRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
}
export interface NonResourceRule {
  verbs: string[];
  nonResourceURLs?: string[];
}

export interface Authorizer {
  authorize(attributes: Attributes): Promise<Decision>;
  /** For SelfSubjectRulesReview. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): Promise<{ resourceRules: ResourceRule[]; nonResourceRules: NonResourceRule[]; incomplete: boolean }>;
}
