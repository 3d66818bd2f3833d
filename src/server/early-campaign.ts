import type { PeerHub } from '../peer/index.js';
import type { Raft } from '../raft/index.js';

/**
 * After a start without a leader there is no one to wait for. A member that can reach a quorum asks for leadership
 * after a few ticks, drawn so that members do not ask at once, instead of after an election timeout. PreVote keeps
 * that from disturbing a leader that it has not heard of yet.
 */
export class EarlyCampaign {
  #ticks: number | null;

  /** @param ticks that pass with a quorum in reach first; null: never */
  constructor(ticks: number | null) {
    this.#ticks = ticks;
  }

  tick(raft: Raft, hub: PeerHub): void {
    if (this.#ticks === null) return;
    if (raft.leader !== 0n) {
      this.#ticks = null;
      return;
    }
    const { voters } = raft.confState;
    if (!voters.includes(raft.id)) return;
    const reachable = voters.filter((id) => id === raft.id || hub.activeSince(id) >= 0).length;
    if (reachable * 2 <= voters.length) return;
    this.#ticks--;
    if (this.#ticks > 0 && voters.length > 1) return;
    this.#ticks = null;
    raft.campaign();
  }
}
