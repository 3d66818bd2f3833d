import type { Rng } from '../../util/rng.js';
import type { SimOptions } from '../options.js';
import type { FaultEvent, FaultKind } from './kinds.js';
import { faultOf } from './registry.js';

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
  const { victims, durations } = faultOf(kind);
  const order = rng.shuffle(Array.from({ length: members }, (_, i) => i));
  // Whoever leads is the most interesting victim.
  const one = rng.chance(1, 2) ? -1 : (order[0] as number);
  const n = rng.below(1 << 16);
  const forMs = rng.pick(durations);
  const event = { id, at, kind, forMs, n };
  switch (victims) {
    case 'one':
      return { ...event, who: [one] };
    case 'some':
      return { ...event, who: rng.chance(1, 4) ? order.slice(0, rng.between(1, members)) : [one] };
    case 'all':
      return { ...event, who: order };
    case 'link':
      return { ...event, who: [one, order[1] ?? 0] };
  }
}
