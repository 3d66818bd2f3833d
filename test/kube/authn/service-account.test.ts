import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Authentication } from '../../../src/kube/authn/index.js';
import { makeAuthentication, newTokenKey, TokenKeys } from '../../../src/kube/authn/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { ALICE, FakeCluster, refused } from '../support/fake-cluster.js';

const key = newTokenKey();
let cluster: FakeCluster;
let now: number;
let authentication: Authentication;

beforeEach(async () => {
  now = Date.parse('2026-03-01T12:00:00Z');
  cluster = new FakeCluster();
  cluster.seed(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'till' } },
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 's' } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'p' },
      spec: { serviceAccountName: 'till', nodeName: 'n1' },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'other' },
      spec: { serviceAccountName: 'default' },
    },
  );
  authentication = await make();
});

async function make(pem = key, older: string[] = []) {
  const keys = await TokenKeys.of(pem, older);
  return makeAuthentication({ keys, objects: cluster, now: () => now, tokenFile: 't-bob,bob,7' });
}

function request(spec: Record<string, unknown> = {}, name = 'till'): Promise<KubeObject> {
  const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec };
  return authentication.handlers.get('/serviceaccounts/token')!(object, { user: ALICE, namespace: 'shop', name });
}
async function tokenOf(spec: Record<string, unknown> = {}): Promise<string> {
  return (await request(spec)).status.token;
}
function login(token: string, by = authentication) {
  return by.authenticate({ headers: { authorization: `Bearer ${token}` }, certificate: null });
}
const unauthorized = { code: 401, reason: 'Unauthorized' };
const pod = { kind: 'Pod', apiVersion: 'v1', name: 'p' };

describe('TokenRequest', () => {
  it('answers a token, its time and what was filled in', async () => {
    const answer = await request();
    expect(answer).toMatchObject({
      kind: 'TokenRequest',
      metadata: { name: 'till', namespace: 'shop', creationTimestamp: '2026-03-01T12:00:00Z' },
      spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 3600 },
      status: { expirationTimestamp: '2026-03-01T13:00:00Z' },
    });
    const { token } = answer.status;
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: expect.stringMatching(/^[\w-]{43}$/) });
    expect(decodeJwt(token)).toEqual({
      aud: ['https://kubernetes.default.svc'],
      exp: now / 1000 + 3600,
      iat: now / 1000,
      nbf: now / 1000,
      iss: 'https://kubernetes.default.svc',
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sub: 'system:serviceaccount:shop:till',
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'till', uid: 'uid-serviceaccounts-till' } },
    });
  });

  it('of a pod for its usual time works on for a year, and says when it should have been renewed', async () => {
    const answer = await request({ expirationSeconds: 3607, boundObjectRef: pod });
    expect(answer.status.expirationTimestamp).toBe('2026-03-01T13:00:07Z');
    expect(decodeJwt(answer.status.token)).toMatchObject({
      exp: now / 1000 + 365 * 24 * 3600,
      'kubernetes.io': {
        warnafter: now / 1000 + 3607,
        pod: { name: 'p', uid: 'uid-pods-p' },
        node: { name: 'n1', uid: 'uid-nodes-n1' },
      },
    });
    const elsewhere = decodeJwt(await tokenOf({ expirationSeconds: 3607, boundObjectRef: pod, audiences: ['vault'] }));
    expect(elsewhere.exp).toBe(now / 1000 + 3607);
  });

  it.each([
    [
      { expirationSeconds: 599 },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    [
      { expirationSeconds: 2 ** 33 },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds',
    ],
    [
      { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'c' } },
      400,
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    [{ boundObjectRef: { ...pod, name: 'gone' } }, 404, 'pods "gone" not found'],
    [
      { boundObjectRef: { ...pod, uid: 'u0' } },
      409,
      'Operation cannot be fulfilled on pods "p": the UID in the bound object reference (u0) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      { boundObjectRef: { ...pod, name: 'other' } },
      400,
      'cannot bind token for serviceaccount "till" to pod running with different serviceaccount name.',
    ],
  ])('%j is refused', async (spec, code, message) => {
    expect(await refused(request(spec))).toMatchObject({ code, message });
  });

  it('needs the account', async () => {
    expect(await refused(request({}, 'none'))).toMatchObject({
      code: 404,
      message: 'serviceaccounts "none" not found',
    });
  });
});

describe('a service-account token', () => {
  it('makes the user, with its groups and where it comes from', async () => {
    expect(await login(await tokenOf({ boundObjectRef: pod }))).toEqual({
      username: 'system:serviceaccount:shop:till',
      uid: 'uid-serviceaccounts-till',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[0-9a-f-]{36}$/)],
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['uid-pods-p'],
        'authentication.kubernetes.io/node-name': ['n1'],
        'authentication.kubernetes.io/node-uid': ['uid-nodes-n1'],
      },
    });
  });

  it('ends in time', async () => {
    const token = await tokenOf({ expirationSeconds: 600 });
    now += 599_000;
    expect(await login(token)).toMatchObject({ username: 'system:serviceaccount:shop:till' });
    now += 1000;
    expect(await refused(login(token))).toMatchObject(unauthorized);
  });

  it('is for its audience only', async () => {
    expect(await refused(login(await tokenOf({ audiences: ['vault'] })))).toMatchObject(unauthorized);
    expect(await login(await tokenOf({ audiences: ['vault', 'https://kubernetes.default.svc'] }))).toBeTruthy();
  });

  it('dies with its account, also when another of the same name comes', async () => {
    const token = await tokenOf();
    await login(token);
    cluster.resource('', 'serviceaccounts').remove('shop', 'till');
    now += 2001;
    expect(await refused(login(token))).toMatchObject(unauthorized);
    cluster.seed({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'shop', name: 'till', uid: 'u2' },
    });
    expect(await refused(login(token))).toMatchObject(unauthorized);
  });

  it.each([
    ['pods', pod],
    ['secrets', { kind: 'Secret', apiVersion: 'v1', name: 's' }],
    ['nodes', { kind: 'Node', apiVersion: 'v1', name: 'n1' }],
  ])('dies with what it is bound to: %s', async (plural, boundObjectRef) => {
    const token = await tokenOf({ boundObjectRef });
    expect(await login(token)).toBeTruthy();
    cluster.resource('', plural).remove(plural === 'nodes' ? '' : 'shop', boundObjectRef.name);
    expect(await login(token)).toBeTruthy(); // seen a moment ago
    now += 2001;
    expect(await refused(login(token))).toMatchObject(unauthorized);
  });

  it('lives for a minute more when its pod is being deleted', async () => {
    const token = await tokenOf({ boundObjectRef: pod });
    const object = cluster.resource('', 'pods').find('shop', 'p')!;
    object.metadata.deletionTimestamp = new Date(now).toISOString();
    cluster.resource('', 'pods').put(object);
    now += 60_000;
    expect(await login(token)).toBeTruthy();
    now += 2001;
    expect(await refused(login(token))).toMatchObject(unauthorized);
  });

  it('reads the store once in a while, not at every request', async () => {
    const token = await tokenOf();
    cluster.reads.length = 0;
    for (let i = 0; i < 10; i++) await login(token);
    expect(cluster.reads).toEqual(['serviceaccounts/shop/till']);
  });

  it('is refused when changed or signed by another key; an older key of ours is fine', async () => {
    const token = await tokenOf();
    const [head, body, signature] = token.split('.') as [string, string, string];
    const claims = { ...decodeJwt(token), sub: 'system:serviceaccount:kube-system:admin' };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    expect(await refused(login(forged))).toMatchObject(unauthorized);
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await refused(login(`${unsigned}.${body}.`))).toMatchObject(unauthorized);
    const next = newTokenKey();
    expect(await refused(login(token, await make(next)))).toMatchObject(unauthorized);
    expect(await login(token, await make(next, [key]))).toBeTruthy();
  });

  it('that cannot be checked is no refusal: the error of the store goes on', async () => {
    const token = await tokenOf();
    cluster.get = () => Promise.reject(new Error('store is away'));
    await expect(login(token)).rejects.toThrow('store is away');
  });
});

describe('reviews', () => {
  const review = (spec: Record<string, unknown>) => {
    const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec };
    const handler = authentication.handlers.get('authentication.k8s.io/tokenreviews')!;
    return handler(object, { user: ALICE, namespace: '', name: '' });
  };

  it('tell whose a token is', async () => {
    expect((await review({ token: 't-bob' })).status).toEqual({
      authenticated: true,
      user: { username: 'bob', uid: '7', groups: ['system:authenticated'] },
      audiences: ['https://kubernetes.default.svc'],
    });
    const token = await tokenOf({ audiences: ['vault', 'db'] });
    expect((await review({ token, audiences: ['db', 'x'] })).status).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:shop:till' },
      audiences: ['db'],
    });
  });

  it.each([[{ token: 'nobody' }], [{ token: '' }], [{ token: 'a.b.c', audiences: ['x'] }]])(
    '%j is nobody',
    async (spec) => {
      expect((await review(spec)).status).toEqual({ authenticated: false, error: 'invalid bearer token' });
    },
  );

  it('tell who I am', async () => {
    const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
    const handler = authentication.handlers.get('authentication.k8s.io/selfsubjectreviews')!;
    expect((await handler(object, { user: ALICE, namespace: '', name: '' })).status).toEqual({
      userInfo: { username: 'alice', groups: ['system:authenticated'] },
    });
  });
});
