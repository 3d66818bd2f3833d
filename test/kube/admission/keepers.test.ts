import { beforeEach, describe, expect, it } from 'vitest';
import { CachedReader } from '../../../src/kube/admission/cached-reader.js';
import { NamespaceContent } from '../../../src/kube/admission/namespace-content.js';
import { NamespaceFinalizer } from '../../../src/kube/admission/namespace-finalizer.js';
import { StorageInUse } from '../../../src/kube/admission/storage-in-use.js';
import { RoleAggregation } from '../../../src/kube/authz/aggregation.js';
import { conflict } from '../../../src/kube/machinery/api-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { Keeper } from '../../../src/kube/rest/keeper.js';
import { FakeCluster } from '../support/fake-cluster.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
let cluster: FakeCluster;
let cached: CachedReader;
/** What waits, by its time. */
let timers: { run: () => void; ms: number }[];
let errors: unknown[];

beforeEach(() => {
  timers = [];
  errors = [];
  cluster = new FakeCluster();
  cached = new CachedReader(cluster, cluster, cluster);
});

const options = {
  name: 'keeper',
  onError: (error: unknown) => void errors.push(error),
  now: () => NOW,
  setTimer: (run: () => void, ms: number) => {
    const timer = { run, ms };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
};
/** Until nobody has anything to do at once. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
async function tick(): Promise<number[]> {
  const due = timers.splice(0);
  for (const { run } of due) run();
  await settled();
  return due.map(({ ms }) => ms);
}
const namespace = (name: string, more: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
  ...more,
});
const configMap = (name: string, metadata: KubeObject['metadata'] = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'x', ...metadata },
});

describe('a keeper', () => {
  it('does each key once at a time, and again when it was added meanwhile', async () => {
    const done: string[] = [];
    let wake = () => {};
    const keeper = new Keeper(async (key) => {
      done.push(key);
      if (done.length === 1) await new Promise<void>((resolve) => (wake = resolve));
    }, options);
    for (const key of ['a', 'b', 'a', 'b']) keeper.add(key);
    await settled();
    expect(done).toEqual(['a']);
    keeper.add('a');
    keeper.add('b');
    wake();
    await keeper.whenIdle();
    expect(done).toEqual(['a', 'b', 'a']);
  });

  it('tries again later and later what fails, and as asked what does not', async () => {
    let fails = 3;
    const keeper = new Keeper(async () => {
      if (fails-- > 0) throw new Error('no');
      return 5000;
    }, options);
    keeper.add('a');
    await settled();
    expect(await tick()).toEqual([100]);
    expect(await tick()).toEqual([200]);
    expect(await tick()).toEqual([400]);
    expect(timers.map(({ ms }) => ms)).toEqual([5000]);
    expect(errors).toHaveLength(3);
    keeper.addLater('a', 9000);
    expect(timers.map(({ ms }) => ms)).toEqual([5000]);
    keeper.addLater('a', 10);
    expect(timers.map(({ ms }) => ms)).toEqual([10]);
    keeper.stop();
    expect(timers).toEqual([]);
  });
});

describe('every namespace', () => {
  const accounts = () => cluster.resource('', 'serviceaccounts');
  const configMaps = () => cluster.resource('', 'configmaps');

  it('gets its account and the authority, and gets them back', async () => {
    cluster.seed(namespace('x'));
    const keeper = new NamespaceContent(cached, 'PEM', options).start();
    await settled();
    expect(accounts().find('x', 'default')).toBeTruthy();
    expect(configMaps().find('x', 'kube-root-ca.crt')).toMatchObject({ data: { 'ca.crt': 'PEM' } });
    cluster.seed(namespace('y'));
    await settled();
    expect(accounts().find('y', 'default')).toBeTruthy();
    accounts().remove('x', 'default');
    configMaps().put({ ...configMaps().find('x', 'kube-root-ca.crt')!, data: {} });
    await settled();
    expect(accounts().find('x', 'default')).toBeTruthy();
    expect(configMaps().find('x', 'kube-root-ca.crt')).toMatchObject({ data: { 'ca.crt': 'PEM' } });
    expect(errors).toEqual([]);
    keeper.stop();
    cluster.seed(namespace('z'));
    await settled();
    expect(accounts().find('z', 'default')).toBeUndefined();
  });

  it('gets nothing when it is going', async () => {
    cluster.seed(namespace('x', { metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    new NamespaceContent(cached, 'PEM', options).start();
    await settled();
    expect(accounts().all()).toEqual([]);
  });
});

describe('a namespace that is deleted', () => {
  const namespaces = () => cluster.resource('', 'namespaces');
  const remove = () => namespaces().delete(undefined as never, '', 'x', {});
  const start = () => new NamespaceFinalizer(cluster, cluster, cached.watched('', 'namespaces')!, options).start();

  it('takes its content along, and nothing of others', async () => {
    cluster.seed(namespace('x'), configMap('a'), configMap('b', { namespace: 'other' }), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'x' },
    });
    start();
    await settled();
    expect(namespaces().find('', 'x')).toBeTruthy();
    await remove();
    await settled();
    expect(namespaces().find('', 'x')).toBeUndefined();
    expect(cluster.resource('apps', 'deployments').all()).toEqual([]);
    expect(
      cluster
        .resource('', 'configmaps')
        .all()
        .map(({ metadata }) => metadata.name),
    ).toEqual(['b']);
    expect(namespaces().writes).toEqual(['delete /x', 'update /x finalize']);
    expect(errors).toEqual([]);
  });

  it('stays while something has a finalizer, and says so', async () => {
    cluster.seed(namespace('x'), configMap('a', { finalizers: ['example.com/wait'] }), configMap('b'));
    start();
    await remove();
    await settled();
    const held = namespaces().find('', 'x')!;
    expect(held.status.phase).toBe('Terminating');
    expect(held.status.conditions.slice(2)).toEqual([
      {
        type: 'NamespaceDeletionContentFailure',
        status: 'False',
        lastTransitionTime: '2026-03-01T12:00:00Z',
        reason: 'ContentDeleted',
        message: 'All content successfully deleted, may be waiting on finalization',
      },
      {
        type: 'NamespaceContentRemaining',
        status: 'True',
        lastTransitionTime: '2026-03-01T12:00:00Z',
        reason: 'SomeResourcesRemain',
        message: 'Some resources are remaining: configmaps. has 1 resource instances',
      },
      {
        type: 'NamespaceFinalizersRemaining',
        status: 'True',
        lastTransitionTime: '2026-03-01T12:00:00Z',
        reason: 'SomeFinalizersRemain',
        message: 'Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances',
      },
    ]);
    // The status that it wrote brought it here once more, and then it waits.
    expect(timers.map(({ ms }) => ms)).toEqual([500]);
    const before = namespaces().writes.length;
    await tick();
    expect(namespaces().writes.length).toBe(before);
    cluster.resource('', 'configmaps').remove('x', 'a');
    await tick();
    expect(namespaces().find('', 'x')).toBeUndefined();
  });

  it('stays with finalizers of others, and waits for the grace of pods', async () => {
    cluster.seed(namespace('x', { spec: { finalizers: ['kubernetes', 'example.com/mine'] } }));
    start();
    await remove();
    await settled();
    expect(namespaces().find('', 'x')!.spec.finalizers).toEqual(['example.com/mine']);
    expect(timers).toEqual([]);
    cluster.seed(namespace('y', { metadata: { name: 'y', deletionTimestamp: '2026-01-01T00:00:00Z' } }), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'y', finalizers: ['grace'], deletionGracePeriodSeconds: 10 },
    });
    await settled();
    expect(timers.map(({ ms }) => ms)).toEqual([5000]);
  });

  it('is tried again when the store fails', async () => {
    cluster.seed(namespace('x'), configMap('a'));
    let fails = 2; // the status that tells of the first brings on the second attempt
    cluster.resource('', 'configmaps').beforeWrite = () => {
      if (fails-- > 0) throw new Error('store is away');
    };
    start();
    await remove();
    await settled();
    expect(namespaces().find('', 'x')!.status.conditions[2]).toMatchObject({
      status: 'True',
      reason: 'ContentDeletionFailed',
      message: 'Failed to delete all resource types, 1 remaining: store is away',
    });
    await tick();
    expect(namespaces().find('', 'x')).toBeUndefined();
  });
});

describe('storage in use', () => {
  const claim = (name: string, more: KubeObject['metadata'] = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'x', finalizers: ['kubernetes.io/pvc-protection'], ...more },
  });
  const user: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'x' },
    spec: { nodeName: 'n', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
  };
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  const claims = () => cluster.resource('', 'persistentvolumeclaims');

  it('a claim goes when its last pod does', async () => {
    cluster.seed(claim('c'), claim('free', { deletionTimestamp }), user);
    new StorageInUse(cached, options).start();
    await settled();
    expect(
      claims()
        .all()
        .map(({ metadata }) => metadata.name),
    ).toEqual(['c']);
    await claims().delete(undefined as never, 'x', 'c', {});
    await settled();
    expect(claims().find('x', 'c')).toBeTruthy();
    cluster.resource('', 'pods').remove('x', 'p');
    await settled();
    // A gone pod is told by the claim's next look: its deletion is what the keeper hears of.
    expect(claims().find('x', 'c')).toBeUndefined();
  });

  it('a volume goes when it is bound no more', async () => {
    const volume = (phase: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v', finalizers: ['kubernetes.io/pv-protection', 'other'], deletionTimestamp },
      status: { phase },
    });
    cluster.seed(volume('Bound'));
    new StorageInUse(cached, options).start();
    await settled();
    const volumes = cluster.resource('', 'persistentvolumes');
    expect(volumes.find('', 'v')!.metadata.finalizers).toHaveLength(2);
    cluster.seed(volume('Released'));
    await settled();
    expect(volumes.find('', 'v')!.metadata.finalizers).toEqual(['other']);
  });
});

describe('aggregated roles', () => {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
  const role = (name: string, labels: Record<string, string>, ...resources: string[]): KubeObject => ({
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels },
    rules: resources.map(rule),
  });
  const view = {
    ...role('view', { part: 'edit' }),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'view' } }] },
  };
  const edit = {
    ...role('edit', {}),
    aggregationRule: {
      clusterRoleSelectors: [{ matchExpressions: [{ key: 'part', operator: 'In', values: ['edit'] }] }],
    },
  };
  const roles = () => cluster.resource('rbac.authorization.k8s.io', 'clusterroles');
  const resourcesOf = (name: string) =>
    roles()
      .find('', name)!
      .rules.map((r: any) => r.resources[0]);
  const start = () =>
    new RoleAggregation(cached.watched('rbac.authorization.k8s.io', 'clusterroles')!, options).start();

  it('have the rules of those they gather, also through others, and follow them', async () => {
    cluster.seed(
      view,
      edit,
      role('b', { part: 'view' }, 'pods', 'secrets'),
      role('a', { part: 'view' }, 'nodes', 'pods'),
    );
    cluster.seed(role('c', { part: 'edit' }, 'jobs'));
    start();
    await settled();
    expect(resourcesOf('view')).toEqual(['nodes', 'pods', 'secrets']);
    expect(resourcesOf('edit')).toEqual(['jobs', 'nodes', 'pods', 'secrets']);
    roles().remove('', 'b');
    cluster.seed(role('late', { part: 'view' }, 'leases'));
    await settled();
    expect(resourcesOf('view')).toEqual(['nodes', 'pods', 'leases']);
    expect(resourcesOf('edit')).toEqual(['jobs', 'nodes', 'pods', 'leases']);
  });

  it('lose rules of their own, and are written once', async () => {
    cluster.seed({ ...view, rules: [rule('mine')] }, role('a', { part: 'view' }, 'nodes'));
    start();
    await settled();
    expect(resourcesOf('view')).toEqual(['nodes']);
    expect(roles().writes).toEqual(['update /view']);
  });

  it('are tried again after a conflict', async () => {
    cluster.seed(view, role('a', { part: 'view' }, 'nodes'));
    let once = true;
    roles().beforeWrite = (_verb, name) => {
      if (!once) return;
      once = false;
      throw conflict({ group: 'rbac.authorization.k8s.io', plural: 'clusterroles' }, name);
    };
    start();
    await settled();
    expect(resourcesOf('view')).toEqual([]);
    await tick();
    expect(resourcesOf('view')).toEqual(['nodes']);
  });
});
