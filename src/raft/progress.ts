import { assert } from '../util/assert.js';
import { Inflights } from './inflights.js';
import { ProgressState } from './status.js';
import type { NodeId } from './types.js';

/** What became of our request for a vote. */
export const Vote = { None: 0, Granted: 1, Rejected: 2 } as const;
export type Vote = (typeof Vote)[keyof typeof Vote];

/**
 * What a leader knows of one member's log, and how it sends to it.
 *
 *              accepted                         rejected, unreachable
 *   Probe ------------------> Replicate ------------------------------> Probe
 *     ^  one append, then wait          many appends under way
 *     |
 *     |  reported, or its log reaches ours      needs what was compacted
 *     +---------------- Snapshot <--------------- Probe, Replicate
 *                       nothing is sent
 */
export class Progress {
  readonly id: NodeId;
  isLearner: boolean;
  /** The last index known to be durable there. 0 <= match < next. */
  match = 0;
  /** The next index to send. */
  next = 1;
  state: ProgressState = ProgressState.Probe;
  /** Probe: the probe is under way. */
  paused = false;
  /** Snapshot: its index. */
  pendingSnapshot = 0;
  /** Heard from since the last check of the quorum. */
  recentActive = false;
  /** The highest commit index that we sent. */
  sentCommit = 0;
  /** Ticks for which it is told of commits at once, though no entry carries the news. */
  waiting = 0;
  /** What it says that it knows to be committed. */
  commit = 0;
  /** The newest round of reads that it confirmed. */
  readRound = 0;
  /** Not 0: it restarted with entries lost, under this number. What it acknowledged before does not count. */
  session = 0;
  /** It lost entries: it votes again when it has up to here. */
  owed = 0;
  /** A heartbeat went out whose answer may prompt an append, in case appends were lost. Once a heartbeat is enough. */
  nudge = false;
  vote: Vote = Vote.None;
  readonly inflights: Inflights;

  constructor(id: NodeId, isLearner: boolean, maxInflightMessages: number, maxInflightBytes: number) {
    this.id = id;
    this.isLearner = isLearner;
    this.inflights = new Inflights(maxInflightMessages, maxInflightBytes);
  }

  /** A new term: nothing is known. */
  reset(next: number): void {
    this.match = 0;
    this.next = next;
    this.state = ProgressState.Probe;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.recentActive = false;
    this.sentCommit = 0;
    this.waiting = 0;
    this.commit = 0;
    this.readRound = 0;
    this.session = 0;
    this.owed = 0;
    this.nudge = false;
    this.vote = Vote.None;
    this.inflights.reset();
  }

  becomeProbe(): void {
    // After a snapshot that was taken, the log goes on behind it; if it was not, the probe finds out.
    this.next = this.state === ProgressState.Snapshot ? Math.max(this.match, this.pendingSnapshot) + 1 : this.match + 1;
    this.#become(ProgressState.Probe);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#become(ProgressState.Replicate);
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#become(ProgressState.Snapshot);
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  #become(state: ProgressState): void {
    this.state = state;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }

  /** True while nothing may be sent but heartbeats. */
  get isPaused(): boolean {
    switch (this.state) {
      case ProgressState.Probe:
        return this.paused;
      case ProgressState.Replicate:
        return this.inflights.full;
      default:
        return true;
    }
  }

  /** It has entries up to `index`. Late and doubled answers change nothing. @returns true if `match` moved */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.paused = false;
    return true;
  }

  /**
   * It refused an append behind `rejected`; `hint` is the last index that may be equal.
   * @returns false for an answer to a question that is no longer ours
   */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.state === ProgressState.Replicate) {
      if (rejected <= this.match) return false;
      // Appends overtook one another or were lost. What matched does match: go on from there.
      this.becomeProbe();
      return true;
    }
    if (this.state === ProgressState.Snapshot || this.next - 1 !== rejected) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.paused = false;
    return true;
  }

  /** It restarted, and of its log only what is up to `index` is left. Nothing else ever lowers `match`. */
  lost(session: number, index: number, owed: number): void {
    this.session = session;
    this.owed = owed;
    this.match = Math.min(this.match, index);
    this.state = ProgressState.Replicate;
    this.becomeProbe();
  }

  /** An append with entries up to `last` leaves; last = next - 1 if it is empty. */
  sent(last: number, bytes: number): void {
    if (this.state === ProgressState.Replicate) {
      if (last >= this.next) {
        this.next = last + 1;
        this.inflights.add(last, bytes);
      }
    } else {
      assert(this.state === ProgressState.Probe, 'raft: an append to a member that waits for a snapshot');
      this.paused = true;
    }
  }

  check(): void {
    assert(
      this.match >= 0 && this.match < this.next,
      () => `raft: progress of ${this.id.toString(16)}: match ${this.match}, next ${this.next}`,
    );
  }
}
