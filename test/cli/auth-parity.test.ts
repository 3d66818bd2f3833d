import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { etcdBinary, etcdctlBinary } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult, CtlRun } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';

/**
 * auth, user and role, and what a user may do: the real etcdctl against Keel, keelctl against Keel, and both beside the
 * real etcdctl against a real etcd. stdout, stderr and exit code are equal once ids and the program's name are masked.
 */
interface Line {
  readonly args: string;
  readonly stdin?: string;
  /** What 3.6 prints where 3.5 does not (etcd operations §5). */
  readonly as36?: (out: string) => string;
  /** Asks on a terminal; without one etcdctl's helper complains in its own words. */
  readonly keelOnly?: string;
}

const rootPermission = (out: string): string =>
  out.replace(
    'KV Read:\nKV Write:\n',
    'KV Read:\n\t[, <open ended> (prefix )\nKV Write:\n\t[, <open ended> (prefix )\n',
  );

const LINES: Line[] = [
  { args: 'auth enable x' },
  { args: 'auth enable' },
  { args: 'auth disable x' },
  { args: 'auth status x' },
  { args: 'auth status' },
  { args: 'auth status -w json' },
  { args: 'auth status -w fields' },
  { args: 'auth disable' },
  { args: 'user add' },
  { args: 'user add :p' },
  { args: 'user add root:r' },
  { args: 'user add a b' },
  { args: 'user add alice --interactive=false', stdin: 'pw and more\n' },
  {
    args: 'user add bob',
    stdin: 'secret\nsecret\n',
    keelOnly: 'Password of bob: \nType password of bob again for confirmation: \nUser bob created\n',
  },
  { args: 'user add carol --no-password' },
  { args: 'user add dave --new-user-password x -w json' },
  { args: 'user add dave:x -w fields' },
  { args: 'user add erin:x -w fields' },
  { args: 'user add frank:x -w table' },
  { args: 'user get' },
  { args: 'user get x' },
  { args: 'user get alice' },
  { args: 'user get alice -w json' },
  { args: 'user get alice -w fields' },
  { args: 'user get alice -w table' },
  { args: 'user list x' },
  { args: 'user list -w fields' },
  { args: 'user delete' },
  { args: 'user delete carol' },
  { args: 'user delete dave -w json' },
  { args: 'user delete nobody' },
  { args: 'user passwd' },
  { args: 'user passwd alice --interactive=false', stdin: 'q\n' },
  { args: 'user passwd alice --interactive=false -w json', stdin: 'q\n' },
  { args: 'role add' },
  { args: 'role add r1' },
  { args: 'role add r1' },
  { args: 'role add r2 -w json' },
  { args: 'role add r3 -w fields' },
  { args: 'role list' },
  { args: 'role list x' },
  { args: 'role list -w fields' },
  { args: 'role list -w json' },
  { args: 'role list -w protobuf' },
  { args: 'role get' },
  { args: 'role get r1' },
  { args: 'role get x' },
  { args: 'role grant-permission' },
  { args: 'role grant-permission r1 read' },
  { args: 'role grant-permission r1 bad k' },
  { args: 'role grant-permission r1 READ k' },
  { args: 'role grant-permission r1 read k' },
  { args: 'role grant-permission r1 write k l' },
  { args: 'role grant-permission r1 readwrite p --prefix' },
  { args: 'role grant-permission r1 readwrite q --from-key' },
  { args: 'role grant-permission r1 read q x --from-key' },
  { args: 'role grant-permission r1 read q x --prefix' },
  { args: 'role grant-permission r1 read q --prefix --from-key' },
  { args: "role grant-permission r1 read ''" },
  { args: "role grant-permission r1 read '' --prefix" },
  { args: 'role grant-permission r1 read a b c' },
  { args: 'role grant-permission r1 read l k' },
  { args: 'role grant-permission r1 read schlüssel --prefix' },
  { args: 'role get r1' },
  { args: 'role get r1 -w json' },
  { args: 'role get r1 -w fields' },
  { args: 'role get r1 -w protobuf' },
  { args: 'role get r1 -w table' },
  { args: 'role revoke-permission' },
  { args: 'role revoke-permission r1' },
  { args: 'role revoke-permission r1 zz' },
  { args: 'role revoke-permission r1 k' },
  { args: 'role revoke-permission r1 k l' },
  { args: 'role revoke-permission r1 p --prefix' },
  { args: 'role revoke-permission r1 q --from-key -w json' },
  { args: "role revoke-permission r1 '' --prefix" },
  { args: "role revoke-permission r1 ''" },
  { args: 'role get r1' },
  { args: 'user grant-role' },
  { args: 'user grant-role alice' },
  { args: 'user grant-role alice nothing' },
  { args: 'user grant-role alice r1' },
  { args: 'user grant-role alice r2 -w json' },
  { args: 'user grant-role alice r2 -w fields' },
  { args: 'user get alice' },
  { args: 'user get alice --detail' },
  { args: 'user revoke-role' },
  { args: 'user revoke-role alice r2' },
  { args: 'user revoke-role alice r2' },
  { args: 'role delete' },
  { args: 'role delete r3' },
  { args: 'role delete x -w json' },
  { args: 'auth enable' },
  { args: 'user list' },
  { args: 'get a' },
  { args: '--user root:bad user list' },
  { args: '--user nobody:bad get a' },
  { args: '--user root:r user list' },
  { args: '--user root --password r get x' },
  { args: '--user root:r put x y' },
  { args: '--user root get x', stdin: 'r\n', keelOnly: 'Password: \nx\ny\n' },
  { args: '--user alice:q get x' },
  { args: '--user alice:q put x y' },
  { args: '--user alice:q get a' },
  { args: '--user alice:q get a b' },
  { args: '--user alice:q get a c' },
  { args: '--user alice:q get a -w json' },
  { args: '--user alice:q watch x' },
  { args: '--user alice:q del a --prefix' },
  { args: '--user alice:q txn', stdin: 'mod("a") = "0"\n\nput x y\n\nget a\n\n' },
  { args: '--user alice:q txn', stdin: 'mod("a") = "0"\n\nget a\n\n\n' },
  { args: '--user alice:q lease grant 100', as36: (out) => out },
  { args: '--user alice:q user get alice' },
  { args: '--user alice:q user get root' },
  { args: '--user alice:q role get r1' },
  { args: '--user alice:q role list' },
  { args: '--user alice:q auth status' },
  { args: '--user alice:q member add n --peer-urls=http://127.0.0.1:9' },
  { args: '--user root:r auth status' },
  { args: '--user root:r role get root', as36: rootPermission },
  { args: '--user root:r user delete root' },
  { args: '--user root:r role delete root' },
  { args: '--user root:r auth disable' },
  { args: '--user root:r get x' },
  { args: 'get x' },
];

const [etcd, etcdctl] = [etcdBinary(), etcdctlBinary()];
const reason = etcd === undefined ? 'no etcd' : etcdctl === undefined ? 'no etcdctl' : null;
if (reason !== null) console.warn(`SKIPPED auth, user and role beside etcdctl: ${reason}`);

describe.skipIf(reason !== null)('auth, user and role as etcdctl has them', () => {
  let theirs: Cluster;
  const ours: TestMember[] = [];

  beforeAll(async () => {
    theirs = await Cluster.start({ kind: 'etcd', size: 1, flags: ['--bcrypt-cost', '4'] });
    ours.push(await startTestMember({ bcryptCost: 4 }), await startTestMember({ bcryptCost: 4 }));
  });

  afterAll(async () => {
    await theirs?.dispose();
    await Promise.all(ours.map((member) => member.stop()));
  });

  it.each(LINES.map((line, i) => ({ ...line, name: `${i} ${line.args}` })))('$name', async (line) => {
    const run = (endpoint: string): CtlRun => ({
      args: [
        '--endpoints',
        endpoint,
        ...(line.args.match(/'[^']*'|\S+/g) ?? []).map((w) => w.replace(/^'(.*)'$/, '$1')),
      ],
      ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
    });
    if (line.keelOnly !== undefined) {
      for (const member of ours) {
        expect(await runKeelctl(run(member.endpoint))).toEqual({ code: 0, out: line.keelOnly, err: '' });
      }
      // etcd's turn as well, so that the stores stay alike.
      const name = /^user add (\w+)$/.exec(line.args)?.[1];
      if (name !== undefined)
        await runEtcdctl(run(theirs.endpoints[0]!)).then(() =>
          runEtcdctl({ args: ['--endpoints', theirs.endpoints[0]!, 'user', 'add', `${name}:secret`] }),
        );
      return;
    }
    const [etcdOnEtcd, etcdOnKeel, keelOnKeel] = await Promise.all([
      runEtcdctl(run(theirs.endpoints[0]!)),
      runEtcdctl(run(ours[0]!.endpoint)),
      runKeelctl(run(ours[1]!.endpoint)),
    ]);
    const expected = mask(etcdOnEtcd, line.as36);
    expect(mask(etcdOnKeel), 'etcdctl against Keel').toEqual(expected);
    expect(mask(keelOnKeel), 'keelctl against Keel').toEqual(expected);
  });
});

function mask(r: CtlResult, as36: (out: string) => string = (out) => out): CtlResult {
  const text = (from: string): string =>
    from
      .split('\n')
      .filter((line) => !/"(etcd-client|client)","caller"/.test(line))
      .join('\n')
      .replace(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":N')
      .replace(/"(ClusterID|MemberID|RaftTerm)" : \d+/g, '"$1" : N')
      .replace(/lease [0-9a-f]{16}/g, 'lease HEX');
  // A protobuf's header has ids of any length.
  const out = r.out.startsWith('\n') ? r.out.slice(r.out.indexOf('\x12')) : text(as36(r.out));
  return { code: r.code, out, err: text(r.err) };
}
