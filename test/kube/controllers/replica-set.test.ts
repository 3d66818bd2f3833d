import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deletionOrder } from '../../../src/kube/controllers/replica-set/deletion-order.js';
import { startReplicaSets, startReplicationControllers } from '../../../src/kube/controllers/replica-set/index.js';
import { EVENTS, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, RESOURCE_QUOTAS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { TestKubelet } from '../../support/test-kubelet.js';

describe('which pods go first', () => {
  const NOW = Date.parse('2026-01-01T12:00:00Z');
  const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
  interface Traits {
    node?: string;
    phase?: string;
    ready?: number;
    cost?: string;
    restarts?: number;
    age?: number;
  }
  const pod = ({ node = 'a', phase = 'Running', ready, cost, restarts = 0, age = 5000 }: Traits): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      uid: 'same',
      creationTimestamp: ago(age),
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { nodeName: node },
    status: {
      phase,
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(ready) }] }),
      containerStatuses: [{ restartCount: restarts }],
    },
  });

  test.each<[string, Traits, Traits]>([
    ['one without a node', { node: '', phase: 'Running', ready: 9 }, { phase: 'Pending' }],
    ['a pending one', { phase: 'Pending' }, { phase: 'Unknown' }],
    ['an unknown one', { phase: 'Unknown' }, { phase: 'Running' }],
    ['one that is not ready', { cost: '100' }, { ready: 10 }],
    ['a cheap one', { ready: 999, cost: '-5' }, { ready: 1, cost: '3' }],
    ['one ready for a short time', { ready: 3 }, { ready: 1000 }],
    ['one that restarted', { ready: 50, restarts: 3 }, { ready: 51, restarts: 1 }],
    ['a young one', { ready: 50, age: 60 }, { ready: 50, age: 3000 }],
  ])('%s', (_, first, second) => {
    const [a, b] = [pod(first), pod(second)];
    expect(deletionOrder(new Map(), NOW)(a, b)).toBeLessThan(0);
    expect(deletionOrder(new Map(), NOW)(b, a)).toBeGreaterThan(0);
  });

  test('one of a crowded node, after the cost', () => {
    const [a, b] = [pod({ ready: 1000 }), pod({ ready: 1 })];
    const ranks = new Map([
      [a, 3],
      [b, 1],
    ]);
    expect(deletionOrder(ranks, NOW)(a, b)).toBeLessThan(0);
    const dear = pod({ ready: 1000, cost: '1' });
    expect(deletionOrder(new Map([...ranks, [dear, 9]]), NOW)(b, dear)).toBeLessThan(0);
  });
});

describe('ReplicaSets', () => {
  let world: KubeWorld;
  let kubelet: TestKubelet;
  beforeAll(async () => {
    world = await KubeWorld.start([startReplicaSets, startReplicationControllers]);
    kubelet = new TestKubelet(world.context);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await world?.stop();
  });
  afterEach(async () => {
    for (const gvr of [REPLICA_SETS, REPLICATION_CONTROLLERS])
      await world.client.resource(gvr).deleteCollection('default');
    await world.client.resource(PODS).deleteCollection('default');
    await world.until('no pods', async () => (await world.list(PODS)).length === 0);
  });

  const template = (app: string) => ({
    metadata: { labels: { app }, annotations: { note: 'n' } },
    spec: { containers: [{ name: 'c', image: 'x' }] },
  });
  const set = (name: string, replicas: number, more: object = {}): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...more },
  });
  const pods = async (app: string) =>
    (await world.list(PODS, 'default', `app=${app}`)).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const settled = (name: string, replicas: number, gvr = REPLICA_SETS) =>
    world.until(`${name} to have ${replicas}`, async () => {
      const found = await world.get(gvr, 'default', name);
      const { status } = found!;
      const { availableReplicas = 0, observedGeneration } = status;
      return status.replicas === replicas &&
        availableReplicas === replicas &&
        observedGeneration === found!.metadata.generation
        ? found
        : false;
    });

  test('makes pods, replaces one that is deleted, follows its number', async () => {
    const made = await world.create(REPLICA_SETS, set('web', 3));
    const ready = await settled('web', 3);
    expect(ready.status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    const [first] = await pods('web');
    expect(first!.metadata.name).toMatch(/^web-.{5}$/);
    expect(first!.metadata.annotations).toEqual({ note: 'n' });
    expect(first!.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web',
        uid: made.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    await world.client.resource(PODS).delete('default', first!.metadata.name!);
    await world.until('another in its place', async () => {
      const now = await pods('web');
      return now.length === 3 && !now.some((pod) => pod.metadata.uid === first!.metadata.uid);
    });
    await world.client.resource(REPLICA_SETS).patch('default', 'web', 'merge', { spec: { replicas: 1 } });
    await settled('web', 1);
    expect(await pods('web')).toHaveLength(1);
    const events = await world.until('events', async () => {
      const list = (await world.list(EVENTS, 'default')).filter((e) => e.involvedObject.name === 'web');
      return list.filter((e) => e.reason === 'SuccessfulDelete').length >= 2 && list;
    });
    const created = events.filter((event) => event.reason === 'SuccessfulCreate');
    expect(created).toHaveLength(4);
    expect(created[0]!.message).toMatch(/^Created pod: web-.{5}$/);
    expect(created[0]!.source).toEqual({ component: 'replicaset-controller' });
    expect(events.find((event) => event.reason === 'SuccessfulDelete')!.message).toMatch(/^Deleted pod: web-.{5}$/);
  });

  test('adopts orphans that match and releases what was relabelled', async () => {
    await world.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stray', namespace: 'default', labels: { app: 'own' } },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    const made = await world.create(REPLICA_SETS, set('own', 2));
    await settled('own', 2);
    const stray = await world.get(PODS, 'default', 'stray');
    expect(stray!.metadata.ownerReferences?.[0]).toMatchObject({ uid: made.metadata.uid, controller: true });
    await world.client.resource(PODS).patch('default', 'stray', 'merge', { metadata: { labels: { app: 'free' } } });
    await world.until('it is released and replaced', async () => {
      const now = await world.get(PODS, 'default', 'stray');
      return now!.metadata.ownerReferences === undefined && (await pods('own')).length === 2;
    });
    // And back: one too many, so one goes.
    await world.client.resource(PODS).patch('default', 'stray', 'merge', { metadata: { labels: { app: 'own' } } });
    await world.until('two again', async () => (await pods('own')).length === 2);
    await settled('own', 2);
  });

  test('tells of a quota, and goes on when there is room', async () => {
    await world.create(RESOURCE_QUOTAS, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'few', namespace: 'default' },
      spec: { hard: { pods: '1' } },
    });
    await world.until(
      'the quota counts',
      async () => (await world.get(RESOURCE_QUOTAS, 'default', 'few'))?.status?.hard,
    );
    await world.create(REPLICA_SETS, set('many', 3));
    const failing = await world.until('the failure', async () => {
      const found = await world.get(REPLICA_SETS, 'default', 'many');
      return found?.status?.conditions?.[0] && found;
    });
    expect(failing.status.conditions).toEqual([
      {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        lastTransitionTime: expect.any(String),
        message: expect.stringContaining('exceeded quota: few'),
      },
    ]);
    await world.until('the event', async () =>
      (await world.list(EVENTS, 'default')).some(
        (e) =>
          e.reason === 'FailedCreate' && e.type === 'Warning' && /^Error creating: .*exceeded quota/.test(e.message),
      ),
    );
    await world.client.resource(RESOURCE_QUOTAS).delete('default', 'few');
    const well = await settled('many', 3);
    expect(well.status.conditions).toBeUndefined();
  });

  test('available after minReadySeconds', async () => {
    await world.create(REPLICA_SETS, set('slow', 1, { minReadySeconds: 2 }));
    const ready = await world.until('ready', async () => {
      const found = await world.get(REPLICA_SETS, 'default', 'slow');
      return found?.status?.readyReplicas === 1 && found;
    });
    expect(ready.status.availableReplicas ?? 0).toBe(0);
    await settled('slow', 1);
  });

  test('a set that is being deleted makes nothing, a pod that ended is replaced', async () => {
    await world.create(REPLICA_SETS, set('end', 1));
    await settled('end', 1);
    const [pod] = await pods('end');
    await world.setStatus(PODS, 'default', pod!.metadata.name!, { phase: 'Failed' });
    await world.until('another', async () => (await pods('end')).length === 2);
    await settled('end', 1);
    const held = set('going', 0);
    held.metadata.finalizers = ['example.com/wait'];
    await world.create(REPLICA_SETS, held);
    await world.client.resource(REPLICA_SETS).delete('default', 'going');
    await world.client.resource(REPLICA_SETS).patch('default', 'going', 'merge', { spec: { replicas: 2 } });
    await world.until('it is observed', async () => {
      const found = await world.get(REPLICA_SETS, 'default', 'going');
      return found!.status.observedGeneration === found!.metadata.generation;
    });
    expect(await pods('going')).toEqual([]);
    await world.client.resource(REPLICA_SETS).patch('default', 'going', 'merge', { metadata: { finalizers: null } });
  });

  test('ReplicationControllers do the same', async () => {
    await world.create(REPLICATION_CONTROLLERS, {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'rc', namespace: 'default' },
      spec: { replicas: 2, selector: { app: 'rc' }, template: template('rc') },
    });
    await settled('rc', 2, REPLICATION_CONTROLLERS);
    expect((await pods('rc'))[0]!.metadata.ownerReferences?.[0]?.kind).toBe('ReplicationController');
  });
});
