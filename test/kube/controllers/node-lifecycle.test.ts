import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTaintEviction } from '../../../src/kube/controllers/node-lifecycle/eviction.js';
import { startNodeLifecycle } from '../../../src/kube/controllers/node-lifecycle/index.js';
import { staySeconds, wantedTaints } from '../../../src/kube/controllers/node-lifecycle/taints.js';
import { startPodGc } from '../../../src/kube/controllers/pod-gc.js';
import { LEASES, NODES, PODS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { SkipClock } from '../../support/skip-clock.js';

function node(conditions: Record<string, string>, spec: object = {}): KubeObject {
  const list = Object.entries(conditions).map(([type, status]) => ({ type, status }));
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec, status: { conditions: list } };
}

describe('taints', () => {
  test.each<[KubeObject, boolean, string[]]>([
    [node({ Ready: 'True' }), true, []],
    [node({}), true, ['not-ready NoSchedule']],
    [node({ Ready: 'False' }), true, ['not-ready NoSchedule', 'not-ready NoExecute']],
    [node({ Ready: 'Unknown' }), true, ['unreachable NoSchedule', 'unreachable NoExecute']],
    [node({ Ready: 'Unknown' }), false, ['unreachable NoSchedule']],
    [
      node({ Ready: 'True', MemoryPressure: 'True' }, { unschedulable: true }),
      true,
      ['memory-pressure NoSchedule', 'unschedulable NoSchedule'],
    ],
    [
      node(
        { Ready: 'True' },
        {
          taints: [
            { key: 'gpu', effect: 'NoExecute' },
            { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
          ],
        },
      ),
      true,
      ['gpu NoExecute'],
    ],
  ])('%#', (of, evict, expected) => {
    const taints = wantedTaints(of, evict, 'now').map(
      ({ key, effect }) => `${key.replace('node.kubernetes.io/', '')} ${effect}`,
    );
    expect(taints).toEqual(expected);
  });

  test('how long a pod may stay', () => {
    const taints = [{ key: 'a', effect: 'NoExecute', value: 'x' }];
    const stay = (tolerations: object[]) =>
      staySeconds({ apiVersion: '', kind: '', metadata: {}, spec: { tolerations } }, taints);
    expect(stay([])).toBe(0);
    expect(stay([{ operator: 'Exists' }])).toBe(Number.POSITIVE_INFINITY);
    expect(stay([{ key: 'a', value: 'x', tolerationSeconds: 5 }])).toBe(5);
    expect(stay([{ key: 'a', value: 'y' }])).toBe(0);
    expect(stay([{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }])).toBe(0);
    expect(stay([{ key: 'a', operator: 'Exists', tolerationSeconds: -1 }])).toBe(0);
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  const clock = new SkipClock();
  beforeAll(async () => {
    world = await KubeWorld.start([startNodeLifecycle, startTaintEviction, startPodGc], { clock });
  });
  afterAll(() => world?.stop());

  const beat = async (name: string) => {
    const metadata = { name, namespace: 'kube-node-lease' };
    const spec = { holderIdentity: name, renewTime: new Date().toISOString().replace('Z', '000Z') };
    const leases = world.client.resource(LEASES);
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    await leases.create('kube-node-lease', lease).catch(() => leases.patch('kube-node-lease', name, 'merge', { spec }));
  };
  const ready = (name: string) =>
    world.setStatus(NODES, '', name, { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }] });
  const makeNode = async (name: string) => {
    await world.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    await ready(name);
    await beat(name);
  };
  const taintsOf = async (name: string) =>
    ((await world.get(NODES, '', name))?.spec?.taints ?? [])
      .map((t: any) => `${t.key.split('/')[1]} ${t.effect}`)
      .join();
  const makePod = async (name: string, nodeName: string, tolerations: object[] = []) => {
    const spec = { nodeName, tolerations, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] };
    await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec });
    await world.setStatus(PODS, 'default', name, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
  };
  const gone = (name: string) =>
    world.until(`${name} to go`, async () => (await world.get(PODS, 'default', name)) === undefined);

  test('a node that falls silent, its pods, and its return; a node that goes', async () => {
    await makeNode('good');
    await makeNode('bad');
    await world.until('no taints', async () => (await taintsOf('bad')) === '' && (await taintsOf('good')) === '');
    await makePod('patient', 'bad');
    await makePod('long', 'bad', [{ operator: 'Exists' }]);
    await world.until(
      'pods',
      () => world.context.informers.of(PODS).get('default', 'long')?.status?.phase === 'Running',
    );
    // A round sees the last sign of both, from which their time runs.
    clock.skip(5000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clock.skip(30_000);
    await beat('good');
    await world.until('the heartbeat', async () => {
      const lease = await world.get(LEASES, 'kube-node-lease', 'good');
      const seen = world.context.informers.of(LEASES).get('kube-node-lease', 'good');
      return seen?.metadata.resourceVersion === lease?.metadata.resourceVersion;
    });
    clock.skip(5000);
    // Its round has seen the sign before more time passes.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clock.skip(20_000);
    await world.until('taints', async () => (await taintsOf('bad')) === 'unreachable NoSchedule,unreachable NoExecute');
    expect(await taintsOf('good')).toBe('');
    const ofReady = (object: KubeObject) => object.status.conditions.find((c: any) => c.type === 'Ready');
    expect(ofReady((await world.get(NODES, '', 'bad'))!)).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    });
    await world.until(
      'unready pods',
      async () => ofReady((await world.get(PODS, 'default', 'long'))!).status === 'False',
    );
    // By the default toleration it stays for five minutes.
    expect(await world.get(PODS, 'default', 'patient')).toBeDefined();
    await makePod('hasty', 'bad', [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 },
    ]);
    await gone('hasty');
    await beat('bad');
    await ready('bad');
    await world.until('no taints', async () => (await taintsOf('bad')) === '');
    await world.client.resource(NODES).delete('', 'bad');
    await world.until('it to be seen', () => world.context.informers.of(NODES).get('', 'bad') === undefined);
    clock.skip(21_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    clock.skip(41_000);
    await gone('patient');
    await gone('long');
  });

  test('time runs out on a tainted node', async () => {
    await makeNode('tainted');
    const toleration = { key: 'x', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 100 };
    await makePod('some', 'tainted', [toleration]);
    await makePod('none', 'tainted');
    const spec = { taints: [{ key: 'x', effect: 'NoExecute' }] };
    await world.client.resource(NODES).patch('', 'tainted', 'merge', { spec });
    await gone('none');
    expect(await world.get(PODS, 'default', 'some')).toBeDefined();
    clock.skip(101_000);
    await gone('some');
  });
});
