import { describe, expect, test } from 'vitest';
import { sayIfMissing } from '../support/binaries.js';
import { LISTED } from '../support/differential/known.js';
import { runDifferential } from '../support/differential/run.js';

/** A few thousand steps each time; `npm run test:differential -- --ops 100000` is the long run. */
const OPERATIONS = Number(process.env.KEEL_DIFF_OPS ?? 3000);
const SEED = Number(process.env.KEEL_FC_SEED ?? Date.now() % 1_000_000_000);

const skip = sayIfMissing('random histories, done to a real etcd too', 'etcd') || sayIfMissing('the same', 'keel');

describe.skipIf(skip)('random histories say the same on Keel and on a real etcd', () => {
  test(`in every answer, watch and hash (seed ${SEED})`, { timeout: 200_000 }, async () => {
    const { counts, failure } = await runDifferential({ operations: OPERATIONS, seed: SEED, limitMs: 14_000 });
    expect(failure).toBe(null);
    expect(counts.operations).toBeGreaterThan(0);
    expect([...counts.known.keys()].filter((name) => !LISTED.has(name))).toEqual([]);
  });
});
