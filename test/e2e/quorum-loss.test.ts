import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindUnderTest } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { RawClient, Result } from '../support/raw-client.js';

const kind = kindUnderTest();
/** 5 s and twice the election timeout of the cluster below, with some room. */
const REQUEST_TIMEOUT_MS = 7000;
const LATEST_MS = 15_000;

let cluster: Cluster;
let survivor: RawClient;

beforeAll(async () => {
  cluster = await Cluster.start({ kind, electionMs: 500 });
  survivor = cluster.client('m1');
  await expect(survivor.run({ kind: 'put', key: 'before', value: '1' } as never, 5000)).resolves.toMatchObject({
    ok: true,
  });
  await cluster.kill9('m2');
  await cluster.kill9('m3');
}, 60_000);

afterAll(async () => {
  await cluster.dispose();
});

async function timed<T>(work: Promise<Result<T>>): Promise<{ result: Result<T>; ms: number }> {
  const start = performance.now();
  const result = await work;
  return { result, ms: performance.now() - start };
}

const range = (more: object) => ({ key: '\0', range_end: '\0', ...more });
const raw = (method: string, request: string, reply: string, value: Record<string, unknown>, ms = LATEST_MS) =>
  survivor.call(method, request, reply, value, ms);

describe(`${kind}: a member whose two peers were killed (etcd semantics 1.3)`, () => {
  test('serves serializable ranges, its status and its member list at once', async () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1');
    const read = await timed(
      raw(
        'KV/Range',
        'RangeRequest',
        'RangeResponse',
        range({ key: bytes('before'), range_end: bytes(''), serializable: true }),
      ),
    );
    expect(read.result).toMatchObject({ ok: true });
    expect(read.ms).toBeLessThan(1000);
    expect(await raw('Maintenance/Status', 'StatusRequest', 'StatusResponse', {})).toMatchObject({ ok: true });
    expect(await raw('Cluster/MemberList', 'MemberListRequest', 'MemberListResponse', {})).toMatchObject({ ok: true });
    expect(await raw('Maintenance/HashKV', 'HashKVRequest', 'HashKVResponse', {})).toMatchObject({ ok: true });
  });

  test('fails writes and linearizable reads with codes and texts of etcd, within the request timeout', async () => {
    const key = Buffer.from('after');
    const [put, get, list] = await Promise.all([
      timed(raw('KV/Put', 'PutRequest', 'PutResponse', { key, value: key })),
      timed(raw('KV/Range', 'RangeRequest', 'RangeResponse', { key })),
      timed(raw('Cluster/MemberList', 'MemberListRequest', 'MemberListResponse', { linearizable: true })),
    ]);
    // etcd's second read waits for the first one's round to fail, and takes twice as long.
    const limit = kind === 'etcd' ? 2 * REQUEST_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
    for (const { ms } of [put, get, list]) expect(ms).toBeLessThan(limit);
    expect(error(put.result)).toMatch(/^(4 context deadline exceeded|14 etcdserver: request timed out.*)$/);
    expect(error(get.result)).toBe('14 etcdserver: request timed out');
    expect(error(list.result)).toBe('14 etcdserver: request timed out');
  }, 30_000);

  test('answers again when one of the two is back', async () => {
    await cluster.restart('m2');
    const key = Buffer.from('again');
    expect(await raw('KV/Put', 'PutRequest', 'PutResponse', { key, value: key })).toMatchObject({ ok: true });
    expect(await raw('KV/Range', 'RangeRequest', 'RangeResponse', { key })).toMatchObject({ ok: true });
  }, 30_000);
});

function error<T>(result: Result<T>): string {
  return result.ok ? 'ok' : `${result.error.code} ${result.error.message}`;
}
