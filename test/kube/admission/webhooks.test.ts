import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MutatingWebhooks } from '../../../src/kube/admission/mutating-webhooks.js';
import { ValidatingWebhooks } from '../../../src/kube/admission/validating-webhooks.js';
import type { Webhook } from '../../../src/kube/admission/webhook.js';
import { WebhookReviewer } from '../../../src/kube/admission/webhook-review.js';
import { builtinKinds } from '../../../src/kube/kinds/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../../src/kube/rest/admission.js';
import { admissionRequest, FakeCluster, refused } from '../support/fake-cluster.js';
import { patching, WebhookServer } from '../support/webhook-server.js';

let server: WebhookServer;
let cluster: FakeCluster;
let reviewer: WebhookReviewer;

beforeAll(async () => {
  server = await WebhookServer.start(['127.0.0.1', 'hook.infra.svc']);
});
afterAll(() => server.stop());
beforeEach(() => {
  cluster = new FakeCluster();
  cluster.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { env: 'prod' } } });
  server.requests.length = 0;
  server.paths.length = 0;
  server.answer = () => ({ allowed: true });
  reviewer = new WebhookReviewer({
    resolve: async (namespace, name) =>
      namespace === 'infra' && name === 'hook' ? { host: '127.0.0.1', port: server.port } : null,
  });
});
afterEach(() => reviewer.stop());

const rules = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }];

function hook(name: string, more: Partial<Webhook> = {}): Webhook {
  const clientConfig = { url: server.url(`/${name}`), caBundle: server.caBundle };
  return { name, clientConfig, rules, sideEffects: 'None', admissionReviewVersions: ['v1'], ...more };
}
function register(kind: 'Mutating' | 'Validating', name: string, ...webhooks: Webhook[]): void {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  cluster.seed({ apiVersion, kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks });
}
function pod(labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels }, spec: { containers: [{ name: 'c' }] } };
}
const request = (more: Partial<AdmissionRequest> = {}) => admissionRequest({ object: pod(), ...more, kind: 'Pod' });
const validate = (given: AdmissionRequest = request()) =>
  new ValidatingWebhooks(reviewer, cluster, cluster).validate(given);
const mutate = (given: AdmissionRequest, again: AdmissionPlugin[] = []) =>
  new MutatingWebhooks(reviewer, cluster, cluster, again).admit(given);

describe('a call', () => {
  it('carries the review, and the time that is left', async () => {
    register('Validating', 'v', hook('v.example.com', { timeoutSeconds: 7 }));
    const oldObject = pod({ a: 'b' });
    await validate(
      request({
        operation: 'UPDATE',
        oldObject,
        subresource: '',
        options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
      }),
    );
    expect(server.paths).toEqual(['/v.example.com?timeout=7s']);
    expect(server.requests).toEqual([
      {
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        requestKind: { group: '', version: 'v1', kind: 'Pod' },
        requestResource: { group: '', version: 'v1', resource: 'pods' },
        name: 'p',
        namespace: 'default',
        operation: 'UPDATE',
        userInfo: { username: 'alice', groups: ['system:authenticated'] },
        object: pod(),
        oldObject,
        dryRun: false,
        options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
      },
    ]);
  });

  it('goes to an endpoint of a service, whose name the certificate bears', async () => {
    const service = { namespace: 'infra', name: 'hook', path: '/check' };
    register('Validating', 'v', hook('v.example.com', { clientConfig: { service, caBundle: server.caBundle } }));
    await validate();
    expect(server.paths).toEqual(['/check?timeout=10s']);
    const other = { ...service, name: 'other' };
    register('Validating', 'v', hook('v.example.com', { clientConfig: { service: other, caBundle: server.caBundle } }));
    expect((await refused(validate())).message).toBe(
      'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://other.infra.svc:443/check?timeout=10s": no endpoints available for service "other"',
    );
  });

  it('keeps its connection', async () => {
    register('Validating', 'v', hook('v.example.com'));
    const before = server.connections;
    for (let i = 0; i < 5; i++) await validate();
    expect(server.connections - before).toBe(1);
  });

  it('passes warnings on', async () => {
    register('Validating', 'v', hook('v.example.com'));
    server.answer = () => ({ allowed: true, warnings: ['old', 'x'.repeat(300)] });
    const given = request();
    await validate(given);
    expect(given.warnings).toEqual(['old', 'x'.repeat(256)]);
  });
});

describe('a refusal', () => {
  it.each<[string, Record<string, unknown>, number, string, string]>([
    ['with words', { status: { message: 'no sidecar' } }, 403, 'Forbidden', 'denied the request: no sidecar'],
    [
      'with a code',
      { status: { code: 422, message: 'bad', reason: 'Invalid' } },
      422,
      'Invalid',
      'denied the request: bad',
    ],
    ['with a reason', { status: { reason: 'Conflict', code: 409 } }, 409, 'Conflict', 'denied the request: Conflict'],
    ['without a word', {}, 403, 'Forbidden', 'denied the request without explanation'],
    [
      'with the code of a success',
      { status: { code: 200 } },
      403,
      'Forbidden',
      'denied the request without explanation',
    ],
  ])('%s', async (_name, response, code, reason, words) => {
    register('Validating', 'v', hook('envoy.example.com'));
    server.answer = () => ({ allowed: false, ...response });
    expect(await refused(validate())).toMatchObject({
      code,
      reason,
      message: `admission webhook "envoy.example.com" ${words}`,
    });
  });

  it('is that of the first in order, although all are asked', async () => {
    register('Validating', 'b', hook('b1'), hook('b2'));
    register('Validating', 'a', hook('a1'));
    server.answer = (_request, path) => ({ allowed: path.startsWith('/a1'), status: { message: path } });
    expect((await refused(validate())).message).toMatch(/^admission webhook "b1" denied the request: \/b1/);
    expect(server.paths.map((path) => path.slice(0, 3)).sort()).toEqual(['/a1', '/b1', '/b2']);
  });
});

describe('a call that fails', () => {
  const failing = (name: string, more: Partial<Webhook> = {}) => register('Validating', 'v', hook(name, more));
  const prefix = (name: string) =>
    `Internal error occurred: failed calling webhook "${name}": failed to call webhook: Post "${server.url(`/${name}?timeout=10s`)}": `;

  it.each<[string, () => unknown, string]>([
    ['another status', () => 500, 'the server answered 500: no'],
    ['no JSON', () => '{', "Expected property name or '}' in JSON at position 1"],
  ])('%s', async (_name, answer, words) => {
    failing('w');
    server.answer = answer as never;
    const error = await refused(validate());
    expect(error).toMatchObject({ code: 500, reason: 'InternalError' });
    expect(error.message.startsWith(prefix('w') + words)).toBe(true);
  });

  it.each<[string, unknown, string]>([
    [
      '{"kind":"x"}',
      '{"kind":"x","apiVersion":"v1"}',
      'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got v1/, Kind=x',
    ],
    ['no response', '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 'webhook response is missing'],
    ['another uid', { uid: 'x', allowed: true }, 'expected response.uid="'],
    [
      'a patch of no type',
      { allowed: true, patch: 'W10=' },
      'webhook returned response.patch but not response.patchType',
    ],
    [
      'a patch of another type',
      { allowed: true, patch: 'W10=', patchType: 'Merge' },
      'webhook returned invalid response.patchType of "Merge"',
    ],
  ])('%s', async (_name, answer, words) => {
    failing('w');
    server.answer = () => answer as never;
    const start = `Internal error occurred: failed calling webhook "w": received invalid webhook response: ${words}`;
    expect((await refused(validate())).message.slice(0, start.length)).toBe(start);
  });

  it('that takes too long', async () => {
    failing('w', { timeoutSeconds: 1 });
    server.answer = () => 'hang';
    expect((await refused(validate())).message).toBe(`${prefix('w').replace('10s', '1s')}context deadline exceeded`);
  });

  it('to a server of strangers, or to nobody', async () => {
    failing('w', { clientConfig: { url: server.url('/w') } });
    expect((await refused(validate())).message).toMatch(/^Internal error .*: unable to .*certificate/);
    failing('w', { clientConfig: { url: 'https://127.0.0.1:1/w' } });
    expect((await refused(validate())).message).toMatch(/connect ECONNREFUSED 127.0.0.1:1$/);
    failing('w', { clientConfig: { url: server.url('/w').replace('https', 'http') } });
    expect((await refused(validate())).message).toMatch(/is not https$/);
  });

  it('is let be with failurePolicy Ignore; a refusal is not', async () => {
    failing('w', { failurePolicy: 'Ignore' });
    server.answer = () => 500;
    await validate();
    server.answer = () => ({ allowed: false });
    expect((await refused(validate())).code).toBe(403);
  });

  it('for what it asks and is not spoken here', async () => {
    failing('w', { matchConditions: [{ name: 'x', expression: 'true' }] });
    expect((await refused(validate())).message).toBe(
      'Internal error occurred: failed calling webhook "w": matchConditions are not supported',
    );
    failing('w', { admissionReviewVersions: ['v1beta1'] });
    expect((await refused(validate())).code).toBe(500);
  });
});

describe('dry run', () => {
  it.each([
    ['None', true],
    ['NoneOnDryRun', true],
    ['Some', false],
    ['Unknown', false],
  ])('with side effects %s', async (sideEffects, asked) => {
    register('Validating', 'v', hook('w', { sideEffects }));
    if (asked) await validate(request({ dryRun: true }));
    else {
      expect(await refused(validate(request({ dryRun: true })))).toMatchObject({
        code: 400,
        reason: 'BadRequest',
        message: 'admission webhook "w" does not support dry run',
      });
    }
    expect(server.requests.map((review) => review.dryRun)).toEqual(asked ? [true] : []);
  });
});

describe('whom a webhook concerns', () => {
  const rule = (more: object) => ({ rules: [{ ...rules[0]!, ...more }] });

  it.each<[string, Partial<Webhook>, Partial<AdmissionRequest>, boolean]>([
    ['no rules', { rules: [] }, {}, false],
    ['the operation', rule({ operations: ['CREATE', 'DELETE'] }), {}, true],
    ['another operation', rule({ operations: ['UPDATE'] }), {}, false],
    ['the group', rule({ apiGroups: ['', 'apps'] }), {}, true],
    ['another group', rule({ apiGroups: ['apps'] }), {}, false],
    ['another version', rule({ apiVersions: ['v1beta1'] }), {}, false],
    ['the resource', rule({ resources: ['pods'] }), {}, true],
    ['the resource, not its parts', rule({ resources: ['pods', '*'] }), { subresource: 'status' }, false],
    ['a part', rule({ resources: ['pods/status'] }), { subresource: 'status' }, true],
    ['all parts', rule({ resources: ['pods/*'] }), { subresource: 'status' }, true],
    ['a part of anything', rule({ resources: ['*/status'] }), { subresource: 'status' }, true],
    ['everything', rule({ resources: ['*/*'] }), { subresource: 'status' }, true],
    ['scope Namespaced', rule({ scope: 'Namespaced' }), {}, true],
    ['scope Cluster', rule({ scope: 'Cluster' }), {}, false],
    ['labels of the object', { objectSelector: { matchLabels: { a: 'b' } } }, { object: pod({ a: 'b' }) }, true],
    ['labels that it has not', { objectSelector: { matchLabels: { a: 'b' } } }, {}, false],
    [
      'labels that it had',
      { objectSelector: { matchLabels: { a: 'b' } } },
      { operation: 'UPDATE', oldObject: pod({ a: 'b' }) },
      true,
    ],
    ['labels of the namespace', { namespaceSelector: { matchLabels: { env: 'prod' } } }, {}, true],
    [
      'labels that the namespace has not',
      { namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] } },
      {},
      false,
    ],
  ])('%s', async (_name, more, given, asked) => {
    register('Validating', 'v', hook('w', more));
    await validate(request(given));
    expect(server.requests.length).toBe(asked ? 1 : 0);
  });

  it('namespaces by their own labels, and configurations of webhooks never', async () => {
    register('Validating', 'v', hook('w', { namespaceSelector: { matchLabels: { a: 'b' } } }));
    const namespace = (labels: Record<string, string>) =>
      admissionRequest({ kind: 'Namespace', object: { apiVersion: 'v1', kind: 'Namespace', metadata: { labels } } });
    await validate(namespace({ a: 'b' }));
    await validate(namespace({}));
    expect(server.requests).toHaveLength(1);
    register('Validating', 'v', hook('w'));
    register('Mutating', 'm', hook('m'));
    for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']) {
      const object = { apiVersion: 'x/v1', kind, metadata: { name: 'w' } };
      await validate(admissionRequest({ kind, object }));
      await mutate(admissionRequest({ kind, object }));
    }
    expect(server.requests).toHaveLength(1);
  });
});

describe('another version of the same kind', () => {
  const kinds = builtinKinds();
  const scaler = (): AdmissionRequest => {
    const kind = kinds.find('autoscaling', 'v1', 'horizontalpodautoscalers')!;
    const object = {
      apiVersion: 'autoscaling/v1',
      kind: kind.kind,
      metadata: { name: 'h', namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        minReplicas: 1,
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
      },
    };
    return { ...request({ object, name: 'h' }), kind };
  };
  const v2 = { rules: [{ ...rules[0]!, apiGroups: ['autoscaling'], apiVersions: ['v2'] }] };

  it('is what a webhook sees that asks for it, and patches', async () => {
    register('Mutating', 'm', hook('m', v2));
    server.answer = () =>
      patching(
        { op: 'test', path: '/spec/metrics/0/resource/target/averageUtilization', value: 50 },
        { op: 'replace', path: '/spec/metrics/0/resource/target/averageUtilization', value: 70 },
      );
    const given = scaler();
    await new MutatingWebhooks(reviewer, cluster, kinds, []).admit(given);
    expect(server.requests[0]).toMatchObject({
      kind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
      requestKind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' },
      object: { apiVersion: 'autoscaling/v2' },
    });
    expect(given.object).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 70 } });
  });

  it('is none of its business with matchPolicy Exact', async () => {
    register('Validating', 'v', hook('v', { ...v2, matchPolicy: 'Exact' }));
    await new ValidatingWebhooks(reviewer, cluster, kinds).validate(scaler());
    expect(server.requests).toEqual([]);
  });
});

describe('mutating webhooks', () => {
  const addLabel = (name: string) => patching({ op: 'add', path: `/metadata/labels/${name}`, value: 'y' });

  it('change the object in turn, in the order of names', async () => {
    register('Mutating', 'b', hook('b1'));
    register('Mutating', 'a', hook('a1'), hook('a2'));
    server.answer = (_request, path) => addLabel(path.slice(1, 3));
    const given = request();
    await mutate(given);
    expect(server.paths.map((path) => path.slice(1, 3))).toEqual(['a1', 'a2', 'b1']);
    expect(server.requests.map((review) => Object.keys(review.object.metadata.labels))).toEqual([
      [],
      ['a1'],
      ['a1', 'a2'],
    ]);
    expect(given.object!.metadata.labels).toEqual({ a1: 'y', a2: 'y', b1: 'y' });
  });

  it('inject a container, which the plug-ins before them see', async () => {
    register('Mutating', 'm', hook('envoy'));
    server.answer = () => patching({ op: 'add', path: '/spec/containers/-', value: { name: 'envoy' } });
    const given = request();
    const seen: number[] = [];
    await mutate(given, [{ name: 'x', admit: async ({ object }) => void seen.push(object!.spec.containers.length) }]);
    expect(given.object!.spec.containers).toEqual([{ name: 'c' }, { name: 'envoy' }]);
    expect(seen).toEqual([2]);
  });

  it('are asked again if they want it and a later one changed something', async () => {
    register(
      'Mutating',
      'm',
      hook('a', { reinvocationPolicy: 'IfNeeded' }),
      hook('b', { reinvocationPolicy: 'IfNeeded' }),
    );
    server.answer = (_request, path) => (path.startsWith('/b') ? addLabel('b') : { allowed: true });
    await mutate(request());
    expect(server.paths.map((path) => path.slice(1, 2))).toEqual(['a', 'b', 'a']);
    server.paths.length = 0;
    server.answer = () => ({ allowed: true });
    await mutate(request());
    expect(server.paths.map((path) => path.slice(1, 2))).toEqual(['a', 'b']);
  });

  it('with a patch that does not fit are an error', async () => {
    register('Mutating', 'm', hook('a', { failurePolicy: 'Ignore' }));
    server.answer = () => patching({ op: 'replace', path: '/spec/none/x', value: 1 });
    expect(await refused(mutate(request()))).toMatchObject({ code: 500, reason: 'InternalError' });
  });

  it('are read as clients are: what the schema does not name is dropped, what it cannot take is an error', async () => {
    register('Mutating', 'm', hook('a'));
    const object = pod();
    const given = { ...request({ object }), kind: builtinKinds().find('', 'v1', 'pods')! };
    server.answer = () =>
      patching(
        { op: 'add', path: '/spec/colour', value: 'red' },
        { op: 'add', path: '/spec/overhead', value: { memory: '1024Mi' } },
      );
    await mutate(given);
    expect(object.spec).toEqual({ containers: [{ name: 'c' }], overhead: { memory: '1Gi' } });
    server.answer = () => patching({ op: 'add', path: '/spec/hostNetwork', value: 'yes' });
    expect(await refused(mutate(given))).toMatchObject({ code: 500, reason: 'InternalError' });
    expect(object.spec.hostNetwork).toBeUndefined();
  });

  it('refuse as others do', async () => {
    register('Mutating', 'm', hook('a'));
    server.answer = () => ({ allowed: false, status: { message: 'no' } });
    expect((await refused(mutate(request()))).message).toBe('admission webhook "a" denied the request: no');
  });
});
