import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNodeIpam } from '../../../src/kube/controllers/node-ipam.js';
import { EVENTS, LEASES, NODES, PODS } from '../../../src/kube/kit/index.js';
import { simNodes } from '../../../src/kube/node/index.js';
import { startScheduler } from '../../../src/kube/scheduler/index.js';
import { KubeWorld } from '../../support/kube-world.js';
import { readyNodes } from './ready-nodes.js';

describe('pods on simulated nodes', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    const nodes = simNodes({ count: 2, backoff: { firstMs: 300, maxMs: 2000 } });
    world = await KubeWorld.start([startNodeIpam, readyNodes, startScheduler, nodes]);
  });
  afterAll(() => world?.stop());

  const pod = (name: string, more: { metadata?: object; spec?: object; container?: object } = {}) =>
    world.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...more.metadata },
      spec: { containers: [{ name: 'c', image: 'x:1', ...more.container }], ...more.spec },
    });
  const until = (name: string, what: (pod: any) => boolean, ms?: number) =>
    world.until(
      `pod ${name}: ${what}`,
      async () => {
        const found = await world.get(PODS, 'default', name);
        return found !== undefined && what(found) ? found : undefined;
      },
      ms,
    );
  const ready = (one: any): boolean =>
    one.status?.conditions?.some((c: any) => c.type === 'Ready' && c.status === 'True');
  const eventsOf = async (name: string): Promise<any[]> =>
    (await world.list(EVENTS, 'default')).filter((one) => one.involvedObject.name === name);

  test('a pod gets a node and an address, becomes Running, and is told of by events', async () => {
    await pod('p');
    const p = await until('p', ready);
    expect(p.status.phase).toBe('Running');
    expect(p.spec.nodeName).toMatch(/^node-[12]$/);
    const node = (await world.get(NODES, '', p.spec.nodeName))!;
    expect(p.status.podIP.startsWith(node.spec.podCIDR.replace(/0\/24$/, ''))).toBe(true);
    expect(p.status.hostIP).toBe(node.status.addresses[0].address);
    expect(p.status.containerStatuses[0]).toMatchObject({ name: 'c', ready: true, started: true, restartCount: 0 });
    expect(p.status.containerStatuses[0].containerID).toMatch(/^sim:\/\/[0-9a-f]{64}$/);
    const reasons = await world.until('events', async () => {
      const found = (await eventsOf('p')).map((one) => one.reason);
      return found.length >= 5 && found;
    });
    expect(reasons.sort()).toEqual(['Created', 'Pulled', 'Pulling', 'Scheduled', 'Started']);
    const scheduled = (await eventsOf('p')).find((one) => one.reason === 'Scheduled');
    expect(scheduled.message).toBe(`Successfully assigned default/p to ${p.spec.nodeName}`);
    expect(scheduled.source.component).toBe('default-scheduler');
  });

  test('a deleted pod ends within its grace and is gone', async () => {
    await pod('gone', { metadata: { annotations: { 'sim.keel/stop-delay': '300ms' } } });
    await until('gone', ready);
    await world.client.resource(PODS).delete('default', 'gone');
    const ending = (await world.get(PODS, 'default', 'gone'))!;
    expect(ending.metadata.deletionGracePeriodSeconds).toBe(30);
    await world.until('its end', async () => (await world.get(PODS, 'default', 'gone')) === undefined);
    expect((await eventsOf('gone')).map((one) => one.reason)).toContain('Killing');
  });

  test('nodes are registered with what they have, and renew a Lease', async () => {
    const nodes = await world.list(NODES);
    expect(nodes.map((one) => one.metadata.name)).toEqual(['node-1', 'node-2']);
    expect(new Set(nodes.map((one) => one.spec.podCIDR)).size).toBe(2);
    const [node] = nodes as any[];
    expect(node.status.allocatable).toMatchObject({ cpu: '4', memory: '8Gi', pods: '110' });
    expect(node.status.nodeInfo.containerRuntimeVersion).toBe('sim://1');
    const lease: any = await world.get(LEASES, 'kube-node-lease', 'node-1');
    expect(lease.spec).toMatchObject({ holderIdentity: 'node-1', leaseDurationSeconds: 40 });
    expect(lease.metadata.ownerReferences[0]).toMatchObject({ kind: 'Node', uid: node.metadata.uid });
  });
});
