import type { NodeId, Role } from './types.js';

/** How a leader replicates to one member. */
export const ProgressState = { Probe: 0, Replicate: 1, Snapshot: 2 } as const;
export type ProgressState = (typeof ProgressState)[keyof typeof ProgressState];

export const PROGRESS_NAMES: readonly string[] = ['probe', 'replicate', 'snapshot'];

export interface PeerStatus {
  readonly id: NodeId;
  /** 0 <= match < next */
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  /** Heard from since the last check of the quorum. Our own is true. */
  readonly recentActive: boolean;
  readonly isLearner: boolean;
}

export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: number;
  readonly vote: NodeId;
  readonly leader: NodeId;
  readonly leadTransferee: NodeId;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** The last index that is on our own disk. */
  readonly stable: number;
  readonly isLearner: boolean;
  /** Our vote is withheld: the disk lost entries and no leader has caught us up yet. */
  readonly withheld: boolean;
  /** Of every member, ourselves included; empty where we are not the leader. */
  readonly progress: readonly PeerStatus[];
}
