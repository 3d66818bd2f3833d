/** A Service's pods, and hand-made Endpoints, as groups for slices. */
import type { KubeObject } from '../../machinery/object.js';
import type { ResolvedPort } from '../endpoints/service-pods.js';
import { compare, hostnameIn, isReachable, podReference, portsAt } from '../endpoints/service-pods.js';
import type { EndpointAddress, EndpointSubset } from '../endpoints/subsets.js';
import { ADDRESSES_MAX } from '../endpoints/subsets.js';
import { isReady, isTerminating } from '../pods.js';
import type { SliceEndpoint, SliceGroup } from './slice-plan.js';

interface OpenGroup {
  readonly addressType: string;
  readonly ports: readonly ResolvedPort[];
  readonly endpoints: SliceEndpoint[];
}

/** @param zoneOf of a node by its name */
export function groupsOf(
  service: KubeObject,
  pods: readonly KubeObject[],
  zoneOf: (node: string) => string | undefined,
): SliceGroup[] {
  const families: string[] = service.spec.ipFamilies ?? ['IPv4'];
  const groups = new Map<string, OpenGroup>();
  for (const pod of pods) {
    if (!isReachable(pod)) continue;
    const ports = portsAt(service, pod);
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const podIps: string[] = (pod.status.podIPs ?? [{ ip: pod.status.podIP }]).map(({ ip }: { ip: string }) => ip);
    for (const addressType of families) {
      const addresses = podIps.filter((ip) => familyOf(ip) === addressType).slice(0, 1);
      if (addresses.length === 0) continue;
      enter(groups, addressType, ports).push(endpointOf(service, pod, addresses, zoneOf));
    }
  }
  // There is always a slice of each family, so that who follows them knows that there is nobody.
  for (const addressType of families) {
    if (![...groups.values()].some((group) => group.addressType === addressType)) enter(groups, addressType, []);
  }
  return sorted(groups);
}

function endpointOf(
  service: KubeObject,
  pod: KubeObject,
  addresses: readonly string[],
  zoneOf: (node: string) => string | undefined,
): SliceEndpoint {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameIn(service, pod);
  const nodeName: string | undefined = pod.spec.nodeName || undefined;
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName);
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    targetRef: podReference(pod),
  };
}

/** Endpoints that somebody made by hand. */
export function mirrorGroups(endpoints: KubeObject): SliceGroup[] {
  const groups = new Map<string, OpenGroup>();
  for (const subset of (endpoints.subsets ?? []) as EndpointSubset[]) {
    let room = ADDRESSES_MAX;
    for (const [list, ready] of [['addresses', true] as const, ['notReadyAddresses', false] as const]) {
      for (const address of (subset[list] ?? []).slice(0, room)) {
        const family = familyOf(address.ip);
        enter(groups, family, subset.ports ?? []).push(mirrored(address, ready));
        room--;
      }
    }
  }
  return sorted(groups);
}

function mirrored({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function enter(groups: Map<string, OpenGroup>, addressType: string, ports: readonly ResolvedPort[]): SliceEndpoint[] {
  const key = `${addressType} ${JSON.stringify(ports)}`;
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = { addressType, ports, endpoints: [] }));
  return group.endpoints;
}

function sorted(groups: Map<string, OpenGroup>): SliceGroup[] {
  for (const { endpoints } of groups.values()) {
    endpoints.sort((a, b) => compare(a.addresses[0] ?? '', b.addresses[0] ?? ''));
  }
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([, group]) => group);
}

function familyOf(ip: string): string {
  return ip.includes(':') ? 'IPv6' : 'IPv4';
}
