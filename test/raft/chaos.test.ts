import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check } from '../support/fc.js';
import type { Action, Step } from './support/chaos.js';
import { CALM, Chaos, FAULTS, longRun, REPAIRS } from './support/chaos.js';

/** A run has some kinds of faults and not others: all at once hide one another. */
const faults = fc.subarray(FAULTS, { minLength: 0 });

const settings = fc.record({
  preVote: fc.boolean(),
  electionTicks: fc.integer({ min: 4, max: 10 }),
  maxAppendBytes: fc.constantFrom(1, 100, 1024 * 1024),
  maxInflightMessages: fc.integer({ min: 1, max: 4 }),
  maxUncommittedBytes: fc.constantFrom(200, 1024 * 1024),
  maxCommittedBytesPerReady: fc.constantFrom(1, 100, 1024 * 1024),
});

const cluster = {
  size: fc.constantFrom(3, 3, 5),
  slowDisks: fc.boolean(),
  seed: fc.nat(0x7fff_ffff),
  settings,
};

describe('chaos', () => {
  // Few steps, each of them fast-check's choice: what fails here is shrunk to a story of a few lines.
  it('keeps every invariant, whatever happens, and recovers', () => {
    const steps = (weights: [Action, number][]) =>
      fc.array(
        fc.record<Step>({
          what: fc.oneof(
            ...weights.map(([what, weight]) => ({ weight, arbitrary: fc.constant(what) })),
          ) as fc.Arbitrary<Action>,
          a: fc.nat(1000),
          b: fc.nat(1000),
        }),
        { minLength: 100, maxLength: 300, size: 'max' },
      );
    const run = faults.chain((chosen) => fc.record({ ...cluster, steps: steps([...CALM, ...REPAIRS, ...chosen]) }));
    check(
      fc.property(run, (r) => {
        const chaos = new Chaos(r.size, r.settings, r.seed, r.slowDisks);
        for (const step of r.steps) chaos.do(step);
        chaos.finish();
      }),
      { runs: 100 },
    );
  });

  // Many steps drawn from a seed: deep, but it is not shrunk.
  it('keeps every invariant over long runs', () => {
    const sum = { committed: 0, terms: 0, reads: 0, snapshots: 0, confChanges: 0 };
    check(
      fc.property(fc.record({ ...cluster, faults }), (r) => {
        const chaos = longRun(r, 2000);
        const { invariants } = chaos;
        sum.committed += invariants.committed.length;
        sum.terms += invariants.leaders.size;
        sum.reads += invariants.readsAnswered;
        sum.snapshots += invariants.snapshotsInstalled;
        sum.confChanges += invariants.committed.filter((c) => /:(add|remove|learner|update)=/.test(c.text)).length;
      }),
      { runs: 40 },
    );
    // A test in which nothing happens proves nothing.
    if (process.env.KEEL_FC_PATH === undefined) {
      for (const [what, n] of Object.entries(sum)) expect(n, what).toBeGreaterThan(3);
    }
    if (process.env.KEEL_TEST_VERBOSE) console.log(sum);
  });
});
