import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing } from '../../support/binaries.js';
import { Cluster } from '../../support/cluster.js';
import type { Answer, WatchLines } from '../support/api-client.js';
import { ApiClient } from '../support/api-client.js';
import type { Outcome } from '../support/kubectl.js';
import { Kubectl, kubectlBinary } from '../support/kubectl.js';
import type { Plane } from '../support/plane.js';
import { Server, until } from '../support/server.js';

const SECRETS = '/api/v1/namespaces/default/secrets';
const secret = (name: string, data = '') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { data },
});
const MERGE = { 'content-type': 'application/merge-patch+json' };

describe.skipIf(missing('keel'))('the only member of the store is killed', () => {
  let cluster: Cluster;
  let server: Server;
  let api: ApiClient;
  let watch: WatchLines;
  let answers: Record<string, Answer>;
  /** ms */
  let slowest = 0;
  let kubectl: { creating: Promise<Outcome>; removed: Outcome } | null = null;

  beforeAll(async () => {
    cluster = await Cluster.start({ kind: 'keel', size: 1 });
    server = await Server.start({ endpoints: cluster.endpoints });
    const plane = server as unknown as Plane;
    api = new ApiClient(plane);
    for (const name of ['read', 'put', 'patched', 'deleted', 'deleted-by-kubectl']) {
      expect((await api.call(`POST ${SECRETS}`, { body: secret(name, 'before') })).status).toBe(201);
    }
    watch = await api.watch(`${SECRETS}?watch=true`);
    await watch.count(5);
    await cluster.kill9('m1');
    const began = performance.now();
    const ask = async () => {
      const lines: [string, Promise<Answer>][] = [
        ['get', api.call(`GET ${SECRETS}/read`)],
        ['list', api.call(`GET ${SECRETS}`)],
        ['list of any age', api.call(`GET ${SECRETS}?resourceVersion=0`)],
        ['create', api.call(`POST ${SECRETS}`, { body: secret('created', 'x'.repeat(100_000)) })],
        ['put', api.call(`PUT ${SECRETS}/put`, { body: secret('put', 'during') })],
        ['patch', api.call(`PATCH ${SECRETS}/patched`, { body: '{"stringData":{"data":"during"}}', headers: MERGE })],
        ['delete', api.call(`DELETE ${SECRETS}/deleted`)],
        ['watch', api.call(`GET /apis/apps/v1/deployments?watch=true`)],
        ['readyz', api.call('GET /readyz')],
        ['livez', api.call('GET /livez')],
        ['version', api.call('GET /version')],
      ];
      return Object.fromEntries(
        await Promise.all(
          lines.map(async ([name, line]) => {
            const answer = await line;
            slowest = Math.max(slowest, performance.now() - began);
            return [name, answer] as const;
          }),
        ),
      );
    };
    const tool = kubectlBinary === undefined ? null : new Kubectl(plane);
    const creating = tool?.outcome('create secret generic by-kubectl --from-literal=data=b');
    const [all, removed] = await Promise.all([ask(), tool?.outcome(`delete --raw ${SECRETS}/deleted-by-kubectl`)]);
    answers = all;
    if (creating !== undefined && removed !== undefined) kubectl = { creating, removed };
  }, 60_000);
  afterAll(async () => {
    watch?.stop();
    api?.close();
    await server?.stop();
    await cluster?.dispose();
  });

  test.each(['get', 'list', 'create', 'put', 'patch', 'delete', 'watch'])('%s: a Status that says why', (name) => {
    const { status, json, headers } = answers[name]!;
    expect([503, 504]).toContain(status);
    expect(headers['content-type']).toBe('application/json');
    expect(json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status });
    expect(json.reason).toBe(status === 503 ? 'ServiceUnavailable' : 'Timeout');
    expect(json.message).not.toBe('');
    // Only what certainly changed nothing is worth a second try without a look.
    const again = json.details.retryAfterSeconds;
    if (['get', 'list', 'watch'].includes(name)) expect(again).toBe(1);
    expect(headers['retry-after']).toBe(again === undefined ? undefined : String(again));
  });

  test('what needs no store is answered', () => {
    expect(answers['list of any age']!.status).toBe(200);
    expect(answers['list of any age']!.json.items.map((one: any) => one.metadata.name)).toContain('read');
    expect([answers.version!.status, answers.readyz!.status]).toEqual([200, 500]);
    expect(answers.readyz!.text).toContain('[-]etcd failed');
  });

  test('nobody waits longer than the store is asked', () => {
    expect(slowest).toBeGreaterThan(1000);
    expect(slowest).toBeLessThan(15_000);
  });

  test.skipIf(kubectlBinary === undefined)('kubectl tells it', () => {
    expect([kubectl!.removed.code, kubectl!.removed.stderr]).toEqual([
      1,
      'Error from server (Timeout): Timeout: context deadline exceeded\n',
    ]);
  });

  test('it comes back: all is well again without a restart, and nothing is half written', async () => {
    expect(watch.ended, 'watches are only quiet meanwhile').toBeNull();
    await cluster.restart('m1');
    await until(async () => (await api.call('GET /readyz')).status === 200, 'readiness');
    // What certainly did not happen is tried again by kubectl itself.
    if (kubectl !== null) expect((await kubectl.creating).stdout).toBe('secret/by-kubectl created\n');
    expect((await api.call(`POST ${SECRETS}`, { body: secret('after') })).status).toBe(201);
    await watch.until(({ events }) => events.some(({ object }) => object.metadata.name === 'after'));
    const { json } = await api.call(`GET ${SECRETS}`);
    const data = new Map<string, string>(
      json.items.map((one: any) => [one.metadata.name, Buffer.from(one.data?.data ?? '', 'base64').toString()]),
    );
    expect(data.get('read')).toBe('before');
    for (const name of ['put', 'patched']) expect(['before', 'during']).toContain(data.get(name));
    expect(['before', undefined]).toContain(data.get('deleted'));
    expect(['x'.repeat(100_000), undefined]).toContain(data.get('created'));
    // The watch that was open all the time has told exactly what is there.
    const state = new Map<string, string>();
    for (const { type, object } of watch.events) {
      if (type === 'DELETED') state.delete(object.metadata.name);
      else state.set(object.metadata.name, object.metadata.resourceVersion);
    }
    expect(state).toEqual(new Map(json.items.map(({ metadata }: any) => [metadata.name, metadata.resourceVersion])));
  });
});
