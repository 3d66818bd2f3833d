import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTestMember } from '../rpc/support/member.js';
import { etcdBinary, REPO_ROOT } from '../support/binaries.js';
import { withCluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import { AuthCaller } from './support/caller.js';
import { tellRules, tellTable } from './support/story.js';

/**
 * Keel beside a real etcd, call by call: every rule of the Auth service, and the table user x verb x key range x nested
 * in a transaction. Where the machine has an etcd (KEEL_TEST_ETCD_BIN) both are asked now; else Keel is compared with
 * what etcd 3.5.30 answered when test/testdata/auth was recorded (KEEL_TEST_RECORD=1 does that).
 */
const STORIES = { rules: tellRules, table: tellTable } as const;
const etcd = process.env.KEEL_TEST_ETCD_BIN === undefined ? undefined : etcdBinary();
if (etcd === undefined)
  console.warn('no KEEL_TEST_ETCD_BIN: auth is compared with the record of a real etcd, not with one');

/** Where etcd 3.6.14, whose contract Keel keeps, and a 3.5 differ, or where Keel differs on purpose. */
interface Difference {
  readonly why: string;
  readonly line: RegExp;
  readonly etcd: RegExp;
  readonly keel: RegExp;
}

const REFUSED = /^(7 etcdserver: permission denied|3 etcdserver: user name is empty)$/;
const OK = /^OK/;

const DIFFERENCES: readonly Difference[] = [
  {
    why: '3.6 gives role root the permission it stands for (§9.2 RoleGet)',
    line: /^\S+ RoleGet role="root"$/,
    etcd: /^OK$/,
    keel: /^OK perm=\[\{permType=2 rangeEnd="\\u0000"\}\]$/,
  },
  {
    why: '3.5 does not translate what its maintenance guard says',
    line: /^\S+ (Defragment|Hash|HashKV|Snapshot) $/,
    etcd: /^2 auth: /,
    keel: REFUSED,
  },
  { why: 'Status is open to every user since 3.6.12', line: /^\S+ Status $/, etcd: REFUSED, keel: OK },
  {
    why: 'a permission for one key is none for a watch from that key on (GHSA-xg4h-6gfc-h4m8)',
    line: /^\S+ Watch .* to "\\u0000"$/,
    etcd: OK,
    keel: /^OK watchId=-1 created=true canceled=true .*permission denied"$/,
  },
  {
    why: 'a range that ends before it begins holds no key: etcd asks its tree, whose answer depends on the shape',
    line: /"c" to "b"$/,
    etcd: REFUSED,
    keel: OK,
  },
];

/** What etcd asked nobody for, or fewer, before 3.5.30. */
const OLDER: readonly Difference[] = [
  { why: 'nested transactions', line: /^\S+ Txn (twice )?nested txn /, etcd: OK, keel: REFUSED },
  { why: 'puts in transactions', line: /^\S+ Txn txn of (a put with previous|put b on)/, etcd: OK, keel: REFUSED },
  { why: 'leases', line: /^\S+ Lease\w+ /, etcd: OK, keel: REFUSED },
  { why: 'members and alarms', line: /^\S+ (MemberList|Alarm|Status) /, etcd: OK, keel: REFUSED },
  { why: 'the rest of maintenance', line: /^\S+ (Compact|Downgrade|MoveLeader) /, etcd: /^(9|3|11) /, keel: REFUSED },
];

const seen = new Set<Difference>();

describe.each(Object.keys(STORIES) as (keyof typeof STORIES)[])('auth as etcd has it: the %s', (name) => {
  it('gives the same answers', { timeout: 60_000 }, async () => {
    const path = join(REPO_ROOT, 'test', 'testdata', 'auth', `${name}.txt`);
    const [ours, live] = await Promise.all([tellKeel(name), etcd === undefined ? null : tellEtcd(name)]);
    if (live !== null && process.env.KEEL_TEST_RECORD === '1') writeFileSync(path, `${live.join('\n')}\n`);
    const theirs = live ?? readFileSync(path, 'utf8').trimEnd().split('\n');
    const known = live === null ? DIFFERENCES : [...DIFFERENCES, ...OLDER];
    const wrong: string[] = [];
    for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
      const [a, b] = [ours[i] ?? '', theirs[i] ?? ''];
      if (a !== b && !isKnown(known, a, b)) wrong.push(`keel: ${a}\netcd: ${b}`);
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(ours.length).toBeGreaterThan(200);
  });
});

afterAll(() => {
  // A difference that is no more is to be taken off the list.
  const stale = DIFFERENCES.filter((difference) => !seen.has(difference)).map(({ why }) => why);
  if (etcd === undefined) expect(stale).toEqual([]);
});

function isKnown(known: readonly Difference[], ours: string, theirs: string): boolean {
  const [label, keel] = split(ours);
  const [theirLabel, answer] = split(theirs);
  if (label !== theirLabel) return false;
  const found = known.find((d) => d.line.test(label) && d.etcd.test(answer) && d.keel.test(keel));
  if (found !== undefined) seen.add(found);
  return found !== undefined;
}

function split(line: string): [string, string] {
  const match = /^(.*?): (OK.*|\d+ .*)$/.exec(line);
  return match === null ? [line, ''] : [match[1]!, match[2]!];
}

async function tellKeel(name: keyof typeof STORIES): Promise<string[]> {
  const member = await startTestMember({ bcryptCost: 4 });
  const caller = new AuthCaller(member.endpoint);
  try {
    return await STORIES[name](caller);
  } finally {
    caller.close();
    await member.stop();
  }
}

async function tellEtcd(name: keyof typeof STORIES): Promise<string[]> {
  let lines: string[] = [];
  await withCluster({ kind: 'etcd', size: 1, flags: ['--bcrypt-cost', '4'] }, async (cluster) => {
    const caller = new AuthCaller(cluster.endpoints[0]!);
    try {
      lines = await STORIES[name](caller, () => sleep(150));
    } finally {
      caller.close();
    }
  });
  return lines;
}
