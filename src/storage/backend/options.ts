import type { Owner } from './keel-file.js';

export interface BackendOptions {
  /** A flush begins this long after the first apply it takes. Milliseconds; default 100. */
  readonly flushMs: number;
  /** ... or when this many bytes wait. Default 4 MiB. */
  readonly flushBytes: number;
  /** `full` from here on. Bytes; default 32 MiB, at least 2 * flushBytes. */
  readonly overlayBytesMax: number;
  /** Rows handed to the store's batch in one turn of the event loop. Default 1000, about one millisecond. */
  readonly sliceRows: number;
  /** Flush numbers kept before the store is asked to make them needless. Default 4096. */
  readonly numbersMax: number;
  /** Whose folder it must be, where that is known already. */
  readonly owner: Owner | undefined;
  /** May the applied index reach the store? The WAL must have it durable: asserted at each flush. */
  readonly mayFlush: ((index: number) => boolean) | undefined;
  /** Looks up each row that `put` was told is fresh, and each size that `del` was told. For tests and the simulator. */
  readonly paranoid: boolean;
  /** Bugs put back on purpose, for the simulator to find; see MUTANTS. */
  readonly mutants: ReadonlySet<string>;
}

/** The mutants of this room, rows 19, 21, 32 and 34 of reliability, part 1. */
export const MUTANTS = {
  /** Row 19: the applied index is durable before its data: two batches instead of one. */
  indexAhead: 'backend-index-ahead',
  /** Row 21: a snapshot's applied index is overwritten by the older one that the member had before it. */
  staleIndex: 'backend-stale-index',
  /** Row 32: flushes without fsync: LevelDB may lose one log and keep the next. */
  unsyncedFlush: 'backend-unsynced-flush',
  /** Row 32: ... and nobody looks for the hole at the next open. */
  holeIgnored: 'backend-hole-ignored',
  /** Row 34: a row deleted in the overlay is still seen in the store. */
  deletionForgotten: 'backend-deletion-forgotten',
} as const;

export function backendOptions(options: Partial<BackendOptions> = {}): BackendOptions {
  const flushBytes = options.flushBytes ?? 4 << 20;
  return {
    flushMs: options.flushMs ?? 100,
    flushBytes,
    overlayBytesMax: Math.max(options.overlayBytesMax ?? 32 << 20, 2 * flushBytes),
    sliceRows: options.sliceRows ?? 1000,
    numbersMax: options.numbersMax ?? 4096,
    owner: options.owner,
    mayFlush: options.mayFlush,
    paranoid: options.paranoid ?? false,
    mutants: options.mutants ?? new Set(),
  };
}
