import type { Cluster } from '../../support/cluster.js';
import type { CtlResult } from '../../support/ctl.js';

/** Words as a shell has them; single quotes take all as it stands. */
export function split(text: string): string[] {
  return (text.match(/'[^']*'|\S+/g) ?? []).map((w) => (w.startsWith("'") ? w.slice(1, -1) : w));
}

/** Lines, and members of a list, in the order of the alphabet. */
export function inOrder(r: CtlResult): CtlResult {
  const list = (text: string) => text.split(',').sort().join(',');
  const text = r.out.replace(/(ETCD_INITIAL_CLUSTER=")([^"]*)/, (_, name: string, value: string) => name + list(value));
  return { ...r, out: text.split('\n').sort().join('\n') };
}

/** Takes out what no two stores share, and what etcd's client logs of its own accord. */
export function mask(r: CtlResult, cluster: Cluster, captured: Record<string, string>): CtlResult {
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
        .replace(/"version":"\d+\.\d+\.\d+"/g, '"version":"V"')
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
