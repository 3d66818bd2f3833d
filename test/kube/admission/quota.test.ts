import { beforeEach, describe, expect, it } from 'vitest';
import { CachedReader } from '../../../src/kube/admission/cached-reader.js';
import { PendingCharges } from '../../../src/kube/admission/pending-charges.js';
import { QuotaKeeper } from '../../../src/kube/admission/quota-keeper.js';
import { inScope, kindsCountedBy, usageOf } from '../../../src/kube/admission/quota-usage.js';
import { listOf } from '../../../src/kube/admission/resource-amounts.js';
import { ResourceQuotaPlugin } from '../../../src/kube/admission/resource-quota.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { AdmissionRequest } from '../../../src/kube/rest/admission.js';
import { admissionRequest, FakeCluster, refused } from '../support/fake-cluster.js';

let cluster: FakeCluster;
let plugin: ResourceQuotaPlugin;
let pending: PendingCharges;
beforeEach(() => {
  cluster = new FakeCluster();
  pending = new PendingCharges();
  plugin = new ResourceQuotaPlugin({ kinds: cluster, resources: cluster, cached: cluster, live: cluster, pending });
});

const kindOf = (object: KubeObject) => cluster.all().find((kind) => kind.kind === object.kind)!;
function pod(name: string, spec: Record<string, unknown> = {}, phase = 'Pending'): KubeObject {
  const containers = [{ name: 'c' }];
  const metadata = { name, namespace: 'default' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec }, status: { phase } };
}
const asking = (requests: Record<string, string>, limits: Record<string, string> = {}) => ({
  containers: [{ name: 'c', resources: { requests, limits } }],
});
function quota(name: string, hard: Record<string, string>, more: Record<string, unknown> = {}): void {
  const { used, ...spec } = more;
  cluster.seed({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace: 'default' },
    spec: { hard, ...spec },
    ...(used === undefined ? {} : { status: { hard, used } }),
  });
}
const usedOf = (name: string) => cluster.resource('', 'resourcequotas').find('default', name)!.status?.used;
const create = (object: KubeObject, more: Partial<AdmissionRequest> = {}) =>
  admissionRequest({ object, ...more, kind: object.kind });

describe('usage', () => {
  const claim = (className?: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: { resources: { requests: { storage: '3Gi' } }, ...(className && { storageClassName: className }) },
  });
  const service = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec });

  it.each<[string, () => KubeObject, Record<string, string>]>([
    [
      'a pod',
      () => pod('p', asking({ cpu: '500m', memory: '1Gi', 'x.io/gpu': '2' }, { cpu: '1' })),
      {
        'count/pods': '1',
        pods: '1',
        cpu: '500m',
        'requests.cpu': '500m',
        memory: '1Gi',
        'requests.memory': '1Gi',
        'requests.x.io/gpu': '2',
        'limits.cpu': '1',
      },
    ],
    ['a pod that is done', () => pod('p', asking({ cpu: '1' }), 'Succeeded'), { 'count/pods': '1' }],
    ['a service', () => service({ type: 'ClusterIP', ports: [{}] }), { 'count/services': '1', services: '1' }],
    [
      'a service with node ports',
      () => service({ type: 'NodePort', ports: [{}, {}] }),
      { 'count/services': '1', services: '1', 'services.nodeports': '2' },
    ],
    [
      'a balanced service',
      () => service({ type: 'LoadBalancer', ports: [{}] }),
      { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '1' },
    ],
    [
      'a balanced service without node ports of its own',
      () => service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ nodePort: 30001 }, {}] }),
      { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '1' },
    ],
    [
      'a claim',
      () => claim('fast'),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '3Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'fast.storageclass.storage.k8s.io/requests.storage': '3Gi',
      },
    ],
    [
      'a deployment',
      () => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } }),
      { 'count/deployments.apps': '1' },
    ],
  ])('of %s', (_name, object, usage) => {
    expect(listOf(usageOf(kindOf(object()), object()))).toEqual(usage);
  });

  it.each([
    ['count/deployments.apps', 'apps/deployments'],
    ['count/pods', '/pods'],
    ['requests.cpu', '/pods'],
    ['services.nodeports', '/services'],
    ['fast.storageclass.storage.k8s.io/requests.storage', '/persistentvolumeclaims'],
    ['secrets', '/secrets'],
  ])('%s counts %s', (resource, kind) => {
    expect(kindsCountedBy(resource).map(({ group, plural }) => `${group}/${plural}`)).toEqual([kind]);
  });

  const selector = (scopeName: string, operator: string, values?: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values && { values }) }] },
  });
  const apart = (namespaces: string[]) => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces }] } },
  });
  it.each<[object, Record<string, unknown>, boolean]>([
    [{}, {}, true],
    [{ scopes: ['Terminating'] }, { activeDeadlineSeconds: 5 }, true],
    [{ scopes: ['Terminating'] }, {}, false],
    [{ scopes: ['NotTerminating'] }, {}, true],
    [{ scopes: ['BestEffort'] }, {}, true],
    [{ scopes: ['BestEffort'] }, asking({ cpu: '1' }), false],
    [{ scopes: ['NotBestEffort'] }, asking({ cpu: '1' }), true],
    [{ scopes: ['NotBestEffort', 'Terminating'] }, asking({ cpu: '1' }), false],
    [selector('PriorityClass', 'In', ['high']), { priorityClassName: 'high' }, true],
    [selector('PriorityClass', 'In', ['high']), { priorityClassName: 'low' }, false],
    [selector('PriorityClass', 'NotIn', ['high']), { priorityClassName: 'low' }, true],
    [selector('PriorityClass', 'Exists'), { priorityClassName: 'low' }, true],
    [selector('PriorityClass', 'Exists'), {}, false],
    [selector('PriorityClass', 'DoesNotExist'), {}, true],
    [{ scopes: ['CrossNamespacePodAffinity'] }, apart(['other']), true],
    [{ scopes: ['CrossNamespacePodAffinity'] }, apart([]), false],
  ])('scope %j of %j', (spec, of, inside) => {
    const object = pod('p', of);
    const limited = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: {}, spec };
    expect(inScope(limited, kindOf(object), object)).toBe(inside);
  });
});

describe('ResourceQuota', () => {
  it('charges what is made, and refuses what goes over', async () => {
    quota('q', { pods: '2', 'requests.cpu': '1' }, { used: { pods: '1', 'requests.cpu': '400m' } });
    await plugin.validate(create(pod('a', asking({ cpu: '500m' }))));
    expect(usedOf('q')).toEqual({ pods: '2', 'requests.cpu': '900m' });
    const error = await refused(plugin.validate(create(pod('x', asking({ cpu: '500m' })))));
    expect(error).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'pods "x" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=500m, used: pods=2,requests.cpu=900m, limited: pods=2,requests.cpu=1',
    });
    expect(usedOf('q')).toEqual({ pods: '2', 'requests.cpu': '900m' });
  });

  it('names what is over, and no more', async () => {
    quota('q', { pods: '10', memory: '1Gi' }, { used: { pods: '10', memory: '0' } });
    const error = await refused(plugin.validate(create(pod('x', asking({ memory: '1Mi' })))));
    expect(error.message).toBe(
      'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10',
    );
  });

  it('counts for itself where nobody has yet', async () => {
    quota('q', { pods: '2' });
    cluster.seed(pod('a'), pod('b', {}, 'Failed'));
    await plugin.validate(create(pod('c')));
    expect(usedOf('q')).toEqual({ pods: '2' });
    expect((await refused(plugin.validate(create(pod('d'))))).message).toMatch(/exceeded quota: q/);
  });

  it('wants to know what it limits', async () => {
    quota(
      'q',
      { 'limits.cpu': '2', 'requests.memory': '2Gi' },
      { used: { 'limits.cpu': '0', 'requests.memory': '0' } },
    );
    expect((await refused(plugin.validate(create(pod('x'))))).message).toBe(
      'pods "x" is forbidden: failed quota: q: must specify limits.cpu,requests.memory',
    );
    await plugin.validate(create(pod('x', asking({ memory: '1Gi' }, { cpu: '1' }))));
  });

  it('charges the growth of an update, and gives nothing back for what shrinks', async () => {
    quota('q', { 'services.nodeports': '3' }, { used: { 'services.nodeports': '1' } });
    const service = (ports: number): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'default' },
      spec: { type: 'NodePort', ports: Array.from({ length: ports }, () => ({})) },
    });
    const update = (from: number, to: number) =>
      plugin.validate(create(service(to), { operation: 'UPDATE', oldObject: service(from) }));
    await update(1, 3);
    expect(usedOf('q')).toEqual({ 'services.nodeports': '3' });
    expect((await refused(update(3, 4))).message).toMatch(
      /requested: services.nodeports=1, used: services.nodeports=3/,
    );
    await update(3, 1);
    expect(usedOf('q')).toEqual({ 'services.nodeports': '3' });
  });

  it('gives back when the write does not come about', async () => {
    quota('q', { pods: '2' }, { used: { pods: '0' } });
    const request = create(pod('a'));
    await plugin.validate(request);
    expect(usedOf('q')).toEqual({ pods: '1' });
    for (const undo of request.undos) await undo();
    expect(usedOf('q')).toEqual({ pods: '0' });
  });

  it('charges all quotas or none', async () => {
    quota('a', { pods: '5' }, { used: { pods: '0' } });
    quota('b', { 'count/pods': '1' }, { used: { 'count/pods': '1' } });
    expect((await refused(plugin.validate(create(pod('x'))))).message).toMatch(/exceeded quota: b/);
    expect(usedOf('a')).toEqual({ pods: '0' });
  });

  it('charges nothing for a dry run, parts, other namespaces and objects out of scope', async () => {
    quota('q', { pods: '1' }, { used: { pods: '0' }, scopes: ['BestEffort'] });
    await plugin.validate(create(pod('a'), { dryRun: true }));
    await plugin.validate(create(pod('a'), { subresource: 'status', operation: 'UPDATE' }));
    await plugin.validate(create(pod('a'), { namespace: 'other' }));
    await plugin.validate(create(pod('a', asking({ cpu: '1' }))));
    expect(usedOf('q')).toEqual({ pods: '0' });
    await plugin.validate(create(pod('a')));
    expect((await refused(plugin.validate(create(pod('b'), { dryRun: true })))).code).toBe(403);
  });

  it('lets in as many as fit of those that come at once, two servers sharing a quota', async () => {
    quota('q', { pods: '7' }, { used: { pods: '0' } });
    const stale = new FakeCluster();
    stale.seed(...cluster.resource('', 'resourcequotas').all());
    const more = { kinds: cluster, resources: cluster, cached: stale, live: cluster };
    const other = new ResourceQuotaPlugin({ ...more, pending: new PendingCharges() });
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? plugin : other).validate(create(pod(`p${i}`)))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(usedOf('q')).toEqual({ pods: '7' });
  });
});

describe('the keeper of quotas', () => {
  async function settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }
  const timers: (() => void)[] = [];
  const setTimer = (run: () => void, ms: number) => {
    if (ms < 1000) timers.push(run);
    return () => {};
  };

  it('counts what is new, gone or done', async () => {
    quota('q', { pods: '5', secrets: '3', 'count/deployments.apps': '1' });
    cluster.seed(pod('a'), pod('b'), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'default' },
    });
    const cached = new CachedReader(cluster, cluster, cluster);
    const keeper = new QuotaKeeper(cluster, cached, cluster, pending, { name: 'quota', setTimer }).start();
    await settled();
    const status = () => cluster.resource('', 'resourcequotas').find('default', 'q')!.status;
    expect(status()).toEqual({
      hard: { pods: '5', secrets: '3', 'count/deployments.apps': '1' },
      used: { pods: '2', secrets: '0', 'count/deployments.apps': '1' },
    });
    cluster.resource('', 'pods').remove('default', 'a');
    cluster.seed(pod('b', {}, 'Succeeded'));
    for (const run of timers.splice(0)) run();
    await settled();
    expect(status().used.pods).toBe('0');
    quota('q', { pods: '9' });
    await settled();
    expect(status()).toEqual({ hard: { pods: '9' }, used: { pods: '0' } });
    keeper.stop();
  });

  it('does not give back what is charged and on its way', async () => {
    quota('q', { pods: '2' });
    cluster.seed(pod('a'));
    const cached = new CachedReader(cluster, cluster, cluster);
    const keeper = new QuotaKeeper(cluster, cached, cluster, pending, { name: 'quota', setTimer }).start();
    await settled();
    const coming = pod('b');
    coming.metadata.uid = 'uid-pods-b';
    const request = create(coming);
    await plugin.validate(request);
    expect(usedOf('q')).toEqual({ pods: '2' });
    // Something else goes, so the quota is counted while b is not written yet.
    const recounted = async () => {
      for (const run of timers.splice(0)) run();
      await settled();
      return usedOf('q').pods;
    };
    cluster.resource('', 'pods').remove('default', 'a');
    expect(await recounted()).toBe('1');
    cluster.seed(coming);
    cluster.resource('', 'pods').remove('default', 'b');
    expect(await recounted()).toBe('0');
    // And what does not come about counts no more.
    const failing = create({ ...pod('c'), metadata: { name: 'c', namespace: 'default', uid: 'uid-pods-c' } });
    await plugin.validate(failing);
    expect(usedOf('q')).toEqual({ pods: '1' });
    for (const undo of failing.undos) await undo();
    expect(pending.of('default/q', new Set()).size).toBe(0);
    expect(usedOf('q')).toEqual({ pods: '0' });
    keeper.stop();
  });
});
