import type { Raft } from '../raft/index.js';
import type { Env } from '../util/env.js';

/** While a round is under way proposals gather for the next one, but not longer than that, */
const GATHER_MS = 2;
/** and not more than that: then rounds overlap. */
const GATHER_COUNT = 64;
const GATHER_BYTES = 64 << 10;
/** Rounds that follow one another so closely, ms, carry the commit index of the one before. */
const CLOSE_MS = 2;
/** How long a member may have to wait for the news of a commit that nobody there waits for, ms. */
const NOTICE_MS = 5;
/** A pause counts as this many milliseconds at most in the mean of the gaps. */
const GAP_MS_MAX = 50;
const GAP_WEIGHT = 0.25;

/**
 * When a leader opens a round of its log, and when it tells of a commit without one. A round costs each member a handful of
 * wake-ups, of threads and of processes, however little it carries; where rounds follow one another closely, fewer
 * and larger ones cost less and take no longer.
 */
export class Pacer {
  readonly #raft: Raft;
  readonly #env: Env;
  readonly #wake: () => void;
  #roundAt = Number.NEGATIVE_INFINITY;
  /** Mean of the time between rounds, ms. */
  #gap = GAP_MS_MAX;
  #gathering = false;
  #noticing = false;
  /** Since then the news of a commit may be owed. */
  #owedAt = 0;

  constructor(env: Env, raft: Raft, wake: () => void) {
    this.#raft = raft;
    this.#env = env;
    this.#wake = wake;
  }

  /** As leader: may what is queued wait for the end of the round that is under way? */
  gathers(now: number, count: number, bytes: number): boolean {
    if (this.#raft.lastIndex === this.#raft.commitIndex || count >= GATHER_COUNT || bytes >= GATHER_BYTES) return false;
    const left = this.#roundAt + GATHER_MS - now;
    if (left <= 0) return false;
    if (!this.#gathering) {
      this.#gathering = true;
      this.#env.timers.set(left, () => {
        this.#gathering = false;
        this.#wake();
      });
    }
    return true;
  }

  /** As leader: entries were appended. */
  began(now: number): void {
    const gap = Math.min(now - this.#roundAt, GAP_MS_MAX);
    this.#gap += (gap - this.#gap) * GAP_WEIGHT;
    this.#roundAt = now;
    this.#owedAt = now;
    this.#raft.holdNotices(this.#gap < CLOSE_MS);
  }

  /** Everything of this turn has left. */
  turnOver(now: number): void {
    if (this.#noticing || !this.#raft.owesNotice) return;
    this.#owedAt = now;
    this.#noticeIn(NOTICE_MS);
  }

  #noticeIn(delay: number): void {
    this.#noticing = true;
    this.#env.timers.set(delay, () => {
      this.#noticing = false;
      if (!this.#raft.owesNotice) return;
      // A round since then has carried what was owed.
      const left = this.#owedAt + NOTICE_MS - this.#env.clock.now();
      if (left >= 1) return this.#noticeIn(left);
      this.#raft.sendNotices();
      this.#wake();
    });
  }
}
