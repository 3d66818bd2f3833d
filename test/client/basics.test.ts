import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WatchBatch } from '../../src/client/index.js';
import { Compare, KeelClient, KeelError, Op, Txn } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';
import { describeStores } from '../support/stores.js';

describeStores('client, one member', (kind) => {
  let cluster: Cluster;
  let client: KeelClient;

  beforeAll(async () => {
    cluster = await Cluster.start({ kind, size: 1 });
    client = new KeelClient({ endpoints: cluster.endpoints });
  });

  afterAll(async () => {
    await client?.close();
    await cluster?.dispose();
  });

  describe('keys', () => {
    it('puts and gets, also at an old revision', async () => {
      const put = await client.put('a', 'one');
      expect(put.prevKv).toBeNull();
      const again = await client.put('a', Buffer.from('two'), { prevKv: true });
      expect(again.prevKv?.value.toString()).toBe('one');
      expect(again.header.revision).toBe(put.header.revision + 1);
      const got = await client.get('a');
      expect(got.count).toBe(1);
      expect(got.kvs[0]).toEqual({
        key: Buffer.from('a'),
        value: Buffer.from('two'),
        createRevision: put.header.revision,
        modRevision: again.header.revision,
        version: 2,
        lease: 0n,
      });
      const old = await client.get('a', { revision: put.header.revision });
      expect(old.kvs[0]?.value.toString()).toBe('one');
    });

    it('takes bytes that are no text, and text that is not ASCII', async () => {
      const key = Buffer.from([0x00, 0xff, 0x80]);
      await client.put(key, Buffer.from([0xfe, 0x00]));
      expect((await client.get(key)).kvs[0]?.value).toEqual(Buffer.from([0xfe, 0x00]));
      await client.put('schlüssel/ключ', 'wert');
      const got = await client.get('schlüssel/', { prefix: true });
      expect(got.kvs[0]?.key.toString('utf8')).toBe('schlüssel/ключ');
    });

    it('ranges: prefix, from a key on, limit, order, keys only, count only', async () => {
      for (const [key, value] of [
        ['r/1', 'c'],
        ['r/2', 'a'],
        ['r/3', 'b'],
      ] as const) {
        await client.put(key, value);
      }
      const keys = async (...args: Parameters<KeelClient['get']>) =>
        (await client.get(...args)).kvs.map((kv) => kv.key.toString());
      expect(await keys('r/', { prefix: true })).toEqual(['r/1', 'r/2', 'r/3']);
      expect(await keys('r/1', { rangeEnd: 'r/3' })).toEqual(['r/1', 'r/2']);
      expect((await keys('r/2', { fromKey: true })).slice(0, 2)).toEqual(['r/2', 'r/3']);
      expect(await keys('r/', { prefix: true, sortTarget: 'value', sortOrder: 'descend' })).toEqual([
        'r/1',
        'r/3',
        'r/2',
      ]);
      const limited = await client.get('r/', { prefix: true, limit: 2, keysOnly: true, serializable: true });
      expect([limited.kvs.length, limited.more, limited.count]).toEqual([2, true, 3]);
      expect(limited.kvs[0]?.value.length).toBe(0);
      const counted = await client.get('r/', { prefix: true, countOnly: true });
      expect([counted.kvs.length, counted.count]).toEqual([0, 3]);
      expect(() => client.watch('r/', { prefix: true, fromKey: true })).toThrow(TypeError);
    });

    it('deletes', async () => {
      await client.put('d/1', 'x');
      await client.put('d/2', 'y');
      const gone = await client.delete('d/', { prefix: true, prevKv: true });
      expect(gone.deleted).toBe(2);
      expect(gone.prevKvs.map((kv) => kv.value.toString())).toEqual(['x', 'y']);
      expect((await client.delete('d/1')).deleted).toBe(0);
    });
  });

  describe('transactions', () => {
    it('runs one branch or the other, nested too', async () => {
      const txn = Txn.if(Compare.missing('t'))
        .do(Op.put('t', '1'), Op.get('t'))
        .else(Op.get('t'), Op.txn({ success: [Op.delete('t', { prevKv: true })] }));
      const first = await client.txn(txn);
      expect(first.succeeded).toBe(true);
      expect(first.responses.map((r) => r.type)).toEqual(['put', 'range']);
      const second = await client.txn(txn);
      expect(second.succeeded).toBe(false);
      const nested = second.responses[1];
      if (nested?.type !== 'txn' || nested.responses[0]?.type !== 'delete') throw new Error('not a nested delete');
      expect(nested.responses[0].prevKvs[0]?.value.toString()).toBe('1');
    });

    it('compares versions, revisions, values and leases', async () => {
      const { header } = await client.put('cmp', 'm');
      const holds = async (...compare: Compare[]) => (await client.txn({ compare })).succeeded;
      expect(await holds(Compare.version('cmp', '=', 1), Compare.modRevision('cmp', '=', header.revision))).toBe(true);
      expect(await holds(Compare.value('cmp', '>', 'l'), Compare.value('cmp', '<', 'n'))).toBe(true);
      expect(await holds(Compare.value('cmp', '!=', 'm'))).toBe(false);
      expect(await holds(Compare.createRevision('cmp', '<', header.revision))).toBe(false);
      expect(await holds(Compare.lease('cmp', '=', 0n), Compare.exists('cmp'))).toBe(true);
    });

    it('operations and conditions are frozen, and a builder leaves its parts alone', () => {
      expect(Object.isFrozen(Op.put('k', 'v'))).toBe(true);
      expect(Object.isFrozen(Compare.missing('k'))).toBe(true);
      const base = Txn.if(Compare.missing('k'));
      const more = base.do(Op.put('k', 'v'));
      expect(base.success.length).toBe(0);
      expect(more.success.length).toBe(1);
    });
  });

  describe('errors', () => {
    const failure = (promise: Promise<unknown>): Promise<KeelError> =>
      promise.then(
        () => {
          throw new Error('it did not fail');
        },
        (err) => err as KeelError,
      );

    it("carries etcd's text, the gRPC code and a code of its own", async () => {
      const err = await failure(client.put('', 'v'));
      expect(err).toBeInstanceOf(KeelError);
      expect([err.code, err.grpcCode, err.message, err.mayHaveHappened]).toEqual([
        'ERR_EMPTY_KEY',
        3,
        'etcdserver: key is not provided',
        false,
      ]);
      const future = await failure(client.get('a', { revision: 1_000_000 }));
      expect([future.code, future.grpcCode]).toEqual(['ERR_FUTURE_REV', 11]);
      expect((await failure(client.lease.revoke(12345n))).code).toBe('ERR_LEASE_NOT_FOUND');
      expect((await failure(client.put('a', '', { lease: 999n }))).code).toBe('ERR_LEASE_NOT_FOUND');
      expect((await failure(client.txn({ success: [Op.put('x', '1'), Op.put('x', '2')] }))).code).toBe(
        'ERR_DUPLICATE_KEY',
      );
    });

    it('does not send what is larger than the limit', async () => {
      const err = await failure(client.put('big', Buffer.alloc(2 * 1024 * 1024)));
      expect([err.code, err.grpcCode]).toEqual(['ERR_RESOURCE_EXHAUSTED', 8]);
      expect(err.message).toMatch(/^trying to send message larger than max \(20971\d\d vs\. 2097152\)$/);
      expect((await failure(client.put('big', Buffer.alloc(1_600_000)))).code).toBe('ERR_REQUEST_TOO_LARGE');
    });

    it('receives what is larger than 4 MiB', async () => {
      for (let i = 0; i < 5; i++) await client.put(`large/${i}`, Buffer.alloc(1_200_000, i));
      const got = await client.get('large/', { prefix: true });
      expect(got.kvs.reduce((sum, kv) => sum + kv.value.length, 0)).toBe(6_000_000);
      await client.delete('large/', { prefix: true });
    });

    it('ends a call by a signal, and by its deadline', async () => {
      const aborted = AbortSignal.abort(new Error('enough'));
      const err = await failure(client.get('a', { signal: aborted }));
      expect([err.code, (err.cause as Error).message]).toEqual(['ERR_CANCELED', 'enough']);
      const controller = new AbortController();
      const pending = failure(client.get('a', { signal: controller.signal }));
      controller.abort();
      expect((await pending).code).toBe('ERR_CANCELED');
    });
  });

  describe('watches', () => {
    it('gives events in order, from a revision on, with what was there before', async () => {
      const { header } = await client.put('w/a', '1');
      await client.put('w/a', '2');
      await client.delete('w/a');
      const watch = client.watch('w/', { prefix: true, startRevision: header.revision, prevKv: true });
      const seen: string[] = [];
      for await (const batch of watch) {
        for (const e of batch.events) seen.push(`${e.type} ${e.kv.value} (${e.prevKv?.value ?? ''})`);
        if (seen.length === 3) break;
      }
      expect(seen).toEqual(['put 1 ()', 'put 2 (1)', 'delete  (2)']);
    });

    it('many on one stream, each its own; listeners and cancel', async () => {
      const watches = Array.from({ length: 20 }, (_, i) => client.watch(`m/${i}`));
      await Promise.all(watches.map((w) => w.created()));
      const got = watches.map(
        (w) => new Promise<string>((resolve) => w.once('event', (e) => resolve(`${e.kv.value}`))),
      );
      for (let i = 0; i < 20; i++) await client.put(`m/${i}`, `v${i}`);
      expect(await Promise.all(got)).toEqual(watches.map((_, i) => `v${i}`));
      for (const w of watches) w.cancel();
      for (const w of watches) for await (const _ of w) throw new Error('a cancelled watch gave more');
    });

    it('filters, and progress on request', async () => {
      const watch = client.watch('f', { filters: ['noput'] });
      await watch.created();
      const batches: WatchBatch[] = [];
      watch.on('batch', (b) => batches.push(b));
      await client.put('f', '1');
      const gone = await client.delete('f');
      await expect.poll(() => batches.length).toBe(1);
      expect(batches[0]?.events[0]?.type).toBe('delete');
      await client.put('elsewhere', 'x');
      await expect
        .poll(
          () => {
            watch.requestProgress();
            return batches.at(-1)?.header.revision;
          },
          { interval: 100 },
        )
        .toBe(gone.header.revision + 1);
      expect(watch.nextRevision).toBe(gone.header.revision + 2);
      watch.cancel();
    });

    it('fails with the compact revision when it starts below', async () => {
      await client.put('c', '1');
      const { header } = await client.put('c', '2');
      await client.compact(header.revision);
      const watch = client.watch('c', { startRevision: 2 });
      const err = await watch[Symbol.asyncIterator]()
        .next()
        .then(
          () => undefined,
          (e) => e as KeelError,
        );
      expect([err?.code, err?.compactRevision]).toEqual(['ERR_COMPACTED', header.revision]);
    });

    it('a consumer that stays behind is caught up, and nothing is lost', async () => {
      const watch = client.watch('slow/', { prefix: true });
      await watch.created();
      const value = Buffer.alloc(400_000);
      for (let i = 0; i < 120; i++) await client.put(`slow/${i}`, value);
      let next = 0;
      for await (const batch of watch) {
        for (const e of batch.events) expect(e.kv.key.toString()).toBe(`slow/${next++}`);
        if (next === 120) break;
      }
      await client.delete('slow/', { prefix: true });
    });
  });

  describe('leases', () => {
    it('grants, attaches, tells, renews once, revokes', async () => {
      const { id, ttl } = await client.lease.grant(60);
      expect(ttl).toBe(60);
      await client.put('leased', 'v', { lease: id });
      const left = await client.lease.timeToLive(id, { keys: true });
      expect([left.grantedTtl, left.keys.map(String)]).toEqual([60, ['leased']]);
      expect((await client.lease.keepAliveOnce(id)).ttl).toBe(60);
      expect((await client.lease.leases()).leases).toContain(id);
      await client.lease.revoke(id);
      expect((await client.get('leased')).count).toBe(0);
      expect((await client.lease.timeToLive(id)).ttl).toBe(-1);
      await expect(client.lease.keepAliveOnce(id)).rejects.toMatchObject({ code: 'ERR_LEASE_NOT_FOUND' });
    });

    it('keeps one alive beyond its TTL, and says when it is lost', async () => {
      const { id } = await client.lease.grant(2);
      const kept = client.lease.keepAlive(id, { ttl: 2 });
      let renewals = 0;
      kept.on('renewed', () => renewals++);
      await new Promise((resolve) => setTimeout(resolve, 3500));
      expect((await client.lease.timeToLive(id)).ttl).toBeGreaterThan(0);
      expect(renewals).toBeGreaterThanOrEqual(4);
      expect(renewals).toBeLessThanOrEqual(8);
      await client.lease.revoke(id);
      expect((await kept.lost).code).toBe('ERR_LEASE_NOT_FOUND');
    });
  });

  it('cluster and maintenance', async () => {
    const { members } = await client.cluster.memberList();
    expect(members.length).toBe(1);
    const status = await client.maintenance.status(cluster.endpoints[0]);
    expect(status.leader).toBe(members[0]?.id);
    expect((await client.maintenance.hashKv(cluster.endpoints[0])).hash).toBeGreaterThan(0);
    expect((await client.maintenance.alarms()).alarms).toEqual([]);
    await client.maintenance.defragment(cluster.endpoints[0]);
  });

  it('after close every call fails, and close twice is once', async () => {
    const other = new KeelClient({ endpoints: cluster.endpoints });
    const watch = other.watch('x');
    await watch.created();
    await other.close();
    await other.close();
    await expect(other.get('a')).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  });
});
