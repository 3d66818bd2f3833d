import { MUTANTS as BACKEND } from '../storage/backend/options.js';
import { WalMutant } from '../storage/wal/index.js';

/** A bug that others had, as a switch that puts it back (reliability spec, part 1). */
export interface MutantRow {
  /** What its room calls it: a value of MemberTuning.mutants, or two with a comma that go together. */
  readonly name: string;
  /** Row of the museum. */
  readonly row: number;
  readonly room: string;
  readonly what: string;
  /** The feature without which it cannot show; null: it must be found. */
  readonly waitsFor: string | null;
}

function row(number: number, room: string, name: string, what: string, waitsFor: string | null = null): MutantRow {
  return { name, row: number, room, what, waitsFor };
}

export const MUTANT_TABLE: readonly MutantRow[] = [
  row(1, 'raft', 'raft-conf-change-before-own-commit', 'configuration change before an entry of its term'),
  row(2, 'raft', 'raft-conf-change-many-pending', 'several configuration changes in flight'),
  row(3, 'raft', 'raft-read-index-before-own-commit', 'ReadIndex before the first commit of a term'),
  row(4, 'raft', 'raft-read-index-reuses-round', 'a read joins a round that began before it'),
  row(5, 'server', '5', 'a late answer to a read index is taken for those who asked behind it'),
  row(6, 'raft', 'raft-read-index-no-quorum', 'a leader reads on its word alone'),
  row(10, 'raft', 'raft-committed-page-skips', 'a page of committed entries taken for all of them'),
  row(12, 'raft', 'raft-append-term-zero', 'an append behind a compacted entry carries term 0'),
  row(18, 'raft', 'raft-snapshot-over-snapshot', 'a second snapshot while the first is installed'),
  row(19, 'backend', BACKEND.indexAhead, 'applied index durable before its data'),
  row(20, 'raft', 'raft-self-ack-before-fsync', 'a leader counts its own copy before its fsync'),
  row(21, 'backend', BACKEND.staleIndex, "a snapshot's index overwritten by the older one"),
  row(23, 'wal', WalMutant.ROT_AS_TORN, 'rot taken for a torn tail'),
  row(23, 'wal', WalMutant.TORN_AS_ROT, 'a torn tail taken for rot'),
  row(25, 'wal', WalMutant.NO_DIR_SYNC, 'folder not synced after create and rename'),
  row(26, 'wal', WalMutant.SYNC_RETRY, 'a failed fsync counts as done'),
  row(32, 'backend', BACKEND.unsyncedFlush, 'flushes without fsync'),
  row(32, 'backend', `${BACKEND.unsyncedFlush},${BACKEND.holeIgnored}`, 'the same, and nobody looks for the hole'),
  row(28, 'server', '28', 'a member whose state differs goes on, leads and donates'),
  row(30, 'server', '30', 'a defragmentation while a snapshot is installed'),
  row(33, 'mvcc', '33', 'compaction takes the newest revision with it'),
  row(34, 'backend', BACKEND.deletionForgotten, 'a row deleted in the overlay is seen in the store'),
  row(35, 'mvcc', '35', "apply depends on a member's own progress in compaction"),
  row(36, 'mvcc', '36', 'a transaction fails half way and keeps its first writes'),
  row(43, 'mvcc', '43', 'progress ahead of events'),
  row(44, 'mvcc', '44', 'a watch goes back in time at a snapshot'),
  row(45, 'mvcc', '45', 'events lost under a slow stream'),
  row(46, 'mvcc', '46', 'compaction at a deletion drops it'),
  row(47, 'mvcc', '47', 'a watch of the future hears of the past'),
  row(48, 'mvcc', '48', 'a watch that is just created misses events'),
  row(49, 'mvcc', '49', 'watchers that lag are forgotten at a snapshot'),
  row(55, 'lease', '55', 'an old leader goes on revoking'),
  row(56, 'lease', '56', 'a lease is renewed whose revoke is under way'),
  row(59, 'server', '59', 'leases end by the clock on the wall'),
  row(65, 'server', '65', 'the promotion of a learner is not stored'),
  row(62, 'auth', '62', 'the auth revision of a member that started anew is its own'),
  row(63, 'auth', '63', 'users and roles are not read from a snapshot'),
];

/** Starred rows of the museum that have no switch yet, and what they wait for. */
export const WITHOUT_SWITCH: readonly { readonly row: number; readonly what: string; readonly waitsFor: string }[] = [
  { row: 52, what: 'watches starved by large reads', waitsFor: 'CPU time in the simulator' },
];
