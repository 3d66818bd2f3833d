import { describe, expect, test } from 'vitest';
import { drawOptions } from '../../src/sim/options.js';
import { runSeed } from '../../src/sim/runner/seed.js';

/** Always the same ones, and some that nobody has run before; KEEL_SIM_SEED runs one alone. */
const FIXED = Array.from({ length: 8 }, (_, i) => i + 2);
const FRESH_COUNT = 3;

function seeds(): number[] {
  const one = process.env.KEEL_SIM_SEED;
  if (one !== undefined) return [Number(one)];
  const fresh = (Date.now() % 1_000_000_000) * 1000;
  return [...FIXED, ...Array.from({ length: FRESH_COUNT }, (_, i) => fresh + i)];
}

describe('the cluster under faults, from one seed', () => {
  const all = seeds();
  console.log(`simulator seeds: ${all.join(' ')}`);

  for (const seed of all) {
    test(`seed ${seed}`, { timeout: 60_000 }, () => {
      const { failure } = runSeed({ options: drawOptions(seed) });
      const text =
        failure === null ? '' : `${failure.rule}\n${failure.message}\nreproduce: npm run sim -- --seed ${seed}`;
      expect(text).toBe('');
    });
  }

  test('one seed is one history', { timeout: 60_000 }, () => {
    const hashes = [1, 2].map(() => runSeed({ options: drawOptions(6) }).result?.traceHash);
    expect(hashes[0]).toBeTypeOf('number');
    expect(hashes[1]).toBe(hashes[0]);
  });
});
