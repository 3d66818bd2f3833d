import { assert } from '../util/assert.js';
import type { ConfChange, ConfState } from './entry.js';
import { ConfChangeType } from './entry.js';
import { Progress, Vote } from './progress.js';
import type { VoteResult } from './quorum.js';
import { majority, quorumValue, voteResult } from './quorum.js';
import type { NodeId } from './types.js';

/** The configuration that is in force, and the progress of each of its members, ourselves included. */
export class Tracker {
  /** Ascending by id. A handful: searched from the front. */
  peers: readonly Progress[] = [];
  voterCount = 0;
  readonly #maxInflightMessages: number;
  readonly #maxInflightBytes: number;
  readonly #scratch: number[] = [];

  constructor(conf: ConfState, maxInflightMessages: number, maxInflightBytes: number) {
    this.#maxInflightMessages = maxInflightMessages;
    this.#maxInflightBytes = maxInflightBytes;
    this.restore(conf);
  }

  /** Replaces the configuration, after a snapshot. All progress is forgotten. */
  restore(conf: ConfState): void {
    const peers = [
      ...conf.voters.map((id) => this.#make(id, false)),
      ...conf.learners.map((id) => this.#make(id, true)),
    ];
    this.#set(peers);
  }

  #make(id: NodeId, isLearner: boolean): Progress {
    return new Progress(id, isLearner, this.#maxInflightMessages, this.#maxInflightBytes);
  }

  #set(peers: Progress[]): void {
    this.peers = peers.sort((a, b) => (a.id < b.id ? -1 : 1));
    this.voterCount = peers.reduce((n, p) => n + (p.isLearner ? 0 : 1), 0);
    assert(
      peers.every((p, i) => i === 0 || p.id !== (peers[i - 1] as Progress).id),
      'raft: a member stands in the configuration twice',
    );
  }

  get(id: NodeId): Progress | undefined {
    const peers = this.peers;
    for (let i = 0; i < peers.length; i++) {
      const p = peers[i] as Progress;
      if (p.id === id) return p;
    }
    return undefined;
  }

  isVoter(id: NodeId): boolean {
    const p = this.get(id);
    return p !== undefined && !p.isLearner;
  }

  confState(): ConfState {
    return {
      voters: this.peers.filter((p) => !p.isLearner).map((p) => p.id),
      learners: this.peers.filter((p) => p.isLearner).map((p) => p.id),
    };
  }

  /**
   * One member is added, promoted, demoted, updated or removed. Applying a change twice is the same as once. The last
   * voter stays: a cluster without voters could never change again.
   * @returns the progress of a member that is new, else null
   */
  apply(cc: ConfChange): Progress | null {
    const p = this.get(cc.nodeId);
    switch (cc.type) {
      case ConfChangeType.ADD_NODE:
      case ConfChangeType.ADD_LEARNER_NODE: {
        const isLearner = cc.type === ConfChangeType.ADD_LEARNER_NODE;
        if (p === undefined) {
          const added = this.#make(cc.nodeId, isLearner);
          this.#set([...this.peers, added]);
          return added;
        }
        if (isLearner && !p.isLearner && this.voterCount === 1) return null;
        p.isLearner = isLearner;
        this.#set(this.peers.slice());
        return null;
      }
      case ConfChangeType.REMOVE_NODE:
        if (p === undefined || (!p.isLearner && this.voterCount === 1)) return null;
        this.#set(this.peers.filter((other) => other !== p));
        return null;
      default:
        return null;
    }
  }

  /** The highest index that a majority of the voters has on disk. */
  quorumMatch(): number {
    const scratch = this.#scratch;
    let n = 0;
    for (let i = 0; i < this.peers.length; i++) {
      const p = this.peers[i] as Progress;
      if (!p.isLearner) scratch[n++] = p.match;
    }
    return quorumValue(scratch, n);
  }

  /** The newest round of reads that a majority of the voters has confirmed. */
  quorumReadRound(): number {
    const scratch = this.#scratch;
    let n = 0;
    for (let i = 0; i < this.peers.length; i++) {
      const p = this.peers[i] as Progress;
      if (!p.isLearner) scratch[n++] = p.readRound;
    }
    return quorumValue(scratch, n);
  }

  /** Were a majority of the voters heard from since this was asked last? */
  takeQuorumActive(self: NodeId): boolean {
    let active = 0;
    for (const p of this.peers) {
      if (!p.isLearner && (p.recentActive || p.id === self)) active++;
      p.recentActive = p.id === self;
    }
    return active >= majority(this.voterCount);
  }

  resetVotes(): void {
    for (const p of this.peers) p.vote = Vote.None;
  }

  /** The first answer of a voter counts. */
  recordVote(id: NodeId, granted: boolean): void {
    const p = this.get(id);
    if (p !== undefined && p.vote === Vote.None) p.vote = granted ? Vote.Granted : Vote.Rejected;
  }

  voteResult(): VoteResult {
    let granted = 0;
    let rejected = 0;
    for (const p of this.peers) {
      if (p.isLearner) continue;
      if (p.vote === Vote.Granted) granted++;
      else if (p.vote === Vote.Rejected) rejected++;
    }
    return voteResult(granted, rejected, this.voterCount);
  }
}
