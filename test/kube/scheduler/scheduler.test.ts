import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNodeIpam } from '../../../src/kube/controllers/node-ipam.js';
import { EVENTS, NODES, PODS } from '../../../src/kube/kit/index.js';
import { simNodes } from '../../../src/kube/node/index.js';
import { startScheduler } from '../../../src/kube/scheduler/index.js';
import { KubeWorld } from '../../support/kube-world.js';
import { readyNodes } from '../node/ready-nodes.js';

describe('the scheduler over the real API', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    world = await KubeWorld.start([startNodeIpam, readyNodes, startScheduler, simNodes({ count: 2, cpu: '2' })]);
  });
  afterAll(() => world?.stop());

  const pod = (name: string, spec: object = {}, cpu = '0') =>
    world.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests: { cpu } } }], ...spec },
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
  const bound = (p: any): boolean => p.spec.nodeName !== undefined;
  const messages = async (name: string, reason: string): Promise<string[]> =>
    (await world.list(EVENTS, 'default'))
      .filter((one: any) => one.involvedObject.name === name && one.reason === reason)
      .map((one: any) => one.message);

  test('a pod that fits nowhere says so, and is placed when another goes', async () => {
    await pod('a', {}, '1500m');
    await pod('b', {}, '1500m');
    const [a, b] = [await until('a', bound), await until('b', bound)];
    expect(new Set([a.spec.nodeName, b.spec.nodeName]).size).toBe(2);
    await pod('c', {}, '1');
    const told = await until('c', (p) => p.status?.conditions?.some((one: any) => one.reason === 'Unschedulable'));
    expect(told.status.phase).toBe('Pending');
    const message =
      '0/2 nodes are available: 2 Insufficient cpu. ' +
      'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.';
    expect(told.status.conditions.find((one: any) => one.type === 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message,
    });
    expect(await world.until('the event', async () => (await messages('c', 'FailedScheduling'))[0])).toBe(message);
    await world.client.resource(PODS).delete('default', 'a');
    expect((await until('c', bound)).spec.nodeName).toBe(a.spec.nodeName);
    const again = await world.get(PODS, 'default', 'c');
    expect(again!.status.conditions.find((one: any) => one.type === 'PodScheduled').status).toBe('True');
    for (const name of ['b', 'c']) await world.client.resource(PODS).delete('default', name);
    await world.until('both to go', async () => (await world.list(PODS, 'default')).length === 0);
  });

  test('a cordoned node is left out until it is open again', async () => {
    const nodes = world.client.resource(NODES);
    for (const name of ['node-1', 'node-2']) await nodes.patch('', name, 'merge', { spec: { unschedulable: true } });
    await world.until('the cordons to be seen', () =>
      world.context.informers
        .of(NODES)
        .list()
        .every((one) => one.spec?.unschedulable === true),
    );
    await pod('d');
    await until('d', (p) =>
      p.status?.conditions?.some((one: any) => one.message?.includes('2 node(s) were unschedulable')),
    );
    for (const name of ['node-1', 'node-2']) await nodes.patch('', name, 'merge', { spec: { unschedulable: false } });
    await until('d', bound);
    await world.client.resource(PODS).delete('default', 'd');
  });

  test('another scheduler, gates: left alone', async () => {
    await pod('others', { schedulerName: 'mine' });
    await pod('gated', { schedulingGates: [{ name: 'x.io/gate' }] });
    await pod('ours');
    await until('ours', bound);
    expect((await world.get(PODS, 'default', 'others'))!.spec.nodeName).toBeUndefined();
    expect((await world.get(PODS, 'default', 'gated'))!.spec.nodeName).toBeUndefined();
    const patch = [{ op: 'remove', path: '/spec/schedulingGates' }];
    await world.client.resource(PODS).patch('default', 'gated', 'json', patch);
    await until('gated', bound);
    for (const name of ['others', 'gated', 'ours']) await world.client.resource(PODS).delete('default', name);
    await world.until('all to go', async () => (await world.list(PODS, 'default')).length === 0);
  });

  test('preemption: the less important goes, and the more important gets its node', async () => {
    const scheduling = { group: 'scheduling.k8s.io', version: 'v1', plural: 'priorityclasses' };
    for (const [name, value] of [
      ['low', 10],
      ['high', 1000],
    ] as const) {
      await world.create(scheduling, {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name },
        value,
      });
    }
    await pod('low-1', { priorityClassName: 'low' }, '1500m');
    await pod('low-2', { priorityClassName: 'low' }, '1900m');
    await until('low-1', bound);
    await until('low-2', bound);
    await pod('high', { priorityClassName: 'high' }, '1');
    const high = await until('high', bound);
    expect(high.status.nominatedNodeName).toBe(high.spec.nodeName);
    const gone = await world.until(
      'a victim',
      async () => (await messages('low-1', 'Preempted')).concat(await messages('low-2', 'Preempted'))[0],
    );
    expect(gone).toBe(`Preempted by pod ${high.metadata.uid} on node ${high.spec.nodeName}`);
    expect((await world.list(PODS, 'default')).length).toBe(2);
  });
});
