import type { Raft } from '../raft/index.js';
import { hex } from '../util/hex.js';
import type { Logger } from '../util/log.js';
import type { Reconfiguration } from './reconfiguration.js';

/** Between two looks at the learners, ms. */
const CHECK_MS = 1000;

/** --auto-promote: a leader makes a voter of a learner that was started and has caught up, one at a time. */
export class AutoPromoter {
  readonly #raft: Raft;
  readonly #changes: Reconfiguration;
  readonly #log: Logger;
  #next = 0;
  #underWay = false;

  constructor(raft: Raft, changes: Reconfiguration, log: Logger) {
    this.#raft = raft;
    this.#changes = changes;
    this.#log = log;
  }

  /** @param now ms on the monotonic clock */
  tick(now: number): void {
    if (now < this.#next || this.#underWay || !this.#raft.isLeader) return;
    this.#next = now + CHECK_MS;
    const learner = this.#changes.membership
      .all()
      .find(
        ({ id, isLearner, name }) =>
          isLearner && name !== '' && this.#changes.activeSince(id) >= 0 && this.#changes.readiness(id) === null,
      );
    if (learner === undefined) return;
    const member = hex(learner.id);
    this.#underWay = true;
    this.#log.info('promoting a learner that has caught up', { member });
    this.#changes.promote(learner.id, {
      ok: () => {
        this.#underWay = false;
      },
      fail: (err) => {
        this.#underWay = false;
        this.#log.warn('a learner was not promoted', { member, error: err.code });
      },
    });
  }
}
