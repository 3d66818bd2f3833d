import type { Rng } from '../../../src/util/rng.js';

/** A cluster's settings, drawn anew for every round. */
export interface RoundPlan {
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly snapshotCount: number;
  readonly catchUpEntries: number;
  /** TCP proxies stand between the members. */
  readonly proxied: boolean;
}

/** What is wrong with the network while members die. */
export type NetFault =
  | { kind: 'isolate'; whom: Whom }
  | { kind: 'hold'; whom: Whom }
  | { kind: 'one way'; whom: Whom; out: boolean }
  | { kind: 'delay'; delayMs: number; jitterMs: number }
  | { kind: 'drop' };

/** A member by its role at that moment. `other` is any of the rest. */
export type Whom = 'leader' | 'follower' | 'any';

/** One cycle: at least one member dies by SIGKILL and comes back. */
export interface CyclePlan {
  readonly kill: 'leader' | 'follower' | 'any' | 'two' | 'all';
  /** A member is stopped (SIGSTOP) before the kill and goes on after it. */
  readonly pause: Whom | null;
  readonly net: NetFault | null;
  /** ms between the fault of the network or the pause, and the kill */
  readonly leadMs: number;
  readonly downMs: number;
  /** A restarted member is killed again so many ms into its start; null: it is left alone. */
  readonly againMs: number | null;
  /** The network is mended only when the members are started again. */
  readonly healLate: boolean;
  /** ms of peace after all are ready */
  readonly restMs: number;
}

export function drawRound(rng: Rng): RoundPlan {
  const heartbeatMs = rng.between(20, 50);
  return {
    heartbeatMs,
    electionMs: Math.min(500, heartbeatMs * rng.between(8, 12)),
    snapshotCount: pick(rng, [50, 200, 1000, 10_000]),
    catchUpEntries: pick(rng, [5, 100, 5000]),
    proxied: rng.below(2) === 0,
  };
}

export function drawCycle(rng: Rng, proxied: boolean): CyclePlan {
  const dice = rng.below(100);
  const kill = dice < 35 ? 'leader' : dice < 50 ? 'follower' : dice < 65 ? 'any' : dice < 85 ? 'two' : 'all';
  return {
    kill,
    pause: rng.below(100) < 15 ? pick(rng, ['leader', 'follower'] as const) : null,
    net: proxied && rng.below(100) < 50 ? drawNet(rng) : null,
    leadMs: rng.between(0, 200),
    downMs: rng.below(100) < 70 ? rng.between(0, 150) : rng.between(150, 700),
    againMs: rng.below(100) < 15 ? rng.between(50, 700) : null,
    healLate: rng.below(3) === 0,
    restMs: rng.between(0, 250),
  };
}

function drawNet(rng: Rng): NetFault {
  const whom = pick(rng, ['leader', 'follower', 'any'] as const);
  switch (rng.below(5)) {
    case 0:
      return { kind: 'isolate', whom };
    case 1:
      return { kind: 'hold', whom };
    case 2:
      return { kind: 'one way', whom, out: rng.below(2) === 0 };
    case 3:
      return { kind: 'delay', delayMs: rng.between(1, 60), jitterMs: rng.between(0, 60) };
    default:
      return { kind: 'drop' };
  }
}

function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[rng.below(from.length)] as T;
}
