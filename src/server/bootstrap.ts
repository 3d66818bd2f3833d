import type { ConfState, HardState, Entry as RaftEntry } from '../raft/index.js';
import { ConfChange, ConfChangeType, Entry, EntryType } from '../wire/index.js';
import type { InitialMember, MemberConfig } from './config.js';
import { ConfigError } from './config.js';
import { clusterIdOf, memberIdOf } from './ids.js';
import { MemberRecord } from './member-record.js';

/** Who a member is, and the log that a new cluster starts with. */
export interface Bootstrap {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly entries: RaftEntry[];
  readonly hardState: HardState;
  readonly confState: ConfState;
}

/**
 * The first log of a new cluster: one configuration change a member, by ascending id, in term 1 and committed, the
 * same on every member (wire spec 6.1; operations spec 1.4).
 * @throws ConfigError where the names and URLs do not fit together
 */
export function bootstrapNew(config: MemberConfig): Bootstrap {
  const own = findOwn(config);
  const records = config.initialCluster.map(
    (member) =>
      new MemberRecord(memberIdOf(member.peerUrls, config.initialClusterToken), member.peerUrls, false, member.name),
  );
  records.sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let i = 1; i < records.length; i++) {
    if (records[i]?.id === records[i - 1]?.id) throw new ConfigError('initial cluster contains duplicate members');
  }
  const entries = records.map((record, i) => {
    const context = Buffer.from(record.json());
    const change = ConfChange.encode({ id: 0n, type: ConfChangeType.ADD_NODE, nodeId: record.id, context });
    return new Entry(EntryType.CONF_CHANGE, 1, i + 1, change);
  });
  return {
    memberId: memberIdOf(own.peerUrls, config.initialClusterToken),
    clusterId: clusterIdOf(records.map((record) => record.id)),
    entries,
    hardState: { term: 1, vote: 0n, commit: entries.length },
    confState: { voters: [], learners: [] },
  };
}

/** Our own line of the initial cluster, which must say what we advertise. */
export function findOwn(config: MemberConfig): InitialMember {
  const own = config.initialCluster.find((member) => member.name === config.name);
  if (own === undefined) {
    throw new ConfigError(`couldn't find local name "${config.name}" in the initial cluster configuration`);
  }
  const urls = new Set<string>();
  for (const member of config.initialCluster) {
    for (const url of member.peerUrls) {
      if (urls.has(url)) throw new ConfigError(`initial cluster has duplicate URL "${url}"`);
      urls.add(url);
    }
  }
  const advertised = [...config.advertisePeerUrls].sort();
  const named = [...own.peerUrls].sort();
  for (const url of advertised) {
    if (!named.includes(url)) {
      throw new ConfigError(
        `--initial-cluster must include ${config.name}=${url} given --initial-advertise-peer-urls=${advertised.join(',')}`,
      );
    }
  }
  for (const url of named) {
    if (!advertised.includes(url)) {
      throw new ConfigError(
        `--initial-cluster has ${config.name}=${url} but missing from --initial-advertise-peer-urls=${advertised.join(',')}`,
      );
    }
  }
  return own;
}
