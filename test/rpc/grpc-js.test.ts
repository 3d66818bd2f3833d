import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode, encode } from '../support/etcd-proto.js';
import { RawClient } from '../support/raw-client.js';
import { H2Client } from './support/h2-client.js';
import type { TestMember } from './support/member.js';
import { startTestMember } from './support/member.js';

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

describe('sizes', () => {
  test('a message above the limit of the transport', async () => {
    const message = put('a', Buffer.alloc(2_200_000));
    expect(await wire.unary(PUT, message)).toMatchObject({
      code: 8,
      message: `grpc: received message larger than max (${message.length} vs. 2097152)`,
    });
  });

  test('a length that lies is refused before its bytes come', async () => {
    const stream = wire.stream(PUT);
    stream.endWith(Buffer.from('00ffffffff', 'hex'));
    expect(await stream.ended).toMatchObject({
      code: 8,
      message: 'grpc: received message larger than max (4294967295 vs. 2097152)',
    });
  });

  test("a request above the member's", async () => {
    expect(await wire.unary(PUT, put('a', Buffer.alloc(1_572_864)))).toMatchObject({
      code: 3,
      message: 'etcdserver: request is too large',
    });
  });

  test('a request below both, and a response above', async () => {
    const value = Buffer.alloc(1_500_000, 7);
    for (const key of ['big/1', 'big/2', 'big/3']) expect((await wire.unary(PUT, put(key, value))).code).toBe(0);
    const all = encode('RangeRequest', { key: Buffer.from('big/'), range_end: Buffer.from('big0') });
    const answer = await wire.unary('/etcdserverpb.KV/Range', all);
    const { kvs } = decode('RangeResponse', answer.messages[0]!);
    expect(kvs).toHaveLength(3);
    expect(kvs[2].value.equals(value)).toBe(true);
  });
});

test('a deadline that passes on the way', async () => {
  // A second message never comes: the call waits for it until its time is over.
  const stream = wire.stream(PUT, { 'grpc-timeout': '50m' });
  expect(await stream.ended).toMatchObject({ code: 4, message: 'context deadline exceeded' });
});

test('a cancelled watch frees its watchers', async () => {
  const open = wire.stream('/etcdserverpb.Watch/Watch');
  open.send(encode('WatchRequest', { create_request: { key: Buffer.from('x') } }));
  expect(await open.next()).toBeInstanceOf(Buffer);
  open.cancel();
  await open.ended;
  expect((await wire.unary(PUT, put('x', Buffer.from('1')))).code).toBe(0);
});

test('many calls on one connection at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) => wire.unary(PUT, put(`many/${i}`, Buffer.from(String(i))))),
  );
  const revisions = answers.map(({ code, messages }) => {
    expect(code).toBe(0);
    return Number(decode('PutResponse', messages[0]!).header.revision);
  });
  expect(new Set(revisions).size).toBe(500);
});

test('a watcher that does not listen loses nothing, and does not hold up others', async () => {
  const watchAll = encode('WatchRequest', {
    create_request: { key: Buffer.from('slow/'), range_end: Buffer.from('slow0') },
  });
  const slowWire = new H2Client(member.endpoint);
  const slow = slowWire.stream('/etcdserverpb.Watch/Watch');
  const fast = wire.stream('/etcdserverpb.Watch/Watch');
  for (const stream of [slow, fast]) {
    stream.send(watchAll);
    await stream.next();
  }
  slow.pause();
  const value = Buffer.alloc(64 * 1024, 1);
  const count = 150;
  for (let i = 0; i < count; i++) await wire.unary(PUT, put(`slow/${i}`, value));
  const keysOf = async (stream: typeof slow): Promise<string[]> => {
    const keys: string[] = [];
    while (keys.length < count) {
      const message = await stream.next();
      if (!Buffer.isBuffer(message)) throw new Error(`${message} after ${keys.length}`);
      for (const { kv } of decode('WatchResponse', message).events) keys.push(kv.key.toString());
    }
    return keys;
  };
  const wanted = Array.from({ length: count }, (_, i) => `slow/${i}`);
  expect(await keysOf(fast)).toEqual(wanted);
  slow.resume();
  expect(await keysOf(slow)).toEqual(wanted);
  slow.cancel();
  fast.cancel();
  slowWire.close();
});

test('a client that asks and does not listen gets every answer in the end', async () => {
  const deafWire = new H2Client(member.endpoint);
  const deaf = deafWire.stream('/etcdserverpb.Watch/Watch');
  deaf.pause();
  const value = Buffer.alloc(512 * 1024, 1);
  deaf.send(encode('WatchRequest', { create_request: { key: Buffer.from('deaf') } }));
  for (let i = 0; i < 4; i++) await wire.unary(PUT, put('deaf', value));
  const create = encode('WatchRequest', { create_request: { key: Buffer.alloc(4096, 1) } });
  for (let i = 0; i < 2000; i++) deaf.send(create);
  await new Promise((done) => setTimeout(done, 300));
  deaf.resume();
  let created = 0;
  while (created < 2001) {
    const message = await deaf.next();
    if (!Buffer.isBuffer(message)) throw new Error(`${message} after ${created}`);
    if (decode('WatchResponse', message).created) created++;
  }
  deaf.cancel();
  deafWire.close();
});

test('@grpc/grpc-js as a client', async () => {
  const client = new RawClient(member.endpoint);
  const put1 = await client.run({ kind: 'put', key: 'g', value: '1', lease: '0', prev: true });
  expect(put1).toMatchObject({ ok: true, value: { kind: 'put', prev: null } });
  const seen: string[] = [];
  let cancel = (): void => {};
  const ended = new Promise<{ code: number; message: string }>((resolve) => {
    cancel = client.watch(
      { key: 'g', rangeEnd: '', startRevision: 0 },
      {
        created: () => void client.run({ kind: 'put', key: 'g', value: '2', lease: '0', prev: false }),
        batch: (_, events) => {
          seen.push(...events.map(({ kv }) => kv.value));
          cancel();
        },
        end: resolve,
      },
    );
  });
  expect((await ended).code).toBe(1);
  expect(seen).toEqual(['2']);
  client.close();
});
