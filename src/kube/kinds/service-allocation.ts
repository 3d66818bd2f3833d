/** Gives Services their addresses and node ports, and takes them back. */

import { isIPv4 } from 'node:net';
import { internalError } from '../machinery/api-error.js';
import type { FieldError } from '../machinery/field-error.js';
import { invalid, invalidObject } from '../machinery/field-error.js';
import type { KubeObject } from '../machinery/object.js';
import type { Allocator, Holder, ServiceAllocators } from './allocations.js';
import type { IpRange } from './ip.js';
import { ipv4ToNumber, numberToIpv4 } from './ip.js';
import type { KindHooks, Undo } from './kind.js';
import type { Loose } from './loose.js';
import { listOf, unset } from './loose.js';
import { needsAddress, needsHealthPort, needsNodePorts } from './service-defaults.js';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface ServiceRanges {
  readonly addresses: IpRange;
  readonly nodePorts: PortRange;
}

const RANDOM_TRIES = 16;
/** The lower part of a range is left to those who ask for a certain address or port, as long as the upper one lasts. */
const STATIC_MIN = 16;
const STATIC_ADDRESSES_MAX = 256;
const STATIC_PORTS_MAX = 128;

export function holderOf(service: KubeObject): Holder {
  const { namespace = '', name = '', uid = '' } = service.metadata;
  return { namespace, name, uid };
}

/** Of this range: what the Service has, or asks for. */
export function addressesOf(service: KubeObject, range: IpRange): string[] {
  if (!needsAddress(service.spec)) return [];
  const given = listOf(service.spec?.clusterIPs);
  const all = given.length > 0 ? given : [service.spec?.clusterIP].filter((ip) => !unset(ip));
  return all.filter((ip) => isIPv4(ip) && contains(range, ip));
}

export function nodePortsOf(service: KubeObject): number[] {
  const ports = listOf(service.spec?.ports).map((port) => port.nodePort);
  if (service.spec?.healthCheckNodePort) ports.push(service.spec.healthCheckNodePort);
  return [...new Set(ports.filter((port) => typeof port === 'number' && port > 0))];
}

function contains(range: IpRange, ip: string): boolean {
  const value = ipv4ToNumber(ip);
  return value >= range.first && value <= range.last;
}

/** What one write has claimed, so that it can be given back. */
class Claims {
  readonly #allocators: ServiceAllocators;
  readonly #holder: Holder;
  readonly #dryRun: boolean;
  readonly #done: (() => Promise<void>)[] = [];

  constructor(allocators: ServiceAllocators, holder: Holder, dryRun: boolean) {
    this.#allocators = allocators;
    this.#holder = holder;
    this.#dryRun = dryRun;
  }

  async #claim(allocator: Allocator, item: string): Promise<boolean> {
    if (!(await allocator.claim(item, this.#holder, this.#dryRun))) return false;
    if (!this.#dryRun) this.#done.push(() => allocator.release(item, this.#holder));
    return true;
  }

  address(ip: string): Promise<boolean> {
    return this.#claim(this.#allocators.addresses, ip);
  }

  port(port: number): Promise<boolean> {
    return this.#claim(this.#allocators.ports, String(port));
  }

  /** Of those that are left: by chance first, then in order. Undefined if there is none. */
  async any(
    space: 'addresses' | 'ports',
    range: PortRange,
    staticMax: number,
    random: () => number,
  ): Promise<number | undefined> {
    const allocator = this.#allocators[space];
    const text = space === 'addresses' ? numberToIpv4 : String;
    const size = range.last - range.first + 1;
    const reserved = size <= STATIC_MIN ? 0 : Math.min(Math.max(STATIC_MIN, Math.floor(size / 16)), staticMax);
    const start = range.first + reserved;
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const value = start + Math.floor(random() * (size - reserved));
      if (await this.#claim(allocator, text(value))) return value;
    }
    const held = new Set((await allocator.list()).map((allocation) => allocation.item));
    for (let i = 0; i < size; i++) {
      const value = range.first + ((reserved + i) % size);
      if (!held.has(text(value)) && (await this.#claim(allocator, text(value)))) return value;
    }
    return undefined;
  }

  async undo(): Promise<void> {
    for (const release of this.#done.reverse()) await release();
  }
}

/** One value a Service asks for is not to be had. */
function refused(service: KubeObject, error: FieldError): Error {
  return invalidObject('', 'Service', service.metadata.name ?? '', [error]);
}

export class ServiceAllocation implements KindHooks {
  readonly #allocators: ServiceAllocators;
  readonly #ranges: ServiceRanges;
  readonly #random: () => number;

  constructor(allocators: ServiceAllocators, ranges: ServiceRanges, random: () => number = Math.random) {
    this.#allocators = allocators;
    this.#ranges = ranges;
    this.#random = random;
  }

  readonly beforeCreate: NonNullable<KindHooks['beforeCreate']> = (object, _objects, dryRun) =>
    this.#allocate(object, null, dryRun);

  readonly beforeUpdate: NonNullable<KindHooks['beforeUpdate']> = (object, old, _objects, dryRun) =>
    this.#allocate(object, old, dryRun);

  readonly afterUpdate: NonNullable<KindHooks['afterUpdate']> = async (object, old) => {
    const addresses = new Set(addressesOf(object, this.#ranges.addresses));
    const ports = new Set(nodePortsOf(object));
    await this.#release(
      old,
      addressesOf(old, this.#ranges.addresses).filter((ip) => !addresses.has(ip)),
      nodePortsOf(old).filter((port) => !ports.has(port)),
    );
  };

  readonly afterDelete: NonNullable<KindHooks['afterDelete']> = (object) =>
    this.#release(object, addressesOf(object, this.#ranges.addresses), nodePortsOf(object));

  async #release(service: KubeObject, addresses: readonly string[], ports: readonly number[]): Promise<void> {
    const holder = holderOf(service);
    for (const ip of addresses) await this.#allocators.addresses.release(ip, holder);
    for (const port of ports) await this.#allocators.ports.release(String(port), holder);
  }

  async #allocate(service: KubeObject, old: KubeObject | null, dryRun: boolean): Promise<Undo | undefined> {
    const claims = new Claims(this.#allocators, holderOf(service), dryRun);
    try {
      await this.#allocateAddress(service, old, claims);
      await this.#allocatePorts(service, old, claims);
    } catch (error) {
      await claims.undo();
      throw error;
    }
    return () => claims.undo();
  }

  async #allocateAddress(service: KubeObject, old: KubeObject | null, claims: Claims): Promise<void> {
    const spec = service.spec ?? {};
    const range = this.#ranges.addresses;
    if (!needsAddress(spec)) return;
    if (unset(spec.clusterIP)) {
      const value = await claims.any('addresses', range, STATIC_ADDRESSES_MAX, this.#random);
      if (value === undefined) throw internalError('failed to allocate a serviceIP: range is full');
      spec.clusterIP = numberToIpv4(value);
      spec.clusterIPs = [spec.clusterIP];
      return;
    }
    const held = new Set(old === null ? [] : addressesOf(old, range));
    const wanted = listOf(spec.clusterIPs);
    for (const ip of wanted.length > 0 ? wanted : [spec.clusterIP]) {
      // What is no address at all is the business of validation, which comes next.
      if (!isIPv4(ip) || held.has(ip)) continue;
      const fail = (why: string) =>
        refused(service, invalid('spec.clusterIPs', wanted, `failed to allocate IP ${ip}: ${why}`));
      if (!contains(range, ip)) {
        throw fail(`the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${range.cidr}`);
      }
      if (!(await claims.address(ip))) throw fail('provided IP is already allocated');
    }
  }

  async #allocatePorts(service: KubeObject, old: KubeObject | null, claims: Claims): Promise<void> {
    const spec = service.spec ?? {};
    const mine = new Set(old === null ? [] : nodePortsOf(old));
    const give = async (holder: Loose, member: string, field: string, wanted: boolean) => {
      const port = holder[member];
      if (port) {
        if (mine.has(port)) return;
        await this.#claimPort(service, port, field, claims);
        mine.add(port);
      } else if (wanted) {
        const value = await claims.any('ports', this.#ranges.nodePorts, STATIC_PORTS_MAX, this.#random);
        if (value === undefined) throw internalError('failed to allocate a nodePort: range is full');
        holder[member] = value;
        mine.add(value);
      }
    };
    const wanted = needsNodePorts(spec);
    const ports = listOf(spec.ports);
    // Those that ask for a certain port come first, or a random one could take it from them.
    for (const certain of [true, false]) {
      for (const [i, port] of ports.entries()) {
        if (Boolean(port.nodePort) !== certain) continue;
        const twin = ports.find((other) => other !== port && other.port === port.port && other.nodePort);
        if (!certain && wanted && twin !== undefined && twin.protocol !== port.protocol) port.nodePort = twin.nodePort;
        else await give(port, 'nodePort', `spec.ports[${i}].nodePort`, wanted);
      }
    }
    await give(spec, 'healthCheckNodePort', 'spec.healthCheckNodePort', needsHealthPort(spec));
  }

  async #claimPort(service: KubeObject, port: number, field: string, claims: Claims): Promise<void> {
    const { first, last } = this.#ranges.nodePorts;
    if (port < first || port > last) {
      const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
      throw refused(service, invalid(field, port, why));
    }
    if (!(await claims.port(port))) throw refused(service, invalid(field, port, 'provided port is already allocated'));
  }
}
