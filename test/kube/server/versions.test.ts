/** What resourceVersions, limits and initial events mean, by requests that no library would send. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import type { WatchLines } from '../support/api-client.js';
import { ApiClient } from '../support/api-client.js';
import type { PlaneStore } from '../support/plane.js';
import { Plane } from '../support/plane.js';

const ETCD = process.env.KEEL_TEST_ETCD_BIN ? undefined : 'KEEL_TEST_ETCD_BIN is not set';

function suite(kind: PlaneStore): void {
  let plane: Plane;
  let api: ApiClient;
  let store: KeelClient;
  const open: WatchLines[] = [];
  beforeAll(async () => {
    plane = await Plane.start(kind);
    api = new ApiClient(plane);
    store = new KeelClient({ endpoints: plane.store.endpoints });
  });
  afterEach(() => {
    for (const watch of open.splice(0)) watch.stop();
  });
  afterAll(async () => {
    await store?.close();
    api?.close();
    await plane?.stop();
  });

  let spaces = 0;
  async function space(): Promise<string> {
    const name = `v${spaces++}`;
    await api.call('POST /api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
    // Namespaces get no Lease of their own: nothing but ours is in here.
    return `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`;
  }

  async function put(path: string, name: string, n: number): Promise<number> {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, labels: { n: `${n}` } } };
    let answer = await api.call(`POST ${path}`, { body: lease });
    if (answer.status === 409) {
      // A Lease is not replaced without its version.
      const body = JSON.stringify({ metadata: lease.metadata });
      const headers = { 'content-type': 'application/merge-patch+json' };
      answer = await api.call(`PATCH ${path}/${name}`, { body, headers });
    }
    expect([200, 201]).toContain(answer.status);
    return Number(answer.json.metadata.resourceVersion);
  }

  async function watch(path: string): Promise<WatchLines> {
    const lines = await api.watch(path);
    open.push(lines);
    return lines;
  }

  const said = (lines: WatchLines) =>
    lines.events.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.reason ?? ''}`.trim());
  const names = (list: any): string[] => list.items.map((one: any) => `${one.metadata.name}=${one.metadata.labels.n}`);

  describe('sendInitialEvents', () => {
    const INITIAL = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';

    test('all that is there, a marked bookmark of that state, then what happens', async () => {
      const leases = await space();
      let last = 0;
      for (const name of ['a', 'b', 'c']) last = await put(leases, name, 1);
      const lines = await watch(`${leases}?${INITIAL}&allowWatchBookmarks=true`);
      await lines.count(4);
      await put(leases, 'b', 2);
      await api.call(`DELETE ${leases}/a`);
      await lines.count(6);
      expect(said(lines)).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'BOOKMARK', 'MODIFIED b', 'DELETED a']);
      const { kind, apiVersion, metadata, ...more } = lines.events[3].object;
      expect([kind, apiVersion]).toEqual(['Lease', 'coordination.k8s.io/v1']);
      expect(metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
      expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(last);
      expect(Object.keys(more).filter((key) => key !== 'spec')).toEqual([]);
      // Each object with the version of its last change: a client resumes behind the bookmark, not behind an object.
      const versions = lines.events.slice(0, 3).map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(Math.max(...versions)).toBe(last);
    });

    test('of nothing: the bookmark alone', async () => {
      const lines = await watch(`${await space()}?${INITIAL}&allowWatchBookmarks=true`);
      await lines.count(1);
      expect(said(lines)).toEqual(['BOOKMARK']);
    });

    test('goes on from the bookmark of an earlier one without a gap', async () => {
      const leases = await space();
      await put(leases, 'a', 1);
      const first = await watch(`${leases}?${INITIAL}&allowWatchBookmarks=true`);
      await first.count(2);
      first.stop();
      const { resourceVersion } = first.events[1].object.metadata;
      await put(leases, 'b', 1);
      const plain = await watch(`${leases}?watch=true&resourceVersion=${resourceVersion}`);
      await plain.count(1);
      expect(said(plain)).toEqual(['ADDED b']);
      const atLeast = await watch(`${leases}?${INITIAL}&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`);
      await atLeast.count(3);
      expect(said(atLeast)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK']);
    });

    test('with selectors, version 0, and without bookmarks there is no mark', async () => {
      const leases = await space();
      await put(leases, 'a', 1);
      await put(leases, 'b', 2);
      const any = await watch(`${leases}?${INITIAL}&allowWatchBookmarks=true&resourceVersion=0&labelSelector=n%3D2`);
      await any.count(2);
      expect(said(any)).toEqual(['ADDED b', 'BOOKMARK']);
      const one = await watch(`${leases}?${INITIAL}&allowWatchBookmarks=true&fieldSelector=metadata.name%3Da`);
      await one.count(2);
      expect(said(one)).toEqual(['ADDED a', 'BOOKMARK']);
      const off = 'watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
      const from = (await api.call(`GET ${leases}`)).json.metadata.resourceVersion;
      const none = await watch(`${leases}?${off}&resourceVersion=${from}`);
      await put(leases, 'c', 3);
      await none.count(1);
      expect(said(none)).toEqual(['ADDED c']);
    });

    test('a version that is to come is waited for, and is the state at least', async () => {
      const leases = await space();
      const now = await put(leases, 'a', 1);
      const wanted = now + 10;
      const waiting = api.watch(`${leases}?${INITIAL}&allowWatchBookmarks=true&resourceVersion=${wanted}`);
      let last = now;
      for (let n = 0; last < wanted; n++) last = await put(leases, 'b', n);
      const lines = await waiting;
      open.push(lines);
      await lines.count(3);
      expect(said(lines)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK']);
      expect(Number(lines.events[2].object.metadata.resourceVersion)).toBeGreaterThanOrEqual(wanted);
    });

    test.each([
      ['watch=true&sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/],
      [
        'watch=true&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1',
        /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
      ],
      [
        'watch=true&resourceVersionMatch=NotOlderThan',
        /resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided/,
      ],
      ['sendInitialEvents=true', /sendInitialEvents is forbidden for list/],
    ])('%s is refused', async (query, message) => {
      const { status, json } = await api.call(`GET ${await space()}?${query}`);
      expect([status, json.reason, json.kind]).toEqual([422, 'Invalid', 'Status']);
      expect(json.details.kind).toBe('ListOptions');
      expect(json.message).toMatch(message);
    });
  });

  test('a bookmark before its time is over, for who wants bookmarks', async () => {
    const leases = await space();
    const before = await put(leases, 'a', 1);
    const query = `watch=true&timeoutSeconds=1&resourceVersion=${before}`;
    const [wants, wantsNone] = await Promise.all([
      watch(`${leases}?${query}&allowWatchBookmarks=true`),
      watch(`${leases}?${query}`),
    ]);
    const last = await put(leases, 'b', 1);
    for (const lines of [wants, wantsNone]) await lines.until(({ ended }) => ended !== null);
    expect([said(wants), said(wantsNone)]).toEqual([['ADDED b', 'BOOKMARK'], ['ADDED b']]);
    expect(Number(wants.events[1].object.metadata.resourceVersion)).toBeGreaterThanOrEqual(last);
  });

  describe('versions of a list', () => {
    test('newest, any, at least, exactly', async () => {
      const leases = await space();
      const first = await put(leases, 'a', 1);
      const second = await put(leases, 'a', 2);
      const list = async (query: string) => (await api.call(`GET ${leases}${query}`)).json;
      const newest = await list('');
      expect(names(newest)).toEqual(['a=2']);
      expect(Number(newest.metadata.resourceVersion)).toBeGreaterThanOrEqual(second);
      expect(['a=1', 'a=2', undefined]).toContain(names(await list('?resourceVersion=0'))[0]);
      expect(names(await list(`?resourceVersion=${second}`))).toEqual(['a=2']);
      expect(names(await list(`?resourceVersion=${first}&resourceVersionMatch=NotOlderThan`))).toEqual(['a=2']);
      const exact = await list(`?resourceVersion=${first}&resourceVersionMatch=Exact`);
      expect([names(exact), exact.metadata.resourceVersion]).toEqual([['a=1'], String(first)]);
      // As it was before there were matches: a version beside a limit is exactly that one.
      expect(names(await list(`?resourceVersion=${first}&limit=5`))).toEqual(['a=1']);
      const got = await api.call(`GET ${leases}/a?resourceVersion=0`);
      expect([200, 404]).toContain(got.status);
    });

    test.each([
      ['resourceVersionMatch=Exact', 422, /resourceVersionMatch is forbidden unless resourceVersion is provided/],
      [
        'resourceVersion=0&resourceVersionMatch=Exact',
        422,
        /resourceVersionMatch "exact" is forbidden for resourceVersion "0"/,
      ],
      ['resourceVersion=1&resourceVersionMatch=Older', 422, /Unsupported value: "Older"/],
      ['resourceVersion=abc', 400, /Invalid value: "abc"/],
      ['limit=x', 400, /invalid syntax/],
      ['continue=nonsense', 400, /continue/],
    ])('%s is refused', async (query, code, message) => {
      const { status, json } = await api.call(`GET ${await space()}?${query}`);
      expect([status, json.kind, json.code]).toEqual([code, 'Status', code]);
      expect(json.message).toMatch(message);
    });

    test('one from the future is waited for, and then not there', async () => {
      const leases = await space();
      const answers = await Promise.all(
        [
          `GET ${leases}?resourceVersion=999999999`,
          `GET ${leases}?resourceVersion=999999999&resourceVersionMatch=Exact`,
          `GET ${leases}?watch=true&resourceVersion=999999999`,
          `GET ${leases}/a?resourceVersion=999999999`,
        ].map((line) => api.call(line)),
      );
      for (const { status, json, headers } of answers) {
        expect([status, json.reason, json.details.retryAfterSeconds]).toEqual([504, 'Timeout', 1]);
        expect(json.message).toMatch(/^Timeout: Too large resource version: 999999999, current: \d+$/);
        expect(json.details.causes).toEqual([
          { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
        ]);
        expect(headers['retry-after']).toBe('1');
      }
    });
  });

  describe('pages', () => {
    test('are of one state whatever is written meanwhile, and nothing is twice or missing', async () => {
      const leases = await space();
      for (let i = 10; i < 30; i++) await put(leases, `p${i}`, 0);
      const seen: string[] = [];
      let query = '?limit=6';
      let version: string | undefined;
      let left = 20;
      for (let page = 0; ; page++) {
        const { json } = await api.call(`GET ${leases}${query}`);
        version ??= json.metadata.resourceVersion;
        expect(json.metadata.resourceVersion).toBe(version);
        seen.push(...names(json));
        left -= json.items.length;
        expect(json.metadata.remainingItemCount).toBe(left === 0 ? undefined : left);
        if (json.metadata.continue === undefined) break;
        query = `?limit=6&continue=${encodeURIComponent(json.metadata.continue)}`;
        await put(leases, 'p15', page + 1);
        await put(leases, `p2${page}x`, 1);
        await api.call(`DELETE ${leases}/p2${8 - page}`);
      }
      expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `p${i + 10}=0`));
      const both = await api.call(`GET ${leases}?limit=6&continue=abc&resourceVersion=${version}`);
      expect([both.status, both.json.message]).toEqual([
        400,
        'specifying resource version is not allowed when using continue',
      ]);
    });

    test('a token whose state is gone: 410 with one that goes on in the present', async () => {
      const leases = await space();
      for (let i = 10; i < 16; i++) await put(leases, `p${i}`, 0);
      const first = (await api.call(`GET ${leases}?limit=2`)).json;
      const later = await put(leases, 'p13', 1);
      await put(leases, 'p10', 1);
      await store.compact(later + 1);
      const token = encodeURIComponent(first.metadata.continue);
      const gone = await api.call(`GET ${leases}?limit=2&continue=${token}`);
      expect([gone.status, gone.json.reason, gone.json.code]).toEqual([410, 'Expired', 410]);
      expect(gone.json.message).toMatch(/^The provided continue parameter is too old to display a consistent list/);
      const rest: string[] = [];
      let next = gone.json.metadata.continue;
      while (next !== undefined) {
        const page = await api.call(`GET ${leases}?limit=3&continue=${encodeURIComponent(next)}`);
        expect(page.status).toBe(200);
        rest.push(...names(page.json));
        next = page.json.metadata.continue;
      }
      expect([...names(first), ...rest]).toEqual(['p10=0', 'p11=0', 'p12=0', 'p13=1', 'p14=0', 'p15=0']);
      const exact = await api.call(`GET ${leases}?resourceVersion=${later - 1}&resourceVersionMatch=Exact`);
      expect([exact.status, exact.json.message]).toEqual([
        410,
        'The resourceVersion for the provided list is too old.',
      ]);
    });

    test('with a selector they are full as long as there is something, and tell no remainder', async () => {
      const leases = await space();
      for (let i = 10; i < 30; i++) await put(leases, `p${i}`, i % 5);
      const first = (await api.call(`GET ${leases}?limit=3&labelSelector=n%3D2`)).json;
      expect(names(first)).toEqual(['p12=2', 'p17=2', 'p22=2']);
      expect(first.metadata.remainingItemCount).toBeUndefined();
      const second = await api.call(
        `GET ${leases}?limit=3&labelSelector=n%3D2&continue=${encodeURIComponent(first.metadata.continue)}`,
      );
      expect(names(second.json)).toEqual(['p27=2']);
    });
  });
}

describe('over a member of our own', () => suite('embedded'));
if (ETCD === undefined) describe('over a real etcd', () => suite('etcd'));
else describe.skip(`over a real etcd: ${ETCD}`, () => suite('etcd'));

describe('a watch from before what is remembered', () => {
  test('by a server that came after the compaction: one ERROR event, the end, and a list mends it', async () => {
    const first = await Plane.start();
    const api = new ApiClient(first);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } });
    const old = (await api.call(`POST ${leases}`, { body: lease('a') })).json.metadata.resourceVersion;
    for (const name of ['b', 'c']) await api.call(`POST ${leases}`, { body: lease(name) });
    const store = new KeelClient({ endpoints: first.store.endpoints });
    await store.compact((await store.get('x')).header.revision);
    await store.close();
    const lines = await api.watch(`${leases}?watch=true&resourceVersion=${old}`);
    await lines.until(({ ended }) => ended !== null);
    expect(lines.status).toBe(200);
    expect(lines.events).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 } },
    ]);
    expect(lines.events[0].object.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
    const { json } = await api.call(`GET ${leases}`);
    const again = await api.watch(`${leases}?watch=true&resourceVersion=${json.metadata.resourceVersion}`);
    await api.call(`POST ${leases}`, { body: lease('d') });
    await again.count(1);
    expect(again.events[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'd' } } });
    again.stop();
    api.close();
    await first.stop();
  });
});
