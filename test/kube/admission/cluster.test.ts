/** The rooms together, over a real store and the built-in kinds: no HTTP, no fakes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AdmissionChain, CachedReader, plugAdmission, startKeepers } from '../../../src/kube/admission/index.js';
import type { Authentication } from '../../../src/kube/authn/index.js';
import { makeAuthentication, newTokenKey, TokenKeys } from '../../../src/kube/authn/index.js';
import { bootstrapRbac, RbacAuthorizer, RbacEscalation, WatchedRbac } from '../../../src/kube/authz/index.js';
import type { KindRegistry } from '../../../src/kube/kinds/index.js';
import { builtinKinds } from '../../../src/kube/kinds/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { UserInfo } from '../../../src/kube/machinery/request.js';
import { serverContext } from '../../../src/kube/rest/keeper.js';
import { LiveReader } from '../../../src/kube/rest/live-reader.js';
import { openResources } from '../../../src/kube/rest/open-resources.js';
import type { Resource, Resources, WriteContext } from '../../../src/kube/rest/resource.js';
import { refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, startStore, TestRegistry } from '../support/store.js';

describeBackends('admission and access over a store', (backend) => {
  let store: TestStore;
  let t: TestRegistry;
  let kinds: KindRegistry;
  let resources: Resources;
  let rbac: RbacAuthorizer;
  let authentication: Authentication;
  const closing: (() => void)[] = [];
  const failures: unknown[] = [];

  beforeAll(async () => {
    store = await startStore(backend);
    t = new TestRegistry(store.endpoint);
    kinds = builtinKinds();
    const chain = new AdmissionChain();
    resources = openResources({ registry: t.registry, kinds, admission: chain });
    const live = new LiveReader(kinds, resources);
    const cached = new CachedReader(kinds, resources, live);
    const source = new WatchedRbac(kinds, resources);
    rbac = new RbacAuthorizer(source);
    closing.push(plugAdmission(chain, { kinds, resources, cached, live, guards: [new RbacEscalation(rbac)] }));
    closing.push(() => cached.stop());
    closing.push(() => source.stop());
    for (const name of ['default', 'kube-system']) await make('', 'namespaces', '', { name });
    await bootstrapRbac(kinds, resources);
    await source.start().whenSynced(5000);
    const onError = (error: unknown) => void failures.push(error);
    authentication = makeAuthentication({ keys: await TokenKeys.of(newTokenKey()), objects: live });
    closing.push(startKeepers({ kinds, resources, cached, live, ca: 'PEM', tokens: authentication, onError }));
  });
  afterAll(async () => {
    for (const close of closing.reverse()) close();
    await t?.stop();
    await store?.stop();
  });

  const of = (group: string, plural: string): Resource => resources.of(kinds.findResource(group, plural)!);
  async function make(
    group: string,
    plural: string,
    namespace: string,
    metadata: KubeObject['metadata'],
    more: Record<string, unknown> = {},
    context: WriteContext = serverContext('test'),
  ): Promise<KubeObject> {
    const { kind, version } = kinds.findResource(group, plural)!;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return (await of(group, plural).create(context, namespace, { apiVersion, kind, metadata, ...more })).object;
  }
  const pod = (namespace: string, name: string, spec: Record<string, unknown> = {}) =>
    make('', 'pods', namespace, { name }, { spec: { containers: [{ name: 'c', image: 'x' }], ...spec } });
  const as = (username: string): WriteContext => {
    const user: UserInfo = { username, uid: '', groups: ['system:authenticated'], extra: {} };
    return { ...serverContext('test'), user };
  };
  const eventually = <T>(look: () => Promise<T>, until: (found: T) => boolean) =>
    expect.poll(async () => until(await look()), { timeout: 5000, interval: 10 }).toBe(true);

  it('a new namespace is fit for pods at once', async () => {
    await make('', 'namespaces', '', { name: 'fresh' });
    const { spec } = await pod('fresh', 'p');
    expect(spec).toMatchObject({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: [{ key: 'node.kubernetes.io/not-ready' }, { key: 'node.kubernetes.io/unreachable' }],
    });
    expect(spec.containers[0].volumeMounts[0].name).toBe(spec.volumes[0].name);
    const map = await of('', 'configmaps').get('fresh', 'kube-root-ca.crt');
    expect(map.data).toEqual({ 'ca.crt': 'PEM' });
    expect(await refused(pod('nowhere', 'p'))).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  it('a deleted namespace goes with all that is in it', async () => {
    await make('', 'namespaces', '', { name: 'doomed' });
    await pod('doomed', 'p');
    await make('', 'configmaps', 'doomed', { name: 'c', finalizers: ['example.com/wait'] });
    await make(
      '',
      'persistentvolumeclaims',
      'doomed',
      { name: 'v' },
      {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    );
    const result = await of('', 'namespaces').delete(serverContext('test'), '', 'doomed', {});
    expect(result).toMatchObject({ done: false, object: { status: { phase: 'Terminating' } } });
    expect(await refused(make('', 'configmaps', 'doomed', { name: 'd' }))).toMatchObject({
      code: 403,
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    });
    const namespace = () => of('', 'namespaces').get('', 'doomed');
    await eventually(namespace, ({ status }) =>
      status.conditions?.some(
        ({ message }: { message: string }) =>
          message === 'Some resources are remaining: configmaps. has 1 resource instances',
      ),
    );
    const config = await of('', 'configmaps').get('doomed', 'c');
    await of('', 'configmaps').update(
      serverContext('test'),
      'doomed',
      'c',
      { ...config, metadata: { ...config.metadata, finalizers: [] } },
      '',
    );
    await eventually(
      () => refusedOrNull(namespace()),
      (error) => error?.code === 404,
    );
    expect((await of('', 'pods').list({ namespace: 'doomed' })).items).toEqual([]);
  });

  it('a quota holds against many at once, and gets back what was not used or went', async () => {
    await make('', 'namespaces', '', { name: 'tight' });
    await make(
      '',
      'resourcequotas',
      'tight',
      { name: 'q' },
      { spec: { hard: { pods: '5', 'count/configmaps': '50' } } },
    );
    const used = async () => (await of('', 'resourcequotas').get('tight', 'q')).status?.used?.pods;
    await eventually(used, (count) => count === '0');
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => pod('tight', `p${i}`)));
    const made = results.filter(({ status }) => status === 'fulfilled').length;
    const refusals = results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as Error).message] : []));
    expect(made).toBe(5);
    for (const message of refusals) {
      expect(message).toMatch(
        /^pods "p\d+" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5$/,
      );
    }
    expect(await used()).toBe('5');
    const { items } = await of('', 'pods').list({ namespace: 'tight' });
    const [first, second] = items.map(({ metadata }) => metadata.name!);
    await of('', 'pods').delete(serverContext('test'), 'tight', first!, {});
    await eventually(used, (count) => count === '4');
    // It fits, but the name is taken.
    expect((await refused(pod('tight', second!))).reason).toBe('AlreadyExists');
    expect(await used()).toBe('4');
  });

  it('limits of a namespace fill in and refuse', async () => {
    await make('', 'namespaces', '', { name: 'limited' });
    await make(
      '',
      'limitranges',
      'limited',
      { name: 'l' },
      {
        spec: { limits: [{ type: 'Container', default: { cpu: '500m' }, max: { cpu: '1' } }] },
      },
    );
    await eventually(
      async () => {
        const made = await make(
          '',
          'pods',
          'limited',
          { generateName: 'p-' },
          {
            spec: { containers: [{ name: 'c', image: 'x' }] },
          },
        );
        return made.spec.containers[0].resources;
      },
      (resources) => resources.limits?.cpu === '500m' && resources.requests?.cpu === '500m',
    );
    const containers = [{ name: 'c', image: 'x', resources: { limits: { cpu: '2' } } }];
    expect((await refused(pod('limited', 'big', { containers }))).message).toBe(
      'pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    );
  });

  it('a Secret for a token is filled, is good as long as it is there, and goes with its account', async () => {
    const secret = (name: string, account: string) => {
      const annotations = { 'kubernetes.io/service-account.name': account };
      return make('', 'secrets', 'default', { name, annotations }, { type: 'kubernetes.io/service-account-token' });
    };
    await make('', 'serviceaccounts', 'default', { name: 'robot' });
    await secret('one', 'robot');
    await secret('two', 'robot');
    await secret('lost', 'nobody');
    const get = (name: string) => of('', 'secrets').get('default', name);
    await eventually(
      () => get('two'),
      ({ data }) => data?.token !== undefined,
    );
    const { data, metadata } = await get('one');
    const text = (member: string) => Buffer.from(data[member], 'base64').toString();
    expect([text('ca.crt'), text('namespace')]).toEqual(['PEM', 'default']);
    const { uid } = (await of('', 'serviceaccounts').get('default', 'robot')).metadata;
    expect(metadata.annotations!['kubernetes.io/service-account.uid']).toBe(uid);
    const login = (token: string) =>
      authentication.authenticate({ headers: { authorization: `Bearer ${token}` }, certificate: null });
    expect(await login(text('token'))).toMatchObject({ username: 'system:serviceaccount:default:robot', uid });
    await eventually(
      () => refusedOrNull(get('lost')),
      (error) => error?.code === 404,
    );
    await of('', 'serviceaccounts').delete(serverContext('test'), 'default', 'robot', {});
    await eventually(
      () => refusedOrNull(get('one')),
      (error) => error?.code === 404,
    );
    await eventually(
      () => refusedOrNull(get('two')),
      (error) => error?.code === 404,
    );
  });

  it('a claim goes when its pod does', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await make('', 'persistentvolumeclaims', 'default', { name: 'data' }, { spec });
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    await pod('default', 'user', { volumes, nodeName: 'n1', terminationGracePeriodSeconds: 0 });
    const deleted = await of('', 'persistentvolumeclaims').delete(serverContext('test'), 'default', 'data', {});
    expect(deleted).toMatchObject({
      done: false,
      object: { metadata: { finalizers: ['kubernetes.io/pvc-protection'] } },
    });
    await of('', 'pods').delete(serverContext('test'), 'default', 'user', { gracePeriodSeconds: 0 });
    const claim = () => of('', 'persistentvolumeclaims').get('default', 'data');
    await eventually(
      () => refusedOrNull(claim()),
      (error) => error?.code === 404,
    );
  });

  it('admin, edit and view have what they gather, and bindings to them count', async () => {
    const group = 'rbac.authorization.k8s.io';
    const rules = async (name: string) => (await of(group, 'clusterroles').get('', name)).rules ?? [];
    await eventually(
      () => rules('admin'),
      (list) => list.length > 20,
    );
    expect((await rules('view')).some((rule: any) => rule.resources?.includes('secrets'))).toBe(false);
    await make(
      group,
      'rolebindings',
      'default',
      { name: 'bob' },
      {
        roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'edit' },
        subjects: [{ apiGroup: group, kind: 'User', name: 'bob' }],
      },
    );
    const may = async (verb: string, resource: string, namespace: string) => {
      const attributes = { user: as('bob').user, verb, isResource: true, group: '', version: 'v1', resource };
      return (await rbac.authorize({ ...attributes, subresource: '', namespace, name: '', path: '' })).allowed;
    };
    await eventually(
      () => may('create', 'secrets', 'default'),
      (allowed) => allowed,
    );
    expect(await may('create', 'secrets', 'fresh')).toBe(false);
    expect(await may('list', 'nodes', 'default')).toBe(false);
    const rule = { apiGroups: [''], resources: ['nodes'], verbs: ['get'] };
    const role = make(group, 'roles', 'default', { name: 'r' }, { rules: [rule] }, as('bob'));
    expect(await refused(role)).toMatchObject({
      code: 403,
      message:
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}',
    });
    await make(group, 'roles', 'default', { name: 'r' }, { rules: [{ ...rule, resources: ['pods'] }] }, as('bob'));
    expect(await bootstrapRbac(kinds, resources)).toBe(0);
    await make(
      group,
      'clusterroles',
      '',
      {
        name: 'more-view',
        labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
      },
      { rules: [{ apiGroups: ['x.io'], resources: ['ys'], verbs: ['get'] }] },
    );
    await eventually(
      () => rules('admin'),
      (list) => list.some((r: any) => r.resources?.includes('ys')),
    );
  });

  it('and no keeper failed on the way', () => {
    expect(failures).toEqual([]);
  });
});

async function refusedOrNull(promise: Promise<unknown>) {
  return promise.then(
    () => null,
    (error: { code?: number }) => error,
  );
}
