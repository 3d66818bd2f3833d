import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WatchLines } from '../support/api-client.js';
import { ApiClient } from '../support/api-client.js';
import { Plane } from '../support/plane.js';

let plane: Plane;
let api: ApiClient;
const open: WatchLines[] = [];
beforeAll(async () => {
  plane = await Plane.start();
  api = new ApiClient(plane);
});
afterAll(async () => {
  for (const watch of open) watch.stop();
  api?.close();
  await plane?.stop();
});

let spaces = 0;
/** A namespace of its own. @returns the path of its ConfigMaps */
async function space(): Promise<string> {
  const name = `w${spaces++}`;
  await api.call('POST /api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  return `/api/v1/namespaces/${name}/configmaps`;
}

async function watch(path: string, headers: Record<string, string> = {}): Promise<WatchLines> {
  // Every namespace gets this one sooner or later, and it is not what is looked at here.
  const others = path.includes('fieldSelector') ? path : `${path}&fieldSelector=metadata.name!%3Dkube-root-ca.crt`;
  const lines = await api.watch(others, { headers });
  open.push(lines);
  return lines;
}

async function put(maps: string, name: string, data: object = {}, labels: object = {}): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
  const made = await api.call(`POST ${maps}`, { body });
  if (made.status === 201) return made.json.metadata.resourceVersion;
  return (await api.call(`PUT ${maps}/${name}`, { body })).json.metadata.resourceVersion;
}

const said = (lines: WatchLines) =>
  lines.events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());

test('without a version: what is there, then what happens; deletions show the object as it was', async () => {
  const maps = await space();
  await put(maps, 'a', { x: '1' });
  const lines = await watch(`${maps}?watch=true`);
  expect([lines.status, lines.headers['content-type']]).toEqual([200, 'application/json']);
  await lines.count(1);
  const version = await put(maps, 'a', { x: '2' });
  await lines.count(2);
  await api.call(`DELETE ${maps}/a`);
  await lines.count(3);
  expect(said(lines)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
  const [, changed, gone] = lines.events.map((event) => event.object);
  expect(changed).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: version } });
  expect(gone.data).toEqual({ x: '2' });
  expect(Number(gone.metadata.resourceVersion)).toBeGreaterThan(Number(version));
});

test('from the version of a list: nothing twice, nothing missed', async () => {
  const maps = await space();
  await put(maps, 'before');
  const { json } = await api.call(`GET ${maps}`);
  await put(maps, 'between');
  const lines = await watch(`${maps}?watch=1&resourceVersion=${json.metadata.resourceVersion}`);
  await put(maps, 'after');
  await lines.count(2);
  expect(said(lines)).toEqual(['ADDED between', 'ADDED after']);
});

test('selectors: an object comes and goes as it changes', async () => {
  const maps = await space();
  const lines = await watch(`${maps}?watch=true&labelSelector=on`);
  await put(maps, 'a');
  await put(maps, 'a', {}, { on: 'y' });
  await put(maps, 'a', { b: '1' }, { on: 'y' });
  await put(maps, 'a');
  await lines.count(3);
  expect(said(lines)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
  const one = await watch(`${maps}?watch=true&fieldSelector=metadata.name%3Db&resourceVersion=0`);
  await put(maps, 'c');
  await put(maps, 'b');
  await one.count(1);
  expect(said(one)).toEqual(['ADDED b']);
});

test('sendInitialEvents: the state, a bookmark that ends it, then what happens', async () => {
  const maps = await space();
  await put(maps, 'a');
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const lines = await watch(`${maps}?${query}`);
  await lines.count(2);
  await put(maps, 'b');
  await lines.count(3);
  expect(said(lines)).toEqual(['ADDED a', 'BOOKMARK', 'ADDED b']);
  const { object } = lines.events[1];
  expect(object).toMatchObject({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
  });
  expect(Number(object.metadata.resourceVersion)).toBeLessThan(Number(lines.events[2].object.metadata.resourceVersion));
  expect(Number(object.metadata.resourceVersion)).toBeGreaterThanOrEqual(
    Number(lines.events[0].object.metadata.resourceVersion),
  );
});

test('as a Table the headings come once', async () => {
  const maps = await space();
  await put(maps, 'a');
  const lines = await watch(`${maps}?watch=true`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  await lines.count(1);
  await put(maps, 'b');
  await lines.count(2);
  const tables = lines.events.map((event) => event.object);
  expect(tables.map((one) => [one.kind, one.columnDefinitions.length > 0, one.rows[0].cells[0]])).toEqual([
    ['Table', true, 'a'],
    ['Table', false, 'b'],
  ]);
  expect(tables[1].rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'b' } });
});

test('of metadata alone, and of a bookmark in that form', async () => {
  const maps = await space();
  await put(maps, 'a', { x: '1' });
  const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const lines = await watch(`${maps}?${query}`, { accept });
  await lines.count(2);
  expect(lines.events.map((event) => event.object.kind)).toEqual(['PartialObjectMetadata', 'PartialObjectMetadata']);
  expect(lines.events[0].object.data).toBeUndefined();
});

test('timeoutSeconds ends it cleanly', async () => {
  const maps = await space();
  const lines = await watch(`${maps}?watch=true&timeoutSeconds=1`);
  await lines.until(({ ended }) => ended !== null);
  expect([lines.ended, lines.events]).toEqual(['clean', []]);
});

test('a version that was compacted away: one event tells it, and the watch ends', async () => {
  const maps = await space();
  const old = await put(maps, 'a');
  for (let i = 0; i < 3; i++) await put(maps, 'a', { i: String(i) });
  const { KeelClient } = await import('../../../src/client/index.js');
  const client = new KeelClient({ endpoints: plane.store.endpoints });
  const { header } = await client.get('x');
  await client.compact(header.revision);
  await client.close();
  // Whoever started before it knows more than the store does; a fresh server does not.
  const lines = await watch(`${maps}?watch=true&resourceVersion=1`);
  await lines.until(({ ended }) => ended !== null);
  expect(lines.events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
  expect(lines.ended).toBe('clean');
  expect(Number(old)).toBeGreaterThan(1);
});

test('one that is read slowly gets everything in the end', async () => {
  const maps = await space();
  const big = 'x'.repeat(200_000);
  for (let i = 0; i < 20; i++) await put(maps, `m${i}`, { big });
  const outgoing = api.open(`GET ${maps}?watch=true&fieldSelector=metadata.name!%3Dkube-root-ca.crt`);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
    outgoing.on('response', resolve),
  );
  response.pause();
  for (let i = 20; i < 40; i++) await put(maps, `m${i}`, { big });
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  response.resume();
  await expect.poll(() => text.split('\n').length - 1, { timeout: 10_000 }).toBe(40);
  const names = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).object.metadata.name);
  expect(new Set(names).size).toBe(40);
  outgoing.destroy();
});

test('the end of the server ends watches cleanly', async () => {
  const other = await Plane.start();
  const client = new ApiClient(other);
  const lines = await client.watch('/api/v1/namespaces?watch=true');
  await lines.count(1);
  const began = performance.now();
  await other.stop();
  await lines.until(({ ended }) => ended !== null);
  expect(lines.ended).toBe('clean');
  expect(performance.now() - began).toBeLessThan(4000);
  client.close();
});
