import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { ObjectStore } from '../../../src/kube/registry/index.js';
import { refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { describeBackends, map, Seen, startStore, TestRegistry } from '../support/store.js';

describeBackends('watches', (kind) => {
  let backend: TestStore;
  let t: TestRegistry;
  let store: ObjectStore;
  const open: Seen[] = [];

  beforeAll(async () => {
    backend = await startStore(kind);
  });
  afterAll(async () => {
    await t?.stop();
    await backend?.stop();
  });
  beforeEach(async () => {
    for (const seen of open.splice(0)) seen.watch.stop();
    await t?.stop();
    t = new TestRegistry(backend.endpoint, { bookmarkIntervalMs: 0, ring: { minEvents: 20, maxEvents: 40 } });
    store = t.maps();
  });

  const put = (name: string, labels?: Record<string, string>, namespace = 'd') =>
    store.create(namespace, name, {
      ...map(name, {}, labels),
      metadata: { ...map(name, {}, labels).metadata, namespace },
    });
  const set = (name: string, n: string) => store.update('d', name, (o) => ({ object: { ...o!, data: { n } } }));
  const label = (name: string, labels: Record<string, string>) =>
    store.update('d', name, (o) => ({ object: { ...o!, metadata: { ...o!.metadata, labels } } }));
  const remove = (name: string) => store.update('d', name, () => ({ remove: true }));
  const start = async (...args: Parameters<typeof Seen.start> extends [unknown, ...infer R] ? R : never) => {
    const seen = await Seen.start(store, ...args);
    open.push(seen);
    return seen;
  };
  const rv = (o: KubeObject) => o.metadata.resourceVersion!;

  it('starts with the state, then tells changes; a deletion has the object and its own revision', async () => {
    const a = await put('a');
    const seen = await start();
    await seen.count(1);
    const b = await put('b');
    const a2 = await set('a', '1');
    const gone = await remove('a');
    await seen.count(4);
    expect(seen.lines).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED a']);
    expect(seen.events.map((e) => e.resourceVersion)).toEqual([rv(a), rv(b), rv(a2), rv(gone)]);
    expect(seen.events[3]!.object).toEqual({ ...a2, metadata: { ...a2.metadata, resourceVersion: rv(gone) } });
    expect(Number(rv(gone))).toBeGreaterThan(Number(rv(a2)));
  });

  it('starts after a revision: no event of before, each one after', async () => {
    const a = await put('a');
    await put('b');
    await put('c');
    const seen = await start({ resourceVersion: rv(a) });
    await put('d');
    await seen.count(3);
    expect(seen.lines).toEqual(['ADDED b', 'ADDED c', 'ADDED d']);
    const zero = await start({ resourceVersion: '0' });
    await zero.count(4);
    expect(zero.lines).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'ADDED d']);
  });

  it('narrows to a namespace, a name, a selector', async () => {
    const from = rv(await put('before'));
    const inE = await start({ resourceVersion: from, namespace: 'e' });
    const named = await start({ resourceVersion: from, namespace: 'd', name: 'a' });
    const red = await start({ resourceVersion: from, filter: (o) => o.metadata.labels?.colour === 'red' });
    await put('x', {}, 'e');
    await put('a', { colour: 'blue' });
    await put('b', { colour: 'red' });
    const a = await label('a', { colour: 'red' });
    await set('a', '1');
    const left = await label('a', { colour: 'blue' });
    await set('a', '2');
    await remove('a');
    await remove('b');
    await named.count(6);
    await red.count(5);
    expect(inE.lines).toEqual(['ADDED x']);
    expect(named.lines).toEqual(['ADDED a', 'MODIFIED a', 'MODIFIED a', 'MODIFIED a', 'MODIFIED a', 'DELETED a']);
    expect(red.lines).toEqual(['ADDED b', 'ADDED a', 'MODIFIED a', 'DELETED a', 'DELETED b']);
    expect(red.events[1]!.resourceVersion).toBe(rv(a));
    // What it was when it still matched, with the revision of the change that took it away.
    expect(red.events[3]!.object).toMatchObject({
      data: { n: '1' },
      metadata: { labels: { colour: 'red' }, resourceVersion: rv(left) },
    });
  });

  it('gives initial events, their end, and then changes', async () => {
    await put('a');
    const b = await put('b');
    const seen = await start({ sendInitialEvents: true, bookmarks: true });
    await seen.count(3);
    expect(seen.lines).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK']);
    const mark = seen.events[2]!;
    expect(mark.initialEventsEnd).toBe(true);
    expect(mark.object).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        resourceVersion: mark.resourceVersion,
        creationTimestamp: null,
        annotations: { 'k8s.io/initial-events-end': 'true' },
      },
    });
    expect(Number(mark.resourceVersion)).toBeGreaterThanOrEqual(Number(rv(b)));
    await put('c');
    await seen.count(4);
    expect(seen.lines[3]).toBe('ADDED c');
    const later = await start({ sendInitialEvents: true, resourceVersion: rv(b) });
    await later.count(4);
    expect(later.lines).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'BOOKMARK']);
  });

  it('gives bookmarks that move in a quiet folder', async () => {
    const a = await put('a');
    const seen = await start({ resourceVersion: rv(a), bookmarks: true });
    const unasked = await start({ resourceVersion: rv(a) });
    const other = await t.maps('other').create('d', 'x', map('x'));
    // The state of now is asked for: the cache must have come that far to answer.
    await start({});
    seen.watch.bookmark();
    unasked.watch.bookmark();
    expect(seen.lines).toEqual(['BOOKMARK']);
    expect(Number(seen.events[0]!.resourceVersion)).toBeGreaterThanOrEqual(Number(rv(other)));
    expect(unasked.events).toEqual([]);
    const again = await start({ resourceVersion: seen.events[0]!.resourceVersion });
    await put('b');
    await again.count(1);
    expect(again.lines).toEqual(['ADDED b']);
  });

  it('gives bookmarks by the clock', async () => {
    await t.stop();
    t = new TestRegistry(backend.endpoint, { bookmarkIntervalMs: 30 });
    store = t.maps();
    const a = await put('a');
    const seen = await start({ resourceVersion: rv(a), bookmarks: true });
    await t.client.put('elsewhere', 'x');
    await seen.count(2);
    expect(seen.lines.slice(0, 2)).toEqual(['BOOKMARK', 'BOOKMARK']);
    expect(Number(seen.events[1]!.resourceVersion)).toBeGreaterThan(Number(rv(a)));
  });

  it('says 410 for what it has forgotten, 504 for what is not yet', async () => {
    const a = await put('a');
    await start({ resourceVersion: rv(a) });
    for (let i = 0; i < 60; i++) await set('a', String(i));
    const newest = await store.get('d', 'a');
    await start({ resourceVersion: rv(newest) });
    const old = await refused(start({ resourceVersion: rv(a) }));
    expect([old.code, old.reason]).toEqual([410, 'Expired']);
    expect(old.message).toMatch(new RegExp(`^too old resource version: ${rv(a)} \\(\\d+\\)$`));
    const future = await refused(start({ resourceVersion: String(Number(rv(newest)) + 1000) }));
    expect([future.code, future.message]).toMatchObject([504, expect.stringContaining('Too large resource version')]);
  });

  it('waits for a revision that is about to come', async () => {
    const a = await put('a');
    const soon = start({ resourceVersion: String(Number(rv(a)) + 2) });
    await put('b');
    await put('c');
    await put('d');
    const seen = await soon;
    await seen.count(1);
    expect(seen.lines).toEqual(['ADDED d']);
  });

  it('reads the past from the store for those who come from before the cache', async () => {
    const a = await put('a', { colour: 'red' });
    await label('a', { colour: 'blue' });
    await remove('a');
    await put('a', { colour: 'red' });
    const newest = await put('b');
    const restarted = new TestRegistry(backend.endpoint, { prefix: t.prefix, bookmarkIntervalMs: 0 });
    const begin = (resourceVersion: string) =>
      Seen.start(restarted.maps(), { resourceVersion, filter: (o) => o.metadata.labels?.colour === 'red' });
    const late = await begin(rv(newest));
    const [one, two, three] = await Promise.all([begin(rv(a)), begin(String(Number(rv(a)) + 1)), begin(rv(a))]);
    await put('c', { colour: 'red' });
    await Promise.all([late.count(1), one.count(3), two.count(2), three.count(3)]);
    expect(late.lines).toEqual(['ADDED c']);
    expect(one.lines).toEqual(['DELETED a', 'ADDED a', 'ADDED c']);
    expect(one.events[0]!.object.metadata.labels).toEqual({ colour: 'red' });
    expect(two.lines).toEqual(['ADDED a', 'ADDED c']);
    expect(three.events).toEqual(one.events);
    expect(three.events[0]).toBe(one.events[0]);
    await restarted.stop();
  });

  it('starts a cache in the past where somebody left off, or says 410', async () => {
    const a = await put('a');
    for (let i = 0; i < 5; i++) await set('a', String(i));
    const seen = await start({ resourceVersion: rv(a) });
    await seen.count(5);
    expect(seen.events.map((e) => e.object.data.n)).toEqual(['0', '1', '2', '3', '4']);
    const other = new TestRegistry(backend.endpoint, { prefix: t.prefix });
    await t.client.compact(Number(seen.events[3]!.resourceVersion));
    const late = await refused(
      other.maps().watch({ namespace: 'd', resourceVersion: rv(a) }, { event: () => true, end() {} }),
    );
    expect(late.code).toBe(410);
    await other.stop();
  });

  describe('a slow reader', () => {
    it('gets all of it later, in order, without holding up others', async () => {
      const a = await put('a');
      const slow = await start({ resourceVersion: rv(a) });
      const quick = await start({ resourceVersion: rv(a) });
      slow.takes = () => false;
      for (let i = 0; i < 15; i++) await set('a', String(i));
      await quick.count(15);
      expect(slow.events).toHaveLength(1);
      slow.takes = () => true;
      slow.watch.resume();
      expect(slow.events).toEqual(quick.events);
      expect(slow.events[3]).toBe(quick.events[3]);
    });

    it('is ended when the past it still needs is forgotten', async () => {
      const a = await put('a');
      const slow = await start({ resourceVersion: rv(a) });
      const quick = await start({ resourceVersion: rv(a) });
      slow.takes = () => false;
      for (let i = 0; i < 60; i++) await set('a', String(i));
      await quick.count(60);
      expect(slow.ended).toBeUndefined();
      slow.watch.resume();
      expect(slow.events).toHaveLength(1);
      expect(slow.ended).toMatchObject({ code: 410, reason: 'Expired' });
      expect(slow.ended!.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
    });

    it('may stop at its first event', async () => {
      await put('a');
      await put('b');
      const seen = await start();
      seen.takes = () => {
        seen.watch.stop();
        return true;
      };
      await seen.count(1);
      await turn();
      await turn();
      expect([seen.lines, seen.ended]).toEqual([['ADDED a'], undefined]);
    });
  });

  it('ends its watches when the folder is closed', async () => {
    const seen = await start();
    await t.registry.close('configmaps');
    expect(seen.ended).toBeNull();
  });

  it('gives 200 watchers each event once, in order, over compactions and lost streams', async () => {
    await t.stop();
    t = new TestRegistry(backend.endpoint, { bookmarkIntervalMs: 20 });
    store = t.maps();
    const first = await put('n0');
    const watchers: Seen[] = [];
    for (let i = 0; i < 200; i++) watchers.push(await start({ resourceVersion: rv(first), bookmarks: i % 2 === 0 }));
    const written: string[] = [];
    for (let i = 0; i < 60; i++) {
      written.push(rv(await set('n0', String(i))));
      if (i % 20 === 10) await t.client.compact(Number(written[i]!));
      if (i % 20 === 15) t.client.setEndpoints([backend.endpoint, '127.0.0.1:1']);
    }
    await Promise.all(watchers.map((w) => w.until(() => w.events.at(-1)?.resourceVersion === written.at(-1))));
    for (const watcher of watchers) {
      const events = watcher.events.filter((e) => e.type !== 'BOOKMARK');
      expect(events.map((e) => e.resourceVersion)).toEqual(written);
      const all = watcher.events.map((e) => Number(e.resourceVersion));
      expect(all).toEqual([...all].sort((a, b) => a - b));
    }
    expect(watchers[1]!.lines).not.toContain('BOOKMARK');
  });
});
