/** A Service's pods as the subsets of its Endpoints. Source: kubernetes Endpoints. */
import type { KubeObject } from '../../machinery/object.js';
import { isReady, isTerminating } from '../pods.js';
import type { ResolvedPort } from './service-pods.js';
import { compare, hostnameIn, isReachable, podReference, portsAt } from './service-pods.js';

export interface EndpointAddress {
  readonly ip: string;
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly targetRef?: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
}

export interface EndpointSubset {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: readonly ResolvedPort[];
}

/** Of one Endpoints object; beyond this there are EndpointSlices. */
export const ADDRESSES_MAX = 1000;

/** Addresses with the same ports stand together; everything sorted, so that the same pods make the same text. */
export function subsetsOf(service: KubeObject, pods: readonly KubeObject[]): EndpointSubset[] {
  const unready = service.spec.publishNotReadyAddresses === true;
  const byPorts = new Map<string, { ports: ResolvedPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  for (const pod of pods) {
    if (!isReachable(pod) || (isTerminating(pod) && !unready)) continue;
    const ports = portsAt(service, pod);
    const portless = (service.spec.ports ?? []).length === 0;
    // A Service without ports is a headless one that gives names; one whose names nobody has gives nothing.
    if (ports.length === 0 && !portless) continue;
    const key = JSON.stringify(ports);
    let group = byPorts.get(key);
    if (group === undefined) byPorts.set(key, (group = { ports, ready: [], notReady: [] }));
    const hostname = hostnameIn(service, pod);
    const address: EndpointAddress = {
      ip: pod.status.podIP,
      ...(hostname === undefined ? {} : { hostname }),
      ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
      targetRef: podReference(pod),
    };
    (unready || isReady(pod) ? group.ready : group.notReady).push(address);
  }
  const sorted = (addresses: EndpointAddress[]) =>
    addresses.sort((a, b) => compare(a.ip, b.ip) || compare(a.targetRef?.uid ?? '', b.targetRef?.uid ?? ''));
  return [...byPorts]
    .sort(([a], [b]) => compare(a, b))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length === 0 ? {} : { addresses: sorted(ready) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: sorted(notReady) }),
      ...(ports.length === 0 ? {} : { ports }),
    }));
}

/** At most `max` addresses, ready ones first. @returns whether some were left out */
export function truncate(subsets: EndpointSubset[], max = ADDRESSES_MAX): boolean {
  const count = subsets.reduce((sum, s) => sum + (s.addresses?.length ?? 0) + (s.notReadyAddresses?.length ?? 0), 0);
  if (count <= max) return false;
  let room = max;
  for (const list of ['addresses', 'notReadyAddresses'] as const) {
    for (const subset of subsets) {
      const kept = (subset[list] ?? []).slice(0, room);
      room -= kept.length;
      if (kept.length === 0) delete subset[list];
      else subset[list] = kept;
    }
  }
  return true;
}
