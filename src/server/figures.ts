import type { StoreTraffic } from '../mvcc/index.js';
import type { PeerFigures } from '../peer/index.js';
import type { Histogram } from '../util/histogram.js';
import type { LeaseKeeper } from './lease-keeper.js';
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
  /** Heartbeats that this member sent too late as leader: its loop was busy. */
  readonly heartbeatsLate: number;
  readonly appliesSlow: number;
  /** A snapshot is being swapped in. */
  readonly snapshotInstalling: boolean;
  readonly compactRevision: number;
  readonly keys: number;
  readonly watchStreams: number;
  readonly watchers: number;
  /** Watchers that are behind. */
  readonly watchersSlow: number;
  /** Events that watchers were sent. */
  readonly eventsSent: number;
  readonly traffic: StoreTraffic;
  readonly leasesGranted: number;
  readonly leasesRevoked: number;
  readonly leasesRenewed: number;
  readonly leasesExpired: number;
  readonly leases: number;
  readonly authRevision: number;
  /** Of the backend: what has not been written to the store yet, and its rows in all. */
  readonly overlayBytes: number;
  readonly rows: number;
  /** Entries of one write to the log, and entries applied in one turn; seconds of such a turn. */
  readonly walBatches: Histogram;
  readonly applyBatches: Histogram;
  readonly applyTimes: Histogram;
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
  readonly leaseKeeper: LeaseKeeper;
  readonly lateHeartbeats: number;
  readonly slowApplies: number;
}

export function memberFigures(parts: MemberParts, counting: Counting): MemberFigures {
  const { raft, backend, mvcc, hub, lessor, auth } = parts;
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
    heartbeatsLate: counting.lateHeartbeats,
    appliesSlow: counting.slowApplies,
    snapshotInstalling: pump.installing,
    compactRevision: mvcc.compactRev,
    keys: mvcc.keyCount,
    watchStreams: mvcc.watch.streamCount,
    watchers: mvcc.watch.watcherCount,
    watchersSlow: mvcc.watch.unsyncedCount,
    eventsSent: mvcc.watch.eventsSent,
    traffic: mvcc.traffic,
    leasesGranted: lessor.granted,
    leasesRevoked: lessor.revoked,
    leasesRenewed: lessor.renewed,
    leasesExpired: counting.leaseKeeper.expiredCount,
    leases: lessor.size,
    authRevision: auth.revision,
    overlayBytes: backend.overlayBytes,
    rows: backend.rowCount,
    walBatches: pump.walBatches,
    applyBatches: pump.applyBatches,
    applyTimes: pump.applyTimes,
    walSync: pump.walSync,
    backendCommit: backend.commits,
    peers: hub.figures(),
  };
}
