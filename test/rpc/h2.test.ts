import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdctlBinary } from '../support/binaries.js';
import { decode, encode } from '../support/etcd-proto.js';
import { H2Client } from './support/h2-client.js';
import type { TestMember } from './support/member.js';
import { startTestMember } from './support/member.js';

describe('a member over h2', () => {
  let member: TestMember;
  let wire: H2Client;
  beforeAll(async () => {
    member = await startTestMember();
    wire = new H2Client(member.endpoint);
  });
  afterAll(async () => {
    wire.close();
    await member.stop();
  });

  const put = (key: string, value: Buffer) => encode('PutRequest', { key: Buffer.from(key), value });
  const PUT = '/etcdserverpb.KV/Put';
  const watchFrom = (key: string) =>
    encode('WatchRequest', { create_request: { key: Buffer.from(key), range_end: Buffer.from(`${key}~`) } });

  test('a request that is too large for the transport, and a response that is not', async () => {
    const message = put('a', Buffer.alloc(2_200_000));
    expect(await wire.unary(PUT, message)).toMatchObject({
      code: 8,
      message: `grpc: received message larger than max (${message.length} vs. 2097152)`,
    });
    for (const key of ['big/1', 'big/2', 'big/3']) await wire.unary(PUT, put(key, Buffer.alloc(1_500_000, 7)));
    const all = encode('RangeRequest', { key: Buffer.from('big/'), range_end: Buffer.from('big0') });
    const { messages } = await wire.unary('/etcdserverpb.KV/Range', all);
    const { kvs } = decode('RangeResponse', messages[0]!);
    expect(kvs.map(({ value }: { value: Buffer }) => value.length)).toEqual([1_500_000, 1_500_000, 1_500_000]);
  });

  test('a watcher that does not listen loses nothing, and does not hold up others on its connection', async () => {
    const slow = wire.stream('/etcdserverpb.Watch/Watch');
    const fast = wire.stream('/etcdserverpb.Watch/Watch');
    for (const stream of [slow, fast]) {
      stream.send(watchFrom('slow/'));
      await stream.next();
    }
    slow.pause();
    const value = Buffer.alloc(64 * 1024, 1);
    const wanted = Array.from({ length: 100 }, (_, i) => `slow/${i}`);
    for (const key of wanted) await wire.unary(PUT, put(key, value));
    const keysOf = async (stream: typeof slow): Promise<string[]> => {
      const keys: string[] = [];
      while (keys.length < wanted.length) {
        const message = await stream.next();
        if (!Buffer.isBuffer(message)) throw new Error(`${message} after ${keys.length}`);
        for (const { kv } of decode('WatchResponse', message).events) keys.push(kv.key.toString());
      }
      return keys;
    };
    expect(await keysOf(fast)).toEqual(wanted);
    slow.resume();
    expect(await keysOf(slow)).toEqual(wanted);
    slow.cancel();
    fast.cancel();
  });

  const etcdctl = etcdctlBinary();
  if (etcdctl === undefined) console.warn('SKIPPED etcdctl over h2: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH');

  test.skipIf(etcdctl === undefined)('etcdctl: put, get, watch, lease', async () => {
    const run = async (...args: string[]) =>
      (await promisify(execFile)(etcdctl!, ['--endpoints', member.endpoint, ...args])).stdout.trim();
    const watching = promisify(execFile)(etcdctl!, ['--endpoints', member.endpoint, 'watch', 'ctl/', '--prefix'], {
      timeout: 3_000,
    }).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    await new Promise((done) => setTimeout(done, 500));
    expect(await run('put', 'ctl/a', '1')).toBe('OK');
    expect(await run('get', 'ctl/a')).toBe('ctl/a\n1');
    const [, lease] = /lease (\w+) granted/.exec(await run('lease', 'grant', '60')) as unknown as [string, string];
    expect(await run('put', 'ctl/b', '2', '--lease', lease)).toBe('OK');
    expect(await run('lease', 'keep-alive', '--once', lease)).toBe(`lease ${lease} keepalived with TTL(60)`);
    expect(await run('lease', 'revoke', lease)).toBe(`lease ${lease} revoked`);
    expect((await watching).stdout).toBe('PUT\nctl/a\n1\nPUT\nctl/b\n2\nDELETE\nctl/b\n\n');
  });

  test('a stop ends the streams as etcd does, and closes every connection', async () => {
    const own = await startTestMember();
    const client = new H2Client(own.endpoint);
    const stream = client.stream('/etcdserverpb.Watch/Watch');
    stream.send(watchFrom('x'));
    await stream.next();
    const started = Date.now();
    await own.stop();
    expect(await stream.ended).toMatchObject({ code: 14, message: 'etcdserver: server stopped' });
    expect(Date.now() - started).toBeLessThan(3_000);
    client.close();
  });
});
