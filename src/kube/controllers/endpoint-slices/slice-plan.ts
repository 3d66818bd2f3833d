/** Which slices hold which endpoints: as few writes as may be, no slice too long. Source: kubernetes EndpointSlices. */
import { equalJson } from '../../machinery/json-value.js';
import type { KubeObject } from '../../machinery/object.js';
import type { ResolvedPort } from '../endpoints/service-pods.js';

export const SLICE_ENDPOINTS_MAX = 100;
export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
}

/** Endpoints that share family and ports. */
export interface SliceGroup {
  readonly addressType: string;
  readonly ports: readonly ResolvedPort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SlicePlan {
  readonly create: { addressType: string; ports: readonly ResolvedPort[]; endpoints: SliceEndpoint[] }[];
  /** Slices with what they shall hold. */
  readonly update: { slice: KubeObject; endpoints: SliceEndpoint[] }[];
  readonly remove: KubeObject[];
  /** Nothing to change in what they hold. */
  readonly keep: KubeObject[];
}

/** An endpoint keeps its slice as long as it may. */
export function planSlices(
  slices: readonly KubeObject[],
  groups: readonly SliceGroup[],
  max = SLICE_ENDPOINTS_MAX,
): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], remove: [], keep: [] };
  const left = new Set(slices);
  for (const group of groups) {
    const mine = [...left].filter(
      (slice) => slice.addressType === group.addressType && equalJson(slice.ports ?? [], group.ports),
    );
    for (const slice of mine) left.delete(slice);
    planGroup(plan, mine, group, max);
  }
  plan.remove.push(...left);
  return plan;
}

function planGroup(plan: SlicePlan, slices: readonly KubeObject[], group: SliceGroup, max: number): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const filled: { slice: KubeObject; endpoints: SliceEndpoint[]; changed: boolean }[] = [];
  for (const slice of slices) {
    const endpoints: SliceEndpoint[] = [];
    let changed = false;
    for (const endpoint of (slice.endpoints ?? []) as SliceEndpoint[]) {
      const id = identityOf(endpoint);
      const now = wanted.get(id);
      if (now === undefined || endpoints.length >= max) {
        changed = true;
        continue;
      }
      wanted.delete(id);
      endpoints.push(now);
      changed ||= !equalJson(endpoint, now);
    }
    filled.push({ slice, endpoints, changed });
  }
  const rest = [...wanted.values()];
  // What is written anyway takes new ones first, then the fullest that has room.
  const hosts = filled
    .filter((each) => each.endpoints.length < max)
    .sort((a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length);
  for (const host of hosts) {
    if (rest.length === 0) break;
    host.endpoints.push(...rest.splice(0, max - host.endpoints.length));
    host.changed = true;
  }
  const isEmpty = group.endpoints.length === 0;
  for (const [i, { slice, endpoints, changed }] of filled.entries()) {
    // A Service without any endpoint has one empty slice.
    if (endpoints.length === 0 && !(isEmpty && i === 0)) plan.remove.push(slice);
    else if (changed) plan.update.push({ slice, endpoints });
    else plan.keep.push(slice);
  }
  const { addressType, ports } = group;
  while (rest.length > 0) plan.create.push({ addressType, ports, endpoints: rest.splice(0, max) });
  if (isEmpty && filled.length === 0) plan.create.push({ addressType, ports, endpoints: [] });
}

function identityOf({ targetRef, addresses, hostname }: SliceEndpoint): string {
  return `${targetRef?.uid ?? ''}|${addresses.join()}|${hostname ?? ''}`;
}
