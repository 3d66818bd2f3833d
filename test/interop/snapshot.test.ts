import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Row } from '../storage/bbolt/support.js';
import { readAll } from '../storage/bbolt/support.js';
import type { StoreKind } from '../support/binaries.js';
import { etcdBinary, etcdctlBinary, etcdutlBinary, missing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { runEtcdutl, runKeelutl } from '../support/utl.js';

/**
 * Data that moves from a real etcd to us and back, by snapshots (etcd operations §5.6): every key, revision, lease, user
 * and role arrives, and HashKV is the same at every station.
 */
const reason =
  missing('keel') ??
  (etcdBinary() ? undefined : 'no etcd: set KEEL_TEST_ETCD_BIN or put etcd on PATH') ??
  (etcdctlBinary() ? undefined : 'no etcdctl: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH') ??
  (etcdutlBinary() ? undefined : 'no etcdutl beside etcd or on PATH');
if (reason) console.warn(`SKIPPED snapshots that move between etcd and Keel: ${reason}`);

async function ok(result: Promise<CtlResult>): Promise<string> {
  const { code, out, err } = await result;
  expect(code, err).toBe(0);
  return out;
}

const ctl = (cluster: Cluster, ...args: string[]): Promise<string> =>
  ok(runEtcdctl({ args: ['--endpoints', cluster.endpoints.join(','), ...args] }));

/** What a user sees of a cluster. */
async function contentOf(cluster: Cluster) {
  const hashes = JSON.parse(await ctl(cluster, 'endpoint', 'hashkv', '-w', 'json')) as {
    HashKV: { hash: number; compact_revision?: number; header: { revision: number } };
  }[];
  const first = hashes[0]!.HashKV;
  for (const { HashKV } of hashes) expect(HashKV.hash).toBe(first.hash);
  const { kvs, count } = JSON.parse(await ctl(cluster, 'get', '', '--prefix', '-w', 'json'));
  return {
    hash: first.hash,
    revision: first.header.revision,
    compacted: first.compact_revision,
    kvs,
    count,
    leases: await leasesOf(cluster),
  };
}

/** Each lease with what it was granted, and its keys; what is left of it begins anew. */
async function leasesOf(cluster: Cluster): Promise<string[]> {
  const [, ...ids] = (await ctl(cluster, 'lease', 'list')).trim().split('\n');
  const told = ids.map((id) => ctl(cluster, 'lease', 'timetolive', id, '--keys'));
  return (await Promise.all(told)).map((text) => text.replace(/remaining\(\d+s\)/, 'remaining')).sort();
}

/** A cluster that begins with a file's data. */
async function restored(kind: StoreKind, size: number, file: string, ...flags: string[]): Promise<Cluster> {
  const cluster = await Cluster.create({ kind, size });
  const run = kind === 'keel' ? runKeelutl : runEtcdutl;
  for (const member of cluster.members) {
    const own = member.process.spec.flags;
    const copied = ['--name', '--initial-cluster', '--initial-cluster-token', '--initial-advertise-peer-urls'];
    const same = copied.flatMap((name) => [name, own[own.indexOf(name) + 1]!]);
    await ok(run(['snapshot', 'restore', file, '--data-dir', member.dataDir, ...same, ...flags]));
    member.process.start();
  }
  await cluster.allReady();
  // Where auth is on, etcd from 3.5.30 on tells nobody but root how far it is.
  if (size > 1) await cluster.converged();
  return cluster;
}

const rowsOf = (rows: readonly Row[], ...buckets: string[]) => rows.filter(([name]) => buckets.includes(name));

describe.skipIf(reason)('a snapshot', () => {
  const clusters: Cluster[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'keel-move-'));
  const at = (name: string) => join(dir, name);
  const keep = <T extends Cluster>(cluster: T): T => {
    clusters.push(cluster);
    return cluster;
  };

  afterAll(async () => {
    await Promise.all(clusters.map((cluster) => cluster.dispose()));
    rmSync(dir, { recursive: true, force: true });
  });

  /** A history with everything in it, its snapshot in `etcd.db`, and the stopped member. */
  async function history(): Promise<Cluster> {
    const etcd = keep(await Cluster.start({ kind: 'etcd', size: 1 }));
    for (let i = 0; i < 30; i++) await ctl(etcd, 'put', `k/${i % 12}`, `value ${i}`);
    const lease = /lease (\w+) granted/.exec(await ctl(etcd, 'lease', 'grant', '5000'))![1]!;
    await ctl(etcd, 'put', '--lease', lease, 'leased', 'x');
    await ctl(etcd, 'lease', 'grant', '7000');
    await ctl(etcd, 'del', 'k/3');
    await ctl(etcd, 'put', 'big', 'b'.repeat(100_000));
    await ctl(etcd, 'put', 'k/5', 'after');
    await ctl(etcd, 'compact', '15');
    await ctl(etcd, 'user', 'add', 'root:pw');
    await ctl(etcd, 'user', 'add', 'u:pw');
    await ctl(etcd, 'role', 'add', 'r');
    await ctl(etcd, 'role', 'grant-permission', 'r', 'readwrite', 'k/', 'k0');
    await ctl(etcd, 'user', 'grant-role', 'u', 'r');
    await ctl(etcd, 'del', 'k/9');
    return etcd;
  }

  it('goes from etcd to Keel and back to etcd', { timeout: 120_000 }, async () => {
    const etcd = await history();
    const before = await contentOf(etcd);
    expect(before.leases.join('')).toMatch(/TTL\(5000s\), remaining, attached keys\(\[leased\]\)\n.*TTL\(7000s\)/);
    await ctl(etcd, 'snapshot', 'save', at('etcd.db'));
    const saved = await ok(
      runKeelctl({ args: ['--endpoints', etcd.endpoints[0]!, 'snapshot', 'save', at('copy.db')] }),
    );
    expect(saved).toBe(`Snapshot saved at ${at('copy.db')}\n`);
    // Page by page they may differ, since etcd commits now and then.
    const hashOf = async (file: string) =>
      JSON.parse(await ok(runEtcdutl(['snapshot', 'status', at(file), '-w', 'json']))).hash;
    expect(await hashOf('copy.db')).toBe(await hashOf('etcd.db'));
    await etcd.stop('m1');
    const database = join(etcd.members[0]!.dataDir, 'member/snap/db');

    // The file of the stopped member says what its snapshot says.
    for (const file of [at('etcd.db'), database]) {
      const theirs = JSON.parse(await ok(runEtcdutl(['snapshot', 'status', file, '-w', 'json'])));
      const ours = JSON.parse(await ok(runKeelutl(['snapshot', 'status', file, '-w', 'json'])));
      expect([ours.hash, ours.revision, ours.totalSize]).toEqual([theirs.hash, theirs.revision, theirs.totalSize]);
      expect(ours.totalKey).toBe(before.count);
      expect(JSON.parse(await ok(runKeelutl(['hashkv', file, '-w', 'json']))).hash).toBe(before.hash);
    }

    const keel = keep(await restored('keel', 3, at('etcd.db')));
    expect(await contentOf(keel)).toEqual(before);
    await ctl(keel, 'put', 'new', 'at keel');
    await ctl(keel, 'del', 'k/1');
    await ctl(keel, 'compact', String(before.revision));
    await keel.converged();
    const there = await contentOf(keel);
    expect(there.revision).toBe(before.revision + 2);

    const endpoint = keel.endpoints[1]!;
    expect(await ok(runEtcdctl({ args: ['--endpoints', endpoint, 'snapshot', 'save', at('keel.db')] }))).toBe(
      `Snapshot saved at ${at('keel.db')}\n`,
    );
    expect(await ok(runKeelctl({ args: ['--endpoints', endpoint, 'snapshot', 'save', at('keel2.db')] }))).toBe(
      `Snapshot saved at ${at('keel2.db')}\nServer version 3.6.0\n`,
    );
    const theirs = JSON.parse(await ok(runEtcdutl(['snapshot', 'status', at('keel.db'), '-w', 'json'])));
    const ours = JSON.parse(await ok(runKeelutl(['snapshot', 'status', at('keel.db'), '-w', 'json'])));
    expect([ours.hash, ours.totalSize, ours.version]).toEqual([theirs.hash, theirs.totalSize, '3.6.0']);
    expect(ours.revision).toBe(there.revision);

    const home = keep(await restored('etcd', 1, at('keel.db')));
    expect(await contentOf(home)).toEqual(there);
    expect(await ctl(home, 'user', 'list')).toBe('root\nu\n');
    expect(await ctl(home, 'role', 'get', 'r')).toBe(
      'Role r\nKV Read:\n\t[k/, k0) (prefix k/)\nKV Write:\n\t[k/, k0) (prefix k/)\n',
    );
    // It is a member like any other: it starts again, and takes writes.
    await ctl(home, 'put', 'home', 'again');
    await home.stop('m1');
    await home.restart('m1');
    expect((await contentOf(home)).revision).toBe(there.revision + 1);

    const first = readAll(readFileSync(database));
    const last = readAll(readFileSync(at('keel.db')).subarray(0, -32));
    const passing = ['lease', 'auth', 'authUsers', 'authRoles'];
    expect(rowsOf(first, ...passing).length).toBeGreaterThan(5);
    expect(rowsOf(last, ...passing)).toEqual(rowsOf(first, ...passing));
  });

  it('takes users along, with their passwords and what they may do', { timeout: 120_000 }, async () => {
    const etcd = await history();
    await ctl(etcd, 'snapshot', 'save', at('users.db'));
    await etcd.stop('m1');
    const keel = keep(await restored('keel', 1, at('users.db')));
    expect(await ctl(keel, 'auth', 'enable')).toBe('Authentication Enabled\n');
    await mayOnly(keel, 'u:pw', 'k/1');
    // What is done here comes along too: a hash of ours, a role, auth that is on.
    await ctl(keel, '--user', 'root:pw', 'user', 'add', 'v:höhe');
    await ctl(keel, '--user', 'root:pw', 'user', 'grant-role', 'v', 'r');
    await ctl(keel, '--user', 'root:pw', 'user', 'passwd', 'u', '--interactive=false');
    await ctl(keel, '--user', 'root:pw', 'user', 'add', 'w', '--no-password');
    const before = await usersOf(keel);
    await ctl(keel, '--user', 'root:pw', 'snapshot', 'save', at('users2.db'));

    const home = keep(await restored('etcd', 1, at('users2.db')));
    expect(await usersOf(home)).toBe(before);
    await mayOnly(home, 'v:höhe', 'k/1');
    const locked = await runEtcdctl({ args: ['--endpoints', home.endpoints[0]!, '--user', 'u:pw', 'get', 'k/1'] });
    expect(locked.err).toContain('authentication failed');
    expect(await ctl(home, '--user', 'root:pw', 'auth', 'disable')).toBe('Authentication Disabled\n');
  });

  async function usersOf(cluster: Cluster): Promise<string> {
    const texts = [await ctl(cluster, '--user', 'root:pw', 'auth', 'status')];
    for (const user of (await ctl(cluster, '--user', 'root:pw', 'user', 'list')).trim().split('\n')) {
      texts.push(await ctl(cluster, '--user', 'root:pw', 'user', 'get', user, '--detail'));
    }
    return texts.join('').replace(/Role root\nKV Read:\n(\t.*\n)?KV Write:\n(\t.*\n)?/, 'Role root\n');
  }

  async function mayOnly(cluster: Cluster, user: string, key: string): Promise<void> {
    expect(await ctl(cluster, '--user', user, 'get', key)).toContain(key);
    const args = ['--endpoints', cluster.endpoints[0]!, '--user', user, 'put', 'elsewhere', 'x'];
    expect((await runEtcdctl({ args })).err).toContain('etcdserver: permission denied');
  }

  it('bumps revisions as etcdutl does: the same hashes from then on', { timeout: 120_000 }, async () => {
    const etcd = await history();
    await ctl(etcd, 'snapshot', 'save', at('bump.db'));
    await etcd.stop('m1');
    const flags = ['--bump-revision', '1000', '--mark-compacted'];
    const ours = keep(await restored('keel', 1, at('bump.db'), ...flags));
    const theirs = keep(await restored('etcd', 1, at('bump.db'), ...flags));
    const at1 = await contentOf(ours);
    expect(at1).toEqual(await contentOf(theirs));
    expect(at1.compacted).toBe(at1.revision);
    for (const cluster of [ours, theirs]) {
      const late = await runEtcdctl({ args: ['--endpoints', cluster.endpoints[0]!, 'watch', 'k/5', '--rev', '20'] });
      expect(late.err).toContain('required revision has been compacted');
      await ctl(cluster, 'put', 'k/5', 'bumped');
      await ctl(cluster, 'put', 'k/5', 'twice');
      await ctl(cluster, 'compact', String(at1.revision + 1));
    }
    expect(await contentOf(ours)).toEqual(await contentOf(theirs));
    // A second move takes the bumped row along.
    await ctl(ours, 'snapshot', 'save', at('again.db'));
    const home = keep(await restored('etcd', 1, at('again.db')));
    expect(await contentOf(home)).toEqual(await contentOf(theirs));
  });

  it('of a store under load is one state, and writes go on meanwhile', { timeout: 120_000 }, async () => {
    const keel = keep(await Cluster.start({ kind: 'keel', size: 1 }));
    const client = keel.client('m1');
    const put = (i: number) =>
      client.run({ kind: 'put', key: `k${i % 3000}`, value: `${'v'.repeat(900)}${i}` } as never);
    for (let i = 0; i < 3000; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => put(i + j)));
    let stop = false;
    let written = 0;
    const load = (async () => {
      while (!stop) {
        await Promise.all(Array.from({ length: 10 }, () => put(written++)));
      }
    })();
    const atStart = written;
    await ctl(keel, 'snapshot', 'save', at('load.db'));
    const during = written - atStart;
    stop = true;
    await load;
    expect(during).toBeGreaterThan(0);
    const { revision } = JSON.parse(await ok(runEtcdutl(['snapshot', 'status', at('load.db'), '-w', 'json'])));
    const live = await client.hashKv(revision);
    const { hash } = JSON.parse(await ok(runKeelutl(['hashkv', at('load.db'), '-w', 'json'])));
    expect(live).toMatchObject({ ok: true, value: { hash } });
  });
});
