import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, checkAsync, parameters } from './fc.js';

const failing = fc.property(fc.nat(1000), (n) => n < 10);

function messageOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the property passed');
}

describe('check', () => {
  test('prints seed, path, a command and the counterexample', () => {
    const message = messageOf(() => check(failing, { seed: 42 }));
    expect(message).toMatch(/\{ seed: 42, path: "[\d:]+" \}/);
    expect(message).toMatch(
      /reproduce: KEEL_FC_SEED=42 KEEL_FC_PATH=[\d:]+ npx vitest run test\/support\/fc\.test\.ts/,
    );
    expect(message).toContain('counterexample: [10]');
  });

  test('the printed path replays the counterexample at once', () => {
    const message = messageOf(() => check(failing, { seed: 42 }));
    const path = /path: "([\d:]+)"/.exec(message)![1]!;
    let first: number | undefined;
    const watched = fc.property(fc.nat(1000), (n) => {
      first ??= n;
      return n < 10;
    });
    fc.check(watched, parameters<[number]>({}, { KEEL_FC_SEED: '42', KEEL_FC_PATH: path }));
    expect(first).toBe(10);
  });

  test('takes seed, path and runs from the environment', () => {
    expect(parameters({ runs: 5, seed: 1 }, {})).toEqual({ numRuns: 5, seed: 1 });
    expect(parameters({ runs: 5, seed: 1 }, { KEEL_FC_SEED: '-7', KEEL_FC_RUNS: '9' })).toEqual({
      numRuns: 9,
      seed: -7,
    });
    expect(() => parameters({}, { KEEL_FC_SEED: 'x' })).toThrow('KEEL_FC_SEED');
    expect(() => parameters({}, { KEEL_FC_PATH: '1:2' })).toThrow('KEEL_FC_PATH');
  });

  test('a property with promises', async () => {
    const bad = fc.asyncProperty(fc.nat(), async (n) => n < 0);
    await expect(checkAsync(bad)).rejects.toThrow('reproduce: ');
    await checkAsync(fc.asyncProperty(fc.nat(), async (n) => n >= 0));
    check(fc.property(fc.nat(), (n) => n >= 0));
  });
});
