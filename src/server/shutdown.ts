import type { MemberParts } from './parts.js';

const POLL_MS = 10;

/** Hands leadership to `target`, and waits for it at most `timeoutMs`. */
export function handOver(parts: MemberParts, target: bigint, timeoutMs: number, cb: () => void): void {
  const { raft, env } = parts;
  if (!raft.isLeader || target === 0n || raft.transferLeadership(target) !== 'started') return cb();
  const until = env.clock.now() + timeoutMs;
  const poll = (): void => {
    if (!raft.isLeader || env.clock.now() >= until) return cb();
    env.timers.set(POLL_MS, poll);
  };
  poll();
}

/** Closes what a member opened, from the outside in; what is durable is so when the callback comes. */
export function closeParts(parts: MemberParts, cb: () => void): void {
  const { mvcc, hub, wal, backend, env, config } = parts;
  const log = env.log.with({ caller: 'server/shutdown.ts' });
  mvcc.close();
  hub.close(() => {
    wal.close((walError) => {
      if (walError !== null) log.error('closing the log failed', { error: walError.message });
      backend.close((err) => {
        if (err !== null && err !== undefined) log.error('closing the store failed', { error: err.message });
        log.info('closed the member', { name: config.name });
        cb();
      });
    });
  });
}
