import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import { ApiClient } from '../support/api-client.js';
import { Plane } from '../support/plane.js';

let plane: Plane;
let api: ApiClient;
const servers: Server[] = [];
beforeAll(async () => {
  plane = await Plane.start();
  api = new ApiClient(plane);
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(async () => {
  api?.close();
  await plane?.stop();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A Service and where it leads, written beside the rules: Endpoints may not be on this machine. */
async function service(name: string, port: number, servicePort = 80): Promise<void> {
  await api.call('POST /api/v1/namespaces/default/services', {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { ports: [{ port: servicePort, targetPort: port }] },
    },
  });
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: '', port, protocol: 'TCP' }],
  };
  const { KeelClient } = await import('../../../src/client/index.js');
  const client = new KeelClient({ endpoints: plane.store.endpoints });
  const metadata = { ...slice.metadata, namespace: 'default', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' };
  await client.put(`/registry/endpointslices/default/${name}`, JSON.stringify({ ...slice, metadata }));
  await client.close();
}

describe('proxies of objects', () => {
  test('a service: method, path, query, body and answer go through; our credentials do not', async () => {
    const port = await listening(
      createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
          response.writeHead(
            request.url === '/moved' ? 302 : 207,
            request.url === '/moved' ? { location: '/there' } : { 'x-from': 'pod' },
          );
          const { authorization } = request.headers;
          response.end(
            JSON.stringify({
              method: request.method,
              url: request.url,
              body: Buffer.concat(chunks).toString(),
              authorization,
            }),
          );
        });
      }),
    );
    await service('echo', port);
    const path = '/api/v1/namespaces/default/services/echo/proxy';
    const answer = await api
      .call(`POST ${path}/a%20b/?x=1&y=2`, { body: 'hello', headers: { authorization: 'Bearer secret' } })
      .catch(String);
    expect(answer).toMatchObject({ status: 207, json: { method: 'POST', url: '/a%20b/?x=1&y=2', body: 'hello' } });
    expect((answer as any).json.authorization).toBeUndefined();
    expect((answer as any).headers['x-from']).toBe('pod');
    expect((await api.call(`GET ${path}`)).json.url).toBe('/');
    expect((await api.call(`GET ${path}/moved`)).headers.location).toBe(`${path}/there`);
    expect((await api.call('GET /api/v1/namespaces/default/services/http:echo:80/proxy/')).json.url).toBe('/');
  });

  test('nobody there: 503; no such service: 404; no such port: 503', async () => {
    await service('gone', 1);
    const proxy = (name: string) => api.call(`GET /api/v1/namespaces/default/services/${name}/proxy/`);
    expect((await proxy('gone')).json).toMatchObject({ code: 503, reason: 'ServiceUnavailable' });
    expect((await proxy('nope')).json).toMatchObject({ code: 404, message: 'services "nope" not found' });
    expect((await proxy('gone:9')).json).toMatchObject({
      code: 503,
      message: 'no service port "9" found for service "gone"',
    });
    expect((await api.call('GET /api/v1/nodes/nope/proxy/metrics')).json).toMatchObject({ code: 404 });
    expect((await api.call('GET /api/v1/namespaces/default/services/gone/proxy/', { as: 'nobody' })).status).toBe(403);
  });
});

describe('aggregation', () => {
  test('another server answers for a group: found, believed, missed when it goes', async () => {
    const ca = makeCertificate({ commonName: 'ext-ca', isCa: true });
    const own = makeCertificate({ commonName: 'ext', hosts: ['ext.default.svc'], issuer: ca, usages: ['server'] });
    const server = createSecureServer({ ...own, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
      response.setHeader('content-type', 'application/json');
      if (request.url === '/apis/ext.example.com/v1') {
        const resources = [
          { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] },
        ];
        response.end(
          JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'ext.example.com/v1', resources }),
        );
      } else {
        const { 'x-remote-user': user, 'x-remote-group': group } = request.headers;
        response.end(JSON.stringify({ user, group, peer: peer.subject?.CN, url: request.url }));
      }
    });
    const port = await listening(server as unknown as Server);
    await service('ext', port, 443);
    const made = await api.call('POST /apis/apiregistration.k8s.io/v1/apiservices', {
      body: {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.ext.example.com' },
        spec: {
          group: 'ext.example.com',
          version: 'v1',
          groupPriorityMinimum: 100,
          versionPriority: 10,
          service: { namespace: 'default', name: 'ext' },
          caBundle: Buffer.from(ca.cert).toString('base64'),
        },
      },
    });
    expect(made.status).toBe(201);
    const condition = async () =>
      (await api.call('GET /apis/apiregistration.k8s.io/v1/apiservices/v1.ext.example.com')).json.status
        ?.conditions?.[0];
    await expect
      .poll(condition, { timeout: 5000 })
      .toMatchObject({ type: 'Available', status: 'True', reason: 'Passed' });
    const headers = { 'x-remote-user': 'forged' };
    const { json } = await api.call('GET /apis/ext.example.com/v1/things?a=b', { headers });
    expect(json).toEqual({
      user: 'kubernetes-admin',
      group: 'system:masters, system:authenticated',
      peer: 'front-proxy-client',
      url: '/apis/ext.example.com/v1/things?a=b',
    });
    expect((await api.call('GET /apis')).json.groups.map((one: any) => one.name)).toContain('ext.example.com');
    expect((await api.call('GET /apis/ext.example.com/v1/things', { as: 'nobody' })).status).toBe(403);
    server.close();
    server.closeAllConnections();
    expect((await api.call('GET /apis/ext.example.com/v1/things')).status).toBe(503);
  });

  test('a service that is not there: its condition says so, and requests are 503', async () => {
    const body = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.lost.example.com' },
      spec: {
        group: 'lost.example.com',
        version: 'v1',
        groupPriorityMinimum: 1,
        versionPriority: 1,
        service: { namespace: 'default', name: 'lost' },
      },
    };
    await api.call('POST /apis/apiregistration.k8s.io/v1/apiservices', { body });
    const reason = async () =>
      (await api.call('GET /apis/apiregistration.k8s.io/v1/apiservices/v1.lost.example.com')).json.status
        ?.conditions?.[0]?.reason;
    await expect.poll(reason, { timeout: 5000 }).toBe('ServiceNotFound');
    expect((await api.call('GET /apis/lost.example.com/v1/things')).json).toMatchObject({
      code: 503,
      message: 'service unavailable',
    });
  });
});
