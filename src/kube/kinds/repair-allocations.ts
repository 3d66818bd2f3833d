/** Makes the records of addresses and node ports agree with the Services: what a crash between the two left behind. */
import type { KubeObject } from '../machinery/object.js';
import type { Allocation, Allocator, Holder, ServiceAllocators } from './allocations.js';
import type { ObjectReader } from './kind.js';
import type { ServiceRanges } from './service-allocation.js';
import { addressesOf, holderOf, nodePortsOf } from './service-allocation.js';

export interface RepairOptions {
  readonly allocators: ServiceAllocators;
  readonly ranges: ServiceRanges;
  readonly objects: ObjectReader;
  /** ms since the epoch. Default Date.now. */
  readonly now?: () => number;
}

export interface RepairReport {
  /** Recorded for a Service that is gone, or that does not have it. */
  readonly freed: readonly string[];
  /** Had by a Service and not recorded. */
  readonly recorded: readonly string[];
  /** Had by a Service although it is recorded for another: somebody has to look after it. */
  readonly doubled: readonly string[];
}

/** A record this young may belong to a Service that is just being written. */
const YOUNG_MS = 60_000;

/** One pass; the server makes one at its start and every three minutes. Any number of servers may do so at once. */
export async function repairAllocations(options: RepairOptions): Promise<RepairReport> {
  const { allocators, ranges, objects, now = Date.now } = options;
  const freed: string[] = [];
  const recorded: string[] = [];
  const doubled: string[] = [];
  // The records first: whatever is written after that is no leak, since its record is not among them.
  const addresses = await allocators.addresses.list();
  const ports = await allocators.ports.list();
  const services = await objects.list('', 'services', '');
  const spaces: [Allocator, Allocation[], (service: KubeObject) => string[]][] = [
    [allocators.addresses, addresses, (service) => addressesOf(service, ranges.addresses)],
    [allocators.ports, ports, (service) => nodePortsOf(service).map(String)],
  ];
  for (const [allocator, records, itemsOf] of spaces) {
    const held = new Map(records.map((record) => [record.item, record]));
    const had = new Map<string, Holder[]>();
    for (const service of services) {
      for (const item of itemsOf(service)) had.set(item, [...(had.get(item) ?? []), holderOf(service)]);
    }
    for (const record of records) {
      const stillHad = had.get(record.item)?.some((holder) => sameHolder(holder, record.holder));
      if (stillHad || now() - Date.parse(record.since) < YOUNG_MS) continue;
      await allocator.release(record.item, record.holder);
      held.delete(record.item);
      freed.push(record.item);
    }
    for (const [item, holders] of had) {
      const record = held.get(item);
      const [first] = holders;
      if (record === undefined && first !== undefined && (await allocator.claim(item, first))) recorded.push(item);
      if (holders.length > 1 || (record !== undefined && !holders.some((h) => sameHolder(h, record.holder)))) {
        doubled.push(item);
      }
    }
  }
  return { freed, recorded, doubled };
}

function sameHolder(a: Holder, b: Holder): boolean {
  return a.namespace === b.namespace && a.name === b.name && (a.uid === b.uid || a.uid === '' || b.uid === '');
}
