/** Who holds the roles of bootstrap-roles.ts, and the few namespaced roles. Source: kubernetes RBAC, default bindings. */
import { controllerNames } from './bootstrap-roles.js';
import type { RoleRef, Subject } from './rbac-source.js';
import { RBAC_GROUP } from './rbac-source.js';
import type { PolicyRule } from './rule.js';

export interface BootstrapBinding {
  readonly name: string;
  /** Empty for a cluster role binding. */
  readonly namespace: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly Subject[];
}

export interface BootstrapNamespacedRole {
  readonly name: string;
  readonly namespace: string;
  readonly rules: readonly PolicyRule[];
}

/** Role, then who: `group:name`, `user:name`, `account:namespace/name`. */
const CLUSTER_BINDINGS: readonly (readonly [role: string, ...who: string[]])[] = [
  ['cluster-admin', 'group:system:masters'],
  ['system:basic-user', 'group:system:authenticated'],
  ['system:discovery', 'group:system:authenticated'],
  ['system:public-info-viewer', 'group:system:authenticated', 'group:system:unauthenticated'],
  ['system:monitoring', 'group:system:monitoring'],
  ['system:service-account-issuer-discovery', 'group:system:serviceaccounts'],
  // There is no authorizer of its own for nodes here: all of them share one role.
  ['system:node', 'group:system:nodes'],
  ['system:node-proxier', 'user:system:kube-proxy'],
  ['system:kube-scheduler', 'user:system:kube-scheduler'],
  ['system:volume-scheduler', 'user:system:kube-scheduler'],
  ['system:kube-controller-manager', 'user:system:kube-controller-manager'],
  ['system:kube-dns', 'account:kube-system/kube-dns'],
];

function subjectOf(who: string): Subject {
  const colon = who.indexOf(':');
  const rest = who.slice(colon + 1);
  switch (who.slice(0, colon)) {
    case 'group':
      return { apiGroup: RBAC_GROUP, kind: 'Group', name: rest };
    case 'user':
      return { apiGroup: RBAC_GROUP, kind: 'User', name: rest };
    default: {
      const [namespace = '', name = ''] = rest.split('/');
      return { kind: 'ServiceAccount', name, namespace };
    }
  }
}

const AUTHENTICATION_READER = 'extension-apiserver-authentication-reader';
const lock = (component: string) => `system::leader-locking-${component}`;

export function bootstrapRoles(): BootstrapNamespacedRole[] {
  const namespace = 'kube-system';
  const lockRules = (name: string): PolicyRule[] => [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [name], verbs: ['get', 'update'] },
  ];
  return [
    {
      name: AUTHENTICATION_READER,
      namespace,
      rules: [
        {
          apiGroups: [''],
          resources: ['configmaps'],
          resourceNames: ['extension-apiserver-authentication'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
    ...['kube-controller-manager', 'kube-scheduler'].map((name) => ({
      name: lock(name),
      namespace,
      rules: lockRules(name),
    })),
  ];
}

export function bootstrapBindings(): BootstrapBinding[] {
  const roleRef = (kind: string, name: string): RoleRef => ({ apiGroup: RBAC_GROUP, kind, name });
  const cluster = [
    ...CLUSTER_BINDINGS,
    ...controllerNames().map((name) => [`system:controller:${name}`, `account:kube-system/${name}`] as const),
  ];
  const components = ['kube-controller-manager', 'kube-scheduler'];
  const locks = components.map((name) => [lock(name), [`user:system:${name}`]] as const);
  const readers = components.map((name) => `user:system:${name}`);
  return [
    ...cluster.map(([role, ...who]) => ({
      name: role,
      namespace: '',
      roleRef: roleRef('ClusterRole', role),
      subjects: who.map(subjectOf),
    })),
    ...[...locks, [AUTHENTICATION_READER, readers] as const].map(([role, who]) => ({
      name: role,
      namespace: 'kube-system',
      roleRef: roleRef('Role', role),
      subjects: who.map(subjectOf),
    })),
  ];
}
