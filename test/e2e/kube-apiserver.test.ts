import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { H2Client } from '../rpc/support/h2-client.js';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { decode, encode, methodOf } from '../rpc/support/proto.js';
import { sayIfMissing } from '../support/binaries.js';
import { Cluster, withCluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import { freePorts } from '../support/ports.js';

/**
 * The requests that a kube-apiserver makes of its store, in the shapes in which it makes them: optimistic transactions
 * on mod_revision, paged lists at one revision, watches with progress, and the compaction that one of several servers
 * gets to do by winning a transaction on `compact_rev_key`.
 */
/** An answer as protobuf.js decodes it. */
type Body = any;

class Store {
  readonly #client: H2Client;

  constructor(endpoint: string) {
    this.#client = new H2Client(endpoint);
  }

  async call(rpc: string, req: object): Promise<Body> {
    const method = methodOf(rpc);
    const { code, message, messages } = await this.#client.unary(method.path, encode(method.request, req));
    if (code !== 0) throw new Error(`${code} ${message}`);
    return decode(method.response, messages[0]!);
  }

  create(key: string, value: string, lease = 0): Promise<Body> {
    const put = { key, value, ...(lease === 0 ? {} : { lease }) };
    return this.call('KV/Txn', { compare: [{ key, target: 'MOD', mod_revision: 0 }], success: [{ request_put: put }] });
  }

  update(key: string, value: string, modRevision: number): Promise<Body> {
    return this.call('KV/Txn', {
      compare: [{ key, target: 'MOD', mod_revision: modRevision }],
      success: [{ request_put: { key, value } }],
      failure: [{ request_range: { key } }],
    });
  }

  remove(key: string, modRevision: number): Promise<Body> {
    return this.call('KV/Txn', {
      compare: [{ key, target: 'MOD', mod_revision: modRevision }],
      success: [{ request_delete_range: { key } }],
      failure: [{ request_range: { key } }],
    });
  }

  /** As one of several servers does it: who wins the transaction compacts to what it saw the time before. */
  async compact(version: number, seen: number): Promise<Body> {
    const key = 'compact_rev_key';
    const answer = await this.call('KV/Txn', {
      compare: [{ key, target: 'VERSION', version }],
      success: [{ request_put: { key, value: String(seen) } }],
      failure: [{ request_range: { key } }],
    });
    if (answer.succeeded && seen > 0) await this.call('KV/Compact', { revision: seen });
    return answer;
  }

  watch(create_request: object): { next(): Promise<Body>; progress(): void } {
    const method = methodOf('Watch/Watch');
    const stream = this.#client.stream(method.path, { hasleader: 'true' });
    stream.send(encode(method.request, { create_request }));
    return {
      next: async () => {
        const message = await stream.next();
        return Buffer.isBuffer(message) ? decode(method.response, message) : message;
      },
      progress: () => stream.send(encode(method.request, { progress_request: {} })),
    };
  }

  close(): void {
    this.#client.close();
  }
}

const PODS = '/registry/pods/';
const PODS_END = '/registry/pods0';
const pod = (n: number): string => `${PODS}default/pod-${String(n).padStart(4, '0')}`;

async function tellStory(endpoint: string): Promise<void> {
  const store = new Store(endpoint);
  try {
    expect(await store.call('KV/Range', { key: '/registry/health' })).toMatchObject({ header: expect.anything() });

    // Create, and create again; update, and update what has changed meanwhile.
    const created = await store.create(pod(0), 'v1');
    expect(created.succeeded).toBe(true);
    expect((await store.create(pod(0), 'v1')).succeeded).toBeUndefined();
    const updated = await store.update(pod(0), 'v2', created.header.revision);
    expect(updated.succeeded).toBe(true);
    const conflict = await store.update(pod(0), 'v3', created.header.revision);
    expect(conflict.succeeded).toBeUndefined();
    expect(conflict.responses[0].response_range.kvs[0]).toMatchObject({
      value: 'v2',
      mod_revision: updated.header.revision,
    });

    // A list in pages, all at the revision of the first; writes come in between.
    for (let n = 1; n < 25; n++) await store.create(pod(n), `v${n}`);
    const first = await store.call('KV/Range', { key: PODS, range_end: PODS_END, limit: 10 });
    const { revision } = first.header;
    expect([first.kvs.length, first.more, first.count]).toEqual([10, true, 25]);
    await store.remove(pod(20), (await store.call('KV/Range', { key: pod(20) })).kvs[0].mod_revision);
    const keys: string[] = first.kvs.map((kv: Body) => kv.key);
    for (let page = first; page.more; ) {
      page = await store.call('KV/Range', { key: `${keys.at(-1)}\0`, range_end: PODS_END, limit: 10, revision });
      keys.push(...page.kvs.map((kv: Body) => kv.key));
    }
    expect(keys).toEqual(Array.from({ length: 25 }, (_, n) => pod(n)));
    const count = await store.call('KV/Range', { key: PODS, range_end: PODS_END, count_only: true });
    expect([count.count, count.kvs]).toEqual([24, undefined]);

    // List, then watch from behind it: what came meanwhile is told first, with what it replaced.
    const watch = store.watch({
      key: PODS,
      range_end: PODS_END,
      start_revision: revision + 1,
      prev_kv: true,
      progress_notify: true,
    });
    expect(await watch.next()).toMatchObject({ created: true });
    const gone = await watch.next();
    expect(gone.events).toMatchObject([{ type: 'DELETE', kv: { key: pod(20) }, prev_kv: { value: 'v20' } }]);
    const again = await store.create(pod(20), 'new');
    expect(await watch.next()).toMatchObject({
      header: { revision: again.header.revision },
      events: [{ kv: { value: 'new' } }],
    });
    // The watch cache asks how far it is.
    const elsewhere = await store.call('KV/Put', { key: '/registry/nodes/n', value: '1' });
    watch.progress();
    const progress = await watch.next();
    expect([progress.watch_id, progress.header.revision, progress.events]).toEqual([
      -1,
      elsewhere.header.revision,
      undefined,
    ]);

    // Events go with a lease.
    const ID = 4711;
    await store.call('Lease/LeaseGrant', { TTL: 3600, ID });
    await store.create('/registry/events/e', 'x', ID);
    await store.call('Lease/LeaseRevoke', { ID });
    expect((await store.call('KV/Range', { key: '/registry/events/e' })).kvs).toBeUndefined();

    // Two servers compact: one wins each time; a list that goes on below is told so, and so is a watch.
    expect((await store.compact(0, 0)).succeeded).toBe(true);
    expect((await store.compact(0, 0)).succeeded).toBeUndefined();
    const seen = (await store.call('KV/Range', { key: 'compact_rev_key' })).header.revision;
    for (let n = 0; n < 5; n++) await store.call('KV/Put', { key: '/registry/nodes/n', value: String(n) });
    expect((await store.compact(1, seen)).succeeded).toBe(true);
    await expect(store.call('KV/Range', { key: PODS, range_end: PODS_END, limit: 10, revision })).rejects.toThrow(
      '11 etcdserver: mvcc: required revision has been compacted',
    );
    const late = store.watch({ key: PODS, range_end: PODS_END, start_revision: revision });
    expect(await late.next()).toMatchObject({ created: true });
    expect(await late.next()).toMatchObject({ canceled: true, compact_revision: seen });
  } finally {
    store.close();
  }
}

describe("a kube-apiserver's calls", () => {
  let member: TestMember;
  beforeAll(async () => {
    member = await startTestMember();
  });
  afterAll(() => member.stop());

  test('are answered as it needs them', () => tellStory(member.endpoint));

  test.skipIf(sayIfMissing("a kube-apiserver's calls to a real etcd", 'etcd'))('as by a real etcd', async () => {
    const etcd = await Cluster.start({ kind: 'etcd', size: 1 });
    try {
      await tellStory(etcd.endpoints[0]!);
    } finally {
      await etcd.dispose();
    }
  });
});

const APISERVER = process.env.KUBE_APISERVER ?? '';
const skip = APISERVER === '' || !existsSync(APISERVER);
if (skip) console.warn('SKIPPED a real kube-apiserver on Keel: set KUBE_APISERVER to the path of one');

/** A kube-apiserver on the members of a cluster, with one user who may do everything. */
class ApiServer {
  readonly #port: number;
  readonly #dir: string;
  readonly #child: ChildProcess;

  private constructor(port: number, dir: string, child: ChildProcess) {
    this.#port = port;
    this.#dir = dir;
    this.#child = child;
  }

  static async start(endpoints: readonly string[]): Promise<ApiServer> {
    const dir = mkdtempSync(join(tmpdir(), 'keel-apiserver-'));
    const [port] = await freePorts(1);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyFile = join(dir, 'sa.key');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(join(dir, 'tokens.csv'), 'secret,admin,1,"system:masters"\n');
    const log = openSync(join(dir, 'log'), 'a');
    const child = spawn(
      APISERVER,
      [
        ...[`--etcd-servers=${endpoints.map((e) => `http://${e}`).join(',')}`, '--etcd-compaction-interval=5s'],
        ...[`--secure-port=${port}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--cert-dir=${dir}`],
        ...[`--service-account-key-file=${keyFile}`, `--service-account-signing-key-file=${keyFile}`],
        ...['--service-account-issuer=https://keel.test', '--service-cluster-ip-range=10.0.0.0/24'],
        ...[`--token-auth-file=${join(dir, 'tokens.csv')}`, '--authorization-mode=RBAC'],
        '--disable-admission-plugins=ServiceAccount',
      ],
      { stdio: ['ignore', log, log] },
    );
    const server = new ApiServer(port!, dir, child);
    for (const until = Date.now() + 60_000; ; await sleep(200)) {
      const ready = await server.call('GET', '/readyz').catch(() => undefined);
      if (ready?.status === 200) return server;
      if (Date.now() > until || child.exitCode !== null) throw new Error(`not ready\n${server.#log()}`);
    }
  }

  call(method: string, path: string, body?: object): Promise<{ status: number; body: Body }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
      const options = { host: '127.0.0.1', port: this.#port, method, path, headers, rejectUnauthorized: false };
      const req = request(options, (res) => {
        let text = '';
        res.on('data', (chunk) => {
          text += chunk;
        });
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text }),
        );
      });
      req.on('error', reject);
      req.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Names of the objects that a watch tells of, as they come. */
  watch(path: string, names: string[]): void {
    const headers = { authorization: 'Bearer secret' };
    const req = request({ host: '127.0.0.1', port: this.#port, path, headers, rejectUnauthorized: false }, (res) => {
      let rest = '';
      res.on('data', (chunk) => {
        rest += chunk;
        for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
          const { type, object } = JSON.parse(rest.slice(0, at));
          if (type === 'ADDED') names.push(object.metadata.name);
          rest = rest.slice(at + 1);
        }
      });
    });
    req.on('error', () => {});
    req.end();
  }

  #log(): string {
    return readFileSync(join(this.#dir, 'log'), 'utf8').split('\n').slice(-30).join('\n');
  }

  stop(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

describe.skipIf(skip)('a real kube-apiserver', () => {
  test('starts, lists, watches, compacts and survives the death of a leader', { timeout: 180_000 }, () =>
    withCluster({ kind: 'keel' }, async (cluster) => {
      const server = await ApiServer.start(cluster.endpoints);
      try {
        const maps = '/api/v1/namespaces/default/configmaps';
        const create = (name: string) =>
          server.call('POST', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } });
        const told: string[] = [];
        server.watch(`${maps}?watch=1`, told);
        for (let n = 0; n < 20; n++) expect((await create(`before-${n}`)).status).toBe(201);
        const page = await server.call('GET', `${maps}?limit=7`);
        expect([page.body.items.length, typeof page.body.metadata.continue]).toEqual([7, 'string']);

        await cluster.kill9(await cluster.leader());
        for (let n = 0; n < 20; ) {
          const { status } = await create(`after-${n}`).catch(() => ({ status: 0 }));
          // A create whose answer was lost with the leader may have taken place.
          if (status === 201 || status === 409) n++;
          else await sleep(100);
        }
        for (
          const until = Date.now() + 30_000;
          told.filter((name) => /-\d+$/.test(name)).length < 40;
          await sleep(100)
        ) {
          if (Date.now() > until) throw new Error(`the watch told of ${told.length}: ${told.join(' ')}`);
        }
        const survivor = cluster.members.find((member) => member.process.running)!;
        const store = new Store(survivor.endpoint);
        for (const until = Date.now() + 40_000; ; await sleep(500)) {
          const { compact_revision } = await store.call('Maintenance/HashKV', {});
          if (compact_revision > 0) break;
          if (Date.now() > until) throw new Error('it has not compacted');
        }
        store.close();
      } finally {
        server.stop();
      }
    }),
  );
});
