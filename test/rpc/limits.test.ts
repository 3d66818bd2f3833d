import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePutRequest, makePutRequest } from '../../src/wire/index.js';
import { sayIfMissing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { H2Client } from './support/h2-client.js';
import type { TestMember } from './support/member.js';
import { startTestMember } from './support/member.js';

/** Sizes at which a put is refused, and by whom (etcd wire §1, etcd semantics §1.3). */
const SIZES = [1_572_000, 1_572_864, 1_600_000, 2_097_100, 2_097_152, 2_200_000];
const EXPECTED = [
  '0 ',
  '3 etcdserver: request is too large',
  '3 etcdserver: request is too large',
  '3 etcdserver: request is too large',
  '8 grpc: received message larger than max (2097162 vs. 2097152)',
  '8 grpc: received message larger than max (2200010 vs. 2097152)',
];

async function sizes(endpoint: string): Promise<string[]> {
  const client = new H2Client(endpoint);
  const answers: string[] = [];
  for (const size of SIZES) {
    const request = encodePutRequest({ ...makePutRequest(), key: 'big', value: Buffer.alloc(size) });
    const { code, message } = await client.unary('/etcdserverpb.KV/Put', request);
    answers.push(`${code} ${message}`);
  }
  const { code } = await client.unary('/etcdserverpb.Maintenance/Status', Buffer.alloc(0));
  answers.push(`lives: ${code}`);
  client.close();
  return answers;
}

describe('messages that are too large', () => {
  let member: TestMember;
  beforeAll(async () => {
    member = await startTestMember();
  });
  afterAll(() => member.stop());

  test('are refused, and the member lives', async () => {
    expect(await sizes(member.endpoint)).toEqual([...EXPECTED, 'lives: 0']);
  });

  test.skipIf(sayIfMissing('the same sizes to a real etcd', 'etcd'))('as a real etcd does', async () => {
    const cluster = await Cluster.start({ kind: 'etcd', size: 1 });
    try {
      expect(await sizes(cluster.endpoints[0]!)).toEqual([...EXPECTED, 'lives: 0']);
    } finally {
      await cluster.dispose();
    }
  });
});
