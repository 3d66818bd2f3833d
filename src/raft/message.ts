import type { Entry } from './entry.js';
import type { NodeId, SnapshotMeta } from './types.js';

/** raftpb.MessageType, those that travel between members. Numbers are etcd's. */
export const MessageKind = {
  App: 3,
  AppResp: 4,
  Vote: 5,
  VoteResp: 6,
  Snap: 7,
  Heartbeat: 8,
  HeartbeatResp: 9,
  TimeoutNow: 14,
  ReadIndex: 15,
  ReadIndexResp: 16,
  PreVote: 17,
  PreVoteResp: 18,
} as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Names by kind, as etcd logs them. */
export const MESSAGE_NAMES: readonly string[] = [
  'MsgHup',
  'MsgBeat',
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
  'MsgPreVote',
  'MsgPreVoteResp',
];

export const NO_ENTRIES: readonly Entry[] = Object.freeze([]) as readonly Entry[];

/**
 * One message between two members; every kind has every field, in one order, so that V8 sees one shape.
 *
 * | kind | logTerm, index | commit | other |
 * |---|---|---|---|
 * | App | the entry before `entries` | the leader's | entries |
 * | AppResp | index: the last entry known equal; if rejected the `index` that was refused | the sender's | reject, rejectHint (where to try next), logTerm (term there); if not rejected, rejectHint: the session |
 * | Vote, PreVote | the candidate's last entry | the candidate's | rejectHint: term of that commit; context 1: a transfer of leadership, leases do not count |
 * | VoteResp, PreVoteResp | logTerm: term of commit | the sender's | reject |
 * | Snap | | | snapshot; the data travels beside |
 * | Heartbeat | | min(match, the leader's) | context: the round of reads, 0 for none; rejectHint: the session that is caught up |
 * | HeartbeatResp | if reject, index: what the log has left | the sender's | context: as it came; rejectHint: the session; reject: entries may have been lost |
 * | TimeoutNow | | | |
 * | ReadIndex | | | context: the follower's own |
 * | ReadIndexResp | index: of the read | | context: as it came |
 *
 * A session is a number other than 0 of a member that has lost entries (InitialState.withholdVote).
 * `term` is the sender's, but in PreVote and in a PreVoteResp that grants: there it is the term asked for.
 */
export class Message {
  kind: MessageKind;
  to: NodeId;
  from: NodeId;
  term: number;
  logTerm: number;
  index: number;
  entries: readonly Entry[];
  commit: number;
  reject: boolean;
  rejectHint: number;
  context: number;
  snapshot: SnapshotMeta | null;

  constructor(kind: MessageKind, to: NodeId, from: NodeId, term: number) {
    this.kind = kind;
    this.to = to;
    this.from = from;
    this.term = term;
    this.logTerm = 0;
    this.index = 0;
    this.entries = NO_ENTRIES;
    this.commit = 0;
    this.reject = false;
    this.rejectHint = 0;
    this.context = 0;
    this.snapshot = null;
  }
}
