import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { etcdBinary, kindUnderTest, missing } from '../support/binaries.js';
import type { Cluster } from '../support/cluster.js';
import { withCluster } from '../support/cluster.js';
import { MemberProcess } from '../support/member-process.js';
import { freePorts } from '../support/ports.js';
import { RawClient } from '../support/raw-client.js';

/**
 * The log of a cleanly stopped member is one that etcd itself could have written: a real etcd that is given nothing
 * but a copy of `member/wal` replays it to the same state.
 *
 * An etcd 3.5 refuses a log that has set a cluster version above its own, so our members are told to stay at 3.5.
 */
const kind = kindUnderTest();
const reason = missing(kind) ?? (etcdBinary() ? undefined : 'no etcd: set KEEL_TEST_ETCD_BIN or put etcd on PATH');
if (reason) console.warn(`SKIPPED a real etcd on a copy of the log: ${reason}`);

describe.skipIf(reason)(`a real etcd on a copy of the log of ${kind}`, () => {
  it('replays it to the same revision and hash', { timeout: 90_000 }, async () => {
    const options = { kind, snapshotCount: 1_000_000, keelFlags: ['--cluster-version-max', '3.5'] };
    await withCluster(options, async (cluster) => {
      await write(cluster);
      // A crash in the middle, so that the log has more than one term and a tail that was open when it was cut off.
      const leader = await cluster.leader();
      await cluster.kill9(leader);
      await cluster.leader();
      const survivor = cluster.names.find((name) => name !== leader)!;
      for (let i = 0; i < 20; i++)
        await must(cluster, survivor, { kind: 'put', key: `later/${i}`, value: `${i}`, lease: '0', prev: false });
      await cluster.restart(leader);
      const revision = await cluster.converged();
      const expected = await hash(cluster.client(survivor), revision);

      for (const name of cluster.names) {
        const how = await cluster.stop(name);
        expect(how, `${name} is to stop cleanly`).toMatch(/exited with code 0|SIGTERM/);
      }
      for (const { name, dataDir } of cluster.members) {
        const copy = join(cluster.dir, `${name}.copy`);
        const wal = join(dataDir, 'member', 'wal');
        expect(existsSync(wal)).toBe(true);
        mkdirSync(join(copy, 'member'), { recursive: true });
        cpSync(wal, join(copy, 'member', 'wal'), { recursive: true });
        const replayed = await replay(cluster, name, copy, revision);
        expect(replayed, `${name}'s log`).toEqual({ revision, hash: expected });
      }
    });
  });
});

/** Something of everything that goes through the log. */
async function write(cluster: Cluster): Promise<void> {
  const name = cluster.names[0]!;
  for (let i = 0; i < 50; i++)
    await must(cluster, name, { kind: 'put', key: `k${i % 13}`, value: `v${i}`, lease: '0', prev: false });
  await must(cluster, name, { kind: 'put', key: 'bin\0ary\xff', value: '\0\xff', lease: '0', prev: false });
  await must(cluster, name, { kind: 'delete', key: 'k3', rangeEnd: 'k6', prev: true });
  await must(cluster, name, { kind: 'delete', key: 'none', rangeEnd: '', prev: false });
  await must(cluster, name, { kind: 'grant', lease: '4660', ttl: 600e6 });
  await must(cluster, name, { kind: 'grant', lease: '4661', ttl: 600e6 });
  await must(cluster, name, { kind: 'put', key: 'leased/a', value: 'stays', lease: '4660', prev: false });
  await must(cluster, name, { kind: 'put', key: 'leased/b', value: 'goes', lease: '4661', prev: false });
  await must(cluster, name, { kind: 'revoke', lease: '4661' });
  const put = (key: string, value: string) => ({ kind: 'put' as const, key, value, lease: '0', prev: false });
  await must(cluster, name, {
    kind: 'txn',
    compare: [{ key: 'k1', target: 'version', result: '>', operand: 1 }],
    success: [put('txn/a', '1'), put('txn/b', '2'), { kind: 'delete', key: 'k7', rangeEnd: 'k9', prev: false }],
    failure: [put('txn/failed', '1')],
  });
  await must(cluster, name, {
    kind: 'txn',
    compare: [{ key: 'k1', target: 'value', result: '=', operand: 'something else' }],
    success: [put('txn/failed', '1')],
    failure: [put('txn/else', '1')],
  });
  const compaction = await cluster
    .client(name)
    .call('KV/Compact', 'CompactionRequest', 'CompactionResponse', { revision: 30, physical: true }, 5000);
  expect(compaction.ok).toBe(true);
}

async function must(cluster: Cluster, name: string, op: Parameters<RawClient['run']>[0]): Promise<void> {
  const result = await cluster.client(name).run(op, 10_000);
  if (!result.ok) throw new Error(`${JSON.stringify(op)}: ${result.error.message}`);
}

async function hash(client: RawClient, revision: number): Promise<number> {
  const result = await client.hashKv(revision);
  if (!result.ok) throw new Error(`HashKV: ${result.error.message}`);
  return result.value.hash;
}

/** Starts a real etcd as the only member of what the copied log says, and asks for its state. */
async function replay(cluster: Cluster, name: string, dataDir: string, revision: number) {
  const [clientPort, peerPort] = await freePorts(2);
  const member = new MemberProcess({
    kind: 'etcd',
    name: `etcd on the log of ${name}`,
    logFile: join(cluster.dir, 'logs', `${name}.replay.log`),
    flags: [
      ...['--name', name, '--data-dir', dataDir, '--force-new-cluster', '--snapshot-count', '1000000'],
      ...['--listen-client-urls', `http://127.0.0.1:${clientPort}`],
      ...['--advertise-client-urls', `http://127.0.0.1:${clientPort}`],
      ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
      ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peerPort}`],
    ],
  });
  const client = new RawClient(`127.0.0.1:${clientPort}`);
  try {
    member.start();
    await member.ready(20_000);
    const status = await client.status(5000);
    if (!status.ok) throw new Error(status.error.message);
    return { revision: status.value.revision, hash: await hash(client, revision) };
  } finally {
    client.close();
    await member.kill9();
  }
}
