import fc from 'fast-check';
import { describe, it } from 'vitest';
import { check } from '../support/fc.js';
import type { Action, Step } from './support/chaos.js';
import { Chaos } from './support/chaos.js';

/** How often each thing happens, relative to the others. 0 weights are left to a run's faults. */
const CALM: [Action, number][] = [
  ['deliver', 30],
  ['deliverAll', 12],
  ['tick', 4],
  ['tickAll', 6],
  ['propose', 8],
  ['persist', 15],
  ['apply', 8],
  ['read', 5],
  ['flush', 1],
];
const FAULTS: [Action, number][] = [
  ['drop', 8],
  ['duplicate', 6],
  ['crash', 2],
  ['restart', 8],
  ['compact', 2],
  ['confChange', 5],
  ['transfer', 1],
  ['peerDown', 1],
  ['unreachable', 2],
  ['cut', 3],
  ['heal', 1],
  ['amnesia', 1],
  ['crashAll', 1],
];

/** A run has some kinds of faults and not others: all at once hide one another. */
const faults = fc.subarray(FAULTS, { minLength: 0 });

const steps = (weights: [Action, number][], length: number) =>
  fc.array(
    fc.record<Step>({
      what: fc.oneof(
        ...weights.map(([what, weight]) => ({ weight, arbitrary: fc.constant(what) })),
      ) as fc.Arbitrary<Action>,
      a: fc.nat(1000),
      b: fc.nat(1000),
    }),
    { minLength: length / 2, maxLength: length, size: 'max' },
  );

const settings = fc.record({
  preVote: fc.boolean(),
  checkQuorum: fc.constant(true),
  electionTicks: fc.integer({ min: 4, max: 10 }),
  maxAppendBytes: fc.constantFrom(1, 100, 1024 * 1024),
  maxInflightMessages: fc.integer({ min: 1, max: 4 }),
  maxUncommittedBytes: fc.constantFrom(200, 1024 * 1024),
  maxCommittedBytesPerReady: fc.constantFrom(1, 100, 1024 * 1024),
});

const run = faults.chain((chosen) =>
  fc.record({
    size: fc.constantFrom(3, 3, 5),
    slowDisks: fc.boolean(),
    seed: fc.nat(1_000_000),
    settings,
    steps: steps([...CALM, ...chosen], 500),
  }),
);

describe('chaos', () => {
  it('keeps every invariant, whatever happens, and recovers', () => {
    check(
      fc.property(run, (r) => {
        const chaos = new Chaos(r.size, r.settings, r.seed, r.slowDisks);
        for (const step of r.steps) chaos.do(step);
        chaos.finish();
      }),
      { runs: 150 },
    );
  });
});
