import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { etcdBinary, etcdctlBinary, kindUnderTest, missing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import { Etcdctl } from '../support/etcdctl.js';
import type { TranscriptEntry } from './etcdctl-script.js';
import { walk } from './etcdctl-script.js';

/**
 * The real etcdctl walks through our cluster and through a real etcd's: the same commands, member by member, must
 * print the same, but for what no two clusters have in common.
 */
const kind = kindUnderTest();
const reason =
  missing(kind) ??
  (etcdctlBinary() ? undefined : 'no etcdctl: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH') ??
  (etcdBinary() ? undefined : 'no etcd to compare with: set KEEL_TEST_ETCD_BIN or put etcd on PATH');
if (reason) console.warn(`SKIPPED the real etcdctl: ${reason}`);

describe.skipIf(reason)(`etcdctl against ${kind}, compared with a real etcd`, () => {
  let ours: Cluster;
  let theirs: Cluster;
  let failed = false;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([Cluster.start({ kind }), Cluster.start({ kind: 'etcd' })]);
  });

  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });

  afterAll(async () => {
    if (failed) console.error(`logs are kept in ${ours?.dir} and ${theirs?.dir}`);
    await Promise.all([ours?.dispose({ keep: failed }), theirs?.dispose({ keep: failed })]);
  });

  it('gives the same HashKV for the same history', { timeout: 60_000 }, async () => {
    const hashes = await Promise.all(
      [ours, theirs].map(async (cluster) => {
        const ctl = new Etcdctl(cluster);
        for (let i = 0; i < 10; i++) await ctl.run(['put', `h${i % 4}`, `v${i}`]);
        await ctl.run(['del', 'h1']);
        await ctl.run(['txn'], 'version("h2") > "1"\n\nput h1 again\nput h9 new\n\n\n');
        await cluster.converged();
        const { stdout } = await ctl.run(['endpoint', 'hashkv', '-w', 'json']);
        const rows = JSON.parse(stdout) as { HashKV: { hash: number; header: { revision: number } } }[];
        return rows.map((row) => [row.HashKV.header.revision, row.HashKV.hash]);
      }),
    );
    expect(hashes[0]).toHaveLength(3);
    expect(hashes[0]).toEqual(hashes[1]);
  });

  for (const [index, role] of ['the leader', 'a follower', 'the other follower'].entries()) {
    it(`prints the same at ${role}`, { timeout: 120_000 }, async () => {
      const transcripts = await Promise.all(
        [ours, theirs].map(async (cluster) => {
          const ctl = new Etcdctl(cluster, [await nth(cluster, index)]);
          try {
            return await walk(ctl, `p${index}/`);
          } finally {
            ctl.kill();
          }
        }),
      );
      compare(transcripts[0]!, transcripts[1]!);
    });
  }
});

/** @returns the leader's endpoint for 0, a follower's for 1 and 2 */
async function nth(cluster: Cluster, index: number): Promise<string> {
  const leader = await cluster.leader();
  const followers = cluster.names.filter((name) => name !== leader);
  return cluster.member([leader, ...followers][index]!).endpoint;
}

function compare(ours: TranscriptEntry[], theirs: TranscriptEntry[]): void {
  const differences: string[] = [];
  for (const [i, expected] of theirs.entries()) {
    const got = ours[i];
    for (const part of ['command', 'code', 'stdout', 'stderr'] as const) {
      if (got && normal(got[part]) === normal(expected[part])) continue;
      differences.push(
        `etcdctl ${expected.command}\n  ${part} of etcd: ${expected[part]}\n  ${part} here:    ${got?.[part]}`,
      );
    }
  }
  expect(differences.join('\n')).toBe('');
  expect(ours).toHaveLength(theirs.length);
}

/** Table borders follow the width of what was masked. */
function normal(text: string | number | null): string {
  return String(text)
    .split('\n')
    .filter((line) => !/^[+-]+$/.test(line))
    .map((line) => line.replace(/ +/g, ' '))
    .join('\n');
}
