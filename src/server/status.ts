import type { Raft } from '../raft/index.js';
import type { Backend } from '../storage/backend/index.js';
import { ETCD_VERSION, STORAGE_VERSION } from '../util/versions.js';
import type { Alarms } from './alarms.js';
import { AlarmType } from './alarms.js';
import type { StatusInfo } from './api.js';

/** A member's own view of itself (semantics 7, Status). @param quota bytes; Infinity: none, which is told as 0 */
export function memberStatus(raft: Raft, backend: Backend, alarms: Alarms, quota: number): StatusInfo {
  const errors: string[] = [];
  if (raft.leader === 0n) errors.push('etcdserver: no leader');
  for (const { memberId, alarm } of alarms.list()) {
    // With the blank that etcd's text format has up to 3.6.
    errors.push(`memberID:${memberId} alarm:${alarm === AlarmType.NOSPACE ? 'NOSPACE' : 'CORRUPT'} `);
  }
  return {
    version: ETCD_VERSION,
    storageVersion: STORAGE_VERSION,
    dbSize: backend.size,
    dbSizeInUse: backend.sizeInUse,
    dbSizeQuota: Number.isFinite(quota) ? quota : 0,
    leader: raft.leader,
    raftIndex: raft.commitIndex,
    raftTerm: raft.term,
    raftAppliedIndex: backend.appliedIndex,
    isLearner: raft.confState.learners.includes(raft.id),
    errors,
  };
}
