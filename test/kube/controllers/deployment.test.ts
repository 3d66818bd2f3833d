import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startDeployments } from '../../../src/kube/controllers/deployment/index.js';
import { maxSurge, maxUnavailable } from '../../../src/kube/controllers/deployment/numbers.js';
import { shares } from '../../../src/kube/controllers/deployment/proportions.js';
import { newSize, oldSizes } from '../../../src/kube/controllers/deployment/rolling.js';
import { fnv32a, podTemplateHash, safeEncode, sameTemplate } from '../../../src/kube/controllers/pod-template-hash.js';
import { startReplicaSets } from '../../../src/kube/controllers/replica-set/index.js';
import type { ApiClient, ControllerContext, ResourceClient } from '../../../src/kube/kit/index.js';
import { DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { TestKubelet } from '../../support/test-kubelet.js';

const REVISION = 'deployment.kubernetes.io/revision';

/** A context whose client refuses everything after so many writes. */
function dying(context: ControllerContext, writes: number): { context: ControllerContext; dead: Promise<void> } {
  let left = writes;
  let die = () => {};
  const dead = new Promise<void>((resolve) => {
    die = resolve;
  });
  const guard = (resource: ResourceClient): ResourceClient =>
    new Proxy(resource, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        const writes = ['create', 'update', 'patch', 'delete'].includes(String(name));
        return (...args: unknown[]) => {
          if (writes) left--;
          if (left >= 0) return member.apply(target, args);
          die();
          return Promise.reject(new Error('this process is dead'));
        };
      },
    });
  const client: ApiClient = {
    resource: (gvr) => guard(context.client.resource(gvr)),
    raw: (...args) => context.client.raw(...args),
    close: () => {},
  };
  return { context: { ...context, client }, dead };
}

describe('arithmetic', () => {
  const deployment = (replicas: number, surge: unknown, unavailable: unknown): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: {
      replicas,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
    },
  });
  const set = (name: string, replicas: number, available: number, max?: number, age = 0): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      creationTimestamp: new Date(1e12 - age * 1000).toISOString(),
      ...(max === undefined ? {} : { annotations: { 'deployment.kubernetes.io/max-replicas': String(max) } }),
    },
    spec: { replicas },
    status: { replicas, availableReplicas: available },
  });

  test.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [3, 0, '10%', 0, 1],
    [4, 2, 1, 2, 1],
    [2, 0, 5, 0, 2],
    [0, '25%', '25%', 0, 0],
  ])('%i replicas, surge %s, unavailable %s: +%i -%i', (replicas, surge, unavailable, up, down) => {
    const d = deployment(replicas, surge, unavailable);
    expect([maxSurge(d), maxUnavailable(d)]).toEqual([up, down]);
  });

  // wanted, [old, old available], [new, new available] -> old, new after this step
  test.each([
    [4, 1, 1, [4, 4], [0, 0], 4, 1],
    [4, 1, 1, [4, 4], [1, 0], 3, 1],
    [4, 1, 1, [3, 3], [2, 0], 3, 2],
    [4, 1, 1, [3, 3], [2, 2], 1, 2],
    [4, 1, 1, [1, 1], [4, 4], 0, 4],
    [4, 0, 1, [4, 4], [0, 0], 3, 0],
    [4, 2, 0, [4, 4], [2, 1], 3, 2],
    // Old pods that never worked go first, and at once.
    [4, 1, 1, [4, 0], [1, 0], 3, 1],
    [4, 1, 1, [4, 2], [1, 1], 2, 1],
  ])(
    '%i +%i -%i: old %j new %j',
    (replicas, surge, unavailable, [oldSize, oldWell], [size, well], thenOld, thenNew) => {
      const d = deployment(replicas, surge, unavailable);
      const before = set('old', oldSize!, oldWell!);
      const now = set('new', size!, well!);
      const grown = newSize(d, [before, now], size!);
      expect(grown).toBe(thenNew === size ? grown : thenNew);
      if (grown !== size) return expect([oldSize, grown]).toEqual([thenOld, thenNew]);
      expect(oldSizes(d, now, [before]).get(before) ?? oldSize).toBe(thenOld);
    },
  );

  test('a size is shared by proportion', () => {
    const of = (replicas: number, ...sets: KubeObject[]) =>
      Object.fromEntries([...shares(deployment(replicas, 0, 1), sets)].map(([s, size]) => [s.metadata.name, size]));
    expect(of(20, set('a', 5, 5, 10, 9), set('b', 5, 5, 10, 1))).toEqual({ a: 10, b: 10 });
    expect(of(12, set('a', 8, 8, 10, 9), set('b', 2, 2, 10, 1))).toEqual({ a: 10, b: 2 });
    // The rest of the division goes to the largest; of equal ones to the newer when it grows.
    expect(of(11, set('a', 5, 5, 10, 9), set('b', 5, 5, 10, 1))).toEqual({ a: 5, b: 6 });
    expect(of(9, set('a', 5, 5, 10, 9), set('b', 5, 5, 10, 1))).toEqual({ a: 4, b: 5 });
    expect(of(0, set('a', 5, 5, 10, 9), set('b', 5, 5, 10, 1))).toEqual({ a: 0, b: 0 });
  });

  test('hashes', () => {
    expect(fnv32a('')).toBe(2166136261);
    expect(fnv32a('a')).toBe(0xe40c292c);
    expect(safeEncode('0123456789')).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
    const template = { metadata: { labels: { app: 'x' } }, spec: { a: 1, b: [1, 2] } };
    const marked = { spec: { b: [1, 2], a: 1, c: null }, metadata: { labels: { 'pod-template-hash': 'h', app: 'x' } } };
    expect(sameTemplate(template, marked)).toBe(true);
    expect(podTemplateHash(template, undefined)).toBe(podTemplateHash(marked, 0));
    expect(podTemplateHash(template, undefined)).not.toBe(podTemplateHash(template, 1));
    expect(sameTemplate(template, { ...template, spec: { a: 2 } })).toBe(false);
  });
});

describe('Deployments', () => {
  let world: KubeWorld;
  let kubelet: TestKubelet;
  beforeAll(async () => {
    world = await KubeWorld.start([startDeployments, startReplicaSets]);
    kubelet = new TestKubelet(world.context);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await world?.stop();
  });
  afterEach(async () => {
    kubelet.letGo();
    for (const gvr of [DEPLOYMENTS, REPLICA_SETS, PODS]) await world.client.resource(gvr).deleteCollection('default');
    await world.until('nothing', async () => {
      await world.client.resource(REPLICA_SETS).deleteCollection('default');
      return (await world.list(PODS)).length + (await world.list(REPLICA_SETS)).length === 0;
    });
  });

  const deployment = (name: string, replicas: number, more: object = {}, image = 'app:1'): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', annotations: { team: 'a' } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } },
      ...more,
    },
  });
  const patch = (name: string, spec: object) =>
    world.client.resource(DEPLOYMENTS).patch('default', name, 'strategic', { spec } as never);
  const image = (name: string, to: string) =>
    patch(name, { template: { spec: { containers: [{ name: 'c', image: to }] } } });
  const sets = async (name: string) =>
    (await world.list(REPLICA_SETS, 'default', `app=${name}`)).sort(
      (a, b) => Number(a.metadata.annotations?.[REVISION]) - Number(b.metadata.annotations?.[REVISION]),
    );
  const reason = (object: KubeObject | undefined, type: string): string | undefined =>
    object?.status?.conditions?.find((c: { type: string }) => c.type === type)?.reason;
  const when = (name: string, what: string, condition: (object: KubeObject) => unknown) =>
    world.until(`${name} ${what}`, async () => {
      const found = await world.get(DEPLOYMENTS, 'default', name);
      return found?.status?.observedGeneration === found?.metadata.generation && condition(found!) ? found! : false;
    });
  const complete = (name: string) =>
    when(name, 'to be complete', ({ spec, status }) => {
      const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
      return (
        [replicas, updatedReplicas, availableReplicas].every((n) => n === spec.replicas) &&
        reason({ status } as KubeObject, 'Progressing') === 'NewReplicaSetAvailable'
      );
    });

  test('makes a set, rolls to another, and back to the first', async () => {
    await world.create(DEPLOYMENTS, deployment('web', 3));
    const first = await complete('web');
    expect(first.metadata.annotations?.[REVISION]).toBe('1');
    expect(first.status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
    expect(first.status.unavailableReplicas).toBeUndefined();
    const [one] = await sets('web');
    const hash = one!.metadata.labels!['pod-template-hash']!;
    expect(one!.metadata.name).toBe(`web-${hash}`);
    expect(one!.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash });
    expect(one!.spec.template.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
    expect(one!.metadata.annotations).toEqual({
      team: 'a',
      [REVISION]: '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    expect(first.status.conditions).toEqual([
      expect.objectContaining({
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }),
      {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "web-${hash}" has successfully progressed.`,
        lastUpdateTime: expect.any(String),
        lastTransitionTime: expect.any(String),
      },
    ]);

    kubelet.most = 0;
    kubelet.watchFloor();
    await image('web', 'app:2');
    expect((await complete('web')).metadata.annotations?.[REVISION]).toBe('2');
    expect(kubelet.most).toBeLessThanOrEqual(4);
    expect(kubelet.fewestReady).toBeGreaterThanOrEqual(3);
    expect((await sets('web')).map((set) => set.spec.replicas)).toEqual([0, 3]);

    // Beyond ten they are told as one.
    const next = (await sets('web'))[1]!.metadata.name;
    const messages = await world.until('the events', async () => {
      const events = (await world.list(EVENTS, 'default')).filter(
        (event) => event.reason === 'ScalingReplicaSet' && event.involvedObject.name === 'web',
      );
      const texts = events.map((event) => event.message as string);
      const down = new RegExp(`^Scaled down replica set web-${hash} from [1-3] to 0$`);
      return texts.some((text) => down.test(text)) && texts;
    });
    expect(messages).toContain(`Scaled up replica set web-${hash} from 0 to 3`);
    expect(messages).toContain(`Scaled up replica set ${next} from 0 to 1`);

    await image('web', 'app:1');
    await complete('web');
    const [two, again] = await sets('web');
    expect(again!.metadata.uid).toBe(one!.metadata.uid);
    expect(again!.metadata.annotations).toMatchObject({
      [REVISION]: '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
    expect(two!.metadata.annotations?.[REVISION]).toBe('2');
  });

  test('keeps as much history as it was told to', async () => {
    await world.create(DEPLOYMENTS, deployment('hist', 1, { revisionHistoryLimit: 2 }));
    for (let version = 2; version <= 5; version++) {
      await complete('hist');
      await image('hist', `app:${version}`);
      await when('hist', `at ${version}`, (d) => d.metadata.annotations?.[REVISION] === String(version));
    }
    await complete('hist');
    await world.until('two old ones', async () => {
      const revisions = (await sets('hist')).map((set) => set.metadata.annotations?.[REVISION]);
      return revisions.join() === '3,4,5';
    });
  });

  test('Recreate: no new pod before the last old one is gone', async () => {
    kubelet.hold();
    await world.create(DEPLOYMENTS, deployment('re', 2, { strategy: { type: 'Recreate' } }, 'held:1'));
    await complete('re');
    await image('re', 'app:2');
    await world.until('old ones to go', async () => {
      const pods = await world.list(PODS, 'default', 'app=re');
      return pods.length === 2 && pods.every((pod) => pod.metadata.deletionTimestamp !== undefined);
    });
    await when('re', 'to wait', (d) => (d.status.replicas ?? 0) === 0);
    expect(await sets('re')).toHaveLength(1);
    kubelet.letGo();
    await complete('re');
    expect((await sets('re')).map((set) => set.spec.replicas)).toEqual([0, 2]);
  });

  test('paused: scales, but nothing new begins; resumed: it does', async () => {
    await world.create(DEPLOYMENTS, deployment('pause', 2));
    await complete('pause');
    await patch('pause', { paused: true });
    await when('pause', 'to be paused', (d) => reason(d, 'Progressing') === 'DeploymentPaused');
    await image('pause', 'app:2');
    await patch('pause', { replicas: 3 });
    await when('pause', 'to be scaled', (d) => d.status.availableReplicas === 3);
    expect(await sets('pause')).toHaveLength(1);
    await patch('pause', { paused: null });
    await complete('pause');
    expect((await sets('pause')).map((set) => set.spec.replicas)).toEqual([0, 3]);
  });

  test('scaled in the middle of a rollout, both sets grow', async () => {
    const rollingUpdate = { maxSurge: 2, maxUnavailable: 0 };
    await world.create(DEPLOYMENTS, deployment('mid', 4, { strategy: { type: 'RollingUpdate', rollingUpdate } }));
    await complete('mid');
    await image('mid', 'stuck:2');
    await when('mid', 'to be stuck', (d) => d.status.updatedReplicas === 2 && d.status.readyReplicas === 4);
    await patch('mid', { replicas: 10 });
    await world.until('shares', async () => (await sets('mid')).map((set) => set.spec.replicas).join() === '8,4');
    const [old] = await sets('mid');
    expect(old!.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/desired-replicas': '10',
      'deployment.kubernetes.io/max-replicas': '12',
    });
    // A rollout that does not get on is given up by another; its pods go though they never were ready.
    await image('mid', 'app:3');
    await complete('mid');
    expect((await sets('mid')).map((set) => set.spec.replicas)).toEqual([0, 0, 10]);
  });

  test('a rollout that does not get on is told after the deadline', async () => {
    const more = {
      progressDeadlineSeconds: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
    };
    await world.create(DEPLOYMENTS, deployment('dead', 1, more));
    await complete('dead');
    await image('dead', 'stuck:2');
    const late = await when('dead', 'to be late', (d) => reason(d, 'Progressing') === 'ProgressDeadlineExceeded');
    expect(late.status.conditions.find((c: any) => c.type === 'Progressing')).toMatchObject({
      status: 'False',
      message: `ReplicaSet "${(await sets('dead'))[1]!.metadata.name}" has timed out progressing.`,
    });
    expect(reason(late, 'Available')).toBe('MinimumReplicasAvailable');
    expect(late.status).toMatchObject({ updatedReplicas: 1, availableReplicas: 1, unavailableReplicas: 1 });
    await image('dead', 'app:3');
    await complete('dead');
  });

  test('a set of another owner has its name: it takes the next one', async () => {
    const probe = deployment('clash', 1);
    await world.create(DEPLOYMENTS, probe);
    await complete('clash');
    const [mine] = await sets('clash');
    // Without an owner and of other labels, but of this very name.
    await world.client.resource(DEPLOYMENTS).delete('default', 'clash', { propagationPolicy: 'Orphan' });
    const name = mine!.metadata.name!;
    await world.client.resource(REPLICA_SETS).delete('default', name);
    const selector = { matchLabels: { app: 'other' } };
    const template = { metadata: { labels: { app: 'other' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const metadata = { name, namespace: 'default' };
    const spec = { replicas: 0, selector, template };
    await world.until('the name is free', async () => {
      if ((await world.get(REPLICA_SETS, 'default', name)) !== undefined) return false;
      await world.create(REPLICA_SETS, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec });
      return true;
    });
    await world.until('it is gone', async () => {
      const found = await world.get(DEPLOYMENTS, 'default', 'clash');
      if (found === undefined) return true;
      // Nobody collects here.
      await world.client.resource(DEPLOYMENTS).patch('default', 'clash', 'merge', { metadata: { finalizers: null } });
      return false;
    });
    await world.create(DEPLOYMENTS, probe);
    const done = await complete('clash');
    expect(done.status.collisionCount).toBe(1);
    const [next] = await sets('clash');
    expect(next!.metadata.name).not.toBe(name);
  });

  test.each([1, 3, 9])('loops that die after %i writes leave nothing that others cannot go on with', async (n) => {
    await world.create(DEPLOYMENTS, deployment('die', 4));
    await complete('die');
    await world.stopLoops();
    const { context, dead } = dying(world.context, n);
    const loops = [startDeployments(context), startReplicaSets(context)];
    await image('die', 'app:2');
    await dead;
    await Promise.all(loops.map((loop) => loop.stop()));
    world.startLoops([startDeployments, startReplicaSets]);
    await when('die', 'to be new', (d) => d.status.updatedReplicas === 4);
    await complete('die');
    const alive = (await world.list(PODS, 'default', 'app=die')).filter((pod) => !pod.metadata.deletionTimestamp);
    expect(alive.map((pod) => pod.spec.containers[0].image)).toEqual(Array(4).fill('app:2'));
    expect((await sets('die')).map((set) => set.spec.replicas)).toEqual([0, 4]);
  });

  test('adopts a set that matches', async () => {
    const selector = { matchLabels: { app: 'adopt' } };
    const { spec } = deployment('adopt', 2);
    const metadata = { name: 'by-hand', namespace: 'default', labels: { app: 'adopt' } };
    const template = spec.template;
    await world.create(REPLICA_SETS, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata,
      spec: { replicas: 2, selector, template },
    });
    await world.create(DEPLOYMENTS, deployment('adopt', 2));
    await complete('adopt');
    const all = await sets('adopt');
    expect(all.map((set) => set.metadata.name)).toEqual(['by-hand']);
    expect(all[0]!.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Deployment', name: 'adopt' });
    expect(all[0]!.metadata.annotations?.[REVISION]).toBe('1');
  });
});
