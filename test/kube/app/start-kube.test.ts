import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeCertificate } from '../../../src/env/tls/certificate.js';
import { firstServiceIp, serverHosts } from '../../../src/kube/app/addresses.js';
import type { KubeOptions } from '../../../src/kube/app/index.js';
import { KubeConfigError, startKube } from '../../../src/kube/app/index.js';
import { openPki } from '../../../src/kube/app/pki.js';
import { nullLogger } from '../../../src/util/log.js';
import { startTestMember } from '../../rpc/support/member.js';
import { ApiClient } from '../support/api-client.js';
import type { Plane } from '../support/plane.js';

let dir: string;
let member: Awaited<ReturnType<typeof startTestMember>>;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keel-kube-'));
  member = await startTestMember();
});
afterAll(async () => {
  await member?.stop();
  rmSync(dir, { recursive: true, force: true });
});

function start(more: Partial<KubeOptions> = {}) {
  const dataDir = join(dir, 'data');
  return startKube({ endpoints: [member.endpoint], dataDir, port: 0, log: nullLogger, makeCertificate, ...more });
}

test('a second start finds keys, certificates and objects as they were', async () => {
  const first = await start();
  const files = [
    'ca.crt',
    'ca.key',
    'apiserver.crt',
    'admin.key',
    'sa.key',
    'front-proxy-ca.key',
    'front-proxy-client.key',
  ];
  const read = () => files.map((name) => readFileSync(join(dir, 'data', 'pki', name), 'utf8'));
  const before = read();
  for (const name of files) expect(statSync(join(dir, 'data', 'pki', name)).mode & 0o077, name).toBe(0);
  expect(statSync(first.kubeconfig).mode & 0o077).toBe(0);
  const config = parse(readFileSync(first.kubeconfig, 'utf8'));
  expect(config.clusters[0].cluster.server).toBe(first.url);
  const plane = { dir, kube: first } as Plane;
  const api = new ApiClient(plane);
  const uids = async (client: ApiClient) =>
    (await client.call('GET /api/v1/namespaces')).json.items.map((one: any) => [one.metadata.name, one.metadata.uid]);
  const namespaces = await uids(api);
  expect(namespaces.map(([name]: string[]) => name)).toEqual([
    'default',
    'kube-node-lease',
    'kube-public',
    'kube-system',
  ]);
  api.close();
  await first.stop();

  const second = await start();
  expect(read()).toEqual(before);
  const again = new ApiClient({ dir, kube: second } as Plane);
  expect(await uids(again)).toEqual(namespaces);
  // The Service is told where the server is now.
  const { json } = await again.call('GET /api/v1/namespaces/default/endpoints/kubernetes');
  expect(json.subsets[0].ports[0].port).toBe(Number(new URL(second.url).port));
  again.close();
  await second.stop();
  await second.stop();
});

test('two servers on one store are one cluster', async () => {
  const a = await start();
  const b = await start({ dataDir: join(dir, 'data') });
  const [one, two] = [a, b].map((kube) => new ApiClient({ dir, kube } as Plane));
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' } };
  expect((await one!.call('POST /api/v1/namespaces/default/configmaps', { body })).status).toBe(201);
  expect((await two!.call('GET /api/v1/namespaces/default/configmaps/shared')).status).toBe(200);
  one!.close();
  two!.close();
  await Promise.all([a.stop(), b.stop()]);
});

test('a certificate is made anew when names are missing, the authority changes or its end is near', () => {
  const day = 24 * 3_600_000;
  const open = (hosts: string[], now = Date.now()) =>
    openPki({ dir: join(dir, 'pki'), hosts, make: makeCertificate, now });
  const first = open(['localhost', '127.0.0.1']);
  expect(open(['localhost', '127.0.0.1'])).toEqual(first);
  expect(open(['localhost'])).toEqual(first);
  const wider = open(['localhost', '10.0.0.1', 'example.com']);
  expect(wider.server).not.toEqual(first.server);
  expect({ ...wider, server: null }).toEqual({ ...first, server: null });
  const later = open(['localhost'], Date.now() + 340 * day);
  expect(later.ca).toEqual(first.ca);
  expect(later.admin).not.toEqual(first.admin);
});

test.each([
  [{ serviceCidr: 'nonsense' }, '--service-cluster-ip-range'],
  [{ disableAdmission: ['Nope'] }, '--disable-admission-plugins: "Nope" is unknown'],
])('%j is refused', async (options, text) => {
  await expect(start(options)).rejects.toThrow(KubeConfigError);
  await expect(start(options)).rejects.toThrow(text);
});

test('addresses', () => {
  expect(firstServiceIp('10.96.0.0/12')).toBe('10.96.0.1');
  expect(firstServiceIp('10.0.0.7/24')).toBe('10.0.0.1');
  expect(firstServiceIp('192.168.255.0/24')).toBe('192.168.255.1');
  expect(serverHosts('127.0.0.1', '10.96.0.1', ['x.example.com', undefined])).toEqual(
    expect.arrayContaining(['localhost', '::1', 'kubernetes.default.svc', '10.96.0.1', 'x.example.com']),
  );
});
