import { assert } from '../util/assert.js';
import type { ResolvedConfig } from './config.js';
import { Entry, EntryType } from './entry.js';
import { RaftLog } from './log.js';
import { Message, MessageKind } from './message.js';
import type { Mutant } from './mutants.js';
import { Reads } from './reads.js';
import { ProgressState } from './status.js';
import { Tracker } from './tracker.js';
import type { NodeId, ReadState } from './types.js';
import { NONE, ROLE_NAMES, Role } from './types.js';

/** Mutants as booleans, looked up once. */
export interface MutantFlags {
  readonly confBeforeOwnCommit: boolean;
  readonly confManyPending: boolean;
  readonly readBeforeOwnCommit: boolean;
  readonly readReusesRound: boolean;
  readonly readNoQuorum: boolean;
  readonly committedPageSkips: boolean;
  readonly appendTermZero: boolean;
  readonly snapshotOverSnapshot: boolean;
  readonly selfAckBeforeFsync: boolean;
}

function flagsOf(set: ReadonlySet<string>): MutantFlags {
  const has = (m: Mutant) => set.has(m);
  return {
    confBeforeOwnCommit: has('raft-conf-change-before-own-commit'),
    confManyPending: has('raft-conf-change-many-pending'),
    readBeforeOwnCommit: has('raft-read-index-before-own-commit'),
    readReusesRound: has('raft-read-index-reuses-round'),
    readNoQuorum: has('raft-read-index-no-quorum'),
    committedPageSkips: has('raft-committed-page-skips'),
    appendTermZero: has('raft-append-term-zero'),
    snapshotOverSnapshot: has('raft-snapshot-over-snapshot'),
    selfAckBeforeFsync: has('raft-self-ack-before-fsync'),
  };
}

const EMPTY = Buffer.alloc(0);

/**
 * The state of one member and the moves between its roles. What a role does with a message or a tick stands in
 * follower.ts, election.ts, leader.ts, replication.ts and read-index.ts; `Raft` is the room's front.
 */
export class Core {
  readonly id: NodeId;
  readonly config: ResolvedConfig;
  readonly mutants: MutantFlags;
  readonly trace: ((text: string) => void) | null;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  readonly reads: Reads;

  // Durable, with log.committed: the hard state.
  term: number;
  vote: NodeId;

  role: Role = Role.Follower;
  leader: NodeId = NONE;
  /** Ticks since we heard from the leader or started to campaign; as leader since the last check of the quorum. */
  electionElapsed = 0;
  /** As leader: ticks since the last heartbeats. */
  heartbeatElapsed = 0;
  /** electionTicks <= it < 2 * electionTicks, but shorter while `eagerCampaigns` lasts. */
  electionTimeout = 0;
  /** There is evidence that the leader's process is gone: its lease no longer binds our vote. */
  leaderDown = false;
  /** > 0: peerDown() came; so many campaigns may still follow one another quickly. */
  eagerCampaigns = 0;
  /** TimeoutNow came while committed configuration changes were unapplied: campaign when they are. */
  campaignWhenApplied = false;
  /** A number of this run if its disk lost entries, else 0. */
  readonly session: number;
  /** Our vote is withheld until a leader says that this session is caught up. */
  withheld: boolean;
  /** As leader: who is to lead next; NONE if nobody. No proposals are taken meanwhile. */
  leadTransferee: NodeId = NONE;
  /**
   * As leader: we are no longer a voter since this index; 0 if we are. We lead on, without counting ourselves and
   * without taking proposals, until somebody who has our whole log knows it.
   */
  leavingIndex = 0;
  /** As leader: no configuration change may be proposed before this index is applied. */
  pendingConfIndex = 0;
  /** As leader: members may have to be sent something; looked at when the next Ready is asked for. */
  mustReplicate = false;
  /** Commits are told with the next entries, unless a member waits or notices are due. */
  holdsNotices = false;
  noticesDue = false;

  messages: Message[] = [];
  messagesAfterPersist: Message[] = [];
  readStates: ReadState[] = [];
  /** The term in which we have asked for votes since the last Ready; 0 if none. Our own vote counts when it is durable. */
  candidateTerm = 0;

  constructor(config: ResolvedConfig) {
    const { initial } = config;
    this.id = config.id;
    this.config = config;
    this.mutants = flagsOf(config.mutants);
    this.trace = config.tracer;
    this.log = new RaftLog(
      initial.snapshotIndex,
      initial.snapshotTerm,
      initial.entries,
      Math.max(Math.min(initial.hardState.commit, initial.snapshotIndex + initial.entries.length), initial.applied),
      initial.applied,
      this.mutants.appendTermZero,
    );
    // A write may have been torn behind its entries. Then nothing that it promised has left, and no vote is known of
    // the term that the entries prove.
    const torn = this.log.lastTerm > initial.hardState.term;
    this.term = torn ? this.log.lastTerm : initial.hardState.term;
    this.vote = torn ? NONE : initial.hardState.vote;
    this.log.applyingBytesMax = config.maxCommittedBytesPerReady;
    // The hard state's commit is not synced on its own and may be behind; see DESIGN.md, configuration changes.
    if (!this.mutants.confManyPending && !this.mutants.confBeforeOwnCommit) {
      this.log.commitTo(this.log.confChangesProveCommitted());
    }
    this.tracker = new Tracker(initial.confState, config.maxInflightMessages, config.maxInflightBytes);
    this.withheld = initial.withholdVote === true && !(this.tracker.voterCount === 1 && this.tracker.isVoter(this.id));
    this.session = this.withheld ? config.rng.below(0x7fff_ffff) + 1 : 0;
    this.reads = new Reads(this.mutants.readReusesRound);
    this.#resetTimer();
  }

  // --- roles ---

  becomeFollower(term: number, leader: NodeId): void {
    this.#reset(term);
    this.role = Role.Follower;
    this.leader = leader;
    this.trace?.(`becomes follower in term ${term}${leader === NONE ? '' : ` of ${name(leader)}`}`);
  }

  /** Asks whether a campaign could succeed; term and vote stay (thesis 9.6). */
  becomePreCandidate(): void {
    assert(this.role !== Role.Leader, 'raft: a leader does not campaign');
    if (this.eagerCampaigns > 0) this.eagerCampaigns--;
    this.role = Role.PreCandidate;
    this.leader = NONE;
    this.electionElapsed = 0;
    this.tracker.resetVotes();
    this.#resetTimer();
    this.trace?.(`becomes pre-candidate in term ${this.term}`);
  }

  becomeCandidate(): void {
    assert(this.role !== Role.Leader, 'raft: a leader does not campaign');
    this.eagerCampaigns = 0;
    this.#reset(this.term + 1);
    this.role = Role.Candidate;
    this.vote = this.id;
    this.candidateTerm = this.term;
    this.trace?.(`becomes candidate in term ${this.term}`);
  }

  becomeLeader(): void {
    assert(this.role === Role.Candidate, 'raft: only a candidate becomes leader');
    this.#reset(this.term);
    this.role = Role.Leader;
    this.leader = this.id;
    const self = this.tracker.get(this.id);
    assert(self !== undefined && !self.isLearner, 'raft: only a voter becomes leader');
    self.state = ProgressState.Replicate;
    self.match = this.log.stable;
    self.recentActive = true;
    // Any entry of an earlier term may be a configuration change: until all of them are applied no other is taken.
    this.pendingConfIndex = this.mutants.confBeforeOwnCommit ? 0 : this.log.lastIndex;
    this.trace?.(`becomes leader in term ${this.term}`);
    // Entries of earlier terms are committed by one of our own only (paper 5.4.2): here it is.
    this.appendOwn([new Entry(EntryType.NORMAL, this.term, this.log.lastIndex + 1, EMPTY)]);
  }

  #reset(term: number): void {
    assert(term >= this.term, () => `raft: term ${this.term} would fall to ${term}`);
    if (term !== this.term) {
      this.term = term;
      this.vote = NONE;
    }
    this.leader = NONE;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.leaderDown = false;
    this.campaignWhenApplied = false;
    this.leadTransferee = NONE;
    this.pendingConfIndex = 0;
    this.leavingIndex = 0;
    this.mustReplicate = false;
    this.reads.reset();
    for (const p of this.tracker.peers) p.reset(this.log.lastIndex + 1);
    this.#resetTimer();
  }

  #resetTimer(): void {
    const ticks = this.config.electionTicks;
    if (this.eagerCampaigns > 0) {
      // Two ticks for each voter: in any of them one member alone campaigns again.
      this.electionTimeout = Math.min(2 * this.tracker.voterCount, ticks);
    } else this.electionTimeout = ticks + this.config.rng.below(ticks);
  }

  /** We heard from the leader of our term. */
  heardLeader(from: NodeId): void {
    assert(this.role !== Role.Leader, () => `raft: ${name(from)} leads term ${this.term} as we do`);
    assert(
      this.leader === NONE || this.leader === from,
      () => `raft: both ${name(this.leader)} and ${name(from)} lead term ${this.term}`,
    );
    if (this.eagerCampaigns > 0) {
      this.eagerCampaigns = 0;
      this.#resetTimer();
    }
    if (this.role !== Role.Follower) this.becomeFollower(this.term, from);
    this.leader = from;
    this.leaderDown = false;
    this.campaignWhenApplied = false;
    this.electionElapsed = 0;
  }

  // --- what roles share ---

  get roleName(): string {
    return ROLE_NAMES[this.role] as string;
  }

  /** May we campaign at all? */
  get promotable(): boolean {
    return this.tracker.isVoter(this.id) && !this.log.hasPendingSnapshot && !this.withheld;
  }

  /** As leader: somebody at that member waits for what is committed. */
  waits(id: NodeId): void {
    const p = this.tracker.get(id);
    if (p === undefined) return;
    p.waiting = this.config.electionTicks;
    if (p.sentCommit < this.log.committed) this.mustReplicate = true;
  }

  /** As leader: is an entry of our term committed? Only then do we know all that is. */
  get hasCommittedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** As leader. */
  appendOwn(entries: readonly Entry[]): void {
    this.log.append(entries);
    const self = this.tracker.get(this.id);
    if (self !== undefined) {
      self.next = this.log.lastIndex + 1;
      if (this.mutants.selfAckBeforeFsync) self.match = this.log.lastIndex;
    }
    this.mustReplicate = true;
    if (this.mutants.selfAckBeforeFsync) this.maybeCommit();
  }

  /**
   * As leader: commits what a majority has on disk, if the last of it is of our term (paper 5.4.2).
   * @returns true if the commit index moved
   */
  maybeCommit(): boolean {
    const index = this.tracker.quorumMatch();
    if (index <= this.log.committed || this.log.term(index) !== this.term) return false;
    this.log.commitTo(index);
    this.mustReplicate = true;
    return true;
  }

  message(kind: MessageKind, to: NodeId): Message {
    return new Message(kind, to, this.id, this.term);
  }

  /** Promises wait for our disk: the votes, and the answers to appends; and requests for votes, which claim a log. */
  send(m: Message): void {
    assert(m.to !== this.id && m.to !== NONE, () => `raft: a message to ${name(m.to)}`);
    switch (m.kind) {
      case MessageKind.AppResp:
      case MessageKind.Vote:
      case MessageKind.VoteResp:
        this.messagesAfterPersist.push(m);
        return;
      default:
        this.messages.push(m);
    }
  }
}

export function name(id: NodeId): string {
  return id.toString(16);
}
