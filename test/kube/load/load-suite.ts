/** Many at once over HTTPS: nothing lost, nothing missed, nothing twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import type { Answer } from '../support/api-client.js';
import { ApiClient } from '../support/api-client.js';
import type { Plane, PlaneStore } from '../support/plane.js';
import { startPlaneStore } from '../support/plane.js';
import { Server, until } from '../support/server.js';
import { Reflector } from './reflector.js';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

export interface LoadSize {
  /** Objects that are created at once. */
  readonly creates: number;
  readonly watchers: number;
}

/** The tests of one store. */
export function loadSuite(kind: PlaneStore, { creates, watchers }: LoadSize): void {
  let store: Awaited<ReturnType<typeof startPlaneStore>>;
  let server: Server;
  let api: ApiClient;
  let client: KeelClient;
  beforeAll(async () => {
    store = await startPlaneStore(kind);
    server = await Server.start({ endpoints: store.endpoints, bookmarkIntervalMs: 300 });
    api = clientOf(server);
    client = new KeelClient({ endpoints: store.endpoints });
  });
  afterAll(async () => {
    api?.close();
    await client?.close();
    await server?.stop();
    await store?.stop();
  });

  const clientOf = (of: Server) => new ApiClient(of as unknown as Plane);

  let spaces = 0;
  async function space(): Promise<string> {
    const name = `l${spaces++}`;
    await api.call('POST /api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
    return `/api/v1/namespaces/${name}/secrets`;
  }

  const secret = (name: string, data: Record<string, string> = {}) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData: data,
  });
  const plain = (base64: string) => Buffer.from(base64, 'base64').toString();

  /** As clients do: who is sent away with 429 comes again. */
  async function patient(line: string, options: Parameters<ApiClient['call']>[1]): Promise<Answer> {
    for (;;) {
      const answer = await api.call(line, options);
      if (answer.status !== 429) return answer;
      refusals++;
      expect(answer.json).toMatchObject({ kind: 'Status', reason: 'TooManyRequests', code: 429 });
      await sleep(Number(answer.headers['retry-after']) * 20);
    }
  }
  let refusals = 0;

  test(`${creates} objects created at once: all are there, once, each with a version of its own`, async () => {
    const secrets = await space();
    const reflector = new Reflector(api, secrets);
    reflector.start();
    await until(() => reflector.lists === 1, 'the first list');
    const count = creates;
    const made = await Promise.all(
      Array.from({ length: count }, (_, i) => patient(`POST ${secrets}`, { body: secret(`s${i}`) })),
    );
    expect(made.filter(({ status }) => status !== 201).map(({ text }) => text)).toEqual([]);
    const versions = made.map(({ json }) => Number(json.metadata.resourceVersion));
    expect(new Set(versions).size).toBe(count);
    expect(new Set(made.map(({ json }) => json.metadata.uid)).size).toBe(count);
    const { json } = await api.call(`GET ${secrets}`);
    expect(json.items).toHaveLength(count);
    await until(() => reflector.state.size === count, 'the watch to have told all');
    expect(reflector.sessions[0]!.versions).toEqual([...versions].sort((a, b) => a - b));
    expect(reflector.wrong).toEqual([]);
    // The same names again, at once with each other: every one is refused.
    const again = await Promise.all(
      Array.from({ length: 100 }, (_, i) => patient(`POST ${secrets}`, { body: secret(`s${i % 50}`) })),
    );
    expect(new Set(again.map(({ status, json: { reason } }) => `${status} ${reason}`))).toEqual(
      new Set(['409 AlreadyExists']),
    );
    await reflector.stop();
    await api.call(`DELETE ${secrets}`);
    console.log(`${kind}: ${count} creates; sent away with 429 and come again: ${refusals}`);
  });

  test('50 of a name at once: one is the first', async () => {
    const secrets = await space();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => patient(`POST ${secrets}`, { body: secret('one', { i: `${i}` }) })),
    );
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
    const { json } = await api.call(`GET ${secrets}/one`);
    expect(json.metadata.uid).toBe(won[0]!.json.metadata.uid);
    expect(json.data).toEqual(won[0]!.json.data);
  });

  test('50 who count one object up, each with the version it read: no step is lost', async () => {
    const secrets = await space();
    await api.call(`POST ${secrets}`, { body: secret('n', { n: '0' }) });
    const steps = 2;
    let conflicts = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for (let done = 0, lost = 0; done < steps; ) {
          const { json } = await api.call(`GET ${secrets}/n`);
          json.data.n = Buffer.from(String(Number(plain(json.data.n)) + 1)).toString('base64');
          const answer = await patient(`PUT ${secrets}/n`, { body: json });
          if (answer.status === 200) done++;
          else {
            expect([answer.status, answer.json.reason]).toEqual([409, 'Conflict']);
            conflicts++;
            await sleep(Math.random() * 50 * ++lost);
          }
        }
      }),
    );
    const { json } = await api.call(`GET ${secrets}/n`);
    expect(plain(json.data.n)).toBe(String(50 * steps));
    expect(conflicts).toBeGreaterThan(0);
    console.log(`${kind}: 50 x ${steps} steps; conflicts on the way: ${conflicts}`);
  });

  test('50 who patch one object without a version: every patch is in, and was told once', async () => {
    const secrets = await space();
    await api.call(`POST ${secrets}`, {
      body: { ...secret('n'), metadata: { name: 'n', finalizers: ['x.io/first'] } },
    });
    const reflector = new Reflector(api, secrets);
    reflector.start();
    await until(() => reflector.lists === 1, 'the first list');
    const patched: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const merge = JSON.stringify({ stringData: { [`u${i}`]: 'merge' } });
        const json = JSON.stringify([{ op: 'add', path: '/metadata/finalizers/-', value: `x.io/u${i}` }]);
        const answers = [
          await patient(`PATCH ${secrets}/n`, { body: merge, headers: MERGE }),
          await patient(`PATCH ${secrets}/n`, { body: json, headers: JSON_PATCH }),
        ];
        for (const answer of answers) {
          expect(answer.status, answer.text).toBe(200);
          patched.push(Number(answer.json.metadata.resourceVersion));
        }
      }),
    );
    const { json } = await api.call(`GET ${secrets}/n`);
    expect(Object.keys(json.data)).toHaveLength(50);
    expect(new Set(json.metadata.finalizers).size).toBe(51);
    expect(json.metadata.finalizers).toHaveLength(51);
    expect(new Set(patched).size).toBe(100);
    const told = reflector.sessions[0]!.versions;
    await until(() => told.length === 100, 'the watch to have told all');
    expect(told).toEqual([...patched].sort((a, b) => a - b));
    await reflector.stop();
    await api.call(`PATCH ${secrets}/n`, { body: '{"metadata":{"finalizers":null}}', headers: MERGE });
  });

  test(`${watchers} watchers under writes, compactions and a restart: nothing missed, nothing twice`, async () => {
    const secrets = await space();
    // Writes go on by another server of the cluster while this one is away.
    const other = await Server.start({ endpoints: store.endpoints });
    const writer = clientOf(other);
    const reflectors = Array.from({ length: watchers }, () => new Reflector(api, secrets));
    for (const reflector of reflectors) reflector.start();
    await until(() => reflectors.every(({ lists }) => lists > 0), 'the first lists', 60_000);

    /** Every version of a change that was acknowledged. */
    const changes: number[] = [];
    let writing = true;
    const write = async (i: number) => {
      const name = `w${i}`;
      const told = async (line: string, body?: object) => {
        const answer = await writer.call(line, body === undefined ? {} : { body });
        expect([200, 201], answer.text).toContain(answer.status);
        return answer.json;
      };
      for (let n = 0; writing; n++) {
        changes.push(Number((await told(`POST ${secrets}`, secret(name))).metadata.resourceVersion));
        for (let k = 0; k < 3; k++) {
          const done = await told(`PUT ${secrets}/${name}`, secret(name, { n: `${n}.${k}` }));
          changes.push(Number(done.metadata.resourceVersion));
        }
        await told(`DELETE ${secrets}/${name}`);
        await sleep(60);
      }
    };
    const compact = async () => client.compact((await client.get('x')).header.revision);
    const writers = Array.from({ length: 5 }, (_, i) => write(i));
    for (let round = 0; round < 3; round++) {
      await sleep(250);
      await compact();
      for (const reflector of reflectors) if (Math.random() < 0.2) reflector.breakOff();
    }
    const before = reflectors.map(({ expired }) => expired);
    // Down, and what happened meanwhile is forgotten before it is back: a list is the only way.
    await server.kube.stop();
    await sleep(150);
    await compact();
    await server.open();
    await sleep(600);
    await compact();
    writing = false;
    await Promise.all(writers);

    const last = Number((await writer.call(`POST ${secrets}`, { body: secret('last') })).json.metadata.resourceVersion);
    await until(() => reflectors.every(({ version }) => version >= last), 'all to have seen the last', 60_000);
    const { json } = await api.call(`GET ${secrets}`);
    const final = new Map(json.items.map(({ metadata }: any) => [metadata.name, metadata.resourceVersion]));
    const known = [...changes, last].sort((a, b) => a - b);
    let events = 0;
    for (const [i, reflector] of reflectors.entries()) {
      expect(reflector.wrong).toEqual([]);
      expect(new Map(reflector.state)).toEqual(final);
      expect(reflector.expired, 'the history was gone after the restart').toBeGreaterThan(before[i]!);
      expect(reflector.lists).toBe(reflector.expired + 1);
      for (const [s, { from, versions }] of reflector.sessions.entries()) {
        events += versions.length;
        // Up to the last event of each session no change is missing. (Deletions do not tell their version.)
        const told = new Set(versions);
        const end = s === reflector.sessions.length - 1 ? last : (versions.at(-1) ?? from);
        expect(known.filter((version) => version > from && version <= end && !told.has(version))).toEqual([]);
      }
    }
    const bookmarks = reflectors.reduce((sum, one) => sum + one.bookmarks, 0);
    expect(bookmarks).toBeGreaterThan(watchers);
    for (const reflector of reflectors) await reflector.stop();
    writer.close();
    await other.stop();
    console.log(
      `${kind}: ${known.length} acknowledged changes, ${events} events to ${watchers} watchers, ${bookmarks} bookmarks, ` +
        `${reflectors.reduce((sum, one) => sum + one.lists, 0)} lists`,
    );
  }, 120_000);
}
