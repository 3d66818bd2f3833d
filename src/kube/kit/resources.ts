/** The resources that our own controllers speak of, by short names. */
import type { Gvr } from './api.js';

const core = (plural: string): Gvr => ({ group: '', version: 'v1', plural });
const apps = (plural: string): Gvr => ({ group: 'apps', version: 'v1', plural });

export const PODS = core('pods');
export const NODES = core('nodes');
export const NAMESPACES = core('namespaces');
export const SERVICES = core('services');
export const ENDPOINTS = core('endpoints');
export const EVENTS = core('events');
export const CONFIG_MAPS = core('configmaps');
export const SECRETS = core('secrets');
export const SERVICE_ACCOUNTS = core('serviceaccounts');
export const PERSISTENT_VOLUMES = core('persistentvolumes');
export const PERSISTENT_VOLUME_CLAIMS = core('persistentvolumeclaims');
export const REPLICATION_CONTROLLERS = core('replicationcontrollers');
export const RESOURCE_QUOTAS = core('resourcequotas');
export const DEPLOYMENTS = apps('deployments');
export const REPLICA_SETS = apps('replicasets');
export const STATEFUL_SETS = apps('statefulsets');
export const DAEMON_SETS = apps('daemonsets');
export const CONTROLLER_REVISIONS = apps('controllerrevisions');
export const JOBS: Gvr = { group: 'batch', version: 'v1', plural: 'jobs' };
export const CRON_JOBS: Gvr = { group: 'batch', version: 'v1', plural: 'cronjobs' };
export const AUTOSCALERS: Gvr = { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' };
export const DISRUPTION_BUDGETS: Gvr = { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' };
export const ENDPOINT_SLICES: Gvr = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' };
export const LEASES: Gvr = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
export const STORAGE_CLASSES: Gvr = { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses' };
export const PRIORITY_CLASSES: Gvr = { group: 'scheduling.k8s.io', version: 'v1', plural: 'priorityclasses' };
export const INGRESSES: Gvr = { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' };
export const NETWORK_POLICIES: Gvr = { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' };
export const POD_METRICS: Gvr = { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'pods' };
export const NODE_METRICS: Gvr = { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'nodes' };
