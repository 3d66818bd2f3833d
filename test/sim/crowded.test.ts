import { expect, test } from 'vitest';
import { drawOptions } from '../../src/sim/options.js';
import { runSeed } from '../../src/sim/runner/seed.js';

// Members that take one or two proposals of their clients at a time, and ranges that keep more than they may: what is
// refused was not done, what was taken is answered once, and leases live on.
test.each([
  [102, 2],
  [103, 1],
])('seed %i with room for %i', { timeout: 60_000 }, (seed, maxPendingProposals) => {
  const drawn = drawOptions(seed);
  const options = {
    ...drawn,
    loadMs: 4000,
    clients: 8,
    leaseHolders: 3,
    opsPerSecond: 200,
    tuning: { ...drawn.tuning, maxPendingProposals, maxPendingBytes: 4000, maxApplyGap: 3 },
  };
  const { failure, result } = runSeed({ options });
  expect(failure === null ? '' : `${failure.rule}\n${failure.message}`).toBe('');
  expect(result?.acknowledged).toBeGreaterThan(20);
  expect(result?.acknowledged).toBeLessThan(result?.operations ?? 0);
});
