/** The built-in kinds, and the registry that serves them. */
import { assert } from '../../util/assert.js';
import type { ServiceAllocators } from './allocations.js';
import { builtinOrder } from './builtin.js';
import { parseIpv4Range } from './ip.js';
import type { Kind } from './kind.js';
import { KindRegistry } from './kind-registry.js';
import type { PortRange, ServiceRanges } from './service-allocation.js';
import { ServiceAllocation } from './service-allocation.js';

export {
  type Allocation,
  type Allocator,
  type Holder,
  MemoryAllocator,
  type ServiceAllocators,
  storedAllocators,
} from './allocations.js';
export type * from './kind.js';
export { ALL_VERBS } from './kind.js';
export { KindRegistry } from './kind-registry.js';
export { setPodDefaults, setTemplateDefaults } from './pod-defaults.js';
export { isTerminal } from './pod-status.js';
export { qosClassOf } from './qos-class.js';
export { type RepairOptions, type RepairReport, repairAllocations } from './repair-allocations.js';
export type { PortRange, ServiceRanges } from './service-allocation.js';

/** What installers of clusters choose (kubeadm): room for a million Services, the first address is the API server's. */
export const SERVICE_CIDR = '10.96.0.0/12';
export const NODE_PORTS: PortRange = { first: 30000, last: 32767 };

export interface KindOptions {
  /** Default `10.96.0.0/12`. IPv4, at least four addresses. */
  readonly serviceCidr?: string;
  /** Default 30000-32767. */
  readonly nodePorts?: PortRange;
  /** `storedAllocators(registry)`. Absent: Services are given neither addresses nor ports. */
  readonly allocators?: ServiceAllocators;
  /** Between 0 and 1, chooses addresses and ports. Default Math.random. */
  readonly random?: () => number;
  /** Kinds completed by rooms above this one (`extensionKinds` of kube/crd), in the place of those of the same name. */
  readonly extensions?: readonly Kind[];
}

/** @throws Error for a range that is none */
export function serviceRanges(options: KindOptions = {}): ServiceRanges {
  const cidr = options.serviceCidr ?? SERVICE_CIDR;
  const addresses = parseIpv4Range(cidr);
  if (addresses === undefined) throw new Error(`${cidr} is not a range of IPv4 addresses for Services`);
  const nodePorts = options.nodePorts ?? NODE_PORTS;
  assert(nodePorts.first > 0 && nodePorts.first <= nodePorts.last && nodePorts.last < 65536, () => 'node port range');
  return { addresses, nodePorts };
}

export function builtinKindList(options: KindOptions = {}): readonly Kind[] {
  const ranges = serviceRanges(options);
  const { allocators } = options;
  const hooks = allocators && new ServiceAllocation(allocators, ranges, options.random ?? Math.random);
  const { extensions = [] } = options;
  const same = (a: Kind, b: Kind): boolean => a.group === b.group && a.version === b.version && a.plural === b.plural;
  return builtinOrder(hooks).map((kind) => extensions.find((other) => same(kind, other)) ?? kind);
}

/** The registry that the server, and whoever needs kinds, works with. */
export function builtinKinds(options: KindOptions = {}): KindRegistry {
  return new KindRegistry(builtinKindList(options));
}
