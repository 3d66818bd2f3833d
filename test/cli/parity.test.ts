/**
 * The same command lines through the real etcdctl and through keelctl, each against a fresh store of its own:
 * stdout, stderr and exit code must be equal once ids, times and the program's name are masked. etcdctl here is
 * one of 3.5; where 3.6 prints otherwise, the line carries `as36`, which turns the one into the other.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdctlBinary } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { describeStores } from '../support/stores.js';

interface Line {
  /** Words as a shell would split them; {A} is replaced by what was captured under that name. */
  args: string;
  stdin?: string;
  env?: Record<string, string>;
  /** Remembers the first group under a name, for later lines and for masking. */
  capture?: { name: string; from: RegExp };
  /** Members come in the order of their ids, which no two stores share. */
  anyOrder?: boolean;
  /** From the output of etcdctl 3.5 to that of 3.6, with the section that says so. */
  as36?: (r: CtlResult) => CtlResult;
}

const out = (change: (text: string) => string) => (r: CtlResult) => ({ ...r, out: change(r.out) });

/** etcd operations §5.4: no revision where there is none. */
const noZeroRevision = out((text) => text.replace(/^"Revision" : 0\n/gm, ''));
/** §5.4: ids in hexadecimal with --hex. */
const hexFields = out((text) => text.replace(/^"Lease" : 0\n/gm, '"Lease" : HEX\n'));
/** §5.5: `clientURLs`, which 3.5 spells with a capital S in this one place. */
const clientUrls = out((text) => text.replaceAll('"clientURLS"', '"clientURLs"'));
/** §5.3: storage version, sizes, quota and downgrade are columns; a server of 3.5 leaves most of them empty. */
const hashRevision = out((text) => text.replace(/(, N)\n/g, '$1, R\n'));
const hashRevisionField = out((text) => text.replace(/^("Hash" : N)\n/gm, '$1\n"HashRevision" : R\n'));
/** §5.2 */
const memberAddAsLearner = out((text) => text.replace('added to cluster', 'added as learner to cluster'));
/** §5.3 */
const defragTook = out((text) => text.replaceAll(']\n', ']. took TOOK\n'));
/** §5.2: 3.6 warns with other words, and waits. */
const delRange = (r: CtlResult): CtlResult => ({
  ...r,
  err: r.err.replace(
    /^In etcd v3\.6, .*\n/m,
    'Warning: Keys between "x1" and "x3" will be deleted. Please interrupt the command within next 2 seconds to cancel. You can provide `--range` flag to avoid the delay.\n',
  ),
});
/** §5.1: flags that 3.6 has more. */
const moreFlags = out((text) =>
  text
    .replace(
      /( {6}--password="")/g,
      '      --max-recv-bytes=0\t\t\tclient-side response receive limit in bytes (if 0, it defaults to "math.MaxInt32")\n' +
        '      --max-request-bytes=0\t\t\tclient-side request send limit in bytes (if 0, it defaults to 2.0 MiB)\n$1',
    )
    .replace('\t3.5\n', '\t3.6\n'),
);

const moreGetFlags = (r: CtlResult): CtlResult => {
  const all = moreFlags(r);
  const more = ['max-create', 'max-mod', 'min-create', 'min-mod'].map((name) => {
    const [how, what] = name.split('-') as [string, string];
    const usage = `${how === 'max' ? 'Maximum' : 'Minimum'} ${what === 'mod' ? 'modification' : 'create'} revision`;
    return `      --${name}-rev=0${what === 'mod' ? '\t\t\t' : '\t\t'}${usage}\n`;
  });
  return { ...all, out: all.out.replace(/( {6}--order="")/, `${more.join('')}$1`) };
};

const COMMANDS: Line[] = [
  { args: 'put a b' },
  { args: 'put a c --prev-kv' },
  { args: 'put a d --prev-kv -w json' },
  { args: 'put a b --prev-kv -w fields' },
  { args: 'put a b -w protobuf' },
  { args: 'put a b -w table' },
  { args: 'put a b -w nope' },
  { args: 'put a b --write-out=json' },
  { args: '-w=json put a b' },
  { args: '-wjson put a b' },
  { args: 'put a' },
  { args: 'put' },
  { args: 'put a', stdin: 'from stdin\nin two lines\n' },
  { args: 'get a' },
  { args: 'get a -w fields' },
  { args: 'put a b c' },
  { args: 'put a b --lease zz' },
  { args: 'put a b --lease 1' },
  { args: 'put a b --lease=-1' },
  { args: 'put a --ignore-value' },
  { args: 'put missing --ignore-value' },
  { args: 'put a x --ignore-value' },
  { args: 'put a y --ignore-lease' },
  { args: 'put a b --ignore-lease --lease 5' },
  { args: 'put -- -k -v' },
  { args: 'put k -- -v' },
  { args: 'put schlüssel wert' },
  { args: 'get schlüssel -w fields' },
  { args: 'get schlüssel --hex' },
  { args: 'put bin', stdin: '\u0000\u0001\n"\\\u007f\u00a0' },
  { args: 'get bin -w fields' },
  { args: 'get bin -w json' },
  { args: 'pu a b' },
  { args: 'p a b' },
  { args: "put '' x" },
  { args: 'put --nope', as36: moreFlags },
  { args: 'put --lease', as36: moreFlags },
  { args: 'put a b -w', as36: moreFlags },
  { args: 'put a b -x', as36: moreFlags },
  { args: 'put a b -hx', as36: moreFlags },
  { args: 'put a b --prev-kv=maybe', as36: moreFlags },
  { args: 'put a b --command-timeout 5', as36: moreFlags },
  { args: 'put a b --command-timeout 5x', as36: moreFlags },
  { args: 'put --help', as36: moreFlags },
  { args: 'del --help', as36: moreFlags },
  { args: 'txn -h', as36: moreFlags },
  { args: 'watch -h', as36: moreFlags },
  { args: 'compaction -h', as36: moreFlags },
  { args: 'lease', as36: moreFlags },
  { args: 'lease nope', as36: moreFlags },
  { args: 'lease grant -h', as36: moreFlags },
  { args: 'help lease revoke', as36: moreFlags },
  { args: 'member', as36: moreFlags },
  { args: 'alarm --help', as36: moreFlags },
  { args: 'endpoint health -h', as36: moreFlags },
  { args: 'nope' },
  { args: 'l list' },
  { args: 'gett a' },
  { args: '--nope get a', as36: moreFlags },

  { args: 'ge a' },
  { args: 'get a b' },
  { args: 'get a b c' },
  { args: 'get' },
  { args: 'get a b --prefix' },
  { args: 'get a b --from-key' },
  { args: 'get a --prefix --from-key' },
  { args: 'get --prefix' },
  { args: "get '' --prefix" },
  { args: "get '' --from-key --keys-only --limit 2" },
  { args: "get '' --prefix --order descend --sort-by modify" },
  { args: "get '' --prefix --sort-by VERSION -w json" },
  { args: "get '' --prefix --order ASCEND --sort-by key --limit 1 -w json" },
  { args: "get '' --prefix --sort-by value" },
  { args: 'get a --consistency s' },
  { args: 'get a --consistency x' },
  { args: 'get a --order x' },
  { args: 'get a --sort-by x' },
  { args: 'get a --count-only' },
  { args: 'get a --count-only -w fields' },
  { args: 'get a --count-only -w json' },
  { args: 'get a --print-value-only' },
  { args: 'get a --print-value-only -w json' },
  { args: 'get a --keys-only' },
  { args: 'get a --keys-only --print-value-only' },
  { args: 'get a --hex' },
  { args: 'get a --hex --print-value-only' },
  { args: 'get a -w json --hex' },
  { args: 'get a -w fields --hex', as36: hexFields },
  { args: 'get a -w protobuf' },
  { args: 'get a -w table' },
  { args: 'get a --rev 3' },
  { args: 'get a --rev 0x3' },
  { args: 'get a --rev 100000' },
  { args: 'get a --rev x', as36: moreGetFlags },
  { args: 'get missing' },
  { args: 'get missing -w json' },
  { args: 'get missing -w fields' },
  { args: "get ''" },

  { args: 'del missing' },
  { args: 'del schlüssel --prev-kv' },
  { args: 'put x1 1' },
  { args: 'put x2 2' },
  { args: 'put x3 3' },
  { args: 'del x1 x3', as36: delRange },
  { args: 'del x1 x3 --range' },
  { args: 'put x1 1' },
  { args: 'del x --prefix --prev-kv -w fields' },
  { args: 'put x1 1' },
  { args: 'del x1 --prev-kv -w json' },
  { args: 'del x1 -w protobuf' },
  { args: 'del x --prefix --from-key' },
  { args: 'del' },
  { args: 'del a b c' },
  { args: 'del a b --prefix' },

  { args: 'put a b' },
  { args: 'txn', stdin: 'mod("a") > "0"\nvalue("a") = "b"\n\nput k1 v1\nget a\ndel nokey\n\nput k2 v2\n\n' },
  { args: 'txn -w json', stdin: 'mod("a") > "0"\n\nput k1 v1\nget a\ndel k1x\n\n\n' },
  { args: 'txn -w fields', stdin: 'mod("a") > "0"\n\nput k1 v1 --prev-kv\nget a\ndel k1x\n\n\n' },
  { args: 'txn -w protobuf', stdin: '\nput k1 v1\n\n\n' },
  { args: 'txn', stdin: 'ver("a") < "1"\n\nput k1 v1\n\nget k1\ndel k1 --prev-kv\n\n' },
  { args: 'txn -w json', stdin: 'c("a") = "0"\n\nput k1 v1\n\n\n' },
  { args: 'txn -i', stdin: 'version("a") != "0"\n\nput k1 "v 1"\nget k --prefix --keys-only\n\n\n' },
  { args: 'txn', stdin: 'val("a") < "zz"\ncreate("a") > "0"\nm("a") > "0"\n\n\n\n' },
  { args: 'txn', stdin: '\r\n  put a "x\\ty" \r\nget a\r\n\r\n\r\n' },
  { args: 'txn', stdin: 'bogus("a") < "1"\n\n\n\n' },
  { args: 'txn', stdin: 'mod(a) > "0"\n\n\n\n' },
  { args: 'txn', stdin: 'mod("a") > 0\n\n\n\n' },
  { args: 'txn', stdin: 'mod("a")\n\n\n\n' },
  { args: 'txn', stdin: 'mod "a" > "0"\n\n\n\n' },
  { args: 'txn', stdin: 'mod("a") > "x"\n\n\n\n' },
  { args: 'txn', stdin: 'value("a")="b"\n\n\n\n' },
  { args: 'txn', stdin: 'value("a") = "b" x\n\n\n\n' },
  { args: 'txn', stdin: '\nfoo a\n\n\n' },
  { args: 'txn', stdin: '\nget\n\n\n' },
  { args: 'txn', stdin: '\ndelete a\n\n\n' },
  { args: 'txn', stdin: '\nde q\nput q "b\n\n\n' },
  { args: 'txn', stdin: '\nput q "x y" z\n\n\n' },
  { args: 'txn', stdin: '\nput q -- -x\nget q\n\n\n' },
  { args: 'txn', stdin: '\nput k1\n\n\n' },
  { args: 'txn', stdin: '\nput a b\nput a c\n\n\n' },
  { args: 'txn', stdin: '\nput a b\n' },
  { args: 'txn', stdin: '' },
  { args: 'txn x', stdin: '\n\n\n' },
  { args: 'txn -w table', stdin: '\n\n\n' },

  { args: 'compaction' },
  { args: 'compaction abc' },
  { args: 'compaction 4' },
  { args: 'compaction 4' },
  { args: 'compact 5 --physical' },
  { args: 'compaction 99999' },
  { args: 'compaction 6 -w json' },
  { args: 'get a --rev 3' },

  { args: 'lease grant 1000', capture: { name: 'L', from: /lease ([0-9a-f]{16})/ } },
  { args: 'lease grant 1000 -w json', capture: { name: 'J', from: /"ID":(\d+)/ } },
  { args: 'lease grant 1000 -w fields', capture: { name: 'F', from: /"ID" : (\d+)/ } },
  { args: 'lease grant 1000 -w protobuf' },
  { args: 'lease grant 1000 -w table' },
  { args: 'lease grant abc' },
  { args: 'lease grant' },
  { args: 'lease grant 5 6' },
  { args: 'lease grant 9000000001' },
  { args: 'put lk v --lease={L}' },
  { args: 'lease timetolive {L}' },
  { args: 'lease timetolive {L} --keys' },
  { args: 'lease timetolive {L} --keys -w json' },
  { args: 'lease timetolive {L} -w json' },
  { args: 'lease timetolive {L} --keys -w fields' },
  { args: 'lease timetolive {L} -w protobuf' },
  { args: 'lease timetolive 1234' },
  { args: 'lease timetolive 1234 -w json' },
  { args: 'lease timetolive zz' },
  { args: 'lease timetolive' },
  { args: 'lease keep-alive {L} --once' },
  { args: 'lease keep-alive {L} --once -w json' },
  { args: 'lease keep-alive {L} --once -w fields' },
  { args: 'lease keep-alive 1234 --once' },
  { args: 'lease keep-alive 1234' },
  { args: 'lease keep-alive zz' },
  { args: 'lease keep-alive' },
  { args: 'get lk -w fields' },
  { args: 'lease revoke {L}' },
  { args: 'lease revoke {L}' },
  { args: 'lease revoke' },
  { args: 'lease revoke zz' },
  { args: 'lease revoke 1 2' },
  { args: 'get lk' },

  { args: 'member list' },
  { args: 'member list -w json' },
  { args: 'member list -w json --hex', as36: clientUrls },
  { args: 'member list -w fields', as36: noZeroRevision },
  { args: 'member list -w table' },
  { args: 'member list -w protobuf' },
  { args: 'member list x' },
  { args: 'member add' },
  { args: 'member add x' },
  { args: 'member add x y' },
  { args: 'member add x http://127.0.0.1:1' },
  { args: 'member add x --peer-urls=' },
  { args: 'member add x --peer-urls=bad' },
  { args: 'member remove' },
  { args: 'member remove zz' },
  { args: 'member remove 1' },
  { args: 'member update zz' },
  { args: 'member update 1' },
  { args: 'member update 1 --peer-urls=http://127.0.0.1:1' },
  { args: 'member promote' },
  { args: 'member promote 1' },
  {
    args: 'member add n2 --peer-urls=http://127.0.0.1:9 --learner',
    capture: { name: 'M', from: /Member +([0-9a-f]+) added/ },
    as36: memberAddAsLearner,
    anyOrder: true,
  },
  { args: 'member list', anyOrder: true },
  { args: 'member list -w table', anyOrder: true },
  { args: 'member update {M} --peer-urls=http://127.0.0.1:8' },
  { args: 'member promote {M}' },
  { args: 'member remove {M}' },

  { args: 'endpoint hashkv', as36: hashRevision },
  { args: 'endpoint hashkv -w json' },
  { args: 'endpoint hashkv -w fields', as36: hashRevisionField },
  { args: 'endpoint hashkv --rev 8', as36: hashRevision },
  { args: 'endpoint hashkv -w protobuf' },
  { args: 'endpoint status -w protobuf' },
  { args: 'endpoint status -w json' },
  { args: 'endpoint health' },
  { args: 'endpoint health -w json' },
  { args: 'endpoint health -w fields' },
  { args: 'endpoint health -w table' },
  { args: 'endpoint health -w protobuf' },
  { args: 'endpoint health --cluster' },

  { args: 'alarm list' },
  { args: 'alarm list -w json' },
  { args: 'alarm list -w fields' },
  { args: 'alarm list x' },
  { args: 'alarm disarm' },
  { args: 'alarm disarm -w json' },
  { args: 'alarm disarm x' },
  { args: 'defrag', as36: defragTook },
  { args: 'defrag --cluster', as36: defragTook },
  { args: 'move-leader' },
  { args: 'move-leader zz' },
  { args: 'move-leader 1' },
  { args: 'snapshot save' },
  { args: 'snapshot save a b' },
  { args: 'snapshot save /nonexistent/file' },

  { args: 'get a', env: { ETCDCTL_WRITE_OUT: 'json' } },
  { args: 'get a', env: { ETCDCTL_HEX: 'true', ETCDCTL_API: '3' } },
  { args: 'get a', env: { ETCDCTL_HEX: 'maybe' } },
  { args: 'get a', env: { ETCDCTL_FOO: '1', ETCDCTL_LIMIT: '1' } },
  { args: 'get a -w simple', env: { ETCDCTL_WRITE_OUT: 'json' } },
  { args: 'endpoint health', env: { ETCDCTL_CLUSTER: 'true' } },

  { args: 'watch' },
  { args: 'watch a --rev 1' },
  { args: 'watch a b --prefix' },
  { args: 'watch a --' },
  { args: 'watch -- echo' },
  { args: 'watch a', env: { ETCDCTL_WATCH_KEY: 'a' } },
  { args: 'watch k1 --rev 10 -- false' },
  { args: 'watch k1 --rev 10 -- no-such-program' },
  { args: 'watch -i', stdin: 'bogus\n' },
  { args: 'watch -i', stdin: '' },
  { args: 'watch -i', stdin: 'watch a --rev x\n' },

  { args: "del '' --prefix" },
];

const available = etcdctlBinary() !== undefined;

describe.skipIf(!available)(available ? 'keelctl beside etcdctl' : 'keelctl beside etcdctl: no etcdctl', () => {
  describeStores('on a store', (kind) => {
    const clusters: Cluster[] = [];
    const captured: Record<string, string>[] = [{}, {}];

    beforeAll(async () => {
      clusters.push(await Cluster.start({ kind, size: 1 }), await Cluster.start({ kind, size: 1 }));
    });

    afterAll(async () => {
      await Promise.all(clusters.map((c) => c.dispose()));
    });

    it.each(
      COMMANDS.map((line, i) => ({ ...line, name: `${i} ${line.args} ${line.env ? JSON.stringify(line.env) : ''}` })),
    )('$name', async (line) => {
      const results = await Promise.all(
        [runEtcdctl, runKeelctl].map(async (run, i) => {
          const words = split(line.args).map((w) => w.replace(/\{(\w)\}/g, (_, name: string) => captured[i]![name]!));
          const result = await run({
            args: ['--endpoints', clusters[i]!.endpoints[0]!, ...words],
            ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
            ...(line.env === undefined ? {} : { env: line.env }),
          });
          if (line.capture) captured[i]![line.capture.name] = line.capture.from.exec(result.out)?.[1] ?? '';
          return mask(result, clusters[i]!, captured[i]!);
        }),
      );
      const [theirs, ours] = results as [CtlResult, CtlResult];
      const expected = (line.as36 ?? ((r: CtlResult) => r))(theirs);
      if (line.anyOrder) expect(inOrder(ours)).toEqual(inOrder(expected));
      else expect(ours).toEqual(expected);
    });
  });
});

function split(text: string): string[] {
  return (text.match(/'[^']*'|\S+/g) ?? []).map((w) => (w.startsWith("'") ? w.slice(1, -1) : w));
}

function inOrder(r: CtlResult): CtlResult {
  const list = (text: string) => text.split(',').sort().join(',');
  const text = r.out.replace(/(ETCD_INITIAL_CLUSTER=")([^"]*)/, (_, name: string, value: string) => name + list(value));
  return { ...r, out: text.split('\n').sort().join('\n') };
}

/** Takes out what no two stores share, and what etcd's client logs of its own accord. */
function mask(r: CtlResult, cluster: Cluster, captured: Record<string, string>): CtlResult {
  const member = cluster.members[0]!;
  const text = (from: string): string => {
    let to = from
      .split('\n')
      .filter((line) => !/"(etcd-client|client)","caller"|"caller":"(snapshot|ctl\/snapshot)/.test(line))
      .join('\n');
    to = to.replaceAll('etcdctl', 'keelctl');
    for (const [name, value] of Object.entries(captured)) {
      if (value === '') continue;
      to = to.replaceAll(value, `{${name}}`);
      // The same id as a decimal.
      if (name === 'L') to = to.replaceAll(String(BigInt(`0x${value}`)), `{${name}}`);
    }
    return (
      to
        .replaceAll(String(member.clientPort), 'CLIENT')
        .replaceAll(String(member.peerPort), 'PEER')
        .replace(/"(cluster_id|member_id|ID|leader)":("?)[0-9a-f]+/g, '"$1":$2N')
        .replace(/"(ClusterID|MemberID|ID)" : [0-9a-f]+/g, '"$1" : N')
        .replace(/ *\b[0-9a-f]{13,16}\b/g, ' HEX')
        .replace(/"(ts|caller|stacktrace)":"[^"]*",?/g, '')
        .replace(/,?\}/g, '}')
        .replace(/\d+(\.\d+)?(ms|µs|Âµs|s)\b/g, 'TOOK')
        // Boxes are as wide as the ids in them.
        .replace(/^\+[-+]+\+$/gm, '+--+')
        .replace(/^\|.*\|$/gm, (row) => row.replace(/ +/g, ' '))
        // Lease ids are the server's choice, so no two stores have the same hash.
        .replace(/"hash":\d+/g, '"hash":N')
        .replace(/"Hash" : \d+/g, '"Hash" : N')
        .replace(/"HashRevision" : \d+/g, '"HashRevision" : R')
        .replace(/^(\S+CLIENT, \d+), \d+$/gm, '$1, R')
        .replace(/^(\S+CLIENT), \d+/gm, '$1, N')
        // What only a server of 3.6 says, etcdctl 3.5 does not read.
        .replace(/,"(hash_revision|dbSizeQuota)":\d+|,"storageVersion":"[^"]*"|,"downgradeInfo":\{[^}]*\}/g, '')
        .replace(/"(ttl|TTL)":9\d\d/g, '"$1":TTL')
        .replace(/remaining\(\w+\)/g, 'remaining(TTL)')
        .replace(/"TTL" : 9\d\d/g, '"TTL" : TTL')
        .replace(/"(dbSize|dbSizeInUse|raftIndex|raftAppliedIndex)":\d+/g, '"$1":N')
    );
  };
  return { code: r.code, out: protobuf(r.out) ? 'PROTOBUF' : text(r.out), err: text(r.err) };
}

/** Marshalled answers hold ids: their length is compared elsewhere. */
function protobuf(out: string): boolean {
  return /^[\n\b]/.test(out) && out.includes('\b');
}
