import { expect, test } from 'vitest';
import { drawOptions } from '../../src/sim/options.js';
import { runSeed } from '../../src/sim/runner/seed.js';

/** Without faults, where many get the lock, and with: whether two ever do at once. */
test.each(['calm', 'swarm'] as const)('clients that contend for locks and elections (%s)', (profile) => {
  const options = drawOptions(24, { profile, loadMs: 8000, opsPerSecond: 30, others: { lockers: 3 } });
  const { result, failure } = runSeed({ options });
  expect(failure).toBeNull();
  if (profile !== 'calm') return;
  const without = runSeed({ options: { ...options, others: {} } }).result;
  // They have done something.
  expect(result?.operations).toBeGreaterThan((without?.operations ?? 0) + 50);
});
