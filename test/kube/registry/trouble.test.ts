import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import type { ObjectStore } from '../../../src/kube/registry/index.js';
import { encodeStored } from '../../../src/kube/registry/index.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { refused } from '../support/fake-cluster.js';
import type { TestStore } from '../support/store.js';
import { map, Seen, startStore, TestRegistry } from '../support/store.js';

const portOf = (endpoint: string) => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));

describe('a network in trouble', () => {
  let backend: TestStore;
  let proxy: TcpProxy;
  /** Reaches the store whatever the proxy does. */
  let direct: KeelClient;
  let t: TestRegistry;
  let store: ObjectStore;

  beforeEach(async () => {
    backend = await startStore('keel');
    proxy = await TcpProxy.start(portOf(backend.endpoint));
    direct = new KeelClient({ endpoints: backend.endpoint });
    t = new TestRegistry(
      `127.0.0.1:${proxy.port}`,
      { prefix: '/registry' },
      { requestTimeoutMs: 250, dialTimeoutMs: 200 },
    );
    store = t.maps();
  });
  afterEach(async () => {
    await t.stop();
    await direct.close();
    await proxy.close();
    await backend.stop();
  });

  const key = (name: string) => `/registry/configmaps/d/${name}`;
  const write = (name: string, n: string) => direct.put(key(name), encodeStored(map(name, { n })));
  const rv = (o: KubeObject) => o.metadata.resourceVersion!;

  it('loses and repeats no event over broken connections', async () => {
    const first = await store.create('d', 'a', map('a'));
    const seen = await Seen.start(store, { resourceVersion: rv(first) });
    const written: string[] = [];
    for (let i = 0; i < 40; i++) {
      const { header } = await write('a', String(i));
      written.push(String(header.revision));
      if (i % 10 === 3) proxy.spoil(null, { cut: true });
      if (i % 10 === 7) proxy.heal();
    }
    proxy.heal();
    await seen.count(40);
    expect(seen.events.map((e) => e.resourceVersion)).toEqual(written);
    expect(seen.ended).toBeUndefined();
  });

  it('makes up for a compaction that it slept through', async () => {
    for (const name of ['kept', 'changed', 'removed', 'reborn']) await store.create('d', name, map(name));
    const seen = await Seen.start(store, {});
    await seen.count(4);
    const { revision } = (await direct.get('x')).header;
    proxy.spoil(null, { cut: true });
    await write('changed', '1');
    const changed = await write('changed', '2');
    await direct.delete(key('removed'));
    await direct.delete(key('reborn'));
    const reborn = await write('reborn', '3');
    const created = await write('new', '4');
    await direct.compact(created.header.revision);
    proxy.heal();
    await seen.count(9);
    expect(seen.events.slice(4).map((e) => `${e.type} ${e.object.metadata.name} ${e.object.data.n ?? ''}`)).toEqual([
      'MODIFIED changed 2',
      'DELETED reborn ',
      'ADDED reborn 3',
      'ADDED new 4',
      'DELETED removed ',
    ]);
    expect(seen.events[4]!.resourceVersion).toBe(String(changed.header.revision));
    expect(seen.events[6]!.resourceVersion).toBe(String(reborn.header.revision));
    // Whoever stands in the hole cannot know what happened there.
    const late = await refused(Seen.start(store, { resourceVersion: String(revision) }));
    expect(late.code).toBe(410);
    const listed = await store.list({ namespace: 'd', resourceVersion: '0' });
    expect(listed.items.map((o) => o.metadata.name)).toEqual(['changed', 'kept', 'new', 'reborn']);
    await write('after', '5');
    await seen.count(10);
    expect(seen.lines[9]).toBe('ADDED after');
  });

  it('ends its watches when the store is another one than before', async () => {
    for (let i = 0; i < 5; i++) await store.create('d', `a${i}`, map(`a${i}`));
    const seen = await Seen.start(store, {});
    await seen.count(5);
    const other = await startStore('keel');
    const theirs = new KeelClient({ endpoints: other.endpoint });
    await theirs.put(key('b'), encodeStored(map('b')));
    proxy.spoil(null, { cut: true });
    t.client.setEndpoints([other.endpoint]);
    await seen.until(() => seen.ended !== undefined);
    expect(seen.ended).toMatchObject({ code: 410 });
    const again = await Seen.start(store, { resourceVersion: '0' });
    await again.count(1);
    expect(again.lines).toEqual(['ADDED b']);
    await theirs.put(key('c'), encodeStored(map('c')));
    await again.count(2);
    expect(again.lines).toEqual(['ADDED b', 'ADDED c']);
    await theirs.close();
    await other.stop();
  });

  it('looks again before it tells that a create failed', async () => {
    await store.create('d', 'warm', map('warm', { n: '0' }));
    const later = () => setTimeout(() => proxy.heal(), 400);
    proxy.spoil(null, { held: ['out'] });
    later();
    const made = await store.create('d', 'a', map('a'));
    expect(await store.get('d', 'a')).toEqual(made);
  });

  it('tells 504 when nobody knows what became of a write', async () => {
    await store.create('d', 'warm', map('warm'));
    proxy.spoil(null, { held: ['out'] });
    const error = await refused(store.create('d', 'a', map('a')));
    expect([error.code, error.reason]).toEqual([504, 'Timeout']);
    // A client that is told when to come back sends the same again.
    expect(error.details?.retryAfterSeconds).toBeUndefined();
    proxy.heal();
    const warm = await store.get('d', 'warm');
    proxy.spoil(null, { held: ['out'] });
    const count = (o: KubeObject | null) => ({ object: { ...o!, data: { n: '1' } } });
    const update = store.update('d', 'warm', count, { cached: warm });
    await direct.put(key('warm'), encodeStored({ ...warm, data: { n: '1' } }));
    setTimeout(() => proxy.heal(), 400);
    // The same bytes are there; whose they are nobody can tell.
    expect((await refused(update)).code).toBe(504);
    expect((await store.get('d', 'warm')).data.n).toBe('1');
    proxy.heal();
  });

  it('tells who made it first when a create that may have happened did not', async () => {
    await store.create('d', 'warm', map('warm'));
    proxy.spoil(null, { held: ['in'] });
    const create = store.create('d', 'a', map('a'));
    await write('a', 'theirs');
    setTimeout(() => proxy.heal(), 400);
    const error = await refused(create);
    expect(error.reason).toBe('AlreadyExists');
    expect((await store.get('d', 'a')).data.n).toBe('theirs');
  });
});
