import type { Entry, HardState, Metadata, WalSnapshot } from '../../wire/index.js';

/** A place in the raft log. */
export interface WalPoint {
  readonly index: number;
  readonly term: number;
}

/** What the mark knows of a log (mark.ts). */
export interface WalPromise {
  readonly metadata: Metadata;
  readonly term: number;
  readonly vote: bigint;
}

export interface WalOptions {
  /** Entries up to `from` that open() gives back as well. Default 0. */
  readonly keepEntries?: number;
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

/** What a log holds behind `from`. */
export interface WalContent {
  /** Whose log it is. */
  readonly metadata: Metadata;
  /**
   * The last one written, null in a log that has none yet. `commit` is moved between `from.index` and the last index:
   * it is not synced when it alone changes, so that a crash may leave it behind what was applied.
   */
  readonly hardState: HardState | null;
  /** Without gaps, the first at `from.index + 1`; `wire` and `data` are views of bigger buffers. */
  readonly entries: Entry[];
  /**
   * Entries up to `from.index`, for members that lag: the newest `keepEntries` at most, fewer where the log does not
   * reach back so far. Without gaps, the last at `from.index`.
   */
  readonly older: Entry[];
  /** Every snapshot record in what was read, oldest first. */
  readonly snapshots: WalSnapshot[];
}

export interface WalOpened<W> extends WalContent {
  readonly wal: W;
  readonly cut: WalCut | null;
  /**
   * True where something was cut and no readable mark says how far the log had been synced: what was cut may have
   * been acknowledged, a vote included. Such a member must not vote or campaign until a leader has caught it up;
   * then it calls `settle()`. Stays true over restarts until that.
   */
  readonly uncertain: boolean;
}
