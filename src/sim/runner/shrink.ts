import { Rng } from '../../util/rng.js';
import { drawFaults } from '../faults/draw.js';
import type { FaultEvent } from '../faults/kinds.js';
import type { Overrides, SimOptions } from '../options.js';
import type { Failure } from './seed.js';
import { runSeed } from './seed.js';

/** A failing seed with as little as still fails in the same way. */
export interface Shrunk {
  readonly overrides: Overrides;
  readonly faults: readonly FaultEvent[];
  readonly runs: number;
}

/** The faults that a seed draws with these options. */
export function faultsOf(options: SimOptions): FaultEvent[] {
  return drawFaults(options, new Rng(options.seed).split('fault list'));
}

/**
 * Leaves out faults, then clients, as long as the same rule is broken: halves first, then ever smaller pieces (delta
 * debugging, Zeller and Hildebrandt 2002).
 * @param mayGoOn asked before each run, for a limit of time
 */
export function shrink(
  options: SimOptions,
  faults: readonly FaultEvent[],
  failure: Failure,
  mayGoOn: (runs: number) => boolean,
): Shrunk {
  let runs = 0;
  let kept: readonly FaultEvent[] = faults;
  let overrides: Overrides = {};
  const fails = (less: Overrides, some: readonly FaultEvent[]): boolean => {
    if (!mayGoOn(runs)) return false;
    runs++;
    return runSeed({ options: { ...options, ...less }, faults: some }).failure?.rule === failure.rule;
  };

  for (let size = Math.ceil(kept.length / 2); size >= 1 && kept.length > 0; ) {
    let removed = false;
    for (let at = 0; at < kept.length; ) {
      const some = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (fails(overrides, some)) {
        kept = some;
        removed = true;
      } else at += size;
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
    if (!mayGoOn(runs)) break;
  }
  const fewer: Overrides[] = [
    { others: {} },
    { watchers: 0 },
    { leaseHolders: 0 },
    { clients: 1 },
    { clients: 2 },
    { driftPpm: 0 },
  ];
  for (const less of fewer) {
    const tried = { ...overrides, ...less };
    if (fails(tried, kept)) overrides = tried;
  }
  return { overrides, faults: kept, runs };
}
