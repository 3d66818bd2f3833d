import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { KeelClient } from '../../../src/client/index.js';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import type { KubeObject } from '../../../src/kube/machinery/object.js';
import { openRegistry } from '../../../src/kube/registry/index.js';
import { Cluster } from '../../support/cluster.js';
import { describeStores } from '../../support/stores.js';
import { MAPS, map, Seen } from '../support/store.js';

const SECONDS = Number(process.env.KEEL_KUBE_CHAOS_SECONDS ?? 20);

describeStores('objects over a cluster whose members are killed', (kind) => {
  let cluster: Cluster;
  let client: KeelClient;

  afterEach(async () => {
    await client?.close();
    await cluster?.dispose();
  });

  it('loses no write that was told, and no watch an event', async () => {
    cluster = await Cluster.start({ kind, size: 3 });
    client = new KeelClient({ endpoints: cluster.endpoints, requestTimeoutMs: 3000 });
    const registry = openRegistry(client, { compactionIntervalMs: 2000, bookmarkIntervalMs: 500 });
    const store = registry.store(MAPS);
    const counters = ['a', 'b', 'c', 'd'];
    for (const name of counters) await store.create('d', name, map(name, { n: '0' }));
    const watches: Seen[] = [];
    for (let i = 0; i < 20; i++) watches.push(await Seen.start(store, { sendInitialEvents: true, bookmarks: true }));

    const until = Date.now() + SECONDS * 1000;
    const told = new Map(counters.map((name) => [name, 0]));
    const open = new Map(counters.map((name) => [name, 0]));
    let made = 0;
    const add = (o: KubeObject | null) => ({ object: { ...o!, data: { n: String(Number(o!.data.n) + 1) } } });
    const increment = async (name: string) => {
      while (Date.now() < until) {
        try {
          await store.update('d', name, add);
          told.set(name, told.get(name)! + 1);
        } catch (err) {
          if (!(err instanceof ApiError && err.code >= 500)) throw err;
          open.set(name, open.get(name)! + 1);
        }
      }
    };
    const come = async (worker: number) => {
      for (let i = 0; Date.now() < until; i++) {
        const name = `w${worker}-${i}`;
        try {
          await store.create('d', name, map(name));
          made++;
          await store.update('d', name, () => ({ remove: true }));
        } catch (err) {
          if (!(err instanceof ApiError && (err.code >= 500 || err.code === 404))) throw err;
        }
        await sleep(5);
      }
    };
    const kill = async () => {
      for (let i = 0; Date.now() < until - 4000; i++) {
        await sleep(1500);
        const member = cluster.members[i % 3]!;
        await member.process.kill9();
        await sleep(500);
        member.process.start();
        await cluster.allReady();
      }
    };
    await Promise.all([
      ...counters.flatMap((n) => [increment(n), increment(n), increment(n)]),
      come(1),
      come(2),
      kill(),
    ]);

    const final = await store.list({ namespace: 'd' });
    for (const name of counters) {
      const n = Number(final.items.find((o) => o.metadata.name === name)!.data.n);
      expect(n, name).toBeGreaterThanOrEqual(told.get(name)!);
      expect(n, name).toBeLessThanOrEqual(told.get(name)! + open.get(name)!);
    }
    expect(made).toBeGreaterThan(10);
    const last = await store.create('d', 'last', map('last'));
    for (const seen of watches) {
      await seen.until(() => seen.ended !== undefined || seen.lines.at(-1) === 'ADDED last');
      expect(seen.ended).toBeUndefined();
      const state = new Map<string, string>();
      let revision = 0;
      let n = new Map<string, number>();
      for (const { type, object, resourceVersion, initialEventsEnd } of seen.events) {
        if (type === 'BOOKMARK') {
          if (initialEventsEnd) revision = 0;
          continue;
        }
        if (state.size >= counters.length) expect(Number(resourceVersion)).toBeGreaterThan(revision);
        revision = Number(resourceVersion);
        const name = object.metadata.name!;
        expect(type).toBe(type === 'DELETED' ? 'DELETED' : state.has(name) ? 'MODIFIED' : 'ADDED');
        if (type === 'DELETED') state.delete(name);
        else state.set(name, resourceVersion);
        if (counters.includes(name)) {
          // Not one step of a counter is missing or told twice.
          expect(Number(object.data.n)).toBe((n.get(name) ?? Number(object.data.n) - 1) + 1);
          n = n.set(name, Number(object.data.n));
        }
      }
      const listed = [...final.items.map((o) => [o.metadata.name!, o.metadata.resourceVersion!] as const)];
      expect(new Map([...state].filter(([name]) => name !== 'last'))).toEqual(new Map(listed));
      expect(state.get('last')).toBe(last.metadata.resourceVersion);
    }
    await registry.stop();
  }, 180_000);
});
