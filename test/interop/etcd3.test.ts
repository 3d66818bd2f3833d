import type { IKeyValue, Lease, Watcher } from 'etcd3';
import { Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError } from 'etcd3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kindUnderTest, sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';

// The npm package `etcd3` is a client that knows nothing of us: what it can do with a real etcd it must do here.
const kind = kindUnderTest();

describe.skipIf(sayIfMissing('the npm package etcd3', kind))(`npm package etcd3 against ${kind}`, () => {
  let cluster: Cluster;
  let client: Etcd3;

  beforeAll(async () => {
    cluster = await Cluster.start({ kind });
    client = new Etcd3({ hosts: cluster.endpoints.map((endpoint) => `http://${endpoint}`) });
  });

  let failed = false;
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });

  afterAll(async () => {
    client?.close();
    if (failed) console.error(`logs are kept in ${cluster.dir}`);
    await cluster?.dispose({ keep: failed });
  });

  it('puts, gets and deletes', async () => {
    expect(await client.get('missing')).toBeNull();
    await client.put('greeting').value('hello');
    expect(await client.get('greeting').string()).toBe('hello');
    await client.put('number').value(42);
    expect(await client.get('number').number()).toBe(42);
    await client.put('json').value(JSON.stringify({ a: [1, 2] }));
    expect(await client.get('json').json()).toEqual({ a: [1, 2] });
    const binary = Buffer.from([0, 255, 128, 10]);
    await client.put(binary).value(binary);
    expect(await client.get(binary).buffer()).toEqual(binary);
    const before = await client.put('greeting').value('again').getPrevious();
    expect((before as unknown as IKeyValue).value.toString()).toBe('hello');
    expect(await client.get('greeting').exists()).toBe(true);
    const deleted = await client.delete().key('greeting');
    expect(deleted.deleted).toBe('1');
    expect(await client.get('greeting').exists()).toBe(false);
    expect((await client.delete().key('greeting').exec()).deleted).toBe('0');
  });

  it('reads ranges: prefix, bounds, sort, limit, count, keys, old revisions', async () => {
    const space = client.namespace('range/');
    for (const [i, name] of ['pear', 'apple', 'fig', 'kiwi'].entries()) await space.put(name).value(String(i));
    expect(await space.getAll().strings()).toEqual({ apple: '1', fig: '2', kiwi: '3', pear: '0' });
    expect(await space.getAll().keys()).toEqual(['apple', 'fig', 'kiwi', 'pear']);
    expect(await space.getAll().sort('Value', 'Descend').keys()).toEqual(['kiwi', 'fig', 'apple', 'pear']);
    expect(await space.getAll().sort('Create', 'Ascend').limit(2).keys()).toEqual(['pear', 'apple']);
    expect(await space.getAll().count()).toBe(4);
    expect(Object.keys(await space.getAll().inRange({ start: 'b', end: 'l' }).strings())).toEqual(['fig', 'kiwi']);
    expect(await client.getAll().prefix('range/f').strings()).toEqual({ 'range/fig': '2' });
    const { header } = await space.put('fig').value('new').exec();
    expect(
      await space
        .get('fig')
        .revision(Number(header.revision) - 1)
        .string(),
    ).toBe('2');
    expect(await space.get('fig').serializable(true).exec()).toMatchObject({ more: false });
    await space.delete().all();
    expect(await space.getAll().count()).toBe(0);
  });

  it('runs transactions', async () => {
    await client.put('account').value('10');
    const won = await client
      .if('account', 'Value', '==', '10')
      .and('missing', 'Create', '==', 0)
      .then(client.put('account').value('9'), client.get('account'))
      .else(client.get('account'))
      .commit();
    expect(won.succeeded).toBe(true);
    expect(won.responses).toHaveLength(2);
    expect(won.responses[1]?.response_range.kvs[0]?.value.toString()).toBe('9');
    const lost = await client
      .if('account', 'Value', '==', '10')
      .then(client.put('account').value('8'))
      .else(client.get('account'))
      .commit();
    expect(lost.succeeded).toBe(false);
    expect(lost.responses[0]?.response_range.kvs[0]?.value.toString()).toBe('9');
    expect(await client.get('account').string()).toBe('9');
    const version = await client.if('account', 'Version', '>', 1).then(client.delete().key('account')).commit();
    expect(version.succeeded).toBe(true);
    expect(await client.get('account')).toBeNull();
  });

  it('runs software transactions that retry on conflict', async () => {
    await client.put('counter').value(0);
    const increment = () =>
      client.stm({ retries: 50 }).transact(async (tx) => {
        const value = await tx.get('counter').number();
        await tx.put('counter').value((value ?? 0) + 1);
      });
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(await client.get('counter').number()).toBe(8);
  });

  it('watches keys and prefixes, from now and from the past', async () => {
    const events: string[] = [];
    const watcher = await client.watch().prefix('watched/').withPreviousKV().create();
    watcher.on('put', (kv, previous) => events.push(`put ${kv.key}=${kv.value} was ${previous?.value ?? 'nothing'}`));
    watcher.on('delete', (kv, previous) => events.push(`delete ${kv.key} was ${previous?.value}`));
    const { header } = await client.put('watched/a').value('1').exec();
    await client.put('watched/a').value('2');
    await client.put('elsewhere').value('x');
    await client.delete().key('watched/a');
    await until(() => events.length >= 3);
    expect(events).toEqual(['put watched/a=1 was nothing', 'put watched/a=2 was 1', 'delete watched/a was 2']);
    await watcher.cancel();

    const replay: string[] = [];
    const past = await client.watch().key('watched/a').startRevision(header.revision).create();
    past.on('put', (kv) => replay.push(`put ${kv.value}`));
    past.on('delete', () => replay.push('delete'));
    await until(() => replay.length >= 3);
    expect(replay).toEqual(['put 1', 'put 2', 'delete']);
    await past.cancel();

    const deletes: string[] = [];
    const only = await client.watch().key('watched/b').only('delete').create();
    only.on('put', () => deletes.push('put'));
    only.on('delete', () => deletes.push('delete'));
    await client.put('watched/b').value('1');
    await client.delete().key('watched/b');
    await until(() => deletes.length >= 1);
    expect(deletes).toEqual(['delete']);
    await only.cancel();
  });

  it('resumes a watch when its member dies', async () => {
    const member = cluster.members[0]!;
    const alone = new Etcd3({ hosts: [`http://${member.endpoint}`] });
    const watcher: Watcher = await alone.watch().prefix('resumed/').create();
    const seen: string[] = [];
    watcher.on('put', (kv) => seen.push(kv.value.toString()));
    const cut = new Promise((resolve) => watcher.once('disconnected', resolve));
    await client.put('resumed/1').value('before');
    await until(() => seen.length >= 1);
    await cluster.kill9(member.name);
    await cut;
    const others = new Etcd3({ hosts: cluster.endpoints.slice(1).map((endpoint) => `http://${endpoint}`) });
    await retry(() => others.put('resumed/2').value('meanwhile').exec());
    await cluster.restart(member.name);
    await retry(() => others.put('resumed/3').value('after').exec());
    await until(() => seen.length >= 3, 20_000);
    expect(seen).toEqual(['before', 'meanwhile', 'after']);
    await watcher.cancel();
    others.close();
    alone.close();
  });

  it('keeps leases alive, and loses them', async () => {
    const lease: Lease = client.lease(2);
    await lease.put('leased/kept').value('1');
    let renewed = 0;
    lease.on('keepaliveSucceeded', () => renewed++);
    await sleep(3500);
    expect(renewed).toBeGreaterThan(0);
    expect(await client.get('leased/kept').string()).toBe('1');
    await lease.revoke();
    expect(await client.get('leased/kept')).toBeNull();

    const forgotten = client.lease(2, { autoKeepAlive: false });
    await forgotten.put('leased/lost').value('1');
    expect(await client.get('leased/lost').string()).toBe('1');
    const began = Date.now();
    await until(async () => (await client.get('leased/lost')) === null, 10_000);
    expect(Date.now() - began).toBeGreaterThan(1000);
    await forgotten.keepaliveOnce().then(
      () => expect.fail('the lease is gone'),
      (err: Error) => expect(err).toBeInstanceOf(EtcdLeaseInvalidError),
    );
  });

  it('locks', async () => {
    const first = client.lock('mutex').ttl(5);
    await first.acquire();
    await client
      .lock('mutex')
      .acquire()
      .then(
        () => expect.fail('taken twice'),
        (err: Error) => expect(err).toBeInstanceOf(EtcdLockFailedError),
      );
    await first.release();
    const order: string[] = [];
    const critical = async (name: string) => {
      await retry(() =>
        client.lock('mutex').do(async () => {
          order.push(`${name} in`);
          await sleep(20);
          order.push(`${name} out`);
        }),
      );
    };
    await Promise.all(['a', 'b', 'c'].map(critical));
    expect(order).toHaveLength(6);
    for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]!.replace('in', 'out'));
  });

  it('elects a leader and hands over', async () => {
    const election = client.election('chair', 5);
    const first = election.campaign('first');
    await first.wait();
    expect(await election.leader()).toBe('first');
    const observer = await election.observe();
    const changes: (string | undefined)[] = [];
    observer.on('change', (value) => changes.push(value));
    const second = election.campaign('second');
    await first.resign();
    await second.wait();
    await until(() => changes.includes('second'));
    expect(await election.leader()).toBe('second');
    await observer.cancel();
    await second.resign();
  });

  it('answers maintenance and cluster calls', async () => {
    const members = await client.cluster.memberList({});
    expect(members.members.map((m) => m.name).sort()).toEqual(cluster.names);
    const status = await client.maintenance.status();
    expect(status.leader).not.toBe('0');
    expect(Number(status.raftTerm)).toBeGreaterThan(0);
    const alarms = await client.maintenance.alarm({ action: 'Get' as never });
    expect(alarms.alarms).toEqual([]);
  });

  it('maps errors to its classes', async () => {
    await client
      .put('')
      .value('x')
      .exec()
      .then(
        () => expect.fail('an empty key was taken'),
        (err: Error) => expect(err.message).toContain('etcdserver: key is not provided'),
      );
    await client
      .get('greeting')
      .revision(1_000_000)
      .exec()
      .then(
        () => expect.fail('a future revision was read'),
        (err: Error) => expect(err.message).toContain('etcdserver: mvcc: required revision is a future revision'),
      );
  });
});

async function until(done: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`not so after ${timeoutMs} ms`);
    await sleep(20);
  }
}

/** Tries again while the cluster elects, or a lock is taken. */
async function retry<T>(body: () => Promise<T>, timeoutMs = 15_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await body();
    } catch (err) {
      if (Date.now() > end) throw err;
      await sleep(30);
    }
  }
}
