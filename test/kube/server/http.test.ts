import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiClient } from '../support/api-client.js';
import { Plane } from '../support/plane.js';

let plane: Plane;
let api: ApiClient;
beforeAll(async () => {
  plane = await Plane.start();
  api = new ApiClient(plane);
});
afterAll(async () => {
  api?.close();
  await plane?.stop();
});

const MAPS = '/api/v1/namespaces/default/configmaps';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const map = (name: string, data: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

describe('pages', () => {
  test.each(['/healthz', '/livez', '/readyz', '/readyz/etcd', '/readyz?exclude=etcd'])('%s is ok', async (path) => {
    expect(await api.call(`GET ${path}`)).toMatchObject({ status: 200, text: 'ok' });
  });

  test('readyz?verbose names its checks; an unknown check is not there', async () => {
    const { text } = await api.call('GET /readyz?verbose');
    expect(text).toMatch(/^\[\+\]ping ok\n\[\+\]etcd ok\n[\s\S]*readyz check passed\n$/);
    expect((await api.call('GET /readyz/nope')).status).toBe(404);
  });

  test('version, index, metrics', async () => {
    expect((await api.call('GET /version')).json).toMatchObject({
      major: '1',
      gitVersion: expect.stringMatching(/^v1\.\d+\.\d/),
    });
    expect((await api.call('GET /')).json.paths).toContain('/apis/apps/v1');
    const { text, headers } = await api.call('GET /metrics');
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toMatch(/^apiserver_request_total\{.*verb="GET".*code="200"\} \d+$/m);
    expect(text).toMatch(/^etcd_request_duration_seconds_count\{operation="txn"\} [1-9]/m);
    expect(text).toMatch(/^apiserver_storage_objects\{resource="namespaces"\} 4$/m);
  });

  test('documents of discovery carry a tag, and are not sent twice', async () => {
    for (const path of ['/api', '/apis', '/apis/apps', '/apis/apps/v1', '/api/v1']) {
      const first = await api.call(`GET ${path}`);
      expect(first.status, path).toBe(200);
      const { etag = '' } = first.headers;
      expect(etag).toMatch(/^".+"$/);
      expect(await api.call(`GET ${path}`, { headers: { 'if-none-match': etag } })).toMatchObject({
        status: 304,
        text: '',
      });
    }
  });

  test('aggregated discovery answers in its own media type', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const { json, headers } = await api.call('GET /api', { headers: { accept } });
    expect(headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(json).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      items: [{ metadata: {}, versions: [{ version: 'v1', freshness: 'Current' }] }],
    });
    const maps = json.items[0].versions[0].resources.find((one: any) => one.resource === 'configmaps');
    expect(maps).toMatchObject({ scope: 'Namespaced', singularResource: 'configmap', shortNames: ['cm'] });
  });

  test.each([
    '/nope',
    '/api/v2',
    '/apis/nope.example.com',
    '/apis/apps/v9',
    '/api/v1/nopes',
    '/openapi/v3/apis/nope/v1',
  ])('%s is not there', async (path) => {
    const { status, json } = await api.call(`GET ${path}`);
    expect([status, json.kind, json.reason]).toEqual([404, 'Status', 'NotFound']);
    expect(json.message).toBe('the server could not find the requested resource');
  });
});

describe('answers', () => {
  test('every answer names its audit and forbids caches', async () => {
    const { headers } = await api.call(`GET ${MAPS}`);
    expect(headers['audit-id']).toMatch(/^[\w-]{36}$/);
    expect(headers['cache-control']).toBe('no-cache, private');
  });

  test('YAML, indented JSON, HEAD', async () => {
    await api.call(`POST ${MAPS}`, { body: map('shown', { a: '1' }) });
    const yaml = await api.call(`GET ${MAPS}/shown`, { headers: { accept: 'application/yaml' } });
    expect(yaml.headers['content-type']).toBe('application/yaml');
    expect(yaml.text).toContain('data:\n  a: "1"\n');
    expect((await api.call(`GET ${MAPS}/shown?pretty=true`)).text).toContain('\n  "kind": "ConfigMap"');
    const head = await api.call(`HEAD ${MAPS}/shown`);
    expect([head.status, head.text, Number(head.headers['content-length']) > 100]).toEqual([200, '', true]);
    expect((await api.call(`HEAD ${MAPS}/nope`)).status).toBe(404);
  });

  test('a Table has metadata, headings and rows; includeObject chooses what is in them', async () => {
    await api.call(`POST ${MAPS}`, { body: map('row') });
    const get = (query: string) => api.call(`GET ${MAPS}/row${query}`, { headers: { accept: TABLE } });
    const { json } = await get('');
    expect(json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(json.columnDefinitions[0]).toMatchObject({ name: 'Name', format: 'name', priority: 0 });
    expect(json.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'row' } });
    expect(json.metadata.resourceVersion).toBe(json.rows[0].object.metadata.resourceVersion);
    expect((await get('?includeObject=None')).json.rows[0].object).toBeUndefined();
    expect((await get('?includeObject=Object')).json.rows[0].object.kind).toBe('ConfigMap');
    expect((await get('?includeObject=Nope')).status).toBe(400);
  });

  test('metadata alone', async () => {
    await api.call(`POST ${MAPS}`, { body: map('bare', { a: '1' }) });
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    const one = await api.call(`GET ${MAPS}/bare`, { headers: { accept } });
    expect(one.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'bare' } });
    expect(one.json.data).toBeUndefined();
    const list = await api.call(`GET ${MAPS}`, { headers: { accept: accept.replace('Metadata;', 'MetadataList;') } });
    expect(list.json).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(list.json.items[0].data).toBeUndefined();
  });

  test('items of a list do not repeat its type', async () => {
    await api.call(`POST ${MAPS}`, { body: map('item') });
    const { json } = await api.call(`GET ${MAPS}`);
    expect(json).toMatchObject({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
    });
    expect(json.items[0].kind).toBeUndefined();
    expect((await api.call('GET /api/v1/namespaces/nowhere/configmaps')).json.items).toEqual([]);
  });

  test('what cannot be had is refused', async () => {
    const accept = 'application/vnd.kubernetes.protobuf';
    const refused = await api.call(`GET ${MAPS}`, { headers: { accept } });
    expect(refused.json).toMatchObject({
      code: 406,
      reason: 'NotAcceptable',
      message: expect.stringContaining('application/json'),
    });
    const both = await api.call(`GET ${MAPS}`, { headers: { accept: `${accept},application/json` } });
    expect([both.status, both.headers['content-type']]).toEqual([200, 'application/json']);
  });
});

describe('bodies', () => {
  test('packed, chunked, without a Content-Type', async () => {
    const body = gzipSync(JSON.stringify(map('packed')));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await api.call(`POST ${MAPS}`, { body, headers })).status).toBe(201);
    const plain = await api.call(`POST ${MAPS}`, { body: JSON.stringify(map('plain')) });
    expect([plain.status, plain.json.kind]).toEqual([201, 'ConfigMap']);
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\n';
    expect(
      (await api.call(`POST ${MAPS}`, { body: yaml, headers: { 'content-type': 'application/yaml' } })).status,
    ).toBe(201);
  });

  test.each([
    ['POST', '{"kind":', 'application/json', 400, 'BadRequest'],
    ['POST', '[]', 'application/json', 400, 'BadRequest'],
    ['POST', '', 'application/json', 400, 'BadRequest'],
    ['POST', '{}', 'text/plain', 415, 'UnsupportedMediaType'],
    ['POST', '{}', 'application/cbor', 415, 'UnsupportedMediaType'],
    ['POST', 'k8s', 'application/vnd.kubernetes.protobuf', 400, 'BadRequest'],
    ['POST', '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}', 'application/json', 400, 'BadRequest'],
    ['POST', '{"kind":"ConfigMap","apiVersion":"v9","metadata":{"name":"x"}}', 'application/json', 400, 'BadRequest'],
    ['PATCH', '{}', 'application/json', 415, 'UnsupportedMediaType'],
    ['PATCH', '{', 'application/merge-patch+json', 400, 'BadRequest'],
    ['PATCH', '{}', 'application/json-patch+json', 400, 'BadRequest'],
    ['PATCH', '{}', 'application/apply-patch+yaml', 422, 'Invalid'],
  ])('%s of %j as %s: %i', async (method, body, type, code, reason) => {
    await api.call(`POST ${MAPS}`, { body: map('there') });
    const path = method === 'POST' ? MAPS : `${MAPS}/there`;
    const { status, json } = await api.call(`${method} ${path}`, { body, headers: { 'content-type': type } });
    expect([status, json.kind, json.code, json.reason]).toEqual([code, 'Status', code, reason]);
    expect(json.message).not.toBe('');
  });

  test('more than 3 MiB, packed or not, is too large', async () => {
    const body = Buffer.from(JSON.stringify(map('big', { a: 'x'.repeat(3_200_000) })));
    const headers = { 'content-type': 'application/json' };
    const plain = await api.call(`POST ${MAPS}`, { body, headers });
    expect(plain.json).toMatchObject({ code: 413, message: 'Request entity too large: limit is 3145728' });
    const packed = { ...headers, 'content-encoding': 'gzip' };
    expect((await api.call(`POST ${MAPS}`, { body: gzipSync(body), headers: packed })).status).toBe(413);
    expect((await api.call(`POST ${MAPS}`, { body: 'no gzip', headers: packed })).status).toBe(400);
    expect((await api.call(`POST ${MAPS}`, { body: '{}', headers: { 'content-encoding': 'br' } })).status).toBe(415);
  });
});

describe('paths and methods', () => {
  test.each([
    ['POST /api/v1/configmaps', 405],
    [`POST ${MAPS}/x`, 405],
    [`PUT ${MAPS}`, 405],
    ['DELETE /api/v1/namespaces', 405],
    ['POST /version', 405],
    ['GET /api/v1/configmaps/x', 404],
    ['GET /api/v1/namespaces/default/namespaces', 404],
    [`GET ${MAPS}/x/nope`, 404],
    [`GET ${MAPS}/x/status`, 404],
    ['GET /api/v1/namespaces/%zz/configmaps', 400],
  ])('%s: %i', async (line, code) => {
    const { status, json } = await api.call(line, line.startsWith('GET') ? {} : { body: map('x') });
    expect([status, json.code]).toEqual([code, code]);
  });

  test.each([
    ['?dryRun=maybe', 'dryRun: Unsupported value: "maybe": supported values: "All"'],
    ['?fieldValidation=Loose', 'fieldValidation: Unsupported value: "Loose"'],
    [`?fieldManager=${'x'.repeat(129)}`, 'fieldManager: Too long: may not be more than 128 bytes'],
  ])('POST with %s: 422', async (query, text) => {
    const { status, json } = await api.call(`POST ${MAPS}${query}`, { body: map('x') });
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain(text);
  });

  test.each([
    ['?labelSelector=a%20b', 400],
    ['?fieldSelector=data%3Dx', 400],
    ['?limit=x', 400],
    ['?continue=nonsense', 400],
    ['?resourceVersion=x', 400],
    ['?resourceVersionMatch=Exact', 422],
    ['?resourceVersionMatch=Exact&resourceVersion=0', 422],
    ['?sendInitialEvents=true', 422],
    ['?watch=true&sendInitialEvents=true', 422],
    ['?watch=true&resourceVersionMatch=NotOlderThan', 422],
    ['?resourceVersion=99999999', 504],
  ])('a list with %s: %i', async (query, code) => {
    const { status, json } = await api.call(`GET ${MAPS}${query}`);
    expect([status, json.kind, json.code]).toEqual([code, 'Status', code]);
  });
});

describe('bindings', () => {
  test('by their own path: the body names the pod', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bound' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    expect((await api.call('POST /api/v1/namespaces/default/pods', { body: pod })).status).toBe(201);
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'bound' },
      target: { kind: 'Node', name: 'n' },
    };
    const bind = (query = '') => api.call(`POST /api/v1/namespaces/default/bindings${query}`, { body: binding });
    expect((await bind('?dryRun=All')).status).toBe(201);
    expect(await bind()).toMatchObject({ status: 201, json: { kind: 'Status', status: 'Success' } });
    expect((await api.call('GET /api/v1/namespaces/default/pods/bound')).json.spec.nodeName).toBe('n');
    expect((await bind()).json).toMatchObject({ code: 409, reason: 'Conflict' });
  });
});

describe('who', () => {
  test('without credentials: 403 for objects, health is told', async () => {
    const { status } = await api.call('GET /healthz', { as: 'nobody' });
    expect(status).toBe(200);
    expect((await api.call(`GET ${MAPS}`, { as: 'nobody' })).json).toMatchObject({
      code: 403,
      message:
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
    });
    expect((await api.call('GET /metrics', { as: 'nobody' })).json).toMatchObject({
      code: 403,
      message: 'forbidden: User "system:anonymous" cannot get path "/metrics"',
    });
  });

  test('a certificate of another authority: 401, and no broken connection', async () => {
    expect((await api.call(`GET ${MAPS}`, { as: 'stranger' })).json).toMatchObject({
      code: 401,
      reason: 'Unauthorized',
    });
  });

  test('a token that is none: 401', async () => {
    const { json } = await api.call(`GET ${MAPS}`, { as: 'nobody', headers: { authorization: 'Bearer nonsense' } });
    expect(json).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
  });
});
