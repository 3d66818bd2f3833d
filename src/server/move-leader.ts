import { hex } from '../util/hex.js';
import type { Completion } from './api.js';
import { refusal } from './errors.js';
import type { MemberParts } from './parts.js';

/**
 * Hands leadership to a voter, and answers when it leads (semantics 7, MoveLeader). A member that does not lead refuses:
 * nothing is forwarded.
 * @param until ms on the monotonic clock
 */
export function moveLeader(parts: MemberParts, target: bigint, until: number, done: Completion<void>): void {
  const { raft, membership, env, config } = parts;
  if (!raft.isLeader) return done.fail(refusal('ERR_NOT_LEADER'));
  const member = membership.get(target);
  if (member === undefined || member.isLearner) return done.fail(refusal('ERR_BAD_LEADER_TRANSFEREE'));
  const log = env.log.with({ caller: 'server/move-leader.ts' });
  const fields = { 'current-leader-member-id': hex(raft.id), 'transferee-member-id': hex(target) };
  const start = env.clock.now();
  log.info('leadership transfer starting', fields);
  const result = raft.transferLeadership(target);
  // Raft may not have applied the change that made it a voter.
  if (result === 'not-voter') return done.fail(refusal('ERR_BAD_LEADER_TRANSFEREE'));
  const poll = (): void => {
    if (raft.leader === target) {
      log.info('leadership transfer finished', { ...fields, 'took-ms': Math.round(env.clock.now() - start) });
      return done.ok();
    }
    if (env.clock.now() >= until) return done.fail(refusal('ERR_TIMEOUT_LEADER_TRANSFER'));
    env.timers.set(config.heartbeatMs, poll);
  };
  poll();
}
