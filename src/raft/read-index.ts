import type { Core } from './core.js';
import { name } from './core.js';
import { MessageKind } from './message.js';
import { bcastHeartbeat } from './replication.js';
import type { NodeId } from './types.js';

/** As leader: a read of our own or of a follower (thesis 6.4). */
export function leadRead(r: Core, ctx: number, from: NodeId): boolean {
  if (r.mutants.readNoQuorum) {
    answer(r, ctx, from, r.log.committed);
    return true;
  }
  if (!r.hasCommittedInTerm && !r.mutants.readBeforeOwnCommit) {
    // Earlier leaders may have committed more than we know. The read waits; it is not dropped.
    r.trace?.(`postpones read ${ctx} of ${name(from)}: nothing of term ${r.term} is committed`);
    return r.reads.postpone(ctx, from);
  }
  if (!r.reads.add(ctx, from, r.log.committed)) return false;
  if (r.reads.needsRound) r.mustReplicate = true;
  return true;
}

/** As leader: the first entry of our term is committed. */
export function leadPostponedReads(r: Core): void {
  if (!r.reads.hasPostponed || !r.hasCommittedInTerm) return;
  for (const { ctx, from } of r.reads.takePostponed()) leadRead(r, ctx, from);
}

/** As leader: all reads that came in this turn go out in one round. */
export function flushReads(r: Core): void {
  if (!r.reads.needsRound) return;
  r.reads.round++;
  const self = r.tracker.get(r.id);
  if (self !== undefined) self.readRound = r.reads.round;
  bcastHeartbeat(r, r.reads.round, true);
  confirmReads(r);
}

/** As leader: answers what a majority has confirmed. */
export function confirmReads(r: Core): void {
  if (!r.reads.hasPending) return;
  const round = r.tracker.quorumReadRound();
  if (round === 0) return;
  for (const read of r.reads.takeConfirmed(round)) answer(r, read.ctx, read.from, read.index);
}

function answer(r: Core, ctx: number, from: NodeId, index: number): void {
  if (from === r.id) {
    r.readStates.push({ ctx, index });
    return;
  }
  const m = r.message(MessageKind.ReadIndexResp, from);
  m.index = index;
  m.context = ctx;
  r.send(m);
}
