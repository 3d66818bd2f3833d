import type { Rng } from '../../util/rng.js';
import type { SimOptions } from '../options.js';
import type { FaultEvent, FaultKind } from './kinds.js';

/** The faults of a seed, in order of time. */
export function drawFaults(options: SimOptions, rng: Rng): FaultEvent[] {
  const events: FaultEvent[] = [];
  if (options.faultKinds.length === 0) return events;
  let at = 0;
  for (let id = 1; ; id++) {
    at += rng.between(1, 2 * options.faultEveryMs);
    if (at >= options.loadMs) return events;
    events.push(draw(id, at, rng.pick(options.faultKinds), options.members, rng));
  }
}

function draw(id: number, at: number, kind: FaultKind, members: number, rng: Rng): FaultEvent {
  const order = rng.shuffle(Array.from({ length: members }, (_, i) => i));
  // Whoever leads is the most interesting victim.
  const one = rng.chance(1, 2) ? [-1] : [order[0] as number];
  const n = rng.below(1 << 16);
  const forMs = duration(kind, rng);
  switch (kind) {
    case 'crash':
    case 'pause':
    case 'stall':
      return { id, at, kind, who: rng.chance(1, 4) ? order.slice(0, rng.between(1, members)) : one, forMs, n };
    case 'crash-all':
    case 'split':
      return { id, at, kind, who: order, forMs, n };
    case 'one-way':
    case 'flap':
    case 'break':
    case 'clog':
      return { id, at, kind, who: [one[0] as number, order[1] ?? 0], forMs, n };
    default:
      return { id, at, kind, who: one, forMs, n };
  }
}

function duration(kind: FaultKind, rng: Rng): number {
  switch (kind) {
    case 'pause':
      return rng.pick([1, 10, 100, 700, 1500, 3000, 10_000, 60_000]);
    case 'stall':
      return rng.pick([10, 100, 1000, 3000, 30_000]);
    case 'crash':
    case 'crash-all':
    case 'crash-busy':
    case 'sync-error':
    case 'full-disk':
      return rng.pick([0, 10, 300, 1500, 4000]);
    case 'flap':
      return rng.between(500, 6000);
    default:
      return rng.pick([50, 500, 1500, 4000, 15_000]);
  }
}
