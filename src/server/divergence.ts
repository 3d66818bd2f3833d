import type { PeerHub } from '../peer/index.js';
import type { Raft } from '../raft/index.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import type { HashPoint } from './hash-trail.js';
import { HashTrail, judge } from './hash-trail.js';

/** What differs between versions of this program must not be compared. */
const FORMAT = 1;

export interface DivergenceView {
  readonly raft: Raft;
  readonly hub: PeerHub;
  readonly log: Logger;
  readonly memberId: bigint;
  /** As of the entry that is being applied; -1: not known. */
  readonly stateHash: number;
  /** This member's state is not what a majority has. @param sound members of the majority */
  diverged(index: number, sound: readonly bigint[]): void;
  /** No majority agrees on a state: nobody knows whose is right. */
  undecided(index: number): void;
}

interface Answer {
  readonly format: number;
  readonly points: readonly HashPoint[];
}

/**
 * Looks whether all members' states are equal where they have applied the same entries (design "a diverged member").
 * Each notes its state's hash at the same indexes; the leader asks for them and judges. The hashes travel beside the log,
 * so that the log has nothing in it that etcd would not write.
 */
export class Divergence {
  readonly #view: DivergenceView;
  readonly #everyMs: number;
  readonly #off: boolean;
  readonly #trail: HashTrail;
  #nextCheck = 0;
  #asking = false;

  /** @param off the mutant: a member that has diverged goes on, and may lead and send its state to others (museum 28) */
  constructor(view: DivergenceView, options: { every: number; everyMs: number; off: boolean }) {
    this.#view = view;
    this.#everyMs = options.everyMs;
    this.#off = options.off || options.everyMs === 0;
    this.#trail = new HashTrail(options.every);
  }

  /** An entry was applied. */
  applied(index: number): void {
    if (this.#off || !this.#trail.wants(index)) return;
    const { stateHash } = this.#view;
    if (stateHash >= 0) this.#trail.note(index, stateHash);
  }

  /** Another state took this member's place. */
  replaced(): void {
    this.#trail.clear();
  }

  tick(now: number): void {
    const { raft } = this.#view;
    if (this.#off || now < this.#nextCheck || this.#asking || !raft.isLeader) return;
    this.#nextCheck = now + this.#everyMs;
    const { voters, learners } = raft.confState;
    const others = [...voters, ...learners].filter((id) => id !== this.#view.memberId);
    if (others.length > 0) this.#ask(others);
  }

  #ask(others: readonly bigint[]): void {
    const trails = new Map<bigint, readonly HashPoint[]>();
    let left = others.length;
    this.#asking = true;
    for (const id of others) {
      this.#view.hub.request(id, 'state-hashes', {}, this.#everyMs, (err, body) => {
        const answer = body as Answer | null;
        if (err === null && answer?.format === FORMAT) trails.set(id, answer.points);
        if (--left > 0) return;
        this.#asking = false;
        // What this one has noted by now: the others may have been ahead when they answered.
        trails.set(this.#view.memberId, this.#trail.points());
        this.#judge(trails);
      });
    }
  }

  #judge(trails: Map<bigint, readonly HashPoint[]>): void {
    const { raft, log, memberId } = this.#view;
    const { voters } = raft.confState;
    const verdict = judge(trails, voters);
    if (verdict === null || !raft.isLeader) return;
    const { index, diverged, undecided } = verdict;
    if (undecided) return this.#view.undecided(index);
    log.error('members have applied the same entries to different effect', {
      'applied-index': index,
      diverged: diverged.map(hex).join(' '),
    });
    const sound = voters.filter((id) => !diverged.includes(id));
    for (const id of diverged) {
      if (id === memberId) continue;
      const told = { format: FORMAT, index, sound: sound.map(String) };
      this.#view.hub.request(id, 'diverged', told, this.#everyMs, () => {});
    }
    if (diverged.includes(memberId)) this.#view.diverged(index, sound);
  }

  /** Answers the leader. @returns whether it was one of these questions */
  answer(from: bigint, kind: string, body: unknown, settle: (err: null, value: unknown) => void): boolean {
    if (kind === 'state-hashes') {
      settle(null, { format: FORMAT, points: this.#trail.points() } satisfies Answer);
      return true;
    }
    if (kind !== 'diverged') return false;
    const { format, index, sound } = body as { format: number; index: number; sound: string[] };
    settle(null, {});
    // A verdict upon a state that has been replaced meanwhile is none.
    if (from !== this.#view.raft.leader || format !== FORMAT || this.#off) return true;
    if (this.#trail.at(index) !== undefined) this.#view.diverged(index, sound.map(BigInt));
    return true;
  }
}
