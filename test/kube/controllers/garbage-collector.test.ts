import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphNode } from '../../../src/kube/controllers/garbage-collector/graph.js';
import { blockingDependents, OwnerGraph } from '../../../src/kube/controllers/garbage-collector/graph.js';
import { startGarbageCollector } from '../../../src/kube/controllers/garbage-collector/index.js';
import type { DeleteQuery, Gvr } from '../../../src/kube/kit/api.js';
import { CONFIG_MAPS, DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS } from '../../../src/kube/kit/index.js';
import type { KubeObject, OwnerReference } from '../../../src/kube/machinery/object.js';
import { KubeWorld } from '../../support/kube-world.js';
import { kubectlBinary } from '../support/kubectl.js';

function ref(owner: KubeObject, more: Partial<OwnerReference> = {}): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, ...more };
}

function map(name: string, owners: OwnerReference[] = [], namespace = 'default'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ownerReferences: owners } };
}

describe('the graph of owners', () => {
  class Told {
    lines: string[] = [];
    readonly graph = new OwnerGraph({
      check: (node) => void this.lines.push(`check ${node.name}`),
      orphan: (node) => void this.lines.push(`orphan ${node.name}`),
      invalidOwner: (node) => void this.lines.push(`invalid ${node.name}`),
    });
    put(name: string, owners: string[] = [], more: object = {}): GraphNode {
      const refs = owners.map((owner) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: `u-${owner}` }));
      const metadata = { name, namespace: 'a', uid: `u-${name}`, ownerReferences: refs, ...more };
      this.graph.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
      return this.graph.get(`u-${name}`)!;
    }
    take(): string[] {
      return this.lines.splice(0);
    }
  }

  test('an owner seen before and behind its dependents', () => {
    const t = new Told();
    t.put('late', ['owner']);
    expect(t.graph.get('u-owner')?.observed).toBe(false);
    expect(t.take()).toEqual(['check owner']);
    t.put('owner');
    expect(t.graph.get('u-owner')?.observed).toBe(true);
    t.put('early', ['owner']);
    expect(t.take()).toEqual([]);
    t.graph.remove('u-owner');
    expect(t.take()).toEqual(['check late', 'check early']);
  });

  test('what names an owner by wrong words is looked at', () => {
    const t = new Told();
    t.put('owner');
    t.put('other', ['owner'], { namespace: 'b' });
    expect(t.take()).toEqual(['invalid other', 'check other']);
    const refs = [{ apiVersion: 'apps/v1', kind: 'ConfigMap', name: 'owner', uid: 'u-owner' }];
    t.put('group', [], { ownerReferences: refs });
    expect(t.take()).toEqual(['check group']);
  });

  test('two that mean different owners by one uid: the owner is asked for by the words of both', () => {
    const t = new Told();
    t.put('a', ['owner']);
    t.put('b', ['owner'], { namespace: 'b' });
    t.take();
    const absent = new Set(['a']);
    t.graph.absent('u-owner', ({ namespace }) => absent.has(namespace));
    expect(t.take()).toEqual(['check a', 'check owner']);
    expect(t.graph.get('u-owner')).toMatchObject({ namespace: 'b', observed: false });
    absent.add('b');
    t.graph.absent('u-owner', ({ namespace }) => absent.has(namespace));
    expect(t.take()).toEqual(['check a', 'check b']);
    expect(t.graph.get('u-owner')).toBeUndefined();
  });

  test('foreground: dependents are looked at, and the owner when they no longer block or are gone', () => {
    const t = new Told();
    const owner = t.put('owner');
    const blocking = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u-owner', blockOwnerDeletion: true }];
    t.put('x', [], { ownerReferences: blocking });
    t.put('y', ['owner']);
    t.put('owner', [], { deletionTimestamp: 'now', finalizers: ['foregroundDeletion'] });
    expect(t.take()).toEqual(['check x', 'check y', 'check owner']);
    expect(blockingDependents(owner).map(({ name }) => name)).toEqual(['x']);
    t.put('x', ['owner']);
    expect(t.take()).toEqual(['check owner']);
    expect(blockingDependents(owner)).toEqual([]);
    t.graph.remove('u-y');
    expect(t.take()).toEqual(['check owner']);
  });

  test('owners that nobody names any more are forgotten', () => {
    const t = new Told();
    t.put('x', ['owner']);
    t.graph.remove('u-x');
    expect(t.graph.size).toBe(0);
  });
});

describe('the collector', () => {
  let world: KubeWorld;
  beforeAll(async () => {
    world = await KubeWorld.start([startGarbageCollector]);
  });
  afterAll(() => world?.stop());

  /** A Deployment, its ReplicaSet and a Pod of that, made by hand. */
  async function family(name: string): Promise<KubeObject> {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const spec = { selector: { matchLabels: labels }, template };
    const meta = (owners: OwnerReference[]) => ({ name, namespace: 'default', labels, ownerReferences: owners });
    const apiVersion = 'apps/v1';
    const controls = { controller: true, blockOwnerDeletion: true };
    const deploy = await world.create(DEPLOYMENTS, { apiVersion, kind: 'Deployment', metadata: meta([]), spec });
    const set = { apiVersion, kind: 'ReplicaSet', metadata: meta([ref(deploy, controls)]), spec };
    const made = await world.create(REPLICA_SETS, set);
    const metadata = meta([ref(made, controls)]);
    await world.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec });
    return deploy;
  }
  const gone = (gvr: Gvr, name: string) =>
    world.until(`${gvr.plural}/${name} to be gone`, async () => (await world.get(gvr, 'default', name)) === undefined);
  const remove = (gvr: Gvr, name: string, propagationPolicy: NonNullable<DeleteQuery['propagationPolicy']>) =>
    world.client.resource(gvr).delete('default', name, { propagationPolicy });
  const owners = async (gvr: Gvr, name: string) =>
    (await world.get(gvr, 'default', name))?.metadata.ownerReferences?.map((owner) => owner.name) ?? [];

  test('background: the children follow', async () => {
    await family('bg');
    await remove(DEPLOYMENTS, 'bg', 'Background');
    expect(await world.get(DEPLOYMENTS, 'default', 'bg')).toBeUndefined();
    await gone(REPLICA_SETS, 'bg');
    await gone(PODS, 'bg');
  });

  test('foreground: the owner goes last', async () => {
    await family('fg');
    // Somebody holds the pod.
    await world.client.resource(PODS).patch('default', 'fg', 'merge', { metadata: { finalizers: ['test/hold'] } });
    await remove(DEPLOYMENTS, 'fg', 'Foreground');
    await world.until('the pod to be deleted', async () => {
      return (await world.get(PODS, 'default', 'fg'))?.metadata.deletionTimestamp !== undefined;
    });
    const set = await world.get(REPLICA_SETS, 'default', 'fg');
    expect(set?.metadata.finalizers).toEqual(['foregroundDeletion']);
    expect((await world.get(DEPLOYMENTS, 'default', 'fg'))?.metadata.finalizers).toEqual(['foregroundDeletion']);
    await world.client.resource(PODS).patch('default', 'fg', 'merge', { metadata: { finalizers: null } } as never);
    await gone(DEPLOYMENTS, 'fg');
    expect(await world.get(REPLICA_SETS, 'default', 'fg')).toBeUndefined();
  });

  test('orphan: the children stay, without an owner', async () => {
    await family('or');
    await remove(DEPLOYMENTS, 'or', 'Orphan');
    await gone(DEPLOYMENTS, 'or');
    expect(await owners(REPLICA_SETS, 'or')).toEqual([]);
    expect(await owners(PODS, 'or')).toEqual(['or']);
  });

  test('one of two owners goes: its reference goes, too', async () => {
    const first = await world.create(CONFIG_MAPS, map('first'));
    const second = await world.create(CONFIG_MAPS, map('second'));
    await world.create(CONFIG_MAPS, map('child', [ref(first), ref(second)]));
    await remove(CONFIG_MAPS, 'first', 'Background');
    await world.until('one owner', async () => (await owners(CONFIG_MAPS, 'child')).join() === 'second');
    await remove(CONFIG_MAPS, 'second', 'Background');
    await gone(CONFIG_MAPS, 'child');
  });

  test('an owner that never was, or has another uid, is no owner', async () => {
    const there = await world.create(CONFIG_MAPS, map('there'));
    await world.create(CONFIG_MAPS, map('stray', [{ ...ref(there), uid: 'c0ffee00-0000-4000-8000-000000000000' }]));
    await world.create(CONFIG_MAPS, map('stray2', [{ ...ref(there), name: 'nobody', uid: 'c0ffee01' }]));
    await gone(CONFIG_MAPS, 'stray');
    await gone(CONFIG_MAPS, 'stray2');
  });

  test('an owner in another namespace is no owner, and that is told', async () => {
    const kind = { apiVersion: 'v1', kind: 'Namespace' };
    const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
    await world.create(namespaces, { ...kind, metadata: { name: 'elsewhere' } });
    const owner = await world.create(CONFIG_MAPS, map('far', [], 'elsewhere'));
    await world.create(CONFIG_MAPS, map('lost', [ref(owner)]));
    await gone(CONFIG_MAPS, 'lost');
    expect(await world.get(CONFIG_MAPS, 'elsewhere', 'far')).toBeDefined();
    await world.until('the event', async () =>
      (await world.list(EVENTS, 'default')).some(
        ({ reason, involvedObject }) => reason === 'OwnerRefInvalidNamespace' && involvedObject.name === 'lost',
      ),
    );
  });

  test('a circle is deleted in the foreground', async () => {
    const maps = world.client.resource(CONFIG_MAPS);
    const a = await world.create(CONFIG_MAPS, map('circle-a'));
    const b = await world.create(CONFIG_MAPS, map('circle-b', [ref(a, { blockOwnerDeletion: true })]));
    const ownerReferences = [ref(b, { blockOwnerDeletion: true })].map((owner) => ({ ...owner }));
    await maps.patch('default', 'circle-a', 'merge', { metadata: { ownerReferences } });
    await remove(CONFIG_MAPS, 'circle-a', 'Foreground');
    await gone(CONFIG_MAPS, 'circle-a');
    await gone(CONFIG_MAPS, 'circle-b');
  });

  test('custom resources own and are owned', async () => {
    const crds = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    const tacos = { group: 'test.keel', version: 'v1', plural: 'tacos' };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    await world.create(crds, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'tacos.test.keel' },
      spec: { group: 'test.keel', scope: 'Namespaced', names: { plural: 'tacos', kind: 'Taco' }, versions },
    });
    const taco = (name: string, owner: OwnerReference[] = []): KubeObject => ({
      apiVersion: 'test.keel/v1',
      kind: 'Taco',
      metadata: { name, namespace: 'default', ownerReferences: owner },
    });
    const top = await world.until('the resource', () => world.create(tacos, taco('top')));
    const below = await world.create(tacos, taco('below', [ref(top)]));
    await world.create(CONFIG_MAPS, map('filling', [ref(below)]));
    await remove(tacos, 'top', 'Background');
    await gone(tacos, 'below');
    await gone(CONFIG_MAPS, 'filling');
  });

  test.skipIf(kubectlBinary === undefined)('kubectl delete deploy, each cascade', async () => {
    const kubectl = world.kubectl();
    for (const name of ['k1', 'k2', 'k3']) await family(name);
    await kubectl.run('delete deploy k1');
    await gone(PODS, 'k1');
    await kubectl.run('delete deploy k2 --cascade=foreground');
    expect(await world.get(PODS, 'default', 'k2')).toBeUndefined();
    await kubectl.run('delete deploy k3 --cascade=orphan');
    expect(await owners(REPLICA_SETS, 'k3')).toEqual([]);
  });
});
