import type { MessageType } from './codec.js';
import { always, bool, bytes, define, enumeration, list, message, uid, uint } from './codec.js';
import { EntryCodec } from './entry.js';

// raftpb is proto2: what is marked `always` is written even when it is zero.

export const HardState = define('raftpb.HardState', {
  term: always(uint(1)),
  vote: always(uid(2)),
  commit: always(uint(3)),
});
export type HardState = MessageType<typeof HardState>;

export const ConfState = define('raftpb.ConfState', {
  voters: list(uid(1)),
  learners: list(uid(2)),
  votersOutgoing: list(uid(3)),
  learnersNext: list(uid(4)),
  autoLeave: always(bool(5)),
});
export type ConfState = MessageType<typeof ConfState>;

export const SnapshotMetadata = define('raftpb.SnapshotMetadata', {
  confState: always(message(1, () => ConfState)),
  index: always(uint(2)),
  term: always(uint(3)),
});
export type SnapshotMetadata = MessageType<typeof SnapshotMetadata>;

export const RaftSnapshot = define('raftpb.Snapshot', {
  data: bytes(1),
  metadata: always(message(2, () => SnapshotMetadata)),
});
export type RaftSnapshot = MessageType<typeof RaftSnapshot>;

export const ConfChangeType = { ADD_NODE: 0, REMOVE_NODE: 1, UPDATE_NODE: 2, ADD_LEARNER_NODE: 3 } as const;

/** `id` is the request's, `context` JSON (etcd wire §6). */
export const ConfChange = define('raftpb.ConfChange', {
  id: always(uid(1)),
  type: always(enumeration(2, ConfChangeType)),
  nodeId: always(uid(3)),
  context: bytes(4),
});
export type ConfChange = MessageType<typeof ConfChange>;

export const ConfChangeTransition = { AUTO: 0, JOINT_IMPLICIT: 1, JOINT_EXPLICIT: 2 } as const;

export const ConfChangeSingle = define('raftpb.ConfChangeSingle', {
  type: always(enumeration(1, ConfChangeType)),
  nodeId: always(uid(2)),
});
export type ConfChangeSingle = MessageType<typeof ConfChangeSingle>;

export const ConfChangeV2 = define('raftpb.ConfChangeV2', {
  transition: always(enumeration(1, ConfChangeTransition)),
  changes: list(message(2, () => ConfChangeSingle)),
  context: bytes(3),
});
export type ConfChangeV2 = MessageType<typeof ConfChangeV2>;

export const RaftMessageType = {
  HUP: 0,
  BEAT: 1,
  PROP: 2,
  APP: 3,
  APP_RESP: 4,
  VOTE: 5,
  VOTE_RESP: 6,
  SNAP: 7,
  HEARTBEAT: 8,
  HEARTBEAT_RESP: 9,
  UNREACHABLE: 10,
  SNAP_STATUS: 11,
  CHECK_QUORUM: 12,
  TRANSFER_LEADER: 13,
  TIMEOUT_NOW: 14,
  READ_INDEX: 15,
  READ_INDEX_RESP: 16,
  PRE_VOTE: 17,
  PRE_VOTE_RESP: 18,
} as const;

/** etcd's message between members; Keel's own members use frames of their own. */
export const RaftMessage = define('raftpb.Message', {
  type: always(enumeration(1, RaftMessageType)),
  to: always(uid(2)),
  from: always(uid(3)),
  term: always(uint(4)),
  logTerm: always(uint(5, 'logTerm')),
  index: always(uint(6)),
  entries: list(message(7, () => EntryCodec)),
  commit: always(uint(8)),
  snapshot: message(9, () => RaftSnapshot),
  reject: always(bool(10)),
  rejectHint: always(uint(11, 'rejectHint')),
  context: bytes(12),
});
export type RaftMessage = MessageType<typeof RaftMessage>;
