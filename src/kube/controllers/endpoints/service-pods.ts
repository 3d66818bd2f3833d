/** What Endpoints and EndpointSlices have in common: a Service's ports and hosts as a pod has them. */
import type { Informer } from '../../kit/api.js';
import { labelSelectorOfMap, matchesLabels } from '../../machinery/label-selector.js';
import type { KubeObject } from '../../machinery/object.js';
import { conditionOf } from '../conditions.js';
import { isFinished } from '../pods.js';

export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
export const HEADLESS = 'service.kubernetes.io/headless';
export const LEADER = 'control-plane.alpha.kubernetes.io/leader';

export interface ResolvedPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

/** Whether we keep its endpoints; others are somebody's own business. */
export function hasPods(service: KubeObject): boolean {
  const { selector, type } = service.spec ?? {};
  return type !== 'ExternalName' && selector !== undefined && Object.keys(selector).length > 0;
}

export function selects(service: KubeObject, pod: KubeObject): boolean {
  return hasPods(service) && matchesLabels(labelSelectorOfMap(service.spec.selector), pod.metadata.labels);
}

/** `namespace/name` of the Services that select the pod. */
export function servicesOf(services: Informer, pod: KubeObject): string[] {
  const namespace = pod.metadata.namespace ?? '';
  return services
    .list(namespace)
    .filter((service) => selects(service, pod))
    .map((service) => `${namespace}/${service.metadata.name}`);
}

/** It has an address and is not over. */
export function isReachable(pod: KubeObject): boolean {
  return (pod.status?.podIP ?? '') !== '' && !isFinished(pod);
}

/** The Service's ports at this pod, in order; a name that no container has is left out. */
export function portsAt(service: KubeObject, pod: KubeObject): ResolvedPort[] {
  const ports: ResolvedPort[] = [];
  for (const { name, port, protocol = 'TCP', targetPort, appProtocol } of (service.spec.ports ?? []) as ServicePort[]) {
    const number = typeof targetPort === 'string' ? namedPort(pod, targetPort, protocol) : targetPort || port;
    if (number === undefined) continue;
    ports.push({
      ...(name === undefined ? {} : { name }),
      port: number,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    });
  }
  return ports.sort(
    (a, b) => compare(a.name ?? '', b.name ?? '') || a.port - b.port || compare(a.protocol, b.protocol),
  );
}

function namedPort(pod: KubeObject, name: string, protocol: string): number | undefined {
  const sidecars = (pod.spec.initContainers ?? []).filter(
    (c: { restartPolicy?: string }) => c.restartPolicy === 'Always',
  );
  for (const container of [...(pod.spec.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (port.name === name && (port.protocol ?? 'TCP') === protocol) return port.containerPort;
    }
  }
  return undefined;
}

export function hostnameIn(service: KubeObject, pod: KubeObject): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

export function podReference(pod: KubeObject) {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}

/** When it last came about that the endpoints are others: the latest change of a pod, or of the Service. */
export function triggerTime(service: KubeObject, pods: readonly KubeObject[]): string {
  let last = service.metadata.creationTimestamp ?? '';
  for (const pod of pods) {
    const changed = conditionOf(pod, 'Ready')?.lastTransitionTime ?? '';
    if (changed > last) last = changed;
  }
  return last;
}

/** What of a pod matters here. */
export function endpointFacts(pod: KubeObject): string {
  const { labels, deletionTimestamp } = pod.metadata;
  const { phase, podIP, podIPs } = pod.status ?? {};
  const { nodeName, hostname, subdomain } = pod.spec;
  const ready = conditionOf(pod, 'Ready')?.status;
  return JSON.stringify([
    labels,
    deletionTimestamp !== undefined,
    phase,
    podIP,
    podIPs,
    nodeName,
    hostname,
    subdomain,
    ready,
  ]);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
