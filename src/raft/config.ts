import type { ConfState, Entry, HardState } from './entry.js';
import { RaftError } from './errors.js';
import type { Mutant } from './mutants.js';
import { MUTANTS } from './mutants.js';
import type { NodeId, SnapshotMeta } from './types.js';
import { NONE } from './types.js';

/** The part of util's Rng that raft draws from: one number an election timer. */
export interface RaftRng {
  /** @returns an integer, 0 <= k < n */
  below(n: number): number;
}

/** What a member starts from: all that its disk holds, or the bootstrap's state. */
export interface InitialState {
  readonly hardState: HardState;
  /** As of `applied`, not as of the last entry: changes after it are applied again as they are committed. */
  readonly confState: ConfState;
  /** The last entry that is no longer in `entries`; 0 if none is missing. */
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** From snapshotIndex + 1, without gaps. */
  readonly entries: readonly Entry[];
  /** What the state machine holds durably; snapshotIndex <= applied. */
  readonly applied: number;
  /**
   * True if this disk may have lost entries that were acknowledged: neither vote nor campaign until a leader has
   * caught us up to all that it had when it first heard of it. The only voter of a cluster has nobody to wait for: of
   * it this is not asked. To be remembered across restarts until status().withheld is false. Default false.
   */
  readonly withholdVote?: boolean;
}

export interface RaftConfig {
  /** Own id, not 0n. */
  readonly id: NodeId;
  /** Ticks without a leader until a follower campaigns: between this and twice this, drawn anew each time. > heartbeatTicks */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats. >= 1 */
  readonly heartbeatTicks: number;
  readonly rng: RaftRng;
  /** Ask before disturbing (thesis 9.6). Needs checkQuorum. Default true. */
  readonly preVote?: boolean;
  /** A leader that hears no quorum for an election timeout steps down, and followers of a live leader refuse votes (thesis 6.2, 4.2.3). Default true. */
  readonly checkQuorum?: boolean;
  /** Bytes of entries in one MsgApp; one entry always fits. Default 1 MiB. */
  readonly maxAppendBytes?: number;
  /** MsgApps under way to one member. Default 512. */
  readonly maxInflightMessages?: number;
  /** Bytes of entries under way to one member; one message always fits. Default 64 MiB, >= maxAppendBytes. */
  readonly maxInflightBytes?: number;
  /** Bytes of proposals that are not committed; one proposal always fits. Default 256 MiB. */
  readonly maxUncommittedBytes?: number;
  /** Bytes of committed entries handed out and not yet applied; one entry always fits. Default 16 MiB. */
  readonly maxCommittedBytesPerReady?: number;
  readonly initial: InitialState;
  /**
   * The newest snapshot that could be sent now, or null if there is none. Its index is at or above what was last
   * handed to compact().
   */
  readonly snapshotSource: () => SnapshotMeta | null;
  /** Hears of each decision, in words; null is free of charge. Default null. */
  readonly tracer?: ((text: string) => void) | null;
  /** Bugs to put back, for the simulator to find. Default none. */
  readonly mutants?: ReadonlySet<string>;
}

export type ResolvedConfig = Required<RaftConfig>;

const MIB = 1024 * 1024;

/** @throws RaftError that names the setting, its value and its bound */
export function validate(config: RaftConfig): ResolvedConfig {
  const c: ResolvedConfig = {
    ...config,
    preVote: config.preVote ?? true,
    checkQuorum: config.checkQuorum ?? true,
    maxAppendBytes: config.maxAppendBytes ?? MIB,
    maxInflightMessages: config.maxInflightMessages ?? 512,
    maxInflightBytes: config.maxInflightBytes ?? Math.max(64 * MIB, config.maxAppendBytes ?? 0),
    maxUncommittedBytes: config.maxUncommittedBytes ?? 256 * MIB,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? 16 * MIB,
    tracer: config.tracer ?? null,
    mutants: config.mutants ?? new Set(),
  };
  if (c.id === NONE) throw bad('id must not be 0');
  atLeast('heartbeatTicks', c.heartbeatTicks, 1);
  if (!(Number.isSafeInteger(c.electionTicks) && c.electionTicks > c.heartbeatTicks)) {
    throw bad(`electionTicks must be an integer above heartbeatTicks (${c.heartbeatTicks}), not ${c.electionTicks}`);
  }
  if (c.preVote && !c.checkQuorum) {
    // Without leases a one-way cut lets a pre-vote succeed against a live leader, again and again.
    throw bad('preVote needs checkQuorum');
  }
  atLeast('maxAppendBytes', c.maxAppendBytes, 1);
  atLeast('maxInflightMessages', c.maxInflightMessages, 1);
  atLeast('maxInflightBytes', c.maxInflightBytes, c.maxAppendBytes);
  atLeast('maxUncommittedBytes', c.maxUncommittedBytes, 1);
  atLeast('maxCommittedBytesPerReady', c.maxCommittedBytesPerReady, 1);
  for (const name of c.mutants) {
    if (!(MUTANTS as readonly string[]).includes(name)) throw bad(`unknown mutant ${JSON.stringify(name)}`);
  }
  validateInitial(c.initial);
  return c;
}

function validateInitial(s: InitialState): void {
  for (const [name, n] of Object.entries({
    term: s.hardState.term,
    commit: s.hardState.commit,
    snapshotIndex: s.snapshotIndex,
    snapshotTerm: s.snapshotTerm,
    applied: s.applied,
  })) {
    if (!Number.isSafeInteger(n) || n < 0) throw contradiction(`${name} is not an index or term: ${n}`);
  }
  let index = s.snapshotIndex;
  let term = s.snapshotTerm;
  for (const e of s.entries) {
    if (e.index !== index + 1) throw contradiction(`entry ${e.index} follows entry ${index}`);
    if (e.term < term) throw contradiction(`entry ${e.index} has term ${e.term}, the one before it ${term}`);
    index = e.index;
    term = e.term;
  }
  if (s.applied < s.snapshotIndex) throw contradiction(`applied ${s.applied} is before snapshot ${s.snapshotIndex}`);
  if (s.applied > index) throw contradiction(`applied ${s.applied} is after the last entry ${index}`);
  if (s.hardState.commit > index && !s.withholdVote)
    throw contradiction(`commit ${s.hardState.commit} is after the last entry ${index}`);
  const ids = new Set<NodeId>();
  for (const id of [...s.confState.voters, ...s.confState.learners]) {
    if (id === NONE) throw contradiction('the configuration names member 0');
    if (ids.has(id)) throw contradiction(`the configuration names member ${id.toString(16)} twice`);
    ids.add(id);
  }
}

function atLeast(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min)
    throw bad(`${name} must be an integer of ${min} or more, not ${value}`);
}

function bad(message: string): RaftError {
  return new RaftError('ERR_RAFT_CONFIG', `raft: ${message}`);
}

function contradiction(message: string): RaftError {
  return new RaftError('ERR_RAFT_STATE', `raft: ${message}`);
}

export type { Mutant };
