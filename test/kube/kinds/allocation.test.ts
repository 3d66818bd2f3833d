/** Addresses and node ports of Services: through the whole of rest and registry, from two API servers at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { builtinKinds, repairAllocations, serviceRanges, storedAllocators } from '../../../src/kube/kinds/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { LiveReader } from '../../../src/kube/rest/live-reader.js';
import { openResources } from '../../../src/kube/rest/open-resources.js';
import type { Resource, WriteContext } from '../../../src/kube/rest/resource.js';
import { ALICE, refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, startStore, TestRegistry } from '../support/store.js';
import { kindOf, make, SERVICE, withMembers } from './samples.js';

/** Fourteen addresses and three ports: soon full. */
const SMALL = { serviceCidr: '10.9.8.0/28', nodePorts: { first: 31000, last: 31002 } };

class ApiServer {
  readonly services: Resource;
  readonly #registry: TestRegistry;
  readonly #kinds;
  readonly #reader: LiveReader;

  constructor(endpoint: string, prefix: string) {
    this.#registry = new TestRegistry(endpoint, { prefix });
    this.#kinds = builtinKinds({ ...SMALL, allocators: storedAllocators(this.#registry.registry) });
    const admission = { admit: async () => {}, validate: async () => {} };
    const resources = openResources({ registry: this.#registry.registry, kinds: this.#kinds, admission });
    this.#reader = new LiveReader(this.#kinds, resources);
    this.services = resources.of(this.#kinds.find('', 'v1', 'services')!);
  }

  create(name: string, members: Record<string, unknown> = {}, dryRun = false): Promise<KubeObject> {
    return this.services.create({ ...CONTEXT, dryRun }, 'd', service(name, members)).then((result) => result.object);
  }

  update(name: string, members: Record<string, unknown>): Promise<KubeObject> {
    return this.services.update(CONTEXT, 'd', name, service(name, members), '').then((result) => result.object);
  }

  delete(name: string): Promise<unknown> {
    return this.services.delete(CONTEXT, 'd', name, {});
  }

  /** Everything that is recorded: `10.9.8.1 a`, `31000 a`. */
  async records(): Promise<string[]> {
    const { addresses, ports } = storedAllocators(this.#registry.registry);
    const all = [...(await addresses.list()), ...(await ports.list())];
    return all.map(({ item, holder }) => `${item} ${holder.name}`);
  }

  repair(now: () => number) {
    return repairAllocations({
      allocators: storedAllocators(this.#registry.registry),
      ranges: serviceRanges(SMALL),
      objects: this.#reader,
      now,
    });
  }

  stop(): Promise<void> {
    return this.#registry.stop();
  }
}

const CONTEXT: WriteContext = {
  user: ALICE,
  dryRun: false,
  fieldManager: 't',
  fieldValidation: 'Strict',
  warn: () => {},
};

function service(name: string, members: Record<string, unknown>): KubeObject {
  const object = make(kindOf('Service'), withMembers(SERVICE, members));
  object.metadata = { name, namespace: 'd' };
  return object;
}

describeBackends('addresses and ports', (backendKind) => {
  let backend: TestStore;
  let one: ApiServer;
  let two: ApiServer;
  let count = 0;

  beforeAll(async () => {
    backend = await startStore(backendKind);
  });
  afterAll(async () => {
    await one?.stop();
    await two?.stop();
    await backend?.stop();
  });
  beforeEach(async () => {
    await one?.stop();
    await two?.stop();
    const prefix = `/alloc${count++}`;
    one = new ApiServer(backend.endpoint, prefix);
    two = new ApiServer(backend.endpoint, prefix);
  });

  test('are given, recorded, and come back when the Service goes', async () => {
    const made = await one.create('a', { 'spec.type': 'NodePort' });
    const { clusterIP, clusterIPs, ports } = made.spec;
    expect(clusterIP).toMatch(/^10\.9\.8\.([1-9]|1[0-4])$/);
    expect(clusterIPs).toEqual([clusterIP]);
    expect(ports[0].nodePort).toBeGreaterThanOrEqual(31000);
    expect(await two.records()).toEqual([`${clusterIP} a`, `${ports[0].nodePort} a`]);
    await two.delete('a');
    expect(await one.records()).toEqual([]);
  });

  test('are never given twice, however many ask at once of two servers', async () => {
    const names = Array.from({ length: 18 }, (_, i) => `s${i}`);
    const results = await Promise.allSettled(names.map((name, i) => (i % 2 === 0 ? one : two).create(name)));
    const given = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value.spec.clusterIP] : []));
    expect(given).toHaveLength(14);
    expect(new Set(given).size).toBe(14);
    const refusals = results.flatMap((r) => (r.status === 'rejected' ? [r.reason.message] : []));
    expect(new Set(refusals)).toEqual(
      new Set(['Internal error occurred: failed to allocate a serviceIP: range is full']),
    );
    expect(await one.records()).toHaveLength(14);
  });

  test('may be chosen, but only free ones of the range', async () => {
    await one.create('a', { 'spec.type': 'NodePort', 'spec.clusterIP': '10.9.8.3', 'spec.ports.0.nodePort': 31001 });
    const taken = await refused(two.create('b', { 'spec.clusterIP': '10.9.8.3' }));
    expect(taken.message).toBe(
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.9.8.3"]: failed to allocate IP 10.9.8.3: provided IP is already allocated',
    );
    expect((await refused(two.create('b', { 'spec.clusterIP': '10.9.9.3' }))).message).toContain(
      'failed to allocate IP 10.9.9.3: the provided IP (10.9.9.3) is not in the valid range. The range of valid IPs is 10.9.8.0/28',
    );
    const node = { 'spec.type': 'NodePort' };
    expect((await refused(two.create('b', { ...node, 'spec.ports.0.nodePort': 31001 }))).message).toBe(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 31001: provided port is already allocated',
    );
    expect((await refused(two.create('b', { ...node, 'spec.ports.0.nodePort': 80 }))).message).toBe(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 31000-31002',
    );
    expect(await one.records()).toEqual(['10.9.8.3 a', '31001 a']);
  });

  test('are given back by a create that fails, and not taken by a dry run', async () => {
    await one.create('a');
    const before = await one.records();
    await refused(two.create('a'));
    await refused(two.create('b', { 'spec.ports.0.port': 99999 }));
    const dry = await two.create('c', { 'spec.type': 'NodePort' }, true);
    expect(dry.spec.clusterIP).toMatch(/^10\.9\.8\./);
    expect(dry.spec.ports[0].nodePort).toBeGreaterThanOrEqual(31000);
    expect(await one.records()).toEqual(before);
  });

  test('follow the type of the Service', async () => {
    const made = await one.create('a');
    expect(await one.records()).toHaveLength(1);
    const node = await two.update('a', { 'spec.type': 'NodePort' });
    expect(node.spec.clusterIP).toBe(made.spec.clusterIP);
    expect(await one.records()).toEqual([`${made.spec.clusterIP} a`, `${node.spec.ports[0].nodePort} a`]);
    const moved = await one.update('a', {
      'spec.type': 'NodePort',
      'spec.ports.0.nodePort': node.spec.ports[0].nodePort === 31000 ? 31001 : 31000,
    });
    expect(await one.records()).toEqual([`${made.spec.clusterIP} a`, `${moved.spec.ports[0].nodePort} a`]);
    const alias = await two.update('a', { 'spec.type': 'ExternalName', 'spec.externalName': 'example.com' });
    expect(alias.spec).not.toHaveProperty('clusterIP');
    expect(await one.records()).toEqual([]);
    const again = await one.update('a', { 'spec.type': 'ClusterIP' });
    expect(await two.records()).toEqual([`${again.spec.clusterIP} a`]);
  });

  test('headless Services and aliases need none', async () => {
    const headless = await one.create('a', { 'spec.clusterIP': 'None' });
    expect(headless.spec.clusterIPs).toEqual(['None']);
    await one.create('b', { 'spec.type': 'ExternalName', 'spec.externalName': 'example.com' });
    expect(await one.records()).toEqual([]);
  });

  test('one port of the nodes serves both protocols of a port', async () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP', nodePort: 31002 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    const made = await one.create('a', { 'spec.type': 'NodePort', 'spec.ports': ports });
    expect(made.spec.ports.map((port: { nodePort: number }) => port.nodePort)).toEqual([31002, 31002]);
  });

  test('a local balancer gets a port for its health', async () => {
    const made = await one.create('a', { 'spec.type': 'LoadBalancer', 'spec.externalTrafficPolicy': 'Local' });
    expect(made.spec.healthCheckNodePort).toBeGreaterThanOrEqual(31000);
    expect(await one.records()).toHaveLength(3);
  });

  describe('are repaired:', () => {
    const LATER = () => Date.now() + 120_000;

    test('what nobody holds is freed, but not while it is young', async () => {
      const made = await one.create('a', { 'spec.type': 'NodePort' });
      const registry = new TestRegistry(backend.endpoint, { prefix: `/alloc${count - 1}` });
      const { addresses, ports } = storedAllocators(registry.registry);
      const ghost = { namespace: 'd', name: 'ghost', uid: 'g' };
      // Addresses are drawn: the Service may have the one.
      const haunted = made.spec.clusterIP === '10.9.8.14' ? '10.9.8.13' : '10.9.8.14';
      expect(await addresses.claim(haunted, ghost)).toBe(true);
      const free = [31000, 31001, 31002].map(String);
      for (const port of free) if (await ports.claim(port, ghost)) break;
      await registry.stop();
      const kept = await one.records();
      expect(await two.repair(Date.now)).toEqual({ freed: [], recorded: [], doubled: [] });
      expect(await one.records()).toEqual(kept);
      const report = await two.repair(LATER);
      expect(report.freed).toHaveLength(2);
      expect(report.freed[0]).toBe(haunted);
      expect((await one.records()).filter((line) => line.endsWith('ghost'))).toEqual([]);
      expect(await one.records()).toHaveLength(2);
    });

    test('what a Service has and nobody recorded is recorded, what two have is told', async () => {
      const made = await one.create('a');
      const registry = new TestRegistry(backend.endpoint, { prefix: `/alloc${count - 1}` });
      const { addresses } = storedAllocators(registry.registry);
      const holder = { namespace: 'd', name: 'a', uid: made.metadata.uid ?? '' };
      await addresses.release(made.spec.clusterIP, { ...holder, uid: 'of another' });
      expect(await one.records()).toHaveLength(1);
      await addresses.release(made.spec.clusterIP, holder);
      expect(await one.records()).toEqual([]);
      expect(await two.repair(LATER)).toEqual({ freed: [], recorded: [made.spec.clusterIP], doubled: [] });
      expect(await one.records()).toEqual([`${made.spec.clusterIP} a`]);
      await addresses.release(made.spec.clusterIP, holder);
      await two.create('b', { 'spec.clusterIP': made.spec.clusterIP });
      await registry.stop();
      expect((await one.repair(LATER)).doubled).toEqual([made.spec.clusterIP]);
    });
  });
});
