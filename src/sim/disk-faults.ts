/** What goes wrong by chance, drawn for each operation; parts of a million. All zero: a disk that only loses power. */
export interface SimDiskOptions {
  /** [least, most] virtual microseconds of an fdatasync. */
  readonly syncUs: readonly [number, number];
  /** [least, most] of anything else that is queued, from the call to its start. */
  readonly startUs: readonly [number, number];
  /** Sync takes [least, most] of `stallUs` instead. */
  readonly stallPpm: number;
  readonly stallUs: readonly [number, number];
  /** A sync fails with EIO, and what it should have written is dropped and counts as clean. */
  readonly syncErrorPpm: number;
  /** A synchronous read fails with EIO. */
  readonly readErrorPpm: number;
  /** Size of the disk: more gives ENOSPC. */
  readonly capacityBytes: number;
}

export const diskDefaults: SimDiskOptions = {
  syncUs: [100, 3_000],
  startUs: [5, 60],
  stallPpm: 0,
  stallUs: [10_000, 30_000_000],
  syncErrorPpm: 0,
  readErrorPpm: 0,
  capacityBytes: 2 ** 40,
};

/**
 * How a crash leaves the disk. `process`: what had been handed to the system stays (kill -9). The others are power
 * cuts: of what had not been synced nothing remains, or a prefix of each file's writes, or any sectors; `mixed` draws
 * one of the three for each file and directory.
 */
export type CrashMode = 'process' | 'none' | 'prefix' | 'sectors' | 'mixed';

/** Faults that are set for an occasion; each happens once. `path` is tested against the file's path at that moment. */
export interface SetFault {
  readonly path: (path: string) => boolean;
  readonly kind:
    | 'sync-error'
    | 'read-error'
    /** The write is acknowledged and stays in the cache, but never reaches the platter: after a crash the sector is stale. */
    | 'lost-write'
    /** The write goes to `shift` bytes further on. */
    | 'misdirected-write'
    /** The next sync takes `us`. */
    | 'stall';
  readonly shift?: number;
  readonly us?: number;
}
