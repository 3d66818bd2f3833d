/**
 * The client over three members that are killed and stopped under it. A server under test is etcd, or our own.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Election, KeelClient, KeelError, Mutex, Op, Session } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import { describeStores } from '../support/stores.js';

describeStores('client, three members', (kind) => {
  let cluster: Cluster;
  const clients: KeelClient[] = [];

  const connect = (options: Partial<ConstructorParameters<typeof KeelClient>[0]> = {}): KeelClient => {
    const client = new KeelClient({ endpoints: cluster.endpoints, ...options });
    clients.push(client);
    return client;
  };

  /** Brings back whoever was killed or stopped. */
  const heal = async () => {
    for (const m of cluster.members) if (m.process.paused) cluster.resume(m.name);
    await cluster.restart(...cluster.members.filter((m) => !m.process.running).map((m) => m.name));
    await cluster.converged();
  };

  beforeAll(async () => {
    cluster = await Cluster.start({ kind, size: 3 });
    await cluster.leader();
  }, 60_000);

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((c) => c.close()));
    await heal();
  }, 60_000);

  afterAll(async () => {
    await cluster?.dispose();
  });

  it('writes go on when the leader is killed; none is lost, none is applied twice', async () => {
    const client = connect();
    const acknowledged: string[] = [];
    const uncertain: string[] = [];
    let stop = false;
    const writer = async (name: string) => {
      for (let i = 0; !stop; i++) {
        const key = `kill/${name}/${i}`;
        try {
          const { prevKv } = await client.put(key, 'v', { prevKv: true, timeoutMs: 1500 });
          // A second application of the same put would show here.
          expect(prevKv).toBeNull();
          acknowledged.push(key);
        } catch (err) {
          expect(err).toBeInstanceOf(KeelError);
          if ((err as KeelError).mayHaveHappened) uncertain.push(key);
        }
      }
    };
    const writers = ['a', 'b', 'c', 'd'].map(writer);
    await sleep(500);
    const before = acknowledged.length;
    await cluster.kill9(await cluster.leader());
    await sleep(3500);
    stop = true;
    await Promise.all(writers);
    expect(before).toBeGreaterThan(10);
    expect(acknowledged.length).toBeGreaterThan(before + 20);
    const found = await client.get('kill/', { prefix: true });
    const byKey = new Map(found.kvs.map((kv) => [kv.key.toString(), kv]));
    for (const key of acknowledged) expect(byKey.get(key)?.version, key).toBe(1);
    for (const kv of found.kvs) expect(kv.version, kv.key.toString()).toBe(1);
    // What was not acknowledged and is there must have been reported as uncertain.
    const known = new Set([...acknowledged, ...uncertain]);
    for (const key of byKey.keys()) expect(known.has(key), key).toBe(true);
  }, 40_000);

  it('a watch sees every revision once while its members are killed in turn and history is compacted', async () => {
    const client = connect({ balance: 'pinned' });
    const writer = connect();
    const watch = client.watch('seq', { progressNotify: true });
    await watch.created();
    const seen: number[] = [];
    let interruptions = 0;
    watch.on('interrupted', () => interruptions++);
    const consumed = (async () => {
      for await (const batch of watch) {
        for (const e of batch.events) seen.push(Number(e.kv.value));
        if (seen[seen.length - 1] === 60) return;
      }
    })();
    for (let n = 1; n <= 60; n++) {
      for (;;) {
        try {
          // A value that may have been written is not written again: the history is one of unique values.
          const { kvs } = await writer.get('seq', { timeoutMs: 5000 });
          if (Number(kvs[0]?.value ?? 0) >= n) break;
          const { header } = await writer.put('seq', String(n), { timeoutMs: 5000 });
          if (n % 20 === 10) await writer.compact(header.revision - 5, { timeoutMs: 5000 }).catch(() => {});
          break;
        } catch {
          await sleep(50);
        }
      }
      if (n === 20 || n === 40) {
        const down = cluster.members.find((m) => !m.process.running);
        if (down) await cluster.restart(down.name);
        const victim = cluster.members.find((m) => m.endpoint === carrier(client, cluster))!;
        await cluster.kill9(victim.name);
      }
    }
    await consumed;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(interruptions).toBeGreaterThanOrEqual(1);
  }, 60_000);

  it('a watch that fell behind a compaction while it was away ends with the compact revision', async () => {
    const away = cluster.members[0]!;
    const client = connect({ endpoints: [away.endpoint] });
    const writer = connect({ endpoints: cluster.members.slice(1).map((m) => m.endpoint) });
    const watch = client.watch('behind');
    await watch.created();
    await cluster.kill9(away.name);
    let revision = 0;
    for (let i = 0; i < 5; i++) revision = (await writer.put('behind', String(i))).header.revision;
    await writer.compact(revision);
    client.setEndpoints(cluster.members.slice(1).map((m) => m.endpoint));
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ERR_COMPACTED',
      compactRevision: revision,
    });
  }, 30_000);

  it('nobody there: the deadline, and why', async () => {
    const client = connect({ endpoints: ['127.0.0.1:1', '127.0.0.1:2'], requestTimeoutMs: 500 });
    const err = await client.put('a', 'b').then(
      () => null,
      (e) => e as KeelError,
    );
    expect(err?.code).toBe('ERR_DEADLINE_EXCEEDED');
    expect(err?.cause).toMatchObject({ code: 'ERR_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('takes its endpoints from the cluster', async () => {
    const client = connect({ endpoints: [cluster.endpoints[0]!] });
    await client.sync();
    expect(client.endpoints.sort()).toEqual(cluster.endpoints.map((e) => `http://${e}`).sort());
    await client.put('synced', 'v');
  });

  describe('recipes', () => {
    it('a lock is held by one at a time, also when its holder dies', async () => {
      const sessions = await Promise.all(Array.from({ length: 3 }, async () => Session.open(connect(), { ttl: 2 })));
      let inside = 0;
      let most = 0;
      await Promise.all(
        sessions.map(async (session) => {
          for (let i = 0; i < 4; i++) {
            const mutex = new Mutex(session, 'lock');
            await mutex.lock();
            most = Math.max(most, ++inside);
            const guarded = await session.client.txn({ compare: [mutex.isHeld()], success: [Op.get(mutex.key!)] });
            expect(guarded.succeeded).toBe(true);
            await sleep(10);
            inside--;
            await mutex.unlock();
          }
        }),
      );
      expect(most).toBe(1);

      const [dying, waiting] = sessions as [Session, Session, Session];
      await new Mutex(dying, 'lock').lock();
      await expect(new Mutex(waiting, 'lock').tryLock()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
      await expect(new Mutex(waiting, 'lock').lock({ signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
        code: 'ERR_CANCELED',
      });
      // An abandoned wait leaves no key behind that others would wait for.
      expect((await waiting.client.get('lock/', { prefix: true })).count).toBe(1);
      dying.orphan();
      const start = performance.now();
      await new Mutex(waiting, 'lock').lock();
      expect(performance.now() - start).toBeLessThan(8000);
      await Promise.all(sessions.slice(1).map((s) => s.close()));
    }, 40_000);

    it('one is elected, all can see who, and the next follows', async () => {
      const [one, two] = await Promise.all([Session.open(connect(), { ttl: 5 }), Session.open(connect(), { ttl: 5 })]);
      const [first, second] = [new Election(one, 'elect'), new Election(two, 'elect')];
      const seen: string[] = [];
      const stop = new AbortController();
      const observing = (async () => {
        for await (const kv of second.observe({ signal: stop.signal })) seen.push(kv.value.toString());
      })();
      await first.campaign('one');
      const waiting = second.campaign('two');
      await expect.poll(() => seen).toEqual(['one']);
      await first.proclaim('one again');
      await expect.poll(() => seen).toEqual(['one', 'one again']);
      await first.resign();
      await waiting;
      expect((await first.leader())?.value.toString()).toBe('two');
      await expect.poll(() => seen).toEqual(['one', 'one again', 'two']);
      await expect(first.proclaim('me')).rejects.toMatchObject({ code: 'ERR_ELECTION_NOT_LEADER' });
      stop.abort();
      await observing.catch(() => {});
      await Promise.all([one.close(), two.close()]);
    }, 30_000);
  });
});

/** With pinned balance the watch is where the client's first good endpoint is: the first member that runs. */
function carrier(_client: KeelClient, cluster: Cluster): string {
  return cluster.members.find((m) => m.process.running)!.endpoint;
}
