/** The cluster roles that every cluster has, as a table. Source: kubernetes RBAC, default roles. */
import type { PolicyRule } from './rule.js';

/** `verbs | groups | resources`, or `verbs | paths`; words apart by spaces, `core` is the group without a name. */
type RuleLine = string;

const READ = 'get list watch';
const WRITE = 'create delete deletecollection patch update';
const ALL = `${READ} ${WRITE}`;

const HELD_CORE =
  'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status';
const APPS = 'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale';

/** Parts of admin, edit and view: `system:aggregate-to-<part>`, labelled so that the role of that name gathers them. */
const AGGREGATED: Readonly<Record<string, readonly RuleLine[]>> = {
  view: [
    `${READ} | core | ${HELD_CORE} replicationcontrollers/status`,
    `${READ} | core | bindings events limitranges namespaces/status pods/log pods/status resourcequotas resourcequotas/status`,
    `${READ} | core | namespaces`,
    `${READ} | discovery.k8s.io | endpointslices`,
    `${READ} | apps | controllerrevisions ${APPS} daemonsets/status deployments/status replicasets/status statefulsets/status`,
    `${READ} | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status`,
    `${READ} | batch | cronjobs cronjobs/status jobs jobs/status`,
    `${READ} | policy | poddisruptionbudgets poddisruptionbudgets/status`,
    `${READ} | networking.k8s.io | ingresses ingresses/status networkpolicies`,
  ],
  edit: [
    `${READ} | core | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy`,
    'impersonate | core | serviceaccounts',
    `${WRITE} | core | pods pods/attach pods/exec pods/portforward pods/proxy`,
    'create | core | pods/eviction',
    `${WRITE} | core | configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy`,
    'patch update | core | pods/ephemeralcontainers',
    `${WRITE} | core | events`,
    'create | core | serviceaccounts/token',
    `${WRITE} | apps | ${APPS} deployments/rollback`,
    `${WRITE} | autoscaling | horizontalpodautoscalers`,
    `${WRITE} | batch | cronjobs jobs`,
    `${WRITE} | policy | poddisruptionbudgets`,
    `${WRITE} | networking.k8s.io | ingresses networkpolicies`,
    `${ALL} | coordination.k8s.io | leases`,
  ],
  admin: [
    'create | authorization.k8s.io | localsubjectaccessreviews',
    `${ALL} | rbac.authorization.k8s.io | rolebindings roles`,
  ],
};

/** Roles that gather, and which of the parts: a role is itself part of the next greater one. */
const GATHERING: Readonly<Record<string, { readonly partOf?: string }>> = {
  admin: {},
  edit: { partOf: 'admin' },
  view: { partOf: 'edit' },
};

const PLAIN: Readonly<Record<string, readonly RuleLine[]>> = {
  'cluster-admin': ['* | * | *', '* | *'],
  'system:basic-user': [
    'create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews',
    'create | authentication.k8s.io | selfsubjectreviews',
  ],
  'system:discovery': [
    'get | /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/',
  ],
  'system:public-info-viewer': ['get | /healthz /livez /readyz /version /version/'],
  'system:monitoring': ['get | /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'],
  'system:auth-delegator': [
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | subjectaccessreviews',
  ],
  'system:service-account-issuer-discovery': ['get | /.well-known/openid-configuration /openid/v1/jwks'],
  'system:kubelet-api-admin': [
    `${READ} proxy | core | nodes`,
    '* | core | nodes/log nodes/metrics nodes/proxy nodes/stats',
  ],
  'system:node-bootstrapper': ['create get list watch | certificates.k8s.io | certificatesigningrequests'],
  'system:node-proxier': [
    'list watch | core | endpoints services',
    'get list watch | core | nodes',
    'list watch | discovery.k8s.io | endpointslices',
    'create patch update | core events.k8s.io | events',
  ],
  'system:persistent-volume-provisioner': [
    'create delete get list watch | core | persistentvolumes',
    'get list update watch | core | persistentvolumeclaims',
    `${READ} | storage.k8s.io | storageclasses`,
    'create list patch update watch | core | events',
  ],
  'system:kube-dns': ['list watch | core | endpoints services', 'list watch | discovery.k8s.io | endpointslices'],
  'system:kube-aggregator': ['get list watch | core | endpoints services'],
  'system:node': [
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews',
    `${READ} | core | services`,
    `create get list patch update watch | core | nodes`,
    'patch update | core | nodes/status',
    'create patch update | core events.k8s.io | events',
    `create delete ${READ} | core | pods`,
    'patch update | core | pods/status',
    'create | core | pods/eviction serviceaccounts/token',
    `${READ} | core | configmaps secrets persistentvolumeclaims persistentvolumes serviceaccounts`,
    `${READ} | storage.k8s.io | csidrivers csinodes volumeattachments`,
    'create delete get patch update | storage.k8s.io | csinodes',
    'create get list watch | certificates.k8s.io | certificatesigningrequests',
    'create delete get patch update | coordination.k8s.io | leases',
    `${READ} | node.k8s.io | runtimeclasses`,
  ],
  'system:kube-scheduler': [
    'create patch update | core events.k8s.io | events',
    `create get list update watch | coordination.k8s.io | leases`,
    `${READ} | core | namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services`,
    `delete ${READ} | core | pods`,
    'create | core | bindings pods/binding',
    'patch update | core | pods/status persistentvolumeclaims persistentvolumes',
    `${READ} | apps | replicasets statefulsets`,
    `${READ} | policy | poddisruptionbudgets`,
    `${READ} | storage.k8s.io | csidrivers csinodes csistoragecapacities storageclasses`,
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | subjectaccessreviews',
  ],
  'system:volume-scheduler': [
    'get list patch update watch | core | persistentvolumes persistentvolumeclaims',
    `${READ} | storage.k8s.io | storageclasses`,
  ],
  'system:kube-controller-manager': [
    'create patch update | core events.k8s.io | events',
    `create get list update watch | coordination.k8s.io | leases`,
    'create delete get update | core | secrets serviceaccounts',
    'get | core | configmaps namespaces',
    'update | core | secrets serviceaccounts',
    'create | authentication.k8s.io | tokenreviews',
    'create | authorization.k8s.io | subjectaccessreviews',
    'create | core | serviceaccounts/token',
    'list watch | * | *',
  ],
};

const EVENTS = 'create patch update | core events.k8s.io | events';

/** `system:controller:<name>`, each bound to the account of that name in kube-system. */
const CONTROLLERS: Readonly<Record<string, readonly RuleLine[]>> = {
  'attachdetach-controller': [
    'list watch | core | persistentvolumeclaims persistentvolumes pods',
    'get list watch | core | nodes',
    'patch update | core | nodes/status',
    'create delete get list patch watch | storage.k8s.io | volumeattachments',
    EVENTS,
  ],
  'certificate-controller': [
    'delete get list watch | certificates.k8s.io | certificatesigningrequests',
    'update | certificates.k8s.io | certificatesigningrequests/approval certificatesigningrequests/status',
    'approve sign | certificates.k8s.io | signers',
    'create | authorization.k8s.io | subjectaccessreviews',
    EVENTS,
  ],
  'clusterrole-aggregation-controller': [
    'escalate get list patch update watch | rbac.authorization.k8s.io | clusterroles',
  ],
  'cronjob-controller': [
    `create delete get list patch update watch | batch | jobs`,
    'get list update watch | batch | cronjobs',
    'update | batch | cronjobs/finalizers cronjobs/status',
    'delete list | core | pods',
    EVENTS,
  ],
  'daemon-set-controller': [
    `${READ} | apps | daemonsets`,
    'update | apps | daemonsets/finalizers daemonsets/status',
    'list watch | core | nodes',
    'create delete list patch watch | core | pods',
    'create | core | pods/binding',
    'create delete get list patch update watch | apps | controllerrevisions',
    EVENTS,
  ],
  'deployment-controller': [
    'get list update watch | apps | deployments',
    'update | apps | deployments/finalizers deployments/status',
    'create delete get list patch update watch | apps | replicasets',
    'get list update watch | core | pods',
    EVENTS,
  ],
  'disruption-controller': [
    `${READ} | apps | deployments replicasets statefulsets`,
    `${READ} | core | pods replicationcontrollers`,
    `${READ} | policy | poddisruptionbudgets`,
    'update | policy | poddisruptionbudgets/status',
    'get | * | */scale',
    EVENTS,
  ],
  'endpoint-controller': [
    `${READ} | core | pods services`,
    'create delete get list update | core | endpoints',
    'create | core | endpoints/restricted',
    EVENTS,
  ],
  'endpointslice-controller': [
    `${READ} | core | nodes pods services`,
    'update | core | services/finalizers',
    'create delete get list update | discovery.k8s.io | endpointslices',
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    `${READ} | core | endpoints services`,
    'update | core | endpoints/finalizers services/finalizers',
    'create delete get list update | discovery.k8s.io | endpointslices',
    EVENTS,
  ],
  'generic-garbage-collector': ['delete get list patch update watch | * | *', EVENTS],
  'horizontal-pod-autoscaler': [
    `${READ} | autoscaling | horizontalpodautoscalers`,
    'update | autoscaling | horizontalpodautoscalers/status',
    'get update | * | */scale',
    'list | core | pods',
    'list | metrics.k8s.io | pods',
    'get list | custom.metrics.k8s.io external.metrics.k8s.io | *',
    EVENTS,
  ],
  'job-controller': [
    'get list patch update watch | batch | jobs',
    'update | batch | jobs/finalizers jobs/status',
    'create delete list patch watch | core | pods',
    EVENTS,
  ],
  'namespace-controller': [
    'delete get list watch | core | namespaces',
    'update | core | namespaces/finalize namespaces/status',
    'delete deletecollection get list | * | *',
  ],
  'node-controller': [
    'delete get list patch update | core | nodes',
    'patch update | core | nodes/status',
    'delete get list | core | pods',
    'patch update | core | pods/status',
    EVENTS,
  ],
  'persistent-volume-binder': [
    'create delete get list update watch | core | persistentvolumes',
    'update | core | persistentvolumes/status persistentvolumeclaims/status',
    'get list update watch | core | persistentvolumeclaims',
    'create delete get list watch | core | pods',
    `${READ} | storage.k8s.io | storageclasses`,
    `${READ} | core | nodes`,
    EVENTS,
  ],
  'pod-garbage-collector': ['delete list watch | core | pods', 'get list | core | nodes', 'patch | core | pods/status'],
  'pv-protection-controller': ['get list update watch | core | persistentvolumes', EVENTS],
  'pvc-protection-controller': [
    'get list update watch | core | persistentvolumeclaims',
    `${READ} | core | pods`,
    EVENTS,
  ],
  'replicaset-controller': [
    'get list update watch | apps | replicasets',
    'update | apps | replicasets/finalizers replicasets/status',
    'create delete list patch watch | core | pods',
    EVENTS,
  ],
  'replication-controller': [
    'get list update watch | core | replicationcontrollers',
    'update | core | replicationcontrollers/finalizers replicationcontrollers/status',
    'create delete list patch watch | core | pods',
    EVENTS,
  ],
  'resourcequota-controller': ['list watch | * | *', 'update | core | resourcequotas/status', EVENTS],
  'root-ca-cert-publisher': ['create update | core | configmaps', EVENTS],
  'service-account-controller': ['create | core | serviceaccounts', EVENTS],
  'service-controller': [
    `${READ} | core | services`,
    'patch update | core | services/status',
    'list watch | core | nodes',
    EVENTS,
  ],
  'statefulset-controller': [
    'list watch | core | pods',
    `${READ} | apps | statefulsets`,
    'update | apps | statefulsets/finalizers statefulsets/status',
    'create delete get patch update | core | pods',
    'create delete get list patch update watch | apps | controllerrevisions',
    'create delete get list update watch | core | persistentvolumeclaims',
    EVENTS,
  ],
  'ttl-after-finished-controller': ['delete get list watch | batch | jobs', EVENTS],
  'ttl-controller': ['list patch update watch | core | nodes', EVENTS],
};

/** One line of the tables. */
function ruleOf(line: RuleLine): PolicyRule {
  const [verbs = [], second = [], resources] = line.split('|').map((part) => part.trim().split(' '));
  if (resources === undefined) return { nonResourceURLs: second, verbs };
  return { apiGroups: second.map((group) => (group === 'core' ? '' : group)), resources, verbs };
}

export interface BootstrapRole {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
  /** The label that the roles which it gathers carry. */
  readonly gathers?: string;
}

function aggregateLabel(role: string): string {
  return `rbac.authorization.k8s.io/aggregate-to-${role}`;
}

export function bootstrapClusterRoles(): BootstrapRole[] {
  const rulesOf = (lines: readonly RuleLine[]) => lines.map(ruleOf);
  const plain = (name: string, lines: readonly RuleLine[]) => ({ name, labels: {}, rules: rulesOf(lines) });
  return [
    ...Object.entries(PLAIN).map(([name, lines]) => plain(name, lines)),
    ...Object.entries(GATHERING).map(([name, { partOf }]) => ({
      name,
      labels: partOf === undefined ? {} : { [aggregateLabel(partOf)]: 'true' },
      rules: [],
      gathers: aggregateLabel(name),
    })),
    ...Object.entries(AGGREGATED).map(([part, lines]) => ({
      name: `system:aggregate-to-${part}`,
      labels: { [aggregateLabel(part)]: 'true' },
      rules: rulesOf(lines),
    })),
    ...controllerNames().map((name) => plain(`system:controller:${name}`, CONTROLLERS[name]!)),
  ];
}

/** Those with an account in kube-system. */
export function controllerNames(): string[] {
  return Object.keys(CONTROLLERS);
}
