import { afterAll, describe, expect, test } from 'vitest';
import { WalMutant } from '../../src/storage/wal/index.js';
import type { Fault, Row } from './support/disk-matrix.js';
import { CASES, FAULTS, ROWS, runCase } from './support/disk-matrix.js';

const SEED = Number(process.env.KEEL_SIM_SEED ?? 1);
const outcomes = new Map<string, { title: string; outcome: string }[]>();
const cell = (row: Row, fault: Fault): string => `${row} | ${fault}`;

/** Reliability spec, 2.5: detected always, repaired where a quorum is intact, and no wrong byte is served. */
describe('the disk matrix', () => {
  for (const row of ROWS) {
    for (const fault of FAULTS) {
      const cases = CASES.filter((one) => one.row === row && one.fault === fault);
      test(`${cell(row, fault)}: ${cases.map((one) => one.title).join('; ')}`, () => {
        expect(cases.length, 'a cell has a case').toBeGreaterThan(0);
        for (const one of cases) {
          const outcome = runCase(one, SEED);
          const done = outcomes.get(cell(row, fault)) ?? [];
          outcomes.set(cell(row, fault), [...done, { title: `${one.title} (${one.when})`, outcome }]);
        }
      });
    }
  }

  test('would find a member that does not look: rot taken for a torn tail', () => {
    const rot = CASES.filter((one) => one.row === 'WAL record' && ['flip', 'zero', 'misdirect'].includes(one.fault));
    expect(rot).toHaveLength(3);
    const mutants = new Set([WalMutant.ROT_AS_TORN]);
    for (const one of rot) {
      expect(() => runCase({ ...one, lab: { tuning: { mutants } } }, SEED), one.title).toThrow(
        'rot taken for a torn tail',
      );
    }
  });

  afterAll(() => {
    const lines = ['| what | fault | how | outcome |', '|---|---|---|---|'];
    for (const row of ROWS) {
      for (const fault of FAULTS) {
        for (const { title, outcome } of outcomes.get(cell(row, fault)) ?? [{ title: '', outcome: 'FAILED' }]) {
          lines.push(`| ${row} | ${fault} | ${title} | ${outcome} |`);
        }
      }
    }
    console.log(`${outcomes.size} of ${ROWS.length * FAULTS.length} cells, seed ${SEED}\n${lines.join('\n')}`);
  });
});
