import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BACKEND_MUTANTS } from '../../../src/storage/backend/index.js';
import { check } from '../../support/fc.js';
import type { ModelOptions } from './model.js';
import { commands, runModel } from './model.js';

const seeds = fc.integer({ min: 0, max: 1e9 });

test('what a crash leaves is the state at one applied index, not before the last acknowledged flush', () => {
  check(
    fc.property(seeds, commands, (seed, list) => void runModel(list, { seed })),
    { runs: 150 },
  );
});

test('the same with logs so small that nearly every flush switches them', () => {
  check(
    fc.property(seeds, commands, (seed, list) => void runModel(list, { seed, sim: { writeBufferBytes: 1 } })),
    { runs: 100 },
  );
});

test('a store that lost flushes in the middle says so, at whatever log and number', () => {
  for (const numbersMax of [1, 4, 1000]) {
    let holes = 0;
    const backend = { mutants: new Set([BACKEND_MUTANTS.unsyncedFlush]), numbersMax };
    // A hundred runs show a hole nearly always, and the property must have been tried on some.
    for (let round = 0; round < 10 && holes === 0; round++) {
      check(
        fc.property(seeds, commands, (seed, list) => {
          if (runModel(list, { seed, lossy: true, backend })) holes++;
        }),
        { runs: 100 },
      );
    }
    expect(holes).toBeGreaterThan(0);
  }
});

describe('each bug of the museum that is put back is found', () => {
  const cases: [name: string, options: Omit<ModelOptions, 'seed'>][] = [
    ['museum 19: index ahead of data', { backend: { mutants: new Set([BACKEND_MUTANTS.indexAhead]) } }],
    ['museum 32: flushes without fsync', { backend: { mutants: new Set([BACKEND_MUTANTS.unsyncedFlush]) } }],
    [
      'museum 32: flushes without fsync, and the hole is ignored',
      { backend: { mutants: new Set([BACKEND_MUTANTS.unsyncedFlush, BACKEND_MUTANTS.holeIgnored]) } },
    ],
    ['museum 32: the folder is not fsynced', { sim: { dirSync: false } }],
    [
      'museum 34: a deletion in the overlay is forgotten',
      { backend: { mutants: new Set([BACKEND_MUTANTS.deletionForgotten]) } },
    ],
  ];
  for (const [name, options] of cases) {
    test(name, () => {
      const details = fc.check(
        fc.property(seeds, commands, (seed, list) => void runModel(list, { seed, ...options })),
        { numRuns: 3000, endOnFailure: true, seed: 7 },
      );
      expect(details.failed).toBe(true);
    });
  }
});
