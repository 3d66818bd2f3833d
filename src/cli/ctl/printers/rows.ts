import type * as wire from '../../../wire/index.js';
import { formatBytes } from '../go.js';
import type { EndpointHash, EndpointStatus, Health } from './printer.js';

/** What simple output and tables show of a list, in the same columns. */
export interface Rows {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function memberRows(r: wire.MemberListResponse): Rows {
  return {
    header: ['ID', 'Status', 'Name', 'Peer Addrs', 'Client Addrs', 'Is Learner'],
    rows: r.members.map((m) => [
      m.id.toString(16),
      m.name === '' ? 'unstarted' : 'started',
      m.name,
      m.peerUrls.join(','),
      m.clientUrls.join(','),
      String(m.isLearner),
    ]),
  };
}

export function healthRows(list: readonly Health[]): Rows {
  return {
    header: ['endpoint', 'health', 'took', 'error'],
    rows: list.map((h) => [h.endpoint, String(h.health), h.took, h.error]),
  };
}

export function statusRows(list: readonly EndpointStatus[]): Rows {
  return {
    header: [
      'endpoint',
      'ID',
      'version',
      'storage version',
      'db size',
      'in use',
      'percentage not in use',
      'quota',
      'is leader',
      'is learner',
      'raft term',
      'raft index',
      'raft applied index',
      'errors',
      'downgrade target version',
      'downgrade enabled',
    ],
    rows: list.map(({ endpoint, status }) => [
      endpoint,
      (status.header?.memberId ?? 0n).toString(16),
      status.version,
      status.storageVersion,
      formatBytes(status.dbSize),
      formatBytes(status.dbSizeInUse),
      `${status.dbSize === 0 ? 0 : 100 - Math.floor((status.dbSizeInUse * 100) / status.dbSize)}%`,
      formatBytes(status.dbSizeQuota),
      String(status.leader === (status.header?.memberId ?? 0n)),
      String(status.isLearner),
      String(status.raftTerm),
      String(status.raftIndex),
      String(status.raftAppliedIndex),
      status.errors.join(', '),
      status.downgradeInfo?.targetVersion ?? '',
      String(status.downgradeInfo?.enabled ?? false),
    ]),
  };
}

export function hashRows(list: readonly EndpointHash[]): Rows {
  return {
    header: ['endpoint', 'hash', 'hash_revision'],
    rows: list.map(({ endpoint, hash }) => [endpoint, String(hash.hash), String(hash.hashRevision)]),
  };
}
