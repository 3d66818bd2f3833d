import { assert } from '../util/assert.js';
import type { Core } from './core.js';
import { name } from './core.js';
import { entryBytes } from './log.js';
import { MessageKind, NO_ENTRIES } from './message.js';
import type { Progress } from './progress.js';
import { ProgressState } from './status.js';
import { NONE } from './types.js';

/** Sends every member what it lacks. Done once for all that came in a turn, when the Ready is asked for. */
export function flushAppends(r: Core): void {
  r.mustReplicate = false;
  const peers = r.tracker.peers;
  for (let i = 0; i < peers.length; i++) {
    const p = peers[i] as Progress;
    if (p.id === r.id) continue;
    while (maybeSendAppend(r, p, false)) {
      // until its window is full or nothing is left
    }
  }
  r.noticesDue = false;
}

/** As leader: is there a member that has not been told of all that is committed, and could be? */
export function owesNotice(r: Core): boolean {
  const peers = r.tracker.peers;
  for (let i = 0; i < peers.length; i++) {
    const p = peers[i] as Progress;
    if (p.id !== r.id && p.sentCommit < r.log.committed && !p.isPaused) return true;
  }
  return false;
}

/**
 * Sends one append, or a snapshot if the log no longer has what `p` needs.
 * @param evenIfEmpty ask for an answer even if there is nothing to say
 * @returns true if something left
 */
export function maybeSendAppend(r: Core, p: Progress, evenIfEmpty: boolean): boolean {
  if (p.isPaused) {
    // A full window is not probed by empty appends, except to find out that what fills it was lost.
    if (!(evenIfEmpty && p.state === ProgressState.Replicate)) return false;
    return sendAppend(r, p, false);
  }
  const hasNews = p.next <= r.log.lastIndex || (p.sentCommit < r.log.committed && isTold(r, p));
  if (!hasNews && !evenIfEmpty) return false;
  return sendAppend(r, p, true);
}

/** Is it told of a commit by an append of its own, or only with the next entries? */
function isTold(r: Core, p: Progress): boolean {
  return !r.holdsNotices || r.noticesDue || p.waiting > 0;
}

function sendAppend(r: Core, p: Progress, withEntries: boolean): boolean {
  const prev = p.next - 1;
  let prevTerm = r.log.term(prev);
  if (prevTerm < 0) {
    // Museum row 12: an empty append behind entries that are gone has no term to name.
    if (!(r.mutants.appendTermZero && !withEntries)) return maybeSendSnapshot(r, p);
    prevTerm = 0;
  }
  const m = r.message(MessageKind.App, p.id);
  m.index = prev;
  m.logTerm = prevTerm;
  m.commit = r.log.committed;
  m.entries = withEntries && p.next <= r.log.lastIndex ? r.log.slice(p.next, r.config.maxAppendBytes) : NO_ENTRIES;
  assert(
    prev === 0 || m.logTerm > 0 || r.mutants.appendTermZero,
    () => `raft: an append behind ${prev} without its term`,
  );
  let bytes = 0;
  for (let i = 0; i < m.entries.length; i++) bytes += entryBytes(m.entries[i] as (typeof m.entries)[number]);
  const last = prev + m.entries.length;
  // What it can learn from this message is at most that much.
  p.sentCommit = Math.max(p.sentCommit, Math.min(m.commit, last));
  if (withEntries) p.sent(last, bytes);
  p.check();
  r.send(m);
  return true;
}

function maybeSendSnapshot(r: Core, p: Progress): boolean {
  // One that does not answer would have the data sent in vain.
  if (!p.recentActive) return false;
  const s = r.config.snapshotSource();
  if (s === null) {
    r.trace?.(`has no snapshot ready for ${name(p.id)}`);
    p.paused = true; // until the next heartbeat is answered
    return false;
  }
  if (s.index < r.log.firstIndex - 1) {
    r.trace?.(`has only snapshot ${s.index}, before the first entry ${r.log.firstIndex}`);
    p.paused = true;
    return false;
  }
  assert(s.index <= r.log.committed && s.index > 0, () => `raft: snapshot ${s.index}, commit ${r.log.committed}`);
  r.trace?.(`sends snapshot ${s.term}/${s.index} to ${name(p.id)}, which needs ${p.next}`);
  p.becomeSnapshot(s.index);
  const m = r.message(MessageKind.Snap, p.id);
  m.snapshot = s;
  r.send(m);
  return true;
}

/** @param round the round of reads that it confirms; 0 for none */
export function bcastHeartbeat(r: Core, round: number, votersOnly: boolean): void {
  for (const p of r.tracker.peers) {
    if (p.id === r.id || (votersOnly && p.isLearner)) continue;
    const m = r.message(MessageKind.Heartbeat, p.id);
    // It may not have more than we know it to have.
    m.commit = Math.min(p.match, r.log.committed);
    m.context = round;
    if (p.match >= p.owed) m.rejectHint = p.session;
    r.send(m);
  }
}

export function sendTimeoutNow(r: Core, p: Progress): void {
  assert(p.id !== NONE && p.match === r.log.lastIndex, 'raft: leadership is handed to a member that lacks entries');
  r.trace?.(`tells ${name(p.id)} to campaign`);
  r.send(r.message(MessageKind.TimeoutNow, p.id));
}
