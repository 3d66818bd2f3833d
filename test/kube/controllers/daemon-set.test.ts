import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eligibility, nodeOf } from '../../../src/kube/controllers/daemon-set/eligible.js';
import { startDaemonSets } from '../../../src/kube/controllers/daemon-set/index.js';
import { rolling } from '../../../src/kube/controllers/daemon-set/plan.js';
import { CONTROLLER_REVISIONS, DAEMON_SETS, EVENTS, NODES, PODS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { TestKubelet } from '../../support/test-kubelet.js';

const node = (name: string, labels: Record<string, string> = {}, taints: object[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec: { taints },
});
const set = (name: string, template: object = {}, more: object = {}, image = 'agent:1'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name, namespace: 'default', uid: 'u' },
  spec: {
    selector: { matchLabels: { app: name } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }], ...template } },
    ...more,
  },
});

describe('which nodes', () => {
  const taint = (key: string, effect: string, value?: string) => ({ key, effect, ...(value && { value }) });
  const affinity = (key: string, operator: string, values: string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
        },
      },
    },
  });
  test.each<[string, object, KubeObject, boolean, boolean]>([
    ['any', {}, node('a'), true, true],
    ['by name', { nodeName: 'a' }, node('a'), true, true],
    ['by another name', { nodeName: 'b' }, node('a'), false, false],
    ['by a label', { nodeSelector: { disk: 'ssd' } }, node('a', { disk: 'ssd' }), true, true],
    ['without the label', { nodeSelector: { disk: 'ssd' } }, node('a'), false, false],
    ['by affinity', affinity('zone', 'In', ['x', 'y']), node('a', { zone: 'y' }), true, true],
    ['against affinity', affinity('zone', 'NotIn', ['y']), node('a', { zone: 'y' }), false, false],
    ['NoSchedule', {}, node('a', {}, [taint('k', 'NoSchedule')]), false, true],
    ['NoExecute', {}, node('a', {}, [taint('k', 'NoExecute')]), false, false],
    ['PreferNoSchedule', {}, node('a', {}, [taint('k', 'PreferNoSchedule')]), true, true],
    [
      'tolerated',
      { tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] },
      node('a', {}, [taint('k', 'NoExecute', 'v')]),
      true,
      true,
    ],
    [
      'ills of the node itself',
      {},
      node('a', {}, [
        taint('node.kubernetes.io/unschedulable', 'NoSchedule'),
        taint('node.kubernetes.io/not-ready', 'NoExecute'),
        taint('node.kubernetes.io/disk-pressure', 'NoSchedule'),
      ]),
      true,
      true,
    ],
    ['no network', {}, node('a', {}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]), false, true],
    [
      'no network, of the host',
      { hostNetwork: true },
      node('a', {}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]),
      true,
      true,
    ],
  ])('%s', (_, template, at, run, stay) => {
    expect(eligibility(set('d', template), at)).toEqual({ run, stay });
  });

  test('a step of an update', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) => node(name));
    const pod = (at: string, hash: string, ready = true): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${at}${hash}`, labels: { 'controller-revision-hash': hash } },
      spec: { nodeName: at },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
    const step = (rollingUpdate: object, ...pods: KubeObject[]) => {
      const daemon = set('d', {}, { updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
      const { create, remove } = rolling({ set: daemon, nodes, pods, hash: '2', now: 0 });
      return { create, remove: remove.map((one) => one.metadata.name) };
    };
    const all = (...states: [string, boolean?][]) => states.map(([h, r], i) => pod('abcd'[i]!, h, r));
    const one = { maxUnavailable: 1, maxSurge: 0 };
    expect(step(one, ...all(['1'], ['1'], ['1'], ['1'])).remove).toEqual(['a1']);
    expect(step(one, ...all(['2', false], ['1'], ['1'], ['1'])).remove).toEqual([]);
    expect(step(one, ...all(['2'], ['1'], ['1'], ['1', false])).remove).toEqual(['d1']);
    expect(step(one, ...all(['2'], ['1'], ['1'])).remove).toEqual([]);
    expect(step({ maxUnavailable: '50%', maxSurge: 0 }, ...all(['1'], ['1'], ['1'], ['1'])).remove).toHaveLength(2);
    const surge = { maxUnavailable: 0, maxSurge: 1 };
    expect(step(surge, ...all(['1'], ['1'], ['1'], ['1']))).toEqual({ create: ['a'], remove: [] });
    expect(step(surge, ...all(['1'], ['1'], ['1'], ['1']), pod('a', '2', false)).create).toEqual([]);
  });
});

describe('DaemonSets', () => {
  let world: KubeWorld;
  let kubelet: TestKubelet;
  beforeAll(async () => {
    world = await KubeWorld.start([startDaemonSets]);
    kubelet = new TestKubelet(world.context);
    for (const name of ['n1', 'n2', 'n3']) await addNode(name);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await world?.stop();
  });
  afterEach(async () => {
    await world.client.resource(DAEMON_SETS).deleteCollection('default');
    await world.client.resource(PODS).deleteCollection('default');
    await world.until('nothing', async () => (await world.list(PODS)).length === 0);
  });
  /** Nodes come with a taint until they are ready; here they are at once. */
  const addNode = async (name: string) => {
    await world.create(NODES, node(name));
    await world.client.resource(NODES).patch('', name, 'merge', { spec: { taints: null } });
  };
  const pods = async (name: string) =>
    (await world.list(PODS, 'default', `app=${name}`)).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const where = async (name: string) => (await pods(name)).map((pod) => pod.spec.nodeName ?? '?').sort();
  const settled = (name: string, count: number, updated = count) =>
    world.until(`${name} on ${count}, ${updated} updated`, async () => {
      const found = await world.get(DAEMON_SETS, 'default', name);
      const { observedGeneration, updatedNumberScheduled = 0 } = found?.status ?? {};
      const { desiredNumberScheduled, currentNumberScheduled, numberReady, numberAvailable = 0 } = found!.status;
      const seen = observedGeneration === found!.metadata.generation && updatedNumberScheduled === updated;
      return seen &&
        [desiredNumberScheduled, currentNumberScheduled, numberReady, numberAvailable].every((n) => n === count)
        ? found!
        : false;
    });

  test('one on every node, also on one that comes; none on one that is tainted', async () => {
    await world.create(DAEMON_SETS, set('log'));
    await settled('log', 3);
    expect(await where('log')).toEqual(['n1', 'n2', 'n3']);
    const [pod] = await pods('log');
    expect(pod!.metadata.name).toMatch(/^log-.{5}$/);
    expect(nodeOf({ ...pod!, spec: { ...pod!.spec, nodeName: '' } })).toBe(pod!.spec.nodeName);
    const [revision] = await world.list(CONTROLLER_REVISIONS, 'default', 'app=log');
    expect(revision!.metadata.name).toBe(`log-${pod!.metadata.labels!['controller-revision-hash']}`);

    await addNode('n4');
    await settled('log', 4);
    await world.client.resource(NODES).patch('', 'n4', 'merge', {
      spec: { taints: [{ key: 'k', effect: 'NoExecute' }] },
    });
    await settled('log', 3);
    expect(await where('log')).toEqual(['n1', 'n2', 'n3']);
    await world.client.resource(NODES).delete('', 'n4');
    await world.client.resource(PODS).delete('default', pod!.metadata.name!);
    await world.until('another', async () => !(await pods('log')).some((p) => p.metadata.uid === pod!.metadata.uid));
    await settled('log', 3);
  });

  test('a node selector, and a label that comes and goes', async () => {
    await world.create(DAEMON_SETS, set('ssd', { nodeSelector: { disk: 'ssd' } }));
    await settled('ssd', 0);
    const label = (value: string | null) =>
      world.client.resource(NODES).patch('', 'n2', 'merge', { metadata: { labels: { disk: value } } });
    await label('ssd');
    await settled('ssd', 1);
    expect(await where('ssd')).toEqual(['n2']);
    await label(null);
    await settled('ssd', 0);
    expect(await where('ssd')).toEqual([]);
  });

  test('an update goes node by node, and its revisions are numbered', async () => {
    await world.create(DAEMON_SETS, set('roll'));
    await settled('roll', 3);
    kubelet.watchFloor();
    await world.client.resource(DAEMON_SETS).patch('default', 'roll', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'agent:2' }] } } },
    });
    await settled('roll', 3);
    expect((await pods('roll')).map((pod) => pod.spec.containers[0].image)).toEqual(Array(3).fill('agent:2'));
    expect(kubelet.fewestReady).toBe(2);
    const revisions = await world.list(CONTROLLER_REVISIONS, 'default', 'app=roll');
    expect(revisions.map((one) => one.revision).sort()).toEqual([1, 2]);
  });

  test('with surge the new pod is there before the old one goes', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await world.create(DAEMON_SETS, set('surge', {}, { updateStrategy }));
    await settled('surge', 3);
    kubelet.watchFloor();
    await world.client.resource(DAEMON_SETS).patch('default', 'surge', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'agent:2' }] } } },
    });
    await settled('surge', 3);
    await world.until('three', async () => (await pods('surge')).length === 3);
    expect((await pods('surge')).map((pod) => pod.spec.containers[0].image)).toEqual(Array(3).fill('agent:2'));
    expect(kubelet.fewestReady).toBeGreaterThanOrEqual(3);
  });

  test('OnDelete leaves old pods alone; one that failed is replaced', async () => {
    await world.create(DAEMON_SETS, set('keep', {}, { updateStrategy: { type: 'OnDelete' } }));
    await settled('keep', 3);
    await world.client.resource(DAEMON_SETS).patch('default', 'keep', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'agent:2' }] } } },
    });
    await settled('keep', 3, 0);
    const [first] = await pods('keep');
    await world.setStatus(PODS, 'default', first!.metadata.name!, { phase: 'Failed' });
    await settled('keep', 3, 1);
    expect((await pods('keep')).map((pod) => pod.spec.containers[0].image).sort()).toEqual([
      'agent:1',
      'agent:1',
      'agent:2',
    ]);
    const message = `Found failed daemon pod default/${first!.metadata.name} on node ${first!.spec.nodeName}, will try to kill it`;
    await world.until('the event', async () =>
      (await world.list(EVENTS, 'default')).some((e) => e.reason === 'FailedDaemonPod' && e.message === message),
    );
  });
});
