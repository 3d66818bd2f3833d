import { assert } from '../util/assert.js';
import type { Core } from './core.js';
import { name } from './core.js';
import type { Message } from './message.js';
import type { Progress } from './progress.js';
import { confirmReads, leadPostponedReads } from './read-index.js';
import { bcastHeartbeat, maybeSendAppend, sendTimeoutNow } from './replication.js';
import { ProgressState } from './status.js';
import { NONE, Role } from './types.js';

export function handleAppendResp(r: Core, m: Message): void {
  const p = r.tracker.get(m.from);
  if (p === undefined) return;
  p.recentActive = true;
  p.commit = Math.max(p.commit, m.commit);
  if (m.reject) {
    handleRejection(r, p, m);
    return;
  }
  // What it acknowledged before it lost it was true then.
  if (p.session !== 0 && m.rejectHint !== p.session) return;
  assert(m.index <= r.log.lastIndex, () => `raft: ${name(m.from)} has ${m.index}, we lead with ${r.log.lastIndex}`);
  const moved = p.maybeUpdate(m.index);
  if (!moved && !(p.state === ProgressState.Probe && p.match === m.index)) {
    if (r.leavingIndex > 0) maybeLeave(r, p);
    return;
  }
  switch (p.state) {
    case ProgressState.Probe:
      p.becomeReplicate();
      break;
    case ProgressState.Replicate:
      p.inflights.freeTo(m.index);
      break;
    case ProgressState.Snapshot:
      // It need not be the snapshot that brought it here: what counts is that our log continues its own.
      if (p.match + 1 >= r.log.firstIndex) {
        r.trace?.(`replicates to ${name(p.id)} again, snapshot ${p.pendingSnapshot} or not`);
        p.becomeReplicate();
      }
      break;
  }
  p.check();
  r.mustReplicate = true;
  if (moved) {
    afterMatch(r);
    if (p.id === r.leadTransferee && p.match === r.log.lastIndex) sendTimeoutNow(r, p);
    if (r.leavingIndex > 0) maybeLeave(r, p);
  }
}

/** Some match index moved, or the voters changed. */
export function afterMatch(r: Core): void {
  if (r.maybeCommit()) {
    r.trace?.(`commits up to ${r.log.committed}`);
    leadPostponedReads(r);
  }
}

function handleRejection(r: Core, p: Progress, m: Message): void {
  // Its terms at and before the hint are at most m.logTerm: where ours are above, we cannot be equal either.
  const hint = m.logTerm > 0 ? r.log.findConflictByTerm(m.rejectHint, m.logTerm) : m.rejectHint;
  if (!p.maybeDecrease(m.index, hint)) return;
  r.trace?.(`hears that ${name(p.id)} refuses ${m.index}: goes on from ${p.next}`);
  p.check();
  r.mustReplicate = true;
}

export function handleHeartbeatResp(r: Core, m: Message): void {
  const p = r.tracker.get(m.from);
  if (p === undefined) return;
  p.recentActive = true;
  p.commit = Math.max(p.commit, m.commit);
  if (m.reject && p.session !== m.rejectHint) {
    r.trace?.(`hears that ${name(p.id)} lost entries and has ${m.index} left`);
    p.lost(m.rejectHint, m.index, r.log.lastIndex);
  } else if (m.rejectHint === 0) p.session = 0; // it restarted again, and lost nothing
  if (p.nudge) {
    p.nudge = false;
    p.paused = false;
    if (p.state === ProgressState.Probe || p.match < r.log.lastIndex) maybeSendAppend(r, p, true);
  }
  if (m.context > p.readRound) {
    assert(m.context <= r.reads.round, () => `raft: ${name(m.from)} confirms round ${m.context} of ${r.reads.round}`);
    p.readRound = m.context;
    confirmReads(r);
  }
  if (r.leavingIndex > 0) maybeLeave(r, p);
}

export function tickLeader(r: Core): void {
  r.heartbeatElapsed++;
  r.electionElapsed++;
  if (r.electionElapsed >= r.config.electionTicks) {
    r.electionElapsed = 0;
    if (r.config.checkQuorum && !r.tracker.takeQuorumActive(r.id)) {
      r.trace?.('hears no quorum and steps down');
      r.becomeFollower(r.term, NONE);
      return;
    }
    if (r.leadTransferee !== NONE) {
      r.trace?.(`gives up the transfer to ${name(r.leadTransferee)}`);
      r.leadTransferee = NONE;
    }
  }
  if (r.heartbeatElapsed >= r.config.heartbeatTicks) {
    r.heartbeatElapsed = 0;
    for (const p of r.tracker.peers) {
      p.nudge = true;
      if (p.waiting > 0) p.waiting--;
    }
    bcastHeartbeat(r, r.reads.hasPending ? r.reads.round : 0, false);
  }
}

/**
 * We are no longer a voter. If we just stopped, the others might know the change only as an uncommitted entry, and
 * wait for our vote.
 */
export function startLeaving(r: Core): void {
  if (r.leavingIndex === 0) r.leavingIndex = r.log.committed;
  r.trace?.('is no longer a voter and hands over');
  for (const p of r.tracker.peers) if (r.role === Role.Leader) maybeLeave(r, p);
}

function maybeLeave(r: Core, p: Progress): void {
  if (p.isLearner || p.match !== r.log.lastIndex || p.commit < r.leavingIndex) return;
  sendTimeoutNow(r, p);
  r.becomeFollower(r.term, NONE);
}
