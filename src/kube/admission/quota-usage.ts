/**
 * What an object counts against a ResourceQuota, and which quotas it falls under. Shared by the plug-in that refuses
 * and by whoever recounts. Source: kubernetes resource quotas.
 */
import type { Kind } from '../kinds/kind.js';
import type { KubeObject } from '../machinery/object.js';
import { qualifiedResource } from '../machinery/object.js';
import type { Quantity } from '../machinery/quantity.js';
import { parseQuantity } from '../machinery/quantity.js';
import { containersOf, initContainersOf } from './pod.js';
import { podLimits, podRequests } from './pod-resources.js';
import type { Amounts } from './resource-amounts.js';
import { whole } from './resource-amounts.js';

const ONE = whole(1);
/** Counted under their plain names, as well as `count/<name>`. */
const PLAIN_COUNTS = [
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
];
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const CLASS_SUFFIX = '.storageclass.storage.k8s.io/';

/** Usage of one object. Nothing for a pod that has run its course (but for `count/pods`). */
export function usageOf(kind: Kind, object: KubeObject): Amounts {
  const usage = new Map<string, Quantity>([[`count/${qualifiedResource(kind.group, kind.plural)}`, ONE]]);
  if (kind.group !== '') return usage;
  if (PLAIN_COUNTS.includes(kind.plural)) usage.set(kind.plural, ONE);
  if (kind.plural === 'pods') addPod(usage, object);
  if (kind.plural === 'services') addService(usage, object);
  if (kind.plural === 'persistentvolumeclaims') addClaim(usage, object);
  return usage;
}

/** Names of the kinds, as `group/plural`, whose objects count against this resource of a quota; empty if unknown. */
export function kindsCountedBy(resource: string): readonly { group: string; plural: string }[] {
  const core = (plural: string) => [{ group: '', plural }];
  if (resource.startsWith('count/')) {
    const [plural = '', ...group] = resource.slice('count/'.length).split('.');
    return [{ group: group.join('.'), plural }];
  }
  if (PLAIN_COUNTS.includes(resource)) return core(resource);
  if (resource.startsWith('services.')) return core('services');
  if (resource === 'requests.storage' || resource.includes(CLASS_SUFFIX)) return core('persistentvolumeclaims');
  return core('pods');
}

function addPod(usage: Map<string, Quantity>, pod: KubeObject): void {
  if (isTerminal(pod)) return;
  usage.set('pods', ONE);
  for (const [name, amount] of podRequests(pod)) {
    if (COMPUTE.includes(name)) usage.set(name, amount);
    usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of podLimits(pod)) usage.set(`limits.${name}`, amount);
}

function isTerminal({ status }: KubeObject): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function addService(usage: Map<string, Quantity>, { spec }: KubeObject): void {
  const ports: { nodePort?: number }[] = spec?.ports ?? [];
  const balanced = spec?.type === 'LoadBalancer';
  if (balanced) usage.set('services.loadbalancers', ONE);
  const allocates = balanced && spec.allocateLoadBalancerNodePorts !== false;
  const nodePorts =
    spec?.type === 'NodePort' || allocates ? ports.length : balanced ? ports.filter((port) => port.nodePort).length : 0;
  if (nodePorts > 0) usage.set('services.nodeports', whole(nodePorts));
}

function addClaim(usage: Map<string, Quantity>, { spec, metadata }: KubeObject): void {
  const className: string | undefined =
    metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName;
  const storage = spec?.resources?.requests?.storage;
  if (className) usage.set(`${className}${CLASS_SUFFIX}persistentvolumeclaims`, ONE);
  if (storage === undefined) return;
  const amount = parseQuantity(String(storage));
  usage.set('requests.storage', amount);
  if (className) usage.set(`${className}${CLASS_SUFFIX}requests.storage`, amount);
}

interface ScopeRequirement {
  scopeName: string;
  operator: string;
  values?: string[];
}

/** Does the quota count this object at all? Quotas with scopes count pods alone. */
export function inScope(quota: KubeObject, kind: Kind, object: KubeObject): boolean {
  const requirements: ScopeRequirement[] = [
    ...((quota.spec?.scopes ?? []) as string[]).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...((quota.spec?.scopeSelector?.matchExpressions ?? []) as ScopeRequirement[]),
  ];
  if (requirements.length === 0) return true;
  if (kind.group !== '' || kind.plural !== 'pods') return false;
  return requirements.every((requirement) => podInScope(object, requirement));
}

function podInScope(pod: KubeObject, { scopeName, operator, values = [] }: ScopeRequirement): boolean {
  const deadline = pod.spec?.activeDeadlineSeconds;
  switch (scopeName) {
    case 'Terminating':
      return typeof deadline === 'number' && deadline >= 0;
    case 'NotTerminating':
      return typeof deadline !== 'number';
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod);
    case 'PriorityClass':
      return priorityMatches(pod.spec?.priorityClassName ?? '', operator, values);
    default:
      return false;
  }
}

function priorityMatches(name: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return values.includes(name);
    case 'NotIn':
      return !values.includes(name);
    case 'DoesNotExist':
      return name === '';
    default:
      return name !== '';
  }
}

function isBestEffort(pod: KubeObject): boolean {
  return [...containersOf(pod), ...initContainersOf(pod)].every(({ resources }) =>
    ['cpu', 'memory'].every((name) => !positive(resources?.requests?.[name]) && !positive(resources?.limits?.[name])),
  );
}

function positive(amount: string | number | undefined): boolean {
  return amount !== undefined && parseQuantity(String(amount)).nanos > 0n;
}

interface AffinityTerm {
  namespaces?: string[];
  namespaceSelector?: unknown;
}

function reachesOtherNamespaces(pod: KubeObject): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) => {
    const hard: AffinityTerm[] = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const soft: { podAffinityTerm: AffinityTerm }[] = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [...hard, ...soft.map((weighted) => weighted.podAffinityTerm)].some(
      ({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector != null,
    );
  });
}

/**
 * Which of the compute resources that the quota limits some container leaves open: with such a quota each has to say.
 * Sorted.
 */
export function unspecified(pod: KubeObject, limited: Iterable<string>): string[] {
  const containers = [...containersOf(pod), ...initContainersOf(pod)];
  const missing = [...limited].filter((name) => {
    const [member, resource] = memberOf(name);
    return member !== null && containers.some(({ resources }) => resources?.[member]?.[resource] === undefined);
  });
  return missing.sort();
}

function memberOf(name: string): ['requests' | 'limits' | null, string] {
  if (name === 'cpu' || name === 'memory') return ['requests', name];
  const [, member, resource] = /^(requests|limits)\.(cpu|memory)$/.exec(name) ?? [];
  return member === undefined ? [null, ''] : [member as 'requests' | 'limits', resource!];
}
