import type { ConfState } from './entry.js';

/** Identity of a member. 0n is no member at all ("no leader", "no vote"). */
export type NodeId = bigint;
export const NONE: NodeId = 0n;

/** What a member is in its term. A learner is a follower that is not a voter. */
export const Role = { Follower: 0, PreCandidate: 1, Candidate: 2, Leader: 3 } as const;
export type Role = (typeof Role)[keyof typeof Role];

export const ROLE_NAMES: readonly string[] = ['follower', 'pre-candidate', 'candidate', 'leader'];

/**
 * What became of a proposal. Only `accepted` means that it stands in our log; it may still be lost with our
 * leadership. After any other answer it stands in no log.
 */
export type ProposeResult =
  | 'accepted'
  /** We are not the leader, and no leader is known. */
  | 'dropped-no-leader'
  /** We are not the leader; `Raft.leader` is. Raft does not forward: the server does, in its own frames. */
  | 'not-leader'
  /** More than `maxUncommittedBytes` are in the log and not committed. */
  | 'dropped-too-much'
  /** Leadership is being handed over, by request or because we are no longer a voter. */
  | 'dropped-transferring'
  /** Configuration changes only: another one is not applied yet. */
  | 'dropped-conf-pending'
  /** Configuration changes only: no entry of this leader's term is committed yet. */
  | 'dropped-term-not-committed';

/** What became of a readIndex(). If it is not `accepted`, the answer never comes: try again later, with a new context. */
export type ReadIndexResult = 'accepted' | 'no-leader' | 'dropped-too-many';

/** What became of a transferLeadership(). `started` may still fail: after one election timeout it is given up. */
export type TransferResult = 'started' | 'already-leader' | 'not-leader' | 'not-voter';

/** A linearizable read with context `ctx` may be served once `index` has been applied. */
export interface ReadState {
  readonly ctx: number;
  readonly index: number;
}

/** Not persisted; for those who want to know. */
export interface SoftState {
  readonly leader: NodeId;
  readonly role: Role;
}

/** A snapshot as raft knows it: the data travels and is installed elsewhere. */
export interface SnapshotMeta {
  /** The last index that the snapshot includes. */
  readonly index: number;
  /** The term of that entry. */
  readonly term: number;
  /** The configuration as of that index. */
  readonly confState: ConfState;
}
