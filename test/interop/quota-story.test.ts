import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { etcdBinary, etcdctlBinary } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';

/**
 * The whole story of a full database, once with our member and once with a real etcd, each told by keelctl and by the
 * real etcdctl: fill, NOSPACE, refused, compact and defragment, disarm, all is well again (etcd semantics §8).
 */
const QUOTA = 53_248;
const VALUE = 'x'.repeat(4096);

const noEtcd = etcdBinary() === undefined ? 'no etcd: set KEEL_TEST_ETCD_BIN or put etcd on PATH' : undefined;
const noEtcdctl = etcdctlBinary() === undefined ? 'no etcdctl: set KEEL_TEST_ETCDCTL_BIN' : undefined;
for (const reason of [noEtcd, noEtcdctl]) if (reason) console.warn(`SKIPPED a part of the story of a quota: ${reason}`);

type Ctl = (args: string[], stdin?: string) => Promise<CtlResult>;

let ours: TestMember;
let theirs: Cluster | undefined;

beforeAll(async () => {
  ours = await startTestMember({ name: 'm1', heartbeatMs: 50, electionMs: 500, quotaBackendBytes: QUOTA });
  if (!noEtcd) theirs = await Cluster.start({ kind: 'etcd', size: 1, flags: [`--quota-backend-bytes=${QUOTA}`] });
}, 30_000);

afterAll(async () => {
  await ours?.stop();
  await theirs?.dispose();
});

const programs: [string, typeof runKeelctl, string | undefined][] = [
  ['keelctl', runKeelctl, undefined],
  ['etcdctl', runEtcdctl, noEtcdctl],
];

describe.each(programs)('told by %s', (program, run, without) => {
  test.skipIf(without)('ours', { timeout: 60_000 }, async () => {
    const ctl: Ctl = (args, stdin) =>
      run({ args: [`--endpoints=${ours.endpoint}`, ...args], ...(stdin ? { stdin } : {}) });
    expect(await story(ctl)).toMatchInlineSnapshot(`
      [
        "put k v: 1 Error: etcdserver: mvcc: database space exceeded
      ",
        "put  <value>: 1 Error: etcdserver: mvcc: database space exceeded
      ",
        "lease grant 10: 1 Error: failed to grant lease (etcdserver: mvcc: database space exceeded)
      ",
        "txn: 1 Error: etcdserver: mvcc: database space exceeded
      ",
        "txn: 0 SUCCESS

      0
      ",
        "del a: 0 0
      ",
        "get a: 0 ",
        "alarm list: 0 memberID:<id> alarm:NOSPACE 
      ",
        "endpoint health: 1 <endpoint> is unhealthy: failed to commit proposal: Active Alarm(s): NOSPACE 
      Error: unhealthy cluster
      ",
        "compact --physical <n>: 0 compacted revision <n>
      ",
        "put k v: 1 Error: etcdserver: mvcc: database space exceeded
      ",
        "defrag: 0 Finished defragmenting etcd member[<endpoint>]
      ",
        "put k v: 1 Error: etcdserver: mvcc: database space exceeded
      ",
        "alarm disarm: 0 memberID:<id> alarm:NOSPACE 
      ",
        "alarm disarm: 0 ",
        "alarm list: 0 ",
        "put k v: 0 OK
      ",
        "lease grant 10: 0 lease <id> granted with TTL(10s)
      ",
      ]
    `);
  });

  test.skipIf(without ?? noEtcd)("etcd's is the same", { timeout: 60_000 }, async () => {
    const both: string[][] = [];
    for (const endpoint of [ours.endpoint, theirs!.endpoints[0]!]) {
      const ctl: Ctl = (args, stdin) =>
        run({ args: [`--endpoints=${endpoint}`, ...args], ...(stdin ? { stdin } : {}) });
      both.push(await story(ctl));
    }
    expect(both[0], program).toEqual(both[1]);
  });
});

/** @returns what each command printed, without what no two stores share */
async function story(ctl: Ctl): Promise<string[]> {
  const told: string[] = [];
  let revision = 'none yet';
  const say = async (args: string[], stdin?: string): Promise<CtlResult> => {
    const result = await ctl(args, stdin);
    told.push(
      `${args.join(' ').replace(VALUE, '<value>').replace(revision, '<n>')}: ${result.code} ${mask(result.out)}${mask(result.err)}`,
    );
    return result;
  };
  let full = false;
  for (let i = 0; i < 40 && !full; i++) full = (await ctl(['put', 'k', VALUE])).code !== 0;
  expect(full).toBe(true);
  await say(['put', 'k', 'v']);
  await say(['put', '', VALUE]);
  await say(['lease', 'grant', '10']);
  await say(['txn'], '\nput a b\n\n\n');
  await say(['txn'], '\ndel a\n\n\n');
  await say(['del', 'a']);
  await say(['get', 'a']);
  await say(['alarm', 'list']);
  await say(['endpoint', 'health']);
  revision = /"revision":(\d+)/.exec((await ctl(['get', 'k', '-w', 'json'])).out)?.[1] ?? '';
  await say(['compact', '--physical', revision]);
  await say(['put', 'k', 'v']);
  await say(['defrag']);
  await say(['put', 'k', 'v']);
  await say(['alarm', 'disarm']);
  await say(['alarm', 'disarm']);
  await say(['alarm', 'list']);
  await say(['put', 'k', 'v']);
  await say(['lease', 'grant', '10']);
  return told;
}

function mask(text: string): string {
  return text
    .replace(/^\{"level".*\n/gm, '')
    .replace(/127\.0\.0\.1:\d+/g, '<endpoint>')
    .replace(/memberID:\d+/g, 'memberID:<id>')
    .replace(/lease [0-9a-f]{8,}/g, 'lease <id>')
    .replace(/\btook[ =.:]*[\d.]+m?µ?s\b/g, 'took <time>')
    .replace(/\. took <time>/g, '')
    .replace(/compacted revision \d+/g, 'compacted revision <n>');
}
