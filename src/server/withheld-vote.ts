import type { Raft } from '../raft/index.js';
import type { Wal } from '../storage/wal/index.js';
import type { Logger } from '../util/log.js';

/** A member that waits says so this often, ms. */
const SAY_EVERY_MS = 10_000;

/**
 * The vote of a member whose log may have lost what it had acknowledged: raft withholds it until a leader has caught the
 * member up; then the log is as good as any, and is told so. Where too many members wait, there is no quorum: that is
 * meant, since a leader among them might lack what was acknowledged.
 */
export class WithheldVote {
  readonly #raft: Raft;
  readonly #wal: Wal;
  readonly #log: Logger;
  #withheld: boolean;
  #since = -1;
  #saidAt = 0;

  constructor(parts: { raft: Raft; wal: Wal; uncertain: boolean }, log: Logger) {
    this.#raft = parts.raft;
    this.#wal = parts.wal;
    this.#withheld = parts.uncertain;
    this.#log = log;
  }

  tick(now: number): void {
    if (!this.#withheld) return;
    if (!this.#raft.status().withheld) {
      this.#withheld = false;
      this.#wal.settle();
      this.#log.info('a leader has caught this member up; it votes again', {
        'applied-index': this.#raft.appliedIndex,
      });
      return;
    }
    if (this.#since < 0) {
      this.#since = now;
      this.#saidAt = now;
      this.#log.warn('this member lost a part of its log; it does not vote until a leader has caught it up');
    } else if (this.#raft.leader === 0n && now - this.#saidAt >= SAY_EVERY_MS) {
      this.#saidAt = now;
      this.#log.error(
        'this member lost a part of its log, and there is no leader to be caught up by: it cannot help to elect one, as writes might be lost; start the members whose data is whole',
        { 'waited-ms': Math.round(now - this.#since) },
      );
    }
  }
}
