import type { KubernetesObject, V1CustomResourceDefinition, V1Pod } from '@kubernetes/client-node';
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  VersionApi,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Plane } from '../support/plane.js';
import { until } from '../support/server.js';
import { configOf } from './config.js';

let plane: Plane;
let core: CoreV1Api;
let apps: AppsV1Api;
let objects: KubernetesObjectApi;
beforeAll(async () => {
  plane = await Plane.start();
  const config = configOf(plane.kube);
  core = config.makeApiClient(CoreV1Api);
  apps = config.makeApiClient(AppsV1Api);
  objects = KubernetesObjectApi.makeApiClient(config);
});
afterAll(() => plane?.stop());

const namespace = 'default';
const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

async function refused(request: Promise<unknown>): Promise<ApiException<unknown>> {
  const error = await request.then(
    () => undefined,
    (err: unknown) => err,
  );
  expect(error).toBeInstanceOf(ApiException);
  return error as ApiException<unknown>;
}

const statusOf = ({ body }: ApiException<unknown>) => JSON.parse(body as string);

describe('typed APIs', () => {
  const container = { name: 'c', image: 'nginx', resources: { requests: { cpu: '100m' } } };

  test('a Pod: created with defaults, listed, its status replaced, deleted', async () => {
    const body: V1Pod = { metadata: { name: 'p', labels: { app: 'x' } }, spec: { containers: [container] } };
    const made = await core.createNamespacedPod({ namespace, body });
    expect(made.spec).toMatchObject({ restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always' }] });
    expect(made.status).toMatchObject({ phase: 'Pending', qosClass: 'Burstable' });
    expect(made.metadata!.creationTimestamp).toBeInstanceOf(Date);

    const list = await core.listNamespacedPod({
      namespace,
      labelSelector: 'app=x',
      fieldSelector: 'status.phase=Pending',
    });
    expect(list.items.map((pod) => pod.metadata!.name)).toEqual(['p']);
    expect((await core.listPodForAllNamespaces({ labelSelector: 'app!=x' })).items).toEqual([]);

    const running = await core.replaceNamespacedPodStatus({
      name: 'p',
      namespace,
      body: { ...made, status: { phase: 'Running', podIP: '10.0.0.1', startTime: new Date('2026-01-02T03:04:05Z') } },
    });
    expect(running.status).toMatchObject({ phase: 'Running', podIP: '10.0.0.1' });
    expect(running.status!.startTime!.toISOString()).toBe('2026-01-02T03:04:05.000Z');

    await core.deleteNamespacedPod({ name: 'p', namespace, gracePeriodSeconds: 0 });
    expect((await refused(core.readNamespacedPod({ name: 'p', namespace }))).code).toBe(404);
  });

  test('what was read can be written back, and changes nothing', async () => {
    await core.createNamespacedPod({
      namespace,
      body: { metadata: { name: 'same' }, spec: { containers: [container] } },
    });
    const before = await core.readNamespacedPod({ name: 'same', namespace });
    const after = await core.replaceNamespacedPod({ name: 'same', namespace, body: before });
    expect(after.metadata!.resourceVersion).toBe(before.metadata!.resourceVersion);
  });

  test('a Deployment: four kinds of patch, and its scale', async () => {
    const name = 'd';
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [container] } };
    await apps.createNamespacedDeployment({
      namespace,
      body: { metadata: { name }, spec: { replicas: 2, selector: { matchLabels: labels }, template } },
    });
    const patch = (body: unknown, strategy: string) =>
      apps.patchNamespacedDeployment({ name, namespace, body }, setHeaderOptions('Content-Type', strategy));
    const sidecar = { name: 'sidecar', image: 'busybox' };
    const strategic = await patch(
      { spec: { template: { spec: { containers: [sidecar] } } } },
      PatchStrategy.StrategicMergePatch,
    );
    expect(strategic.spec!.template.spec!.containers.map((c) => c.name)).toEqual(['sidecar', 'c']);
    const merged = await patch(
      { metadata: { annotations: { a: 'b' } }, spec: { paused: true } },
      PatchStrategy.MergePatch,
    );
    expect(merged).toMatchObject({ metadata: { annotations: { a: 'b' } }, spec: { paused: true } });
    const json = await patch([{ op: 'replace', path: '/spec/replicas', value: 3 }], PatchStrategy.JsonPatch);
    expect(json.spec!.replicas).toBe(3);
    // Without a header of its own this client sends JSON patches.
    const plain = await apps.patchNamespacedDeployment({
      name,
      namespace,
      body: [{ op: 'remove', path: '/spec/paused' }],
    });
    expect(plain.spec!.paused).toBeUndefined();
    expect(plain.metadata!.generation).toBe(5);

    const scale = await apps.readNamespacedDeploymentScale({ name, namespace });
    expect([scale.spec!.replicas, scale.status!.selector]).toEqual([3, 'app=d']);
    await apps.replaceNamespacedDeploymentScale({ name, namespace, body: { ...scale, spec: { replicas: 7 } } });
    expect((await apps.readNamespacedDeployment({ name, namespace })).spec!.replicas).toBe(7);
  });

  test('ConfigMaps by generateName, in pages, and all at once deleted', async () => {
    const body = { metadata: { generateName: 'page-', labels: { page: '' } }, data: { ä: 'ö' } };
    await expect(core.createNamespacedConfigMap({ namespace, body })).rejects.toMatchObject({ code: 422 });
    for (let i = 0; i < 7; i++)
      await core.createNamespacedConfigMap({ namespace, body: { ...body, data: { i: `ü${i}` } } });
    const seen: string[] = [];
    let token: string | undefined;
    const sizes: (number | undefined)[] = [];
    do {
      const page = await core.listNamespacedConfigMap({
        namespace,
        limit: 3,
        labelSelector: 'page',
        ...(token === undefined ? {} : { _continue: token }),
      });
      seen.push(...page.items.map((map) => map.data!.i!));
      sizes.push(page.items.length);
      token = page.metadata!._continue;
    } while (token);
    expect(sizes).toEqual([3, 3, 1]);
    expect(new Set(seen).size).toBe(7);
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'page' });
    expect((await core.listNamespacedConfigMap({ namespace, labelSelector: 'page' })).items).toEqual([]);
  });

  test('dry run, version, and what one may do', async () => {
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'dry' } },
      dryRun: 'All',
    });
    expect(made.metadata!.uid).toBeTruthy();
    expect((await refused(core.readNamespacedConfigMap({ name: 'dry', namespace }))).code).toBe(404);
    const config = configOf(plane.kube);
    expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1' });
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } },
    });
    expect(review.status!.allowed).toBe(true);
  });

  test('a namespace comes and goes', async () => {
    await core.createNamespace({ body: { metadata: { name: 'gone' } } });
    await core.createNamespacedConfigMap({ namespace: 'gone', body: { metadata: { name: 'a' } } });
    await core.deleteNamespace({ name: 'gone' });
    const late = await refused(
      core.createNamespacedConfigMap({ namespace: 'gone', body: { metadata: { name: 'b' } } }),
    );
    expect([403, 404]).toContain(late.code);
  });
});

describe('server-side apply', () => {
  test('owners, conflicts, force, giving up', async () => {
    const name = 'applied';
    const map = (data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
    const as = (fieldManager: string, data: Record<string, string>, force?: boolean) =>
      core.patchNamespacedConfigMap(
        { name, namespace, body: map(data), fieldManager, ...(force === undefined ? {} : { force }) },
        apply,
      );
    const made = await as('one', { a: '1', b: '1' });
    expect(made.metadata!.managedFields).toMatchObject([{ manager: 'one', operation: 'Apply' }]);
    const error = await refused(as('two', { b: '2', c: '2' }));
    expect([error.code, statusOf(error).reason, statusOf(error).details.causes]).toEqual([
      409,
      'Conflict',
      [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.b' }],
    ]);
    expect((await as('two', { b: '2', c: '2' }, true)).data).toEqual({ a: '1', b: '2', c: '2' });
    expect((await as('one', { a: '3' })).data).toEqual({ a: '3', b: '2', c: '2' });
    expect((await as('two', {})).data).toEqual({ a: '3' });
  });
});

describe('KubernetesObjectApi', () => {
  test('create, read, patch, replace, list and delete of anything', async () => {
    const spec = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'any', namespace }, data: { a: '1' } };
    const made: any = await objects.create(spec);
    expect(made).toMatchObject({ data: { a: '1' } });
    const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'any', namespace } };
    expect(((await objects.read(head)) as any).metadata.uid).toBe(made.metadata.uid);
    // Its patches are strategic unless it is told otherwise.
    expect(((await objects.patch({ ...head, data: { b: '2' } } as KubernetesObject)) as any).data).toEqual({
      a: '1',
      b: '2',
    });
    const applied: any = await objects.patch(
      { ...head, data: { c: '3' } } as KubernetesObject,
      undefined,
      undefined,
      'me',
      true,
      PatchStrategy.ServerSideApply,
    );
    expect(applied.data).toEqual({ a: '1', b: '2', c: '3' });
    const replaced: any = await objects.replace({ ...applied, apiVersion: 'v1', kind: 'ConfigMap', data: { d: '4' } });
    expect(replaced.data).toEqual({ d: '4' });
    const list = await objects.list('v1', 'ConfigMap', namespace, undefined, undefined, undefined, 'metadata.name=any');
    expect(list.items.map((one) => one.metadata!.name)).toEqual(['any']);
    expect((await objects.delete(head)).status).toBe('Success');
    expect((await refused(objects.read(head))).code).toBe(404);
  });

  test('a kind that is not there is told so', async () => {
    await expect(objects.create({ apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'a' } })).rejects.toThrow(
      'Unrecognized API version and kind: v1 Nothing',
    );
    await expect(objects.create({ apiVersion: 'no.io/v1', kind: 'Nothing' })).rejects.toThrow('HTTP-Code: 404');
  });
});

describe('custom resources', () => {
  const group = 'demo.example.com';
  const at = { group, version: 'v1', namespace, plural: 'boats' };
  const body: V1CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `boats.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'boats', singular: 'boat', kind: 'Boat', listKind: 'BoatList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['sails'],
                  properties: { sails: { type: 'integer', minimum: 1 }, crew: { type: 'integer', _default: 2 } },
                },
                status: { type: 'object', properties: { afloat: { type: 'boolean' } } },
              },
            },
          },
        },
      ],
    },
  };

  test('defined, served, defaulted, validated, with a status of its own, and gone', async () => {
    const config = configOf(plane.kube);
    const definitions = config.makeApiClient(ApiextensionsV1Api);
    const custom = config.makeApiClient(CustomObjectsApi);
    await definitions.createCustomResourceDefinition({ body });
    const name = `boats.${group}`;
    await until(async () => {
      const { status } = await definitions.readCustomResourceDefinition({ name });
      return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false;
    }, 'the definition is established');
    const boat = (sails: unknown) => ({
      apiVersion: `${group}/v1`,
      kind: 'Boat',
      metadata: { name: 'b' },
      spec: { sails, unknown: 1 },
      status: { afloat: true },
    });
    const bad = await refused(custom.createNamespacedCustomObject({ ...at, body: boat(0) }));
    expect([bad.code, statusOf(bad).details.causes[0].field]).toEqual([422, 'spec.sails']);
    const made = await custom.createNamespacedCustomObject({ ...at, body: boat(2) });
    expect(made.spec).toEqual({ sails: 2, crew: 2 });
    expect(made.status).toBeUndefined();
    const afloat = await custom.patchNamespacedCustomObjectStatus(
      { ...at, name: 'b', body: { status: { afloat: true }, spec: { sails: 9 } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    expect(afloat).toMatchObject({ spec: { sails: 2 }, status: { afloat: true }, metadata: { generation: 1 } });
    const applied = await custom.patchNamespacedCustomObject(
      {
        ...at,
        name: 'b',
        fieldManager: 'me',
        force: true,
        body: { ...boat(4), spec: { sails: 4 }, status: undefined },
      },
      apply,
    );
    expect(applied).toMatchObject({ spec: { sails: 4 }, metadata: { generation: 2 } });
    expect((await custom.listNamespacedCustomObject(at)).items).toHaveLength(1);
    expect((await objects.list(`${group}/v1`, 'Boat', namespace)).items).toHaveLength(1);
    await custom.deleteNamespacedCustomObject({ ...at, name: 'b' });
    await definitions.deleteCustomResourceDefinition({ name });
    await until(async () => {
      const error = await custom.listNamespacedCustomObject(at).catch((err) => err);
      return error instanceof ApiException && error.code === 404;
    }, 'the kind is gone');
  });
});

describe('errors', () => {
  test.each([
    [404, 'NotFound', () => core.readNamespacedPod({ name: 'no', namespace }), 'pods "no" not found'],
    [
      409,
      'AlreadyExists',
      () => core.createNamespace({ body: { metadata: { name: 'default' } } }),
      'namespaces "default" already exists',
    ],
    [
      422,
      'Invalid',
      () => core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'A_b' } } }),
      /^ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/,
    ],
    [
      404,
      'NotFound',
      () => core.createNamespacedConfigMap({ namespace: 'nowhere', body: { metadata: { name: 'a' } } }),
      'namespaces "nowhere" not found',
    ],
    [
      400,
      'BadRequest',
      () => core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a', namespace: 'other' } } }),
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      409,
      'Conflict',
      () =>
        core.replaceNamespacedConfigMap({
          name: 'kube-root-ca.crt',
          namespace,
          body: { metadata: { name: 'kube-root-ca.crt', resourceVersion: '1' } },
        }),
      'Operation cannot be fulfilled on configmaps "kube-root-ca.crt": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [
      400,
      'BadRequest',
      () => core.listNamespacedPod({ namespace, labelSelector: '%%' }),
      /^unable to parse requirement/,
    ],
  ] as const)('%i %s', async (code, reason, request, message) => {
    const root = () => core.readNamespacedConfigMap({ name: 'kube-root-ca.crt', namespace });
    await until(
      () =>
        root().then(
          () => true,
          () => false,
        ),
      'the namespace has its authority',
    );
    const error = await refused(request());
    expect(error.code).toBe(code);
    expect(error.headers['content-type']).toBe('application/json');
    expect(statusOf(error)).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      reason,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('without credentials', async () => {
    const config = configOf(plane.kube);
    config.users[0] = { name: 'admin' };
    const error = await refused(config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace }));
    expect([error.code, statusOf(error).message]).toEqual([
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ]);
  });
});
