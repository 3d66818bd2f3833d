/** Wire types of rbac.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const rbacV1: TypeGroup = {
  name: 'rbac.v1',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.rbac.v1',
  table: `
AggregationRule = 1 clusterRoleSelectors meta.v1/LabelSelector*
ClusterRole = 1 metadata meta.v1/ObjectMeta; 2 rules PolicyRule*!; 3 aggregationRule AggregationRule?
ClusterRoleBinding = 1 metadata meta.v1/ObjectMeta; 2 subjects Subject*; 3 roleRef RoleRef!
PolicyRule = 1 verbs s*!; 2 apiGroups s*; 3 resources s*; 4 resourceNames s*; 5 nonResourceURLs s*
Role = 1 metadata meta.v1/ObjectMeta; 2 rules PolicyRule*!
RoleBinding = 1 metadata meta.v1/ObjectMeta; 2 subjects Subject*; 3 roleRef RoleRef!
RoleRef(atomic) = 1 apiGroup s!; 2 kind s!; 3 name s!
Subject(atomic) = 1 kind s!; 2 apiGroup s; 3 name s!; 4 namespace s
`,
};
