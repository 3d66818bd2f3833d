import type { Raft } from '../raft/index.js';
import type { Env } from '../util/env.js';
import { Overdue } from './overdue.js';

/** While a round is under way proposals gather for the next one, but not longer than that, */
const GATHER_MS = 2;
/** and not more than that: then rounds overlap. */
const GATHER_COUNT = 64;
const GATHER_BYTES = 64 << 10;
/** Rounds that follow one another so closely, ms, carry the commit index of the one before. */
const CLOSE_MS = 2;
/** If the next round does not come, the commit index goes by itself: to members where nobody waits, and to our own log. */
const ALONE_MS = 5;
/** A pause counts as this many milliseconds at most in the mean of the gaps. */
const GAP_MS_MAX = 50;
const GAP_WEIGHT = 0.25;

/**
 * When a leader opens a round of its log, and what rides on the next one. A round costs each member a handful of wake-ups, of
 * threads and of processes, however little it carries; where rounds follow one another closely, fewer and larger
 * ones cost less and take no longer.
 */
export class Pacer {
  readonly #raft: Raft;
  readonly #env: Env;
  readonly #wake: () => void;
  readonly #saveCommit: () => void;
  /** The last round that we opened as leader. */
  #roundAt = Number.NEGATIVE_INFINITY;
  #wroteAt = Number.NEGATIVE_INFINITY;
  /** Mean of the time between two writes of entries to our log, ms. */
  #gap = GAP_MS_MAX;
  #gathering = false;
  readonly #notice: Overdue;
  readonly #commit: Overdue;

  /** @param saveCommit writes what `commitMoved` left unwritten */
  constructor(env: Env, raft: Raft, wake: () => void, saveCommit: () => void) {
    this.#raft = raft;
    this.#env = env;
    this.#wake = wake;
    this.#saveCommit = saveCommit;
    this.#commit = new Overdue(env, ALONE_MS, saveCommit);
    this.#notice = new Overdue(env, ALONE_MS, () => {
      if (!raft.owesNotice) return;
      raft.sendNotices();
      wake();
    });
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

  /** As leader: entries are being appended. */
  began(now: number): void {
    this.#roundAt = now;
    // They carry what was owed.
    this.#notice.done();
    this.#raft.holdNotices(this.#isClose);
  }

  /** Entries, and with them the newest commit index, are being written to our log. */
  wrote(now: number): void {
    this.#gap += (Math.min(now - this.#wroteAt, GAP_MS_MAX) - this.#gap) * GAP_WEIGHT;
    this.#wroteAt = now;
    this.#commit.done();
  }

  /** The commit index moved and nothing else is to be written. */
  commitMoved(now: number): void {
    if (this.#isClose) this.#commit.waits(now);
    else this.#saveCommit();
  }

  /** Everything of this turn has left. */
  turnOver(now: number): void {
    if (this.#raft.owesNotice) this.#notice.waits(now);
  }

  get #isClose(): boolean {
    return this.#gap < CLOSE_MS;
  }
}
