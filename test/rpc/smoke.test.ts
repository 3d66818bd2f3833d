import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import type { TestMember } from './support/member.js';
import { startTestMember } from './support/member.js';

let member: TestMember;
let client: RawClient;

beforeAll(async () => {
  member = await startTestMember();
  client = new RawClient(member.endpoint);
});
afterAll(async () => {
  client.close();
  await member.stop();
});

test('put and get over gRPC', async () => {
  const put = await client.call(
    'KV/Put',
    'PutRequest',
    'PutResponse',
    { key: Buffer.from('a'), value: Buffer.from('1') },
    3000,
  );
  expect(put).toMatchObject({ ok: true, value: { header: { revision: '2' } } });
  const get = await client.call('KV/Range', 'RangeRequest', 'RangeResponse', { key: Buffer.from('a') }, 3000);
  expect(get).toMatchObject({ ok: true, value: { count: '1' } });
  const res = await fetch(`http://${member.endpoint}/health`);
  expect([res.status, await res.text()]).toEqual([200, '{"health":"true","reason":""}']);
});
