/**
 * Bugs that others had, kept as switches: each puts one back, and the simulator must find it. The number is the row
 * of the bug museum (spec, reliability, part 1); `raft-` tells them from other rooms' mutants.
 */
export const MUTANTS = [
  /** Row 1: a leader appends a configuration change before an entry of its own term is committed. */
  'raft-conf-change-before-own-commit',
  /** Row 2: several configuration changes in flight; campaigning with committed ones unapplied. */
  'raft-conf-change-many-pending',
  /** Row 3: a new leader answers ReadIndex before it has committed in its term. */
  'raft-read-index-before-own-commit',
  /** Row 4: a read joins a round whose heartbeats left before the read came. */
  'raft-read-index-reuses-round',
  /** Row 6: a leader serves reads on its word alone. */
  'raft-read-index-no-quorum',
  /** Row 10: a page of committed entries is taken for all of them. */
  'raft-committed-page-skips',
  /** Row 12: an append whose previous entry was compacted away carries term 0, and 0 matches what is not there. */
  'raft-append-term-zero',
  /** Row 18: a second snapshot is taken while the first is being installed. */
  'raft-snapshot-over-snapshot',
  /** Row 20: the leader counts its own copy before its fsync. */
  'raft-self-ack-before-fsync',
] as const;

export type Mutant = (typeof MUTANTS)[number];
