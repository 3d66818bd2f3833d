import { afterAll, beforeAll, expect, test } from 'vitest';
import { startNamespaces } from '../../../src/kube/controllers/namespace.js';
import { discoverResources } from '../../../src/kube/kit/discovery.js';
import { CONFIG_MAPS, controllerContext, NAMESPACES, PODS } from '../../../src/kube/kit/index.js';
import { namespaceConditions } from '../../../src/kube/machinery/namespace-conditions.js';
import { KubeWorld } from '../../support/kube-world.js';
import { kubectlBinary } from '../support/kubectl.js';

let world: KubeWorld;
beforeAll(async () => {
  // The server's own keeper is off: it is this loop that empties them.
  world = await KubeWorld.start([startNamespaces], { plane: { controllers: ['namespace'] } });
});
afterAll(() => world?.stop());

const make = (name: string) => world.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const gone = (name: string) =>
  world.until(`${name} to go`, async () => (await world.get(NAMESPACES, '', name)) === undefined);

test('an empty one and a full one', async () => {
  await make('full');
  const spec = { containers: [{ name: 'c', image: 'x' }] };
  await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'full' }, spec });
  await world.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'full' } });
  await world.client.resource(NAMESPACES).delete('', 'full');
  await gone('full');
  expect(await world.list(PODS, 'full')).toEqual([]);
  if (kubectlBinary !== undefined) {
    await make('empty');
    await world.kubectl().run('delete ns empty');
    expect(await world.get(NAMESPACES, '', 'empty')).toBeUndefined();
  }
});

test('what holds it is told, and waited for', async () => {
  await make('held');
  const metadata = { name: 'm', namespace: 'held', finalizers: ['test.keel/hold'] };
  await world.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await world.client.resource(NAMESPACES).delete('', 'held');
  const condition = await world.until('a condition', async () => {
    const { status } = (await world.get(NAMESPACES, '', 'held'))!;
    return status.conditions?.find((c: any) => c.type === 'NamespaceFinalizersRemaining' && c.status === 'True');
  });
  expect(condition.message).toBe(
    'Some content in the namespace has finalizers remaining: test.keel/hold in 1 resource instances',
  );
  await world.client.resource(CONFIG_MAPS).patch('held', 'm', 'merge', { metadata: { finalizers: null } } as never);
  await gone('held');
});

test('discovery: each resource once, in the preferred version, and what fails is told', async () => {
  const { resources, failures } = await discoverResources(world.client);
  expect(failures).toEqual([]);
  const names = resources.map(({ gvr }) => `${gvr.group}/${gvr.plural}`);
  expect(new Set(names).size).toBe(names.length);
  const scalers = resources.find(({ gvr }) => gvr.plural === 'horizontalpodautoscalers');
  expect(scalers).toMatchObject({ gvr: { group: 'autoscaling', version: 'v2' }, namespaced: true });
  const broken = {
    ...controllerContext({ client: world.client, log: world.context.log }).client,
    raw: async (method: string, path: string) =>
      path === '/apis/apps/v1' ? { status: 503, body: {} } : world.client.raw(method, path),
  };
  const part = await discoverResources(broken as never);
  expect(part.failures).toEqual(['apps/v1: status 503']);
  const remaining = { counts: new Map(), finalizers: new Map(), errors: [], undiscovered: part.failures, grace: 0 };
  expect(namespaceConditions(remaining, [], 0)[0]).toMatchObject({
    type: 'NamespaceDeletionDiscoveryFailure',
    status: 'True',
    message: 'Discovery failed for some groups, 1 failing: apps/v1: status 503',
  });
});
