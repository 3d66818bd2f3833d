import type { Core } from './core.js';
import { name } from './core.js';
import { maybeCampaign } from './election.js';
import type { Message } from './message.js';
import { MessageKind } from './message.js';
import type { SnapshotMeta } from './types.js';
import { Role } from './types.js';

export function handleAppend(r: Core, m: Message): void {
  const resp = r.message(MessageKind.AppResp, m.from);
  resp.rejectHint = r.session;
  if (m.index < r.log.committed) {
    // Late, or the leader does not know how far we are. What is committed is equal.
    resp.index = r.log.committed;
    resp.commit = r.log.committed;
    r.send(resp);
    return;
  }
  const last = r.log.maybeAppend(m.index, m.logTerm, m.entries);
  if (last >= 0) {
    if (r.log.commitTo(Math.min(m.commit, last))) r.trace?.(`commits up to ${r.log.committed}`);
    resp.index = last;
  } else {
    // Where might the leader's log be equal? Not behind our end, nor where our term is above what it has there.
    const hint = r.log.findConflictByTerm(Math.min(m.index, r.log.lastIndex), m.logTerm);
    resp.index = m.index;
    resp.reject = true;
    resp.rejectHint = hint;
    resp.logTerm = Math.max(r.log.term(hint), 0);
    r.trace?.(`refuses the append behind ${m.logTerm}/${m.index}: try ${resp.logTerm}/${hint}`);
  }
  resp.commit = r.log.committed;
  r.send(resp);
}

export function handleHeartbeat(r: Core, m: Message): void {
  if (r.withheld && m.rejectHint === r.session) {
    r.withheld = false;
    r.trace?.('is caught up and votes again');
  }
  // The leader names what it knows we have; but if we lost some of it, it may not know yet.
  if (r.log.commitTo(r.withheld ? Math.min(m.commit, r.log.stable) : m.commit))
    r.trace?.(`commits up to ${r.log.committed}`);
  const resp = r.message(MessageKind.HeartbeatResp, m.from);
  resp.context = m.context;
  resp.commit = r.log.committed;
  resp.rejectHint = r.session;
  if (r.withheld) {
    resp.reject = true;
    resp.index = r.log.stable;
  }
  r.send(resp);
}

export function handleSnapshot(r: Core, m: Message): void {
  const s = m.snapshot;
  if (s === null) return;
  if (r.log.hasPendingSnapshot && !r.mutants.snapshotOverSnapshot) {
    // One at a time: when that one is installed, the leader finds out where we are.
    r.trace?.(`ignores snapshot ${s.index}: another is being installed`);
    return;
  }
  const resp = r.message(MessageKind.AppResp, m.from);
  resp.rejectHint = r.session;
  resp.index = maybeRestore(r, s) ? r.log.lastIndex : r.log.committed;
  resp.commit = r.log.committed;
  r.send(resp);
}

/** @returns false if the snapshot brings nothing, or is not for us */
function maybeRestore(r: Core, s: SnapshotMeta): boolean {
  if (s.index <= r.log.committed) {
    r.trace?.(`ignores snapshot ${s.index}: commit is ${r.log.committed}`);
    return false;
  }
  if (!s.confState.voters.includes(r.id) && !s.confState.learners.includes(r.id)) {
    r.trace?.(`ignores snapshot ${s.index}: we are not in its configuration`);
    return false;
  }
  if (r.log.matches(s.index, s.term)) {
    // We have these entries, and now know that they are committed.
    r.trace?.(`needs no snapshot ${s.index}: commits up to it`);
    r.log.commitTo(s.index);
    return false;
  }
  r.trace?.(`restores snapshot ${s.term}/${s.index}`);
  // Its configuration comes into force when it is installed: until then entries from before it are still applied.
  r.log.restore(s);
  return true;
}

/** The leader hands over to us: no need to ask first, and no lease stands against us. */
export function handleTimeoutNow(r: Core, m: Message): void {
  if (r.role !== Role.Follower) return;
  r.trace?.(`is told by ${name(m.from)} to campaign`);
  maybeCampaign(r, true);
}

export function tickElection(r: Core): void {
  r.electionElapsed++;
  if (r.electionElapsed < r.electionTimeout || !r.promotable) return;
  r.electionElapsed = 0;
  maybeCampaign(r);
}
