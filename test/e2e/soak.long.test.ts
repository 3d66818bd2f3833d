import { describe, expect, it } from 'vitest';
import { missing } from '../support/binaries.js';
import { runSoak } from '../support/soak/soak.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED soak: ${reason}`);

// The short run of `npm run soak`.
describe('soak', () => {
  it.skipIf(reason)(
    'a minute of mixed load: memory, descriptors, lag and hashes',
    async () => {
      const report = await runSoak({ durationMs: 60_000, intervalMs: 5000, rate: 200 });
      expect(report.problems).toEqual([]);
      expect(report.operations).toBeGreaterThan(2000);
      expect(report.samples).toHaveLength(36);
    },
    120_000,
  );
});
