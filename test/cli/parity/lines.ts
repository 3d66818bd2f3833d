import type { StoreKind } from '../../support/binaries.js';
import type { CtlResult } from '../../support/ctl.js';

/** One command line, done by both programs. */
export interface Line {
  /** Words as a shell would split them; {A} is replaced by what was captured under that name, {E} by the
   * endpoint, {D} by a folder. */
  args: string;
  stdin?: string;
  env?: Record<string, string>;
  /** Remembers the first group under a name, for later lines and for masking. */
  capture?: { name: string; from: RegExp };
  /** Members come in the order of their ids, which no two stores share. */
  anyOrder?: boolean;
  /** From the output of etcdctl 3.5 to that of 3.6, with the section that says so. @param kind of the store */
  as36?: (r: CtlResult, kind: StoreKind) => CtlResult;
  /** What no two runs share, beyond what is masked for all. */
  hide?: RegExp;
  /** SIGINT, when the output has it or after so many ms: for commands that go on until then. */
  interrupt?: RegExp | number;
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

/** A lease id of the server's choice, and the key that has it. */
const LEASED = /"(key|lease|Key|Lease)" ?: ?("[^"]*"|\d+)/g;

/** §5.2: flags that make-mirror has more. */
const mirrorFlags = (r: CtlResult): CtlResult => {
  const all = moreFlags(r);
  return {
    ...all,
    out: all.out
      .replace(/ {2}-h, --help/, '  -h, --help')
      .replace(
        / {6}--no-dest-prefix/,
        '      --max-txn-ops=128\t\t\tMaximum number of operations permitted in a transaction during syncing updates\n      --no-dest-prefix',
      )
      .replace(/( {6}--prefix="".*\n)/, '$1      --rev=0\t\t\t\tSpecify the kv revision to start to mirror\n'),
  };
};

/** §5.2: status and restore are etcdutl's alone. */
const snapshotFamily = (r: CtlResult): CtlResult => {
  const all = moreFlags(r);
  return { ...all, out: all.out.replace(/^\t(restore|status)\t.*\n/gm, '') };
};

/** §5.3: where the server says its version. */
const serverVersion = (r: CtlResult, kind: StoreKind): CtlResult =>
  kind === 'keel' && r.code === 0 ? { ...r, out: `${r.out}Server version 3.6.0\n` } : r;

/** In order, on stores that are empty at first. */
export const LINES: readonly Line[] = [
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
  { args: 'watch -i', stdin: '\n  \nwatch\n  watch  a b --prefix\nwatch -- echo\n bogus x\nwatch a --\n' },

  { args: 'lease list' },
  { args: 'lease list -w json', hide: /"leases":.*/ },
  { args: 'lease list -w fields' },

  { args: 'lock' },
  { args: 'lock -h', as36: moreFlags },
  { args: 'lock n true -w nope' },
  { args: 'lock n --ttl x true', as36: moreFlags },
  { args: 'lock n true' },
  { args: 'lock n --ttl=-1 true' },
  { args: 'lock n --ttl 9000000001 true' },
  { args: "lock n -- sh -c 'echo $ETCD_LOCK_KEY; echo on stderr >&2; exit 7'" },
  { args: "lock n -- sh -c 'kill -9 $$'" },
  { args: 'lock n nosuchprogram' },
  { args: 'lock n /etc/passwd' },
  { args: 'lock n /no/such/program' },
  { args: "lock '' true" },
  { args: 'lock n', interrupt: /n\/.*\n\n/ },
  { args: 'lock n -w json', interrupt: /\n/, hide: LEASED },
  { args: 'lock n -w fields', interrupt: /Count.*\n/, hide: LEASED },
  { args: 'get n/ --prefix' },
  { args: 'lock t -w table true' },
  { args: 'lock t -w table' },

  { args: 'elect' },
  { args: 'elect -h', as36: moreFlags },
  { args: 'elect a b c' },
  { args: 'elect a' },
  { args: 'elect -l a b' },
  { args: 'elect a b -w nope' },
  { args: 'elect e v', interrupt: /e\/.*\nv\n/ },
  { args: 'elect e v -w json', interrupt: /\n/, hide: LEASED },
  { args: 'elect -l e', interrupt: 300 },
  { args: 'get e/ --prefix' },
  { args: 'put el/x first' },
  { args: 'elect -l el', interrupt: /first\n/ },
  { args: 'elect -l el -w json', interrupt: /\n/ },
  { args: 'elect -l el -w fields', interrupt: /Count.*\n/ },
  { args: 'elect el second', interrupt: 300 },

  { args: 'make-mirror' },
  { args: 'make-mirror a b' },
  { args: 'make-mirror -h', as36: mirrorFlags },
  { args: 'make-mirror {E} --dest-prefix x --no-dest-prefix' },
  { args: 'put mm/a 1' },
  { args: 'put mm/b 2' },
  { args: 'make-mirror {E} --prefix mm/ --dest-prefix nn/', interrupt: 500 },
  { args: 'make-mirror {E} --prefix mm/ --no-dest-prefix', interrupt: 500 },
  { args: 'get mm/ --prefix' },
  { args: 'get nn/ --prefix' },
  { args: 'get a' },
  { args: 'get b' },

  { args: 'check', as36: moreFlags },
  { args: 'check perf -h', as36: moreFlags },
  { args: 'check datascale -h', as36: moreFlags },
  { args: 'check perf --load q' },
  { args: 'check datascale --load q' },
  { args: 'put chk/a 1' },
  { args: 'check perf --prefix chk/' },
  { args: 'check datascale --prefix chk/' },

  { args: 'snapshot', as36: snapshotFamily },
  { args: 'snapshot save -h', as36: moreFlags },
  { args: 'snapshot save {D}/snap', as36: serverVersion },
  { args: 'snapshot save {D}/snap -w json', as36: serverVersion },
  { args: 'snapshot save {D}' },

  { args: 'completion', as36: moreFlags },
  { args: 'completion nope', as36: moreFlags },
  { args: 'completion bash -h', as36: moreFlags },
  { args: 'completion zsh -h', as36: moreFlags },
  { args: 'completion fish --help', as36: moreFlags },
  { args: 'completion powershell -h', as36: moreFlags },
  { args: '__complete l' },
  { args: "__complete lease ''" },
  { args: '__completeNoDesc lease g' },
  { args: '__complete del --pre' },
  { args: "__complete get --order ''" },
  { args: "__complete get k ''" },
  { args: "__complete nope ''" },
  { args: "__complete completion ''" },
  { args: "__complete completion bash ''" },
  { args: '__complete --endpoints a ge' },
  { args: '__complete help le' },
  { args: "__complete get --nope ''" },
  { args: "__complete lease nope ''" },
  { args: "__complete snapshot save ''" },

  { args: 'put wa 1' },
  { args: 'put wa 2 --prev-kv' },
  { args: 'del wa' },
  { args: 'watch wa --rev 10', interrupt: /DELETE\nwa\n\n/ },
  { args: 'watch wa --prefix --rev 10 --prev-kv', interrupt: /DELETE\nwa\n2\nwa\n\n/ },
  { args: 'watch wa wb --rev 10 -w json', interrupt: /"type":1.*\n/ },
  { args: 'watch wa --rev 10 -w fields', interrupt: /DELETE(.*\n)+"Lease" : 0\n/ },
  { args: 'watch wa --rev 10 --hex', interrupt: /DELETE\n.*\n\n/ },
  {
    args: "watch wa --rev 10 -- sh -c 'echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE'",
    interrupt: /"DELETE"/,
  },

  { args: 'version', hide: /\d+\.\d+\.?\d*/g },
  { args: 'endpoint', as36: moreFlags },
  { args: 'endpoint health --cluster -w table' },
  { args: 'endpoint status --cluster -w json' },
  { args: 'endpoint status -w table', hide: /(\n|.)*/ },
  { args: 'endpoint hashkv --cluster -w table', hide: /(\n|.)*/ },

  { args: "del '' --prefix" },
];
