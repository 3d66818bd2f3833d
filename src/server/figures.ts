import type { PeerFigures } from '../peer/index.js';
import type { Histogram } from '../util/histogram.js';
import type { MemberParts } from './parts.js';
import type { Proposals } from './proposals.js';
import type { Pump } from './pump.js';
import type { ReadIndexer } from './read-index.js';

/** What a member counts, as it stands when it is asked for. Times are in seconds; ever since the member was opened. */
export interface MemberFigures {
  readonly isLeader: boolean;
  /** How often a leader was found, the first time included. */
  readonly leaderChanges: number;
  readonly committedIndex: number;
  readonly appliedIndex: number;
  readonly proposalsPending: number;
  readonly proposalsFailed: number;
  /** Rounds that were asked for again, and reads that had none in time. */
  readonly readIndexesSlow: number;
  readonly readIndexesFailed: number;
  readonly compactRevision: number;
  readonly keys: number;
  readonly watchStreams: number;
  readonly watchers: number;
  /** From the moment that entries are handed to the log until they are durable. */
  readonly walSync: Histogram;
  readonly backendCommit: Histogram;
  readonly peers: readonly PeerFigures[];
}

/** What is counted where it happens; the parts know the rest. */
export interface Counting {
  readonly proposals: Proposals;
  readonly reads: ReadIndexer;
  readonly pump: Pump;
}

export function memberFigures({ raft, backend, mvcc, hub }: MemberParts, counting: Counting): MemberFigures {
  const { proposals, reads, pump } = counting;
  return {
    isLeader: raft.isLeader,
    leaderChanges: reads.leaderChanges,
    committedIndex: raft.commitIndex,
    appliedIndex: raft.appliedIndex,
    proposalsPending: proposals.pendingCount,
    proposalsFailed: proposals.failedCount,
    readIndexesSlow: reads.slowCount,
    readIndexesFailed: reads.failedCount,
    compactRevision: mvcc.compactRev,
    keys: mvcc.keyCount,
    watchStreams: mvcc.watch.streamCount,
    watchers: mvcc.watch.watcherCount,
    walSync: pump.walSync,
    backendCommit: backend.commits,
    peers: hub.figures(),
  };
}
