import { describe, expect, test } from 'vitest';
import { FAULTS } from '../../src/sim/faults/registry.js';
import { MUTANT_TABLE, WITHOUT_SWITCH } from '../../src/sim/mutants.js';
import { CLIENT_KINDS } from '../../src/sim/workload/client-kinds.js';

/** The rows of the bug museum (reliability, part 1) that carry a star. */
const STARRED = [
  1, 2, 3, 4, 5, 6, 10, 12, 18, 19, 20, 21, 23, 25, 26, 28, 30, 32, 33, 34, 35, 36, 43, 44, 45, 46, 47, 48, 52, 55, 56,
  59, 62, 63, 65,
];

describe('the museum of bugs', () => {
  test('every starred row has a switch, or is named with what it waits for', () => {
    const known = new Set([...MUTANT_TABLE, ...WITHOUT_SWITCH].map(({ row }) => row));
    expect(STARRED.filter((row) => !known.has(row))).toEqual([]);
  });

  test('none of the two lists says the same as the other, and each gap has its reason', () => {
    const found = new Set(MUTANT_TABLE.filter(({ waitsFor }) => waitsFor === null).map(({ row }) => row));
    expect(WITHOUT_SWITCH.filter(({ row }) => found.has(row))).toEqual([]);
    for (const { waitsFor } of WITHOUT_SWITCH) expect(waitsFor).not.toBe('');
  });
});

describe('the registries', () => {
  test.each([
    ['faults', FAULTS.map(({ name }) => name)],
    ['clients', CLIENT_KINDS.map(({ name }) => name)],
  ])('names of %s are unique, and can stand in a --set', (_what, names) => {
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z-]*$/);
  });
});
