import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Another Node's binary. Without it nothing is compared here: `npm run sim:versions -- --install 22` fetches one. */
const OTHER = process.env.KEEL_SIM_NODE;
const SCRIPT = fileURLToPath(new URL('../../scripts/sim-versions.mjs', import.meta.url));

if (OTHER === undefined) console.log('KEEL_SIM_NODE is not set: one Node only, no comparison of trace hashes');

describe.skipIf(OTHER === undefined)('two versions of Node', () => {
  test('give one seed one history', { timeout: 120_000 }, () => {
    const { stdout, status } = spawnSync(process.execPath, [SCRIPT, '--seeds', '3'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^3 of 3 seeds have one trace hash under v\S+ and v\S+$/m);
    expect(status).toBe(0);
  });
});
