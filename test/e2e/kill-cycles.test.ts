import { describe, expect, it } from 'vitest';
import { missing } from '../support/binaries.js';
import { runCycles } from '../support/cycles/cycles.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED cycles of kill -9: ${reason}`);

// The short run of `npm run test:kill`.
describe('cycles of kill -9', () => {
  it.skipIf(reason)(
    '12 cycles, half of them with the lossy disk, with proxies between the members',
    async () => {
      const seed = Number(process.env.KEEL_E2E_SEED ?? Date.now() % 1_000_000);
      const report = await runCycles({ cycles: 12, perEpoch: 6, seed, lossy: 'half', proxied: true, clients: 5 });
      const { violations, kept, cycles, lossyCycles, kills, acknowledged, seconds } = report;
      console.log(
        `kill -9, seed ${seed}: ${kills} kills in ${cycles} cycles, ${acknowledged} acknowledged, ${seconds.toFixed(0)} s`,
      );
      if (kept.length > 0) console.error(`data, logs and history: ${kept.join(' ')}`);
      expect(violations.slice(0, 5)).toEqual([]);
      expect(cycles).toBe(12);
      expect(lossyCycles).toBe(6);
      expect(kills).toBeGreaterThanOrEqual(12);
      expect(acknowledged).toBeGreaterThan(100);
    },
    180_000,
  );
});
