import type { ServerError } from './errors.js';
import { refusal } from './errors.js';
import type { Membership } from './membership.js';

/** A voter counts as connected when it has been so for this long, ms (etcd: HealthInterval). */
export const HEALTH_MS = 5000;

/** What the checks look at; `activeSince` as PeerHub's. */
export interface ClusterHealth {
  readonly memberId: bigint;
  readonly membership: Membership;
  activeSince(id: bigint): number;
}

/**
 * --strict-reconfig-check: what a member refuses to propose because the cluster might lose its quorum by it (semantics 6).
 * It is advice from where this member stands, not a rule of raft: a majority that is only known to others is not counted.
 */
export function mayAdd(view: ClusterHealth, isLearner: boolean, now: number): ServerError | null {
  const voters = voterIds(view);
  if (!isLearner && !canGrow(voters.length, started(view, voters))) return refusal('ERR_NOT_ENOUGH_STARTED');
  // A cluster of one is connected to all that it has.
  if (voters.length === 1) return null;
  return connected(view, voters, now) < quorum(voters.length + 1) ? refusal('ERR_UNHEALTHY') : null;
}

export function mayRemove(view: ClusterHealth, id: bigint, now: number): ServerError | null {
  if (view.membership.get(id)?.isLearner === true) return null;
  const voters = voterIds(view);
  const left = voters.filter((voter) => voter !== id);
  if (started(view, left) < quorum(left.length)) return refusal('ERR_NOT_ENOUGH_STARTED');
  // One that is gone counts in no majority that there is.
  if (id !== view.memberId && view.activeSince(id) < 0) return null;
  const needed = 1 + Math.floor((voters.length - 1) / 2);
  return connected(view, voters, now) - 1 < needed ? refusal('ERR_UNHEALTHY') : null;
}

/** The learner itself counts as started: its log says so. */
export function mayPromote(view: ClusterHealth): ServerError | null {
  const voters = voterIds(view);
  return started(view, voters) + 1 < quorum(voters.length + 1) ? refusal('ERR_NOT_ENOUGH_STARTED') : null;
}

function canGrow(voters: number, running: number): boolean {
  // The first step of any cluster that begins with one member.
  return (voters === 1 && running === 1) || running >= quorum(voters + 1);
}

function quorum(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function voterIds({ membership }: ClusterHealth): bigint[] {
  return membership.all().flatMap((member) => (member.isLearner ? [] : [member.id]));
}

/** A member that was started has published its name. */
function started({ membership }: ClusterHealth, ids: readonly bigint[]): number {
  return ids.filter((id) => membership.get(id)?.name !== '').length;
}

function connected(view: ClusterHealth, ids: readonly bigint[], now: number): number {
  return ids.filter((id) => {
    const since = view.activeSince(id);
    return id === view.memberId || (since >= 0 && since < now - HEALTH_MS);
  }).length;
}
