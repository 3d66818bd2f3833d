import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { ListOptions, ObjectStore } from '../../../src/kube/registry/index.js';
import { refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, MAPS, map, startStore, TestRegistry } from '../support/store.js';

const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list.';

function token(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describeBackends('lists', (kind) => {
  let backend: TestStore;
  let t: TestRegistry;
  let store: ObjectStore;

  beforeAll(async () => {
    backend = await startStore(kind);
  });
  afterAll(async () => {
    await t?.stop();
    await backend?.stop();
  });
  beforeEach(async () => {
    await t?.stop();
    t = new TestRegistry(backend.endpoint);
    store = t.maps();
  });

  const put = (namespace: string, name: string, labels?: Record<string, string>): Promise<KubeObject> =>
    store.create(namespace, name, { ...map(name, {}, labels) });
  const names = (items: readonly KubeObject[]) => items.map((o) => o.metadata.name);
  const revision = (o: { metadata: { resourceVersion?: string } }) => Number(o.metadata.resourceVersion);
  const read = async (options: Partial<ListOptions>) => names((await store.list({ namespace: 'd', ...options })).items);
  const text = async (options: Partial<ListOptions>) => {
    const error = await refused(store.list({ namespace: 'd', ...options }));
    return `${error.code} ${error.message}`;
  };

  it('keeps namespaces, folders and names apart', async () => {
    await put('d', 'a');
    await put('dd', 'b');
    await put('d', 'ab');
    await t.registry.store({ ...MAPS, dir: 'configmapsets' }).create('d', 'other', map('other'));
    expect(names((await store.list({ namespace: '' })).items)).toEqual(['a', 'ab', 'b']);
    expect(await read({})).toEqual(['a', 'ab']);
    expect(await read({ name: 'a' })).toEqual(['a']);
    expect(names((await store.list({ namespace: '', name: 'b' })).items)).toEqual(['b']);
    const empty = await store.list({ namespace: 'nobody' });
    expect(empty.items).toEqual([]);
    expect(Number(empty.resourceVersion)).toBeGreaterThan(0);
  });

  it('gives pages of one revision, whatever is written meanwhile', async () => {
    for (let i = 0; i < 10; i++) await put('d', `n${i}`);
    const pages: string[][] = [];
    const revisions = new Set<string>();
    const left: (number | undefined)[] = [];
    let next: string | undefined;
    do {
      const list = await store.list({ namespace: 'd', limit: 3, ...(next === undefined ? {} : { continue: next }) });
      pages.push(names(list.items) as string[]);
      revisions.add(list.resourceVersion);
      left.push(list.remainingItemCount);
      next = list.continue;
      await put('d', `n${pages.length * 3 - 1}x`);
      await store.update('d', 'n9', (o) => ({ object: { ...o!, data: { p: String(pages.length) } } }));
    } while (next !== undefined);
    expect(pages).toEqual([['n0', 'n1', 'n2'], ['n3', 'n4', 'n5'], ['n6', 'n7', 'n8'], ['n9']]);
    expect(revisions.size).toBe(1);
    expect(left).toEqual([7, 4, 1, undefined]);
  });

  it('has no next page when the limit is just enough', async () => {
    for (let i = 0; i < 4; i++) await put('d', `n${i}`);
    const list = await store.list({ namespace: 'd', limit: 4 });
    expect([list.items.length, list.continue, list.remainingItemCount]).toEqual([4, undefined, undefined]);
  });

  it('fills pages with what a filter lets through', async () => {
    for (let i = 0; i < 60; i++) await put('d', `n${String(i).padStart(2, '0')}`, { tens: String(i % 10) });
    const filter = (o: KubeObject) => o.metadata.labels?.tens === '7';
    const first = await store.list({ namespace: 'd', limit: 2, filter });
    expect([names(first.items), first.remainingItemCount]).toEqual([['n07', 'n17'], undefined]);
    const rest = await store.list({ namespace: 'd', limit: 10, filter, continue: first.continue! });
    expect([names(rest.items), rest.continue]).toEqual([['n27', 'n37', 'n47', 'n57'], undefined]);
    expect(await read({ filter: () => false, limit: 5 })).toEqual([]);
  });

  it('reads the revision that is asked for', async () => {
    const a = await put('d', 'a');
    const b = await put('d', 'b');
    const old = String(revision(a));
    expect(await read({ resourceVersion: old, resourceVersionMatch: 'Exact' })).toEqual(['a']);
    expect(await read({ resourceVersion: old, limit: 5 })).toEqual(['a']);
    expect(await read({ resourceVersion: old, resourceVersionMatch: 'NotOlderThan', limit: 5 })).toEqual(['a', 'b']);
    expect(await read({ resourceVersion: old })).toEqual(['a', 'b']);
    const exact = await store.list({ namespace: 'd', resourceVersion: old, resourceVersionMatch: 'Exact' });
    expect(exact.resourceVersion).toBe(old);
    // From the cache: all of it, whatever the limit.
    expect(await read({ resourceVersion: '0', limit: 1 })).toEqual(['a', 'b']);
    const cached = await store.list({ namespace: 'd', resourceVersion: '0' });
    const newest = await store.list({ namespace: 'd' });
    expect(cached.items[0]).toBe(newest.items[0]);
    const c = await put('d', 'c');
    expect(await read({ resourceVersion: String(revision(c)) })).toEqual(['a', 'b', 'c']);
    expect(await read({ resourceVersion: String(revision(b)), resourceVersionMatch: 'Exact' })).toEqual(['a', 'b']);
  });

  it('says 410 for a compacted revision, and how to go on with a page', async () => {
    const a = await put('d', 'a');
    for (const name of ['b', 'c', 'd']) await put('d', name);
    const page = await store.list({ namespace: 'd', limit: 2 });
    const last = await put('d', 'e');
    await t.client.compact(revision(last));
    const exact = await refused(store.list({ namespace: 'd', resourceVersion: String(revision(a)), limit: 5 }));
    expect([exact.code, exact.reason, exact.message]).toEqual([
      410,
      'Expired',
      'The resourceVersion for the provided list is too old.',
    ]);
    const expired = await refused(store.list({ namespace: 'd', limit: 2, continue: page.continue! }));
    expect([expired.code, expired.reason, expired.message]).toEqual([410, 'Expired', TOO_OLD]);
    const rest = await store.list({ namespace: 'd', limit: 2, continue: expired.toStatus().metadata.continue! });
    expect(names(rest.items)).toEqual(['c', 'd']);
    const end = await store.list({ namespace: 'd', limit: 2, continue: rest.continue! });
    expect([names(end.items), end.continue]).toEqual([['e'], undefined]);
  });

  it('refuses options that make no sense together', async () => {
    await put('d', 'a');
    expect(await text({ resourceVersionMatch: 'Exact' })).toBe(
      '422 ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
    expect(await text({ resourceVersionMatch: 'Exact', resourceVersion: '0' })).toContain(
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    );
    expect(await text({ resourceVersionMatch: 'Older' as never, resourceVersion: '5' })).toContain(
      'Unsupported value: "Older": supported values: "Exact", "NotOlderThan", ""',
    );
    expect(await text({ resourceVersion: 'x' })).toContain('400 resourceVersion: Invalid value: "x"');
    const good = token({ v: 'meta.k8s.io/v1', rv: 5, start: 'a\0' });
    expect(await text({ continue: good, resourceVersion: '5' })).toBe(
      '400 specifying resource version is not allowed when using continue',
    );
    for (const bad of [
      '%%%',
      'aGVsbG8',
      token(null),
      token({ v: 'v2', rv: 1, start: 'a' }),
      token({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' }),
      token({ v: 'meta.k8s.io/v1', rv: 1, start: '' }),
      token({ v: 'meta.k8s.io/v1', rv: 1, start: '/x' }),
      token({ v: 'meta.k8s.io/v1', rv: 1, start: '../secrets/' }),
    ]) {
      expect(await text({ continue: bad })).toMatch(/^400 invalid continue token: /);
    }
  });
});
