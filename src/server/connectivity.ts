import type { PeerHub } from '../peer/index.js';
import type { Raft } from '../raft/index.js';
import type { ServerError } from './errors.js';
import { refusal } from './errors.js';

/**
 * Why a proposal that left did not come back (semantics 1.3): a leader was lost around then, or the connection to
 * those who had to take it.
 * @param start when it was made, ms monotonic
 * @param electedAt when the present leader was elected
 */
export function timeoutCause(
  raft: Raft,
  hub: PeerHub,
  times: { start: number; electedAt: number; electionMs: number },
): ServerError {
  const { start, electedAt, electionMs } = times;
  if (start > electedAt - 2 * electionMs && start < electedAt) return refusal('ERR_TIMEOUT_LEADER_FAIL');
  const connected = (id: bigint): boolean => {
    const since = hub.activeSince(id);
    return id === raft.id || (since >= 0 && since <= start);
  };
  if (raft.leader === raft.id) {
    const { voters } = raft.confState;
    if (voters.filter(connected).length * 2 <= voters.length) return refusal('ERR_TIMEOUT_CONNECTION_LOST');
  } else if (raft.leader !== 0n && !connected(raft.leader)) {
    return refusal('ERR_TIMEOUT_CONNECTION_LOST');
  }
  return refusal('ERR_TIMEOUT');
}

/** The voter that has been connected longest, to hand leadership to; 0n if none is connected. */
export function longestConnected(raft: Raft, hub: PeerHub): bigint {
  let best = 0n;
  let since = Number.POSITIVE_INFINITY;
  for (const id of raft.confState.voters) {
    const active = id === raft.id ? -1 : hub.activeSince(id);
    if (active < 0 || active >= since) continue;
    best = id;
    since = active;
  }
  return best;
}
