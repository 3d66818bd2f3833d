import type { Core } from './core.js';
import { name } from './core.js';
import type { Message } from './message.js';
import { MessageKind } from './message.js';
import { VoteResult } from './quorum.js';
import { NONE, Role } from './types.js';

/** Message.context of a request for a vote that the leader itself asked for: its lease does not speak against it. */
export const FOR_TRANSFER = 1;

/** Starts an election, unless we may not. */
export function maybeCampaign(r: Core, transfer = false): void {
  if (r.role === Role.Leader) return;
  if (!r.promotable) {
    r.trace?.('does not campaign: not a voter, or a snapshot is being installed, or its vote is withheld');
    return;
  }
  // With changes in force when applied, we might count the votes of a configuration that is no longer in force.
  if (!r.mutants.confManyPending && r.log.hasUnappliedConfChange()) {
    r.trace?.('does not campaign: a committed configuration change is not applied yet');
    r.electionElapsed = r.electionTimeout - 1;
    r.campaignWhenApplied ||= transfer;
    return;
  }
  if (r.config.preVote && !transfer) campaignPreVote(r);
  else campaign(r, transfer);
}

function campaignPreVote(r: Core): void {
  r.becomePreCandidate();
  askForVotes(r, MessageKind.PreVote, r.term + 1, 0);
  // Asking costs nothing and promises nothing, so our own answer needs no disk.
  r.tracker.recordVote(r.id, true);
  countVotes(r);
}

function campaign(r: Core, transfer: boolean): void {
  r.becomeCandidate();
  // Our own vote is counted by Raft.persisted(), when it is durable.
  askForVotes(r, MessageKind.Vote, r.term, transfer ? FOR_TRANSFER : 0);
}

function askForVotes(r: Core, kind: MessageKind, term: number, context: number): void {
  for (const p of r.tracker.peers) {
    if (p.id === r.id || p.isLearner) continue;
    const m = r.message(kind, p.id);
    m.term = term;
    m.index = r.log.lastIndex;
    m.logTerm = r.log.lastTerm;
    m.commit = r.log.committed;
    m.rejectHint = Math.max(r.log.term(r.log.committed), 0);
    m.context = context;
    r.send(m);
  }
}

/** Acts on the votes that have been recorded. */
export function countVotes(r: Core): void {
  const result = r.tracker.voteResult();
  if (result === VoteResult.Pending) return;
  if (result === VoteResult.Lost) r.becomeFollower(r.term, NONE);
  else if (r.role === Role.PreCandidate) campaign(r, false);
  else r.becomeLeader();
}

/** A candidate's or pre-candidate's answers. */
export function handleVoteResp(r: Core, m: Message): void {
  const mine = r.role === Role.PreCandidate ? MessageKind.PreVoteResp : MessageKind.VoteResp;
  if ((r.role !== Role.Candidate && r.role !== Role.PreCandidate) || m.kind !== mine) return;
  // A granted pre-vote carries the term that we asked for; one for an earlier campaign is none for this.
  if (m.kind === MessageKind.PreVoteResp && !m.reject && m.term !== r.term + 1) return;
  r.trace?.(
    `${m.reject ? 'is refused' : 'gets'} the ${r.role === Role.PreCandidate ? 'pre-vote' : 'vote'} of ${name(m.from)}`,
  );
  learnCommit(r, m.commit, m.logTerm);
  r.tracker.recordVote(m.from, !m.reject);
  countVotes(r);
}

/**
 * An entry is named by index and term: if another member knows ours to be committed, it is. Without this a candidate
 * that has not heard that a change is committed may for ever ask for votes by a configuration that nobody else keeps:
 * of two voters, the one that left as leader has the longer log and is in no hurry (raft-rs carries it likewise).
 */
function learnCommit(r: Core, index: number, term: number): void {
  if (index > r.log.committed && term > 0 && r.log.term(index) === term) {
    r.log.commitTo(index);
    r.trace?.(`commits up to ${index}, as it hears`);
  }
}

/**
 * Does a live leader have our word? Then a request for votes of a higher term is not even heard (thesis 4.2.3), so
 * that one who has been away cannot depose it.
 */
export function inLease(r: Core): boolean {
  return r.config.checkQuorum && r.leader !== NONE && !r.leaderDown && r.electionElapsed < r.config.electionTicks;
}

/** A request for a vote or pre-vote, of our term or (pre-vote) a higher one. Learners vote too: they may have been promoted without knowing. */
export function handleVote(r: Core, m: Message): void {
  const isPre = m.kind === MessageKind.PreVote;
  const free = r.vote === m.from || (r.vote === NONE && r.leader === NONE) || (isPre && m.term > r.term);
  const grant = free && !r.withheld && r.log.isUpToDate(m.index, m.logTerm);
  r.trace?.(
    `${grant ? 'grants' : 'refuses'} ${name(m.from)} the ${isPre ? 'pre-vote' : 'vote'} for term ${m.term}` +
      (grant ? '' : r.withheld ? ': our vote is withheld' : free ? ': our log is better' : ': our vote is given'),
  );
  const resp = r.message(isPre ? MessageKind.PreVoteResp : MessageKind.VoteResp, m.from);
  resp.reject = !grant;
  learnCommit(r, m.commit, m.rejectHint);
  resp.commit = r.log.committed;
  resp.logTerm = Math.max(r.log.term(resp.commit), 0);
  if (grant) {
    resp.term = m.term;
    if (!isPre) {
      r.electionElapsed = 0;
      r.vote = m.from;
    }
  }
  r.send(resp);
}
