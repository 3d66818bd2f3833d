/** One entry of the raft log as the WAL takes it and gives it back. */
export interface WalEntry {
  /** EntryNormal 0, EntryConfChange 1, EntryConfChangeV2 2 */
  readonly type: number;
  readonly term: number;
  readonly index: number;
  /** Empty where the message has none. */
  readonly data: Buffer;
  /** The marshalled raftpb.Entry: made once, written here and sent to every peer as it is. */
  readonly wire: Buffer;
}

/** raftpb.HardState */
export interface WalHardState {
  readonly term: number;
  /** 0n: no vote in this term. */
  readonly vote: bigint;
  readonly commit: number;
}

/** etcdserverpb.Metadata: whose log this is. */
export interface WalIdentity {
  readonly nodeId: bigint;
  readonly clusterId: bigint;
}

/** A place in the raft log. */
export interface WalPoint {
  readonly index: number;
  readonly term: number;
}

/** walpb.Snapshot: up to here the log was compacted behind a durable flush, or replaced by a snapshot of the leader. */
export interface WalSnapshot extends WalPoint {
  readonly confState: WalConfState | null;
}

/** raftpb.ConfState; joint configurations do not occur here. */
export interface WalConfState {
  readonly voters: readonly bigint[];
  readonly learners: readonly bigint[];
}

export interface WalOptions {
  /** A segment is left for the next one when it has reached this many bytes. Default 64,000,000, as in etcd. */
  readonly segmentBytes?: number;
  /** `release` leaves at least this many segments. Default 5. */
  readonly maxWals?: number;
  /** Bugs put back on purpose (reliability spec, part 1): names in mutants.ts. */
  readonly mutants?: ReadonlySet<string>;
}

/** What was cut off the end of the log when it was opened: writes that had not been synced at the crash. */
export interface WalCut {
  readonly file: string;
  /** Where the valid records end. */
  readonly offset: number;
  readonly reason: string;
}

export interface WalOpened<W> {
  readonly wal: W;
  readonly metadata: WalIdentity;
  /** The last one written; null in a log that has none yet. */
  readonly hardState: WalHardState | null;
  /** Without gaps, the first at `from.index + 1`; `wire` and `data` are views of bigger buffers. */
  readonly entries: WalEntry[];
  /** Every snapshot record in what was read, oldest first. */
  readonly snapshots: WalSnapshot[];
  readonly cut: WalCut | null;
  /**
   * True where something was cut and no readable mark says how far the log had been synced: what was cut may have
   * been acknowledged, a vote included. Such a member must not vote or campaign until a leader has caught it up.
   */
  readonly uncertain: boolean;
}
