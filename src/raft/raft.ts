import { assert } from '../util/assert.js';
import type { RaftConfig } from './config.js';
import { validate } from './config.js';
import { Core, name } from './core.js';
import { countVotes, maybeCampaign } from './election.js';
import type { ConfState } from './entry.js';
import { ConfChange, Entry, EntryType } from './entry.js';
import { tickElection } from './follower.js';
import { afterMatch, tickLeader } from './leader.js';
import { entryBytes } from './log.js';
import { applyConfChange } from './membership.js';
import type { Message } from './message.js';
import { MessageKind } from './message.js';
import { flushReads, leadRead } from './read-index.js';
import { Ready } from './ready.js';
import { flushAppends, owesNotice, sendTimeoutNow } from './replication.js';
import type { RaftStatus } from './status.js';
import { ProgressState } from './status.js';
import { step } from './step.js';
import type { NodeId, ProposeResult, ReadIndexResult, TransferResult } from './types.js';
import { NONE, Role } from './types.js';

/**
 * Consensus of one member, as a state machine: inputs change the state at once, and `ready()` says what is to be done
 * about it. No I/O, no clock, no timer, no promise; the same inputs give the same outputs.
 *
 * Raft paper: Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended version).
 * Thesis: Ongaro, Consensus: Bridging Theory and Practice.
 */
export class Raft {
  readonly id: NodeId;
  readonly #core: Core;
  #token = 0;
  #persistedToken = 0;
  // As of the last Ready.
  #hardTerm: number;
  #hardVote: NodeId;
  #hardCommit: number;
  #softLeader: NodeId = NONE;
  #softRole: Role = Role.Follower;

  /** @throws RaftError if a setting is bad or the initial state contradicts itself */
  constructor(config: RaftConfig) {
    this.#core = new Core(validate(config));
    this.id = config.id;
    const { hardState } = config.initial;
    this.#hardTerm = hardState.term;
    this.#hardVote = hardState.vote;
    this.#hardCommit = hardState.commit;
  }

  get term(): number {
    return this.#core.term;
  }
  /** 0n if none is known. */
  get leader(): NodeId {
    return this.#core.leader;
  }
  get role(): Role {
    return this.#core.role;
  }
  get isLeader(): boolean {
    return this.#core.role === Role.Leader;
  }
  get commitIndex(): number {
    return this.#core.log.committed;
  }
  get appliedIndex(): number {
    return this.#core.log.applied;
  }
  get lastIndex(): number {
    return this.#core.log.lastIndex;
  }
  /** The oldest entry that compact() has left. */
  get firstIndex(): number {
    return this.#core.log.firstIndex;
  }
  /** @returns the term of that entry; -1 if it is not (or no longer) in the log */
  termAt(index: number): number {
    return this.#core.log.term(index);
  }
  /** Bytes of the entries held in memory, each with a little overhead. */
  get logBytes(): number {
    return this.#core.log.bytes;
  }
  /** This member is in the configuration, without a vote. Asked at every call of a client. */
  get isLearner(): boolean {
    return this.#core.tracker.get(this.id)?.isLearner === true;
  }
  /** The configuration in force. */
  get confState(): ConfState {
    return this.#core.tracker.confState();
  }

  // --- inputs ---

  /** Time passes. */
  tick(): void {
    if (this.#core.role === Role.Leader) tickLeader(this.#core);
    else tickElection(this.#core);
  }

  /** A message came. It may be lost, doubled, late or out of order, but not of another cluster. Others' messages are ignored. */
  step(m: Message): void {
    step(this.#core, m);
  }

  /** Appends a normal entry for each of `datas`, all or none. The buffers are kept and must not change. */
  propose(datas: readonly Buffer[]): ProposeResult {
    const r = this.#core;
    const refused = this.#refusal();
    if (refused !== null) return refused;
    const entries: Entry[] = [];
    let index = r.log.lastIndex;
    let bytes = 0;
    for (const data of datas) {
      const e = new Entry(EntryType.NORMAL, r.term, ++index, data);
      bytes += entryBytes(e);
      entries.push(e);
    }
    if (entries.length === 0) return 'accepted';
    // One proposal always fits, or a large one could never be made.
    if (r.log.uncommittedBytes > 0 && r.log.uncommittedBytes + bytes > r.config.maxUncommittedBytes) {
      return 'dropped-too-much';
    }
    r.appendOwn(entries);
    return 'accepted';
  }

  /** Appends a configuration change; it comes into force where and when it is applied. One at a time. */
  proposeConfChange(cc: ConfChange): ProposeResult {
    const r = this.#core;
    const refused = this.#refusal();
    if (refused !== null) return refused;
    // The hole of the first published algorithm: leaders of two terms with one uncommitted change each (Ongaro, 2015).
    if (!r.hasCommittedInTerm && !r.mutants.confBeforeOwnCommit) return 'dropped-term-not-committed';
    if (r.pendingConfIndex > r.log.applied && !r.mutants.confManyPending) return 'dropped-conf-pending';
    r.pendingConfIndex = r.log.lastIndex + 1;
    r.appendOwn([new Entry(EntryType.CONF_CHANGE, r.term, r.pendingConfIndex, ConfChange.encode(cc))]);
    return 'accepted';
  }

  #refusal(): ProposeResult | null {
    const r = this.#core;
    if (r.role !== Role.Leader) return r.leader === NONE ? 'dropped-no-leader' : 'not-leader';
    return r.leadTransferee === NONE && r.leavingIndex === 0 ? null : 'dropped-transferring';
  }

  /**
   * A committed change is being applied: call it between taking its entry from a Ready and `applied(its index)`. For
   * a change that the state machine refuses call it with nodeId 0n, or not at all.
   * @returns the configuration after it
   */
  applyConfChange(cc: ConfChange): ConfState {
    return applyConfChange(this.#core, cc);
  }

  /**
   * Asks for a linearizable read. Once a leader is known to lead still, `ctx` comes back in Ready.readStates with the
   * index that must be applied first. It does not come back if the leader changes or a message is lost: then ask
   * again with a new `ctx`, since an answer to the old one may still come and would prove less.
   * @param ctx > 0
   */
  readIndex(ctx: number): ReadIndexResult {
    const r = this.#core;
    assert(Number.isSafeInteger(ctx) && ctx > 0, () => `raft: read context ${ctx}`);
    if (r.role === Role.Leader) return leadRead(r, ctx, r.id) ? 'accepted' : 'dropped-too-many';
    if (r.leader === NONE) return 'no-leader';
    const m = r.message(MessageKind.ReadIndex, r.leader);
    m.context = ctx;
    r.send(m);
    return 'accepted';
  }

  /**
   * As leader: hands leadership to a voter (thesis 3.10). Proposals are refused until it leads, or one election
   * timeout has passed.
   */
  transferLeadership(target: NodeId): TransferResult {
    const r = this.#core;
    if (r.role !== Role.Leader) return 'not-leader';
    const p = r.tracker.get(target);
    if (p === undefined || p.isLearner) return 'not-voter';
    if (target === r.id) return 'already-leader';
    if (r.leadTransferee === target) return 'started';
    r.leadTransferee = target;
    // It has from now on one election timeout, which is also when the quorum is checked next.
    r.electionElapsed = 0;
    r.trace?.(`hands over to ${name(target)}`);
    if (p.match === r.log.lastIndex) sendTimeoutNow(r, p);
    else r.mustReplicate = true;
    return 'started';
  }

  /** Campaigns now, as if the election timer had fired. */
  campaign(): void {
    maybeCampaign(this.#core);
  }

  /**
   * Evidence that the process of `id` is gone. If it led us, its lease binds us no longer, and we campaign without
   * waiting for the election timer: one voter at once, each other two ticks after the one before it, so that they do
   * not split the vote. If the evidence was wrong, the pre-vote fails at those who hear the leader.
   */
  peerDown(id: NodeId): void {
    const r = this.#core;
    if (r.role === Role.Leader) {
      this.reportUnreachable(id);
      return;
    }
    if (id !== r.leader || r.role !== Role.Follower || r.leaderDown) return;
    r.leaderDown = true;
    r.trace?.(`takes leader ${name(id)} for dead`);
    if (!r.config.preVote || !r.promotable) return;
    let rank = 0;
    for (const p of r.tracker.peers) if (!p.isLearner && p.id < r.id && p.id !== id) rank++;
    r.eagerCampaigns = r.config.electionTicks;
    r.electionTimeout = r.electionElapsed + 2 * rank;
    if (rank === 0) maybeCampaign(r);
  }

  /** Messages to `id` were lost: what is under way to it cannot be counted on. */
  reportUnreachable(id: NodeId): void {
    const r = this.#core;
    const p = r.role === Role.Leader ? r.tracker.get(id) : undefined;
    if (p === undefined || p.state !== ProgressState.Replicate || id === r.id) return;
    r.trace?.(`takes ${name(id)} for unreachable`);
    p.becomeProbe();
    r.mustReplicate = true;
  }

  /**
   * What became of the data of a MsgSnap to `id`: taken, and its raft told of it, or not. The server owes one report
   * for each MsgSnap; until then `id` is sent nothing but heartbeats.
   */
  reportSnapshot(id: NodeId, ok: boolean): void {
    const r = this.#core;
    const p = r.role === Role.Leader ? r.tracker.get(id) : undefined;
    if (p === undefined || p.state !== ProgressState.Snapshot) return;
    r.trace?.(`hears that ${name(id)} ${ok ? 'took' : 'did not take'} snapshot ${p.pendingSnapshot}`);
    if (!ok) p.pendingSnapshot = 0;
    p.becomeProbe();
    // It answers when it has installed it; if not, the next heartbeat tries.
    p.paused = true;
  }

  // --- notices: appends that bring no entry, only the news of what is committed ---

  /**
   * As leader: the next entries are near, and will carry the commit index; no append leaves for that alone, but to
   * members that wait (`waits`, and those that ask for reads), and when `sendNotices` says so.
   */
  holdNotices(hold: boolean): void {
    if (hold === this.#core.holdsNotices) return;
    this.#core.holdsNotices = hold;
    this.#core.mustReplicate = true;
  }

  /** As leader: some member has not been told of all that is committed. */
  get owesNotice(): boolean {
    return this.#core.role === Role.Leader && owesNotice(this.#core);
  }

  /** The entries that would have carried the news did not come. */
  sendNotices(): void {
    this.#core.noticesDue = true;
    this.#core.mustReplicate = true;
  }

  /** That member forwarded a proposal, and waits for its commit. */
  waits(id: NodeId): void {
    if (this.#core.role === Role.Leader) this.#core.waits(id);
  }

  /** Forgets the entries up to `index` <= applied. Keep some of them for members that lag. */
  compact(index: number): void {
    this.#core.log.compact(index);
  }

  /**
   * The Ready with this token, and all before it, are durable; a snapshot among them is installed. Only now do our
   * own vote and our own copy of an entry count.
   */
  persisted(token: number): void {
    const r = this.#core;
    assert(
      token > this.#persistedToken && token <= this.#token,
      () => `raft: persisted(${token}), after ${this.#persistedToken} of ${this.#token}`,
    );
    this.#persistedToken = token;
    for (let w = r.log.maybePersisted(token); w !== null; w = r.log.maybePersisted(token)) {
      if (w.snapshot !== null) r.tracker.restore(w.snapshot.confState);
      if (w.candidateTerm === r.term && r.role === Role.Candidate) {
        r.tracker.recordVote(r.id, true);
        countVotes(r);
      }
    }
    if (r.role !== Role.Leader) return;
    const self = r.tracker.get(r.id);
    if (self !== undefined && r.log.stable > self.match) {
      self.match = r.log.stable;
      self.check();
      afterMatch(r);
    }
  }

  /** The state machine has taken the committed entries up to `index`. */
  applied(index: number): void {
    const r = this.#core;
    r.log.appliedTo(index);
    if (r.campaignWhenApplied && !r.log.hasUnappliedConfChange()) {
      r.campaignWhenApplied = false;
      maybeCampaign(r, true);
    }
  }

  // --- outputs ---

  /** Is there something to do? */
  hasReady(): boolean {
    const r = this.#core;
    this.#flush();
    return (
      r.messages.length > 0 ||
      r.messagesAfterPersist.length > 0 ||
      r.readStates.length > 0 ||
      r.log.hasUnoffered ||
      r.log.hasUnapplied ||
      r.term !== this.#hardTerm ||
      r.vote !== this.#hardVote ||
      r.log.committed !== this.#hardCommit ||
      r.leader !== this.#softLeader ||
      r.role !== this.#softRole
    );
  }

  /** What is to be done now; it is taken to be under way from here on. An empty one is harmless. */
  ready(): Ready {
    const r = this.#core;
    this.#flush();
    const rd = new Ready(++this.#token);
    if (r.leader !== this.#softLeader || r.role !== this.#softRole) {
      this.#softLeader = r.leader;
      this.#softRole = r.role;
      rd.softState = { leader: r.leader, role: r.role };
    }
    const offered = r.log.offer(rd.token, r.candidateTerm);
    rd.entries = offered.entries;
    rd.snapshot = offered.snapshot;
    // Entries behind a snapshot come in the next Ready, and so does what depends on them.
    const split = r.log.hasUnoffered;
    const commit = split ? Math.min(r.log.committed, r.log.offered) : r.log.committed;
    const promised = r.term !== this.#hardTerm || r.vote !== this.#hardVote;
    if (promised || commit !== this.#hardCommit) {
      this.#hardTerm = r.term;
      this.#hardVote = r.vote;
      this.#hardCommit = commit;
      rd.hardState = { term: r.term, vote: r.vote, commit };
    }
    rd.mustSync = promised || rd.entries.length > 0 || rd.snapshot !== null;
    rd.committedEntries = r.log.takeCommitted(r.mutants.committedPageSkips);
    rd.messages = r.messages;
    if (!split) {
      rd.messagesAfterPersist = r.messagesAfterPersist;
      r.messagesAfterPersist = [];
    }
    rd.readStates = r.readStates;
    r.messages = [];
    r.readStates = [];
    r.candidateTerm = 0;
    return rd;
  }

  /** What all inputs of a turn call for together: one round of reads, and as few appends as carry what there is. */
  #flush(): void {
    const r = this.#core;
    if (!r.mustReplicate || r.role !== Role.Leader) return;
    flushReads(r);
    flushAppends(r);
  }

  status(): RaftStatus {
    const r = this.#core;
    const leads = r.role === Role.Leader;
    return {
      id: r.id,
      role: r.role,
      term: r.term,
      vote: r.vote,
      leader: r.leader,
      leadTransferee: r.leadTransferee,
      commit: r.log.committed,
      applied: r.log.applied,
      firstIndex: r.log.firstIndex,
      lastIndex: r.log.lastIndex,
      stable: r.log.stable,
      isLearner: r.tracker.get(r.id)?.isLearner ?? false,
      withheld: r.withheld,
      progress: !leads
        ? []
        : r.tracker.peers.map((p) => ({
            id: p.id,
            match: p.match,
            next: p.next,
            state: p.state,
            recentActive: p.recentActive,
            isLearner: p.isLearner,
          })),
    };
  }
}
