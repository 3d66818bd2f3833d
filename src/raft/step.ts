import type { Core } from './core.js';
import { name } from './core.js';
import { FOR_TRANSFER, handleVote, handleVoteResp, inLease } from './election.js';
import { handleAppend, handleHeartbeat, handleSnapshot, handleTimeoutNow } from './follower.js';
import { handleAppendResp, handleHeartbeatResp } from './leader.js';
import type { Message } from './message.js';
import { MESSAGE_NAMES, MessageKind } from './message.js';
import { leadRead } from './read-index.js';
import { NONE, Role } from './types.js';

/** Terms first, for all kinds alike (paper 5.1); then each kind's own rule. */
export function step(r: Core, m: Message): void {
  if (m.to !== r.id || m.from === r.id || m.from === NONE) {
    r.trace?.(`ignores ${kindName(m)} from ${name(m.from)} to ${name(m.to)}`);
    return;
  }
  if (m.term > r.term) {
    if (!maybeEnterTerm(r, m)) return;
  } else if (m.term < r.term) {
    answerStale(r, m);
    return;
  }
  handle(r, m);
}

/** @returns false if the message is not to be heard at all */
function maybeEnterTerm(r: Core, m: Message): boolean {
  switch (m.kind) {
    case MessageKind.PreVote:
    case MessageKind.Vote:
      if (m.context !== FOR_TRANSFER && inLease(r)) {
        r.trace?.(`ignores ${kindName(m)} from ${name(m.from)} for term ${m.term}: ${name(r.leader)} leads`);
        return false;
      }
      // A question about a term does not start it.
      if (m.kind === MessageKind.Vote) enterTermOfCandidate(r, m.term);
      return true;
    case MessageKind.PreVoteResp:
      // Granted, it names the term that we asked for; refused, the one that its sender is in.
      if (m.reject) r.becomeFollower(m.term, NONE);
      return true;
    case MessageKind.App:
    case MessageKind.Heartbeat:
    case MessageKind.Snap:
      r.becomeFollower(m.term, m.from);
      return true;
    default:
      r.becomeFollower(m.term, NONE);
      return true;
  }
}

/**
 * Only a leader and a vote that is granted hold our own campaign off (paper 5.2). Else a candidate whose timeout is
 * shorter than ours, and whose log is too old to win, would keep us from it for ever.
 */
function enterTermOfCandidate(r: Core, term: number): void {
  const { role, electionElapsed, electionTimeout } = r;
  r.becomeFollower(term, NONE);
  if (role === Role.Leader) return;
  r.electionElapsed = electionElapsed;
  r.electionTimeout = electionTimeout;
}

function answerStale(r: Core, m: Message): void {
  r.trace?.(`ignores ${kindName(m)} from ${name(m.from)}: term ${m.term} < ${r.term}`);
  if (m.kind === MessageKind.PreVote || m.kind === MessageKind.Vote) {
    // Or one that asks us, and whom we do not ask since its configuration is not ours yet, never reaches our term.
    const resp = r.message(m.kind === MessageKind.Vote ? MessageKind.VoteResp : MessageKind.PreVoteResp, m.from);
    resp.reject = true;
    r.send(resp);
  } else if (r.config.checkQuorum && (m.kind === MessageKind.App || m.kind === MessageKind.Heartbeat)) {
    // Our term rose while we were cut off, and nobody hears our requests for votes while that leader lives: telling
    // it is the only way that we ever meet in one term.
    r.send(r.message(MessageKind.AppResp, m.from));
  }
}

function handle(r: Core, m: Message): void {
  switch (m.kind) {
    case MessageKind.App:
      r.heardLeader(m.from);
      handleAppend(r, m);
      return;
    case MessageKind.AppResp:
      if (r.role === Role.Leader) handleAppendResp(r, m);
      return;
    case MessageKind.Heartbeat:
      r.heardLeader(m.from);
      handleHeartbeat(r, m);
      return;
    case MessageKind.HeartbeatResp:
      if (r.role === Role.Leader) handleHeartbeatResp(r, m);
      return;
    case MessageKind.Snap:
      r.heardLeader(m.from);
      handleSnapshot(r, m);
      return;
    case MessageKind.Vote:
    case MessageKind.PreVote:
      handleVote(r, m);
      return;
    case MessageKind.VoteResp:
    case MessageKind.PreVoteResp:
      handleVoteResp(r, m);
      return;
    case MessageKind.TimeoutNow:
      handleTimeoutNow(r, m);
      return;
    case MessageKind.ReadIndex:
      // A member that takes us for the leader when we are not learns of the real one and asks again.
      if (r.role === Role.Leader) {
        r.waits(m.from);
        leadRead(r, m.context, m.from);
      } else r.trace?.(`ignores a read of ${name(m.from)}: not the leader`);
      return;
    case MessageKind.ReadIndexResp:
      r.readStates.push({ ctx: m.context, index: m.index });
      return;
    default:
      r.trace?.(`ignores a message of kind ${String((m as Message).kind)}`);
  }
}

function kindName(m: Message): string {
  return MESSAGE_NAMES[m.kind] ?? String(m.kind);
}
