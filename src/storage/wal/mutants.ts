/**
 * Bugs that can be put back (reliability spec, part 1), for the simulator to find. All are off the hot path.
 */
export const WalMutant = {
  /** Row 23: the mark is not asked, every damage in the last segment is taken for a torn tail. Acked entries vanish. */
  ROT_AS_TORN: 'wal-rot-as-torn',
  /** Row 23 from the other side: a torn tail is taken for rot, and a member does not start after a power cut. */
  TORN_AS_ROT: 'wal-torn-as-rot',
  /** Row 25: the directory is not synced after a create or rename. A power cut takes the whole new segment. */
  NO_DIR_SYNC: 'wal-no-dir-sync',
  /** Row 26: a failed fsync counts as done, as if a second one had succeeded. The pages are gone all the same. */
  SYNC_RETRY: 'wal-sync-retry',
} as const;
