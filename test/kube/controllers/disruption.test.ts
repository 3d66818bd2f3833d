import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { budgetNumbers, startDisruption } from '../../../src/kube/controllers/disruption.js';
import { DEPLOYMENTS, DISRUPTION_BUDGETS, PODS, REPLICA_SETS } from '../../../src/kube/kit/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';

function pods(ready: number, unready = 0): KubeObject[] {
  return Array.from({ length: ready + unready }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${i}` },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: i < ready ? 'True' : 'False' }] },
  }));
}

describe('numbers', () => {
  test.each<[object, number, KubeObject[], string[], [number, number, number]]>([
    [{ minAvailable: 2 }, 3, pods(3), [], [2, 3, 1]],
    [{ minAvailable: 2 }, 3, pods(1, 2), [], [2, 1, 0]],
    [{ minAvailable: '50%' }, 3, pods(3), [], [2, 3, 1]],
    [{ maxUnavailable: 1 }, 4, pods(4), ['p0'], [3, 3, 0]],
    [{ maxUnavailable: '30%' }, 4, pods(4), [], [2, 4, 2]],
    [{ maxUnavailable: 9 }, 2, pods(2), [], [0, 2, 2]],
    [{ minAvailable: 0 }, 0, [], [], [0, 0, 0]],
  ])('%j of %i', (spec, expected, list, going, [desired, healthy, allowed]) => {
    expect(budgetNumbers(spec, expected, list, new Set(going))).toEqual({ expected, desired, healthy, allowed });
  });
});

describe('over the API', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    world = await KubeWorld.start([startDisruption]);
  });
  afterAll(() => world?.stop());

  const labels = { app: 'db' };
  const status = async (name: string) => (await world.get(DISRUPTION_BUDGETS, 'default', name))?.status ?? {};
  const budget = (name: string, spec: object) =>
    world.create(DISRUPTION_BUDGETS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace: 'default' },
      spec: { selector: { matchLabels: labels }, ...spec },
    });

  test('pods, evictions and scales', async () => {
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const meta = { name: 'db', namespace: 'default', labels };
    const apiVersion = 'apps/v1';
    const spec = { replicas: 4, selector: { matchLabels: labels }, template };
    const deploy = await world.create(DEPLOYMENTS, { apiVersion, kind: 'Deployment', metadata: meta, spec });
    const ref = (owner: KubeObject) => [
      { apiVersion, kind: owner.kind, name: 'db', uid: owner.metadata.uid!, controller: true },
    ];
    const metadata = { ...meta, ownerReferences: ref(deploy) };
    const set = await world.create(REPLICA_SETS, { apiVersion, kind: 'ReplicaSet', metadata, spec });
    await budget('count', { minAvailable: 1 });
    await budget('share', { maxUnavailable: '50%' });
    for (const name of ['a', 'b']) {
      const own = { name, namespace: 'default', labels, ownerReferences: ref(set) };
      await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: own, spec: template.spec });
      const conditions = [{ type: 'Ready', status: 'True' }];
      await world.setStatus(PODS, 'default', name, { phase: 'Running', conditions });
    }
    await world.until('one may go', async () => (await status('count')).disruptionsAllowed === 1);
    expect(await status('count')).toMatchObject({ expectedPods: 2, desiredHealthy: 1, currentHealthy: 2 });
    await world.until('scales', async () => (await status('share')).expectedPods === 4);
    expect(await status('share')).toMatchObject({ desiredHealthy: 2, currentHealthy: 2 });
    expect((await status('share')).disruptionsAllowed ?? 0).toBe(0);
    await world.client.resource(DISRUPTION_BUDGETS).delete('default', 'share');
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a', namespace: 'default' } };
    await world.client.resource(PODS).post('default', 'a', 'eviction', eviction);
    await world.until('none may go', async () => {
      const now = await status('count');
      return now.currentHealthy === 1 && (now.disruptionsAllowed ?? 0) === 0 && now;
    });
    const refused = { ...eviction, metadata: { name: 'b', namespace: 'default' } };
    await expect(world.client.resource(PODS).post('default', 'b', 'eviction', refused)).rejects.toMatchObject({
      code: 429,
    });
  });

  test('a pod of nobody: shares mean nothing', async () => {
    const metadata = { name: 'lone', namespace: 'default', labels: { app: 'lone' } };
    const spec = { containers: [{ name: 'c', image: 'x' }] };
    await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    await budget('lone', { selector: { matchLabels: { app: 'lone' } }, maxUnavailable: 1 });
    const condition = await world.until('a condition', async () => (await status('lone')).conditions?.[0]);
    expect(condition).toMatchObject({ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed' });
  });
});
