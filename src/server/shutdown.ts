import type { LogCompactor } from './log-compactor.js';
import type { MemberParts } from './parts.js';
import type { Pump } from './pump.js';

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
export function closeParts(parts: MemberParts, pump: Pump, compactor: LogCompactor, cb: () => void): void {
  // A snapshot that is being swapped in is swapped in: half of it would be no state at all.
  if (pump.installing) {
    parts.env.timers.set(POLL_MS, () => closeParts(parts, pump, compactor, cb));
    return;
  }
  pump.stop();
  compactor.stop();
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
