import type { MessageType } from './codec.js';
import { bool, bytes, define, enumeration, int, list, message, string, uid, uint, uint32 } from './codec.js';
import { headerOnly } from './compaction.js';
import { ResponseHeader } from './response-header.js';

const header = message(1, () => ResponseHeader);

export const AlarmType = { NONE: 0, NOSPACE: 1, CORRUPT: 2 } as const;
export const AlarmAction = { GET: 0, ACTIVATE: 1, DEACTIVATE: 2 } as const;

export const AlarmRequest = define('etcdserverpb.AlarmRequest', {
  action: enumeration(1, AlarmAction),
  memberId: uid(2, 'memberID'),
  alarm: enumeration(3, AlarmType),
});
export type AlarmRequest = MessageType<typeof AlarmRequest>;

export const AlarmMember = define('etcdserverpb.AlarmMember', {
  memberId: uid(1, 'memberID'),
  alarm: enumeration(2, AlarmType),
});
export type AlarmMember = MessageType<typeof AlarmMember>;

export const AlarmResponse = define('etcdserverpb.AlarmResponse', {
  header,
  alarms: list(message(2, () => AlarmMember)),
});
export type AlarmResponse = MessageType<typeof AlarmResponse>;

export const DowngradeInfo = define('etcdserverpb.DowngradeInfo', {
  enabled: bool(1),
  targetVersion: string(2, 'targetVersion'),
});
export type DowngradeInfo = MessageType<typeof DowngradeInfo>;

export const StatusRequest = define('etcdserverpb.StatusRequest', {});
export type StatusRequest = MessageType<typeof StatusRequest>;

/** From `storageVersion` on: since etcd 3.6. */
export const StatusResponse = define('etcdserverpb.StatusResponse', {
  header,
  version: string(2),
  dbSize: int(3, 'dbSize'),
  leader: uid(4),
  raftIndex: uint(5, 'raftIndex'),
  raftTerm: uint(6, 'raftTerm'),
  raftAppliedIndex: uint(7, 'raftAppliedIndex'),
  errors: list(string(8)),
  dbSizeInUse: int(9, 'dbSizeInUse'),
  isLearner: bool(10, 'isLearner'),
  storageVersion: string(11, 'storageVersion'),
  dbSizeQuota: int(12, 'dbSizeQuota'),
  downgradeInfo: message(13, () => DowngradeInfo, 'downgradeInfo'),
});
export type StatusResponse = MessageType<typeof StatusResponse>;

export const DefragmentRequest = define('etcdserverpb.DefragmentRequest', {});
export type DefragmentRequest = MessageType<typeof DefragmentRequest>;
export const DefragmentResponse = headerOnly('DefragmentResponse');
export type DefragmentResponse = MessageType<typeof DefragmentResponse>;

export const HashRequest = define('etcdserverpb.HashRequest', {});
export type HashRequest = MessageType<typeof HashRequest>;
export const HashResponse = define('etcdserverpb.HashResponse', { header, hash: uint32(2) });
export type HashResponse = MessageType<typeof HashResponse>;

export const HashKVRequest = define('etcdserverpb.HashKVRequest', { revision: int(1) });
export type HashKVRequest = MessageType<typeof HashKVRequest>;
/** `hashRevision`: since etcd 3.6. */
export const HashKVResponse = define('etcdserverpb.HashKVResponse', {
  header,
  hash: uint32(2),
  compactRevision: int(3),
  hashRevision: int(4),
});
export type HashKVResponse = MessageType<typeof HashKVResponse>;

export const SnapshotRequest = define('etcdserverpb.SnapshotRequest', {});
export type SnapshotRequest = MessageType<typeof SnapshotRequest>;
/** `version`: since etcd 3.6. */
export const SnapshotResponse = define('etcdserverpb.SnapshotResponse', {
  header,
  remainingBytes: uint(2),
  blob: bytes(3),
  version: string(4),
});
export type SnapshotResponse = MessageType<typeof SnapshotResponse>;

export const MoveLeaderRequest = define('etcdserverpb.MoveLeaderRequest', { targetId: uid(1, 'targetID') });
export type MoveLeaderRequest = MessageType<typeof MoveLeaderRequest>;
export const MoveLeaderResponse = headerOnly('MoveLeaderResponse');
export type MoveLeaderResponse = MessageType<typeof MoveLeaderResponse>;

export const DowngradeAction = { VALIDATE: 0, ENABLE: 1, CANCEL: 2 } as const;
export const DowngradeRequest = define('etcdserverpb.DowngradeRequest', {
  action: enumeration(1, DowngradeAction),
  version: string(2),
});
export type DowngradeRequest = MessageType<typeof DowngradeRequest>;
export const DowngradeResponse = define('etcdserverpb.DowngradeResponse', { header, version: string(2) });
export type DowngradeResponse = MessageType<typeof DowngradeResponse>;

export const DowngradeVersionTestRequest = define('etcdserverpb.DowngradeVersionTestRequest', { ver: string(1) });
export type DowngradeVersionTestRequest = MessageType<typeof DowngradeVersionTestRequest>;
