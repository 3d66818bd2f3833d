import { beforeEach, describe, expect, it } from 'vitest';
import { impersonate } from '../../../src/kube/authn/index.js';
import { bootstrapRbac } from '../../../src/kube/authz/bootstrap.js';
import { RbacEscalation } from '../../../src/kube/authz/escalation.js';
import { authorizationReviews, forbiddenFor, RbacAuthorizer, WatchedRbac } from '../../../src/kube/authz/index.js';
import type { PolicyRule } from '../../../src/kube/authz/rule.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { Attributes, UserInfo } from '../../../src/kube/machinery/request.js';
import { ALICE, admissionRequest, FakeCluster, refused } from '../support/fake-cluster.js';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const user = (username: string, ...groups: string[]): UserInfo => ({ username, uid: '', groups, extra: {} });
const bob = user('bob', 'dev', 'system:authenticated');

let cluster: FakeCluster;
let source: WatchedRbac;
let rbac: RbacAuthorizer;

beforeEach(() => {
  cluster = new FakeCluster();
});

async function open(): Promise<void> {
  source = new WatchedRbac(cluster, cluster).start();
  rbac = new RbacAuthorizer(source);
  await source.whenSynced(1000);
}

function role(name: string, rules: PolicyRule[], namespace?: string): Partial<KubeObject> {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) }, rules };
}
function bind(name: string, ref: string, who: string[], namespace?: string): Partial<KubeObject> {
  const [kind, roleName] = ref.split('/');
  const subjects = who.map((text) => {
    const [type = '', called = ''] = text.split(' ');
    if (type !== 'ServiceAccount') return { kind: type, name: called };
    const [space, account] = called.split('/');
    return { kind: type, name: account, namespace: space };
  });
  return {
    apiVersion,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { kind, name: roleName, apiGroup: 'rbac.authorization.k8s.io' },
    subjects,
  };
}
/** `get pods/log x in default` or `list deployments.apps in default`; `get /metrics` is a path. */
function asked(text: string, who: UserInfo = bob): Attributes {
  const [, verb = '', what = '', name = '', namespace = ''] = /^(\S+) (\S+)(?: (?!in )(\S+))?(?: in (\S+))?$/.exec(
    text,
  )!;
  const path = what.startsWith('/');
  const [full = '', subresource = ''] = path ? [] : what.split('/');
  const [resource = '', ...group] = full.split('.');
  return {
    user: who,
    verb,
    isResource: !path,
    group: group.join('.'),
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    path: path ? what : '',
  };
}
const may = (text: string, who?: UserInfo) => rbac.authorize(asked(text, who));

describe('rules', () => {
  const rule = (more: Partial<PolicyRule>): PolicyRule => ({
    verbs: ['get'],
    apiGroups: [''],
    resources: ['pods'],
    ...more,
  });

  it.each<[string, Partial<PolicyRule>, string, boolean]>([
    ['the verb', {}, 'get pods in a', true],
    ['another verb', {}, 'list pods in a', false],
    ['all verbs', { verbs: ['*'] }, 'deletecollection pods in a', true],
    ['another group', {}, 'get pods.metrics.k8s.io in a', false],
    ['all groups', { apiGroups: ['*'] }, 'get pods.metrics.k8s.io in a', true],
    ['no subresource', {}, 'get pods/log p in a', false],
    ['the subresource', { resources: ['pods/log'] }, 'get pods/log p in a', true],
    ['a subresource is not its parent', { resources: ['pods/log'] }, 'get pods p in a', false],
    ['everything', { resources: ['*'] }, 'get pods/log p in a', true],
    ['a subresource of anything', { resources: ['*/scale'], apiGroups: ['*'] }, 'get deployments.apps/scale d', true],
    ['subresources of one are no pattern', { resources: ['pods/*'] }, 'get pods/log p in a', false],
    ['a name', { resourceNames: ['p', 'q'] }, 'get pods q in a', true],
    ['another name', { resourceNames: ['p'] }, 'get pods q in a', false],
    ['names and a request without one', { resourceNames: ['p'], verbs: ['create'] }, 'create pods in a', false],
    ['a rule of resources and a path', { verbs: ['*'], resources: ['*'], apiGroups: ['*'] }, 'get /metrics', false],
    ['a path', { nonResourceURLs: ['/metrics'], resources: [] }, 'get /metrics', true],
    ['a path below', { nonResourceURLs: ['/healthz/*'], resources: [] }, 'get /healthz/etcd', true],
    ['a pattern with a slash is not the path without', { nonResourceURLs: ['/healthz/*'] }, 'get /healthz', false],
    ['all paths', { nonResourceURLs: ['*'] }, 'get /x/y', true],
  ])('%s', async (_name, more, text, allowed) => {
    cluster.seed(role('r', [rule(more)]), bind('b', 'ClusterRole/r', ['User bob']));
    await open();
    expect((await may(text)).allowed).toBe(allowed);
  });
});

describe('bindings', () => {
  const pods: PolicyRule[] = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];

  it.each<[string, Partial<KubeObject>, UserInfo, string, string | null]>([
    [
      'of the cluster',
      bind('b', 'ClusterRole/cr', ['User bob']),
      bob,
      'get pods in x',
      'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "cr" to User "bob"',
    ],
    [
      'of a namespace to a role',
      bind('b', 'Role/r', ['User bob'], 'default'),
      bob,
      'get pods in default',
      'RBAC: allowed by RoleBinding "b/default" of Role "r" to User "bob"',
    ],
    ['of another namespace', bind('b', 'Role/r', ['User bob'], 'default'), bob, 'get pods in x', null],
    [
      'of a namespace to a cluster role, by a group',
      bind('b', 'ClusterRole/cr', ['Group dev'], 'x'),
      bob,
      'get pods in x',
      'RBAC: allowed by RoleBinding "b/x" of ClusterRole "cr" to Group "dev"',
    ],
    ['of a namespace, asked for all of them', bind('b', 'ClusterRole/cr', ['Group dev'], 'x'), bob, 'get pods', null],
    [
      'to a service account',
      bind('b', 'ClusterRole/cr', ['ServiceAccount shop/till'], 'x'),
      user('system:serviceaccount:shop:till'),
      'get pods in x',
      'RBAC: allowed by RoleBinding "b/x" of ClusterRole "cr" to ServiceAccount "till/shop"',
    ],
    ['to a user with the name of a group', bind('b', 'ClusterRole/cr', ['User dev']), bob, 'get pods in x', null],
  ])('%s', async (_name, binding, who, text, reason) => {
    cluster.seed(role('cr', pods), role('r', pods, 'default'), binding);
    await open();
    expect(await may(text, who)).toEqual({ allowed: reason !== null, reason: reason ?? '' });
  });

  it('to a role that is not there say so', async () => {
    cluster.seed(bind('b', 'ClusterRole/gone', ['User bob']));
    await open();
    const decision = await may('get pods in default');
    expect(decision).toEqual({
      allowed: false,
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
    });
  });

  it('and roles count as soon as they change', async () => {
    await open();
    expect((await may('get pods in a')).allowed).toBe(false);
    cluster.seed(role('cr', pods), bind('b', 'ClusterRole/cr', ['User bob']));
    expect((await may('get pods in a')).allowed).toBe(true);
    cluster.seed(role('cr', []));
    expect((await may('get pods in a')).allowed).toBe(false);
    cluster.seed(role('cr', pods));
    cluster.resource('rbac.authorization.k8s.io', 'clusterrolebindings').remove('', 'b');
    expect((await may('get pods in a')).allowed).toBe(false);
  });
});

describe('before the roles are known', () => {
  it('nobody is told no: 503; masters need no roles', async () => {
    cluster.resource('rbac.authorization.k8s.io', 'rolebindings').holdWatch = true;
    source = new WatchedRbac(cluster, cluster).start();
    rbac = new RbacAuthorizer(source);
    await Promise.resolve();
    expect(source.synced).toBe(false);
    expect(await refused(may('get pods in a'))).toMatchObject({ code: 503, reason: 'ServiceUnavailable' });
    expect(await may('get pods in a', user('root', 'system:masters'))).toEqual({ allowed: true, reason: '' });
    cluster.resource('rbac.authorization.k8s.io', 'rolebindings').release();
    expect(await source.whenSynced(100)).toBe(true);
    expect((await may('get pods in a')).allowed).toBe(false);
  });

  it('what was known is kept while a watch is down, and what went meanwhile is noticed', async () => {
    const timers: (() => void)[] = [];
    cluster.seed(role('cr', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]));
    cluster.seed(bind('b', 'ClusterRole/cr', ['User bob']));
    const setTimer = (run: () => void) => {
      timers.push(run);
      return () => {};
    };
    source = new WatchedRbac(cluster, cluster, { setTimer }).start();
    rbac = new RbacAuthorizer(source);
    await Promise.resolve();
    const bindings = cluster.resource('rbac.authorization.k8s.io', 'clusterrolebindings');
    bindings.watchError = new Error('away');
    bindings.cutWatches();
    bindings.remove('', 'b');
    expect((await may('get pods in a')).allowed).toBe(true);
    bindings.watchError = null;
    for (const run of timers.splice(0)) run();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await may('get pods in a')).allowed).toBe(false);
  });
});

describe('the words of a refusal', () => {
  it.each([
    [
      'get pods x in default',
      'pods "x" is forbidden: User "bob" cannot get resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'list pods in d',
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "d"',
    ],
    [
      'list deployments.apps',
      'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps" at the cluster scope',
    ],
    [
      'get pods/log x in d',
      'pods "x" is forbidden: User "bob" cannot get resource "pods/log" in API group "" in the namespace "d"',
    ],
    ['get /metrics', 'forbidden: User "bob" cannot get path "/metrics"'],
  ])('%s', (text, message) => {
    expect(forbiddenFor(asked(text), '')).toMatchObject({ code: 403, reason: 'Forbidden', message });
  });

  it('tell the reason, too', () => {
    expect(forbiddenFor(asked('get nodes'), 'RBAC: x').message).toMatch(/at the cluster scope: RBAC: x$/);
    expect(forbiddenFor(asked('list deployments.apps'), '').details).toEqual({ group: 'apps', kind: 'deployments' });
  });
});

describe('impersonation', () => {
  const act = (headers: Record<string, string | string[]>) => impersonate(bob, headers, rbac);
  const allow = (resource: string, apiGroup = '', names: string[] = []) =>
    cluster.seed(
      role('imp', [{ verbs: ['impersonate'], apiGroups: [apiGroup], resources: [resource], resourceNames: names }]),
      bind('b', 'ClusterRole/imp', ['User bob']),
    );

  it('is nothing without headers', async () => {
    await open();
    expect(await act({})).toBe(bob);
  });

  it('makes another user, with the groups that were given', async () => {
    allow('*', '*');
    await open();
    expect(await act({ 'impersonate-user': 'eve' })).toEqual(user('eve', 'system:authenticated'));
    const headers = {
      'impersonate-user': ['eve'],
      'impersonate-group': ['a', 'b'],
      'impersonate-uid': ['7'],
      'impersonate-extra-acme%2fscope': ['x'],
    };
    expect(await act(headers)).toEqual({
      username: 'eve',
      uid: '7',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { 'acme/scope': ['x'] },
    });
    expect(await act({ 'impersonate-user': 'system:anonymous' })).toEqual(
      user('system:anonymous', 'system:unauthenticated'),
    );
    expect((await act({ 'impersonate-user': 'system:serviceaccount:shop:till' })).groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:shop',
      'system:authenticated',
    ]);
  });

  it.each<[string, Record<string, string | string[]>, string]>([
    [
      'a user',
      { 'impersonate-user': 'eve' },
      'users "eve" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    [
      'an account',
      { 'impersonate-user': 'system:serviceaccount:shop:till' },
      'serviceaccounts "till" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
    ],
  ])('of %s has to be allowed', async (_name, headers, message) => {
    await open();
    expect(await refused(act(headers))).toMatchObject({ code: 403, message });
  });

  it('of each group, uid and extra has to be allowed, too', async () => {
    allow('users', '', ['eve']);
    await open();
    const eve = { 'impersonate-user': 'eve' };
    expect(await act(eve)).toMatchObject({ username: 'eve' });
    expect((await refused(act({ 'impersonate-user': 'mallory' }))).code).toBe(403);
    expect((await refused(act({ ...eve, 'impersonate-group': ['system:masters'] }))).message).toBe(
      'groups "system:masters" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" at the cluster scope',
    );
    expect((await refused(act({ ...eve, 'impersonate-uid': '7' }))).message).toMatch(
      /cannot impersonate resource "uids" in API group "authentication.k8s.io"/,
    );
    expect((await refused(act({ ...eve, 'impersonate-extra-k': 'v' }))).message).toMatch(
      /cannot impersonate resource "userextras\/k" in API group "authentication.k8s.io"/,
    );
  });

  it('of groups alone is an error', async () => {
    await open();
    expect(await refused(act({ 'impersonate-group': 'a' }))).toMatchObject({
      code: 500,
      message: 'Internal error occurred: requested [a] without impersonating a user',
    });
  });
});

describe('what nobody hands out', () => {
  const secrets: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] };
  const pods: PolicyRule = { verbs: ['*'], apiGroups: [''], resources: ['pods', 'pods/log'] };
  const write = (object: Partial<KubeObject>, old?: Partial<KubeObject>, who: UserInfo = bob) =>
    new RbacEscalation(rbac).validate(
      admissionRequest({
        kind: object.kind!,
        operation: old === undefined ? 'CREATE' : 'UPDATE',
        namespace: object.metadata!.namespace ?? '',
        object: object as KubeObject,
        oldObject: (old ?? null) as KubeObject | null,
        user: who,
      }),
    );
  const MISSING =
    'user "bob" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}';

  beforeEach(async () => {
    cluster.seed(
      role('pods', [pods]),
      role('secrets', [secrets]),
      bind('b', 'ClusterRole/pods', ['User bob'], 'default'),
    );
    await open();
  });

  it('a role of more than they hold', async () => {
    await write(role('r', [{ ...pods, verbs: ['get'] }], 'default'));
    expect(await refused(write(role('r', [pods, secrets], 'default')))).toMatchObject({
      code: 403,
      message: `roles.rbac.authorization.k8s.io "r" is forbidden: ${MISSING}`,
    });
    expect((await refused(write(role('r', [pods], 'other')))).code).toBe(403);
    expect((await refused(write(role('r', [{ verbs: ['get'], nonResourceURLs: ['/x'] }])))).message).toMatch(
      /\n\{NonResourceURLs:\["\/x"\], Verbs:\["get"\]\}$/,
    );
    const named = { ...secrets, verbs: ['get'], resourceNames: ['a'] };
    expect((await refused(write(role('r', [named], 'default')))).message).toMatch(
      /\n\{APIGroups:\[""\], Resources:\["secrets"\], ResourceNames:\["a"\], Verbs:\["get"\]\}$/,
    );
  });

  it('but labels of such a role they may change, and masters everything', async () => {
    const big = role('r', [secrets], 'default');
    await write({ ...big, metadata: { ...big.metadata, labels: { a: 'b' } } }, big);
    await write(big, undefined, user('root', 'system:masters'));
  });

  it('unless they may escalate that role', async () => {
    cluster.seed(
      role('esc', [{ verbs: ['escalate'], apiGroups: ['*'], resources: ['roles'], resourceNames: ['r'] }]),
      bind('e', 'ClusterRole/esc', ['User bob']),
    );
    await write(role('r', [secrets], 'default'));
    expect((await refused(write(role('s', [secrets], 'default')))).code).toBe(403);
  });

  it('a binding to a role of more than they hold', async () => {
    await write(bind('x', 'ClusterRole/pods', ['User eve'], 'default'));
    expect(await refused(write(bind('x', 'ClusterRole/secrets', ['User bob'], 'default')))).toMatchObject({
      code: 403,
      message: `rolebindings.rbac.authorization.k8s.io "x" is forbidden: ${MISSING}`,
    });
    expect((await refused(write(bind('x', 'ClusterRole/pods', ['User eve'])))).code).toBe(403);
    expect(await refused(write(bind('x', 'ClusterRole/gone', ['User eve'], 'default')))).toMatchObject({
      code: 404,
      message: 'clusterroles.rbac.authorization.k8s.io "gone" not found',
    });
  });

  it('unless they may bind to it', async () => {
    cluster.seed(
      role('binder', [{ verbs: ['bind'], apiGroups: ['*'], resources: ['clusterroles'], resourceNames: ['secrets'] }]),
      bind('e', 'ClusterRole/binder', ['User bob']),
    );
    await write(bind('x', 'ClusterRole/secrets', ['User eve'], 'default'));
  });

  it('an aggregation, which gathers what is yet to come', async () => {
    const gathering = { ...role('g', []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } };
    expect((await refused(write(gathering))).message).toBe(
      'clusterroles.rbac.authorization.k8s.io "g" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    );
    cluster.seed(
      role('all', [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ]),
      bind('all', 'ClusterRole/all', ['User bob']),
    );
    await write(gathering);
  });
});

describe('reviews', () => {
  const review = (kind: string, spec: unknown, who = bob, namespace = '') => {
    const object = { apiVersion: 'authorization.k8s.io/v1', kind, metadata: {}, spec } as KubeObject;
    const handler = authorizationReviews(rbac).get(`authorization.k8s.io/${kind.toLowerCase()}s`)!;
    return handler(object, { user: who, namespace, name: '' });
  };
  const pods = { verb: 'get', resource: 'pods', namespace: 'default' };

  beforeEach(async () => {
    cluster.seed(
      role('r1', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] }], 'default'),
      role('paths', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
      bind('rb1', 'Role/r1', ['User bob'], 'default'),
      bind('cb', 'ClusterRole/paths', ['Group dev']),
    );
    await open();
  });

  it('of somebody', async () => {
    const spec = { user: 'bob', resourceAttributes: { ...pods, name: 'p' } };
    expect((await review('SubjectAccessReview', spec, ALICE)).status).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "rb1/default" of Role "r1" to User "bob"',
    });
    expect((await review('SubjectAccessReview', { ...spec, user: 'eve' }, ALICE)).status).toEqual({ allowed: false });
    const paths = { groups: ['dev'], nonResourceAttributes: { path: '/metrics', verb: 'get' } };
    expect((await review('SubjectAccessReview', paths)).status).toMatchObject({ allowed: true });
  });

  it('of oneself, and of one namespace', async () => {
    const spec = { resourceAttributes: { ...pods, name: 'p' } };
    expect((await review('SelfSubjectAccessReview', spec)).status).toMatchObject({ allowed: true });
    expect((await review('SelfSubjectAccessReview', spec, ALICE)).status).toEqual({ allowed: false });
    const local = { ...spec, user: 'bob' };
    expect((await review('LocalSubjectAccessReview', local, ALICE, 'default')).status.allowed).toBe(true);
    expect(await refused(review('LocalSubjectAccessReview', local, ALICE, 'x'))).toMatchObject({
      code: 400,
      message: 'spec.resourceAttributes.namespace must match namespace: default != x',
    });
  });

  it('of all rules', async () => {
    expect((await review('SelfSubjectRulesReview', { namespace: 'default' })).status).toEqual({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
      incomplete: false,
    });
    expect(await refused(review('SelfSubjectRulesReview', {}))).toMatchObject({
      code: 400,
      message: 'no namespace on request',
    });
  });

  it.each([
    [
      'SubjectAccessReview',
      { user: 'bob' },
      'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
    [
      'SubjectAccessReview',
      { resourceAttributes: pods },
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ],
    [
      'SelfSubjectAccessReview',
      {},
      'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
  ])('%s %j is refused', async (kind, spec, message) => {
    expect(await refused(review(kind, spec))).toMatchObject({
      code: 422,
      message: `${kind}.authorization.k8s.io "" is invalid: ${message}`,
    });
  });
});

describe('the default roles', () => {
  it('are made once, and do what they are for', async () => {
    const written = await bootstrapRbac(cluster, cluster);
    expect(written).toBeGreaterThan(90);
    expect(await bootstrapRbac(cluster, cluster)).toBe(0);
    await open();
    const anybody = user('eve', 'system:authenticated');
    expect((await may('get /api/v1', anybody)).allowed).toBe(true);
    expect((await may('get /openapi/v3', anybody)).allowed).toBe(true);
    expect((await may('create selfsubjectaccessreviews.authorization.k8s.io', anybody)).allowed).toBe(true);
    expect((await may('get pods in default', anybody)).allowed).toBe(false);
    const nobody = user('system:anonymous', 'system:unauthenticated');
    expect((await may('get /version', nobody)).allowed).toBe(true);
    expect((await may('get /api/v1', nobody)).allowed).toBe(false);
    expect((await may('list pods', user('system:serviceaccount:kube-system:job-controller'))).allowed).toBe(true);
    const admin = cluster.resource('rbac.authorization.k8s.io', 'clusterroles').find('', 'cluster-admin')!;
    expect(admin).toMatchObject({
      metadata: {
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
        annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      },
      rules: [
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
        { nonResourceURLs: ['*'], verbs: ['*'] },
      ],
    });
  });

  it('get back what was taken from them, keep what was added, and are left alone if they say so', async () => {
    await bootstrapRbac(cluster, cluster);
    const roles = cluster.resource('rbac.authorization.k8s.io', 'clusterroles');
    const bindings = cluster.resource('rbac.authorization.k8s.io', 'clusterrolebindings');
    const extra = { verbs: ['get'], apiGroups: ['x'], resources: ['ys'] };
    roles.put({ ...roles.find('', 'system:basic-user')!, rules: [extra] });
    const view = roles.find('', 'view')!;
    roles.put({ ...view, metadata: { ...view.metadata, labels: {} } });
    const frozen = roles.find('', 'system:discovery')!;
    frozen.metadata.annotations!['rbac.authorization.kubernetes.io/autoupdate'] = 'false';
    roles.put({ ...frozen, rules: [] });
    const basic = bindings.find('', 'system:basic-user')!;
    bindings.put({ ...basic, subjects: [{ kind: 'User', name: 'bob' }] });
    const changed = bindings.find('', 'system:monitoring')!;
    bindings.put({ ...changed, roleRef: { ...changed.roleRef, name: 'cluster-admin' } });
    expect(await bootstrapRbac(cluster, cluster)).toBe(4);
    expect(roles.find('', 'system:basic-user')!.rules).toHaveLength(3);
    expect(roles.find('', 'system:basic-user')!.rules[0]).toEqual(extra);
    expect(roles.find('', 'view')!.metadata.labels).toEqual({
      'kubernetes.io/bootstrapping': 'rbac-defaults',
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
    });
    expect(roles.find('', 'system:discovery')!.rules).toEqual([]);
    expect(bindings.find('', 'system:basic-user')!.subjects).toHaveLength(2);
    expect(bindings.find('', 'system:monitoring')!.roleRef.name).toBe('system:monitoring');
  });
});
