import { describe, expect, it } from 'vitest';
import { etcdctlBinary, kindUnderTest, missing } from '../support/binaries.js';
import { withCluster } from '../support/cluster.js';
import { Etcdctl } from '../support/etcdctl.js';

const kind = kindUnderTest();
const reason =
  missing(kind) ?? (etcdctlBinary() ? undefined : 'no etcdctl: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH');
if (reason) console.warn(`SKIPPED etcdctl check perf: ${reason}`);

describe.skipIf(reason)(`etcdctl check perf against ${kind}`, () => {
  it('passes with the small load at every member', { timeout: 400_000 }, async () => {
    await withCluster({ kind, heartbeatMs: 100, electionMs: 1000 }, async (cluster) => {
      for (const endpoint of cluster.endpoints) {
        const etcdctl = new Etcdctl(cluster, [endpoint]);
        const { code, stdout, stderr } = await etcdctl.run(['check', 'perf', '--load', 's'], '', 120_000);
        const lines = stdout.split(/[\r\n]+/).filter((line) => /PASS|FAIL/.test(line));
        console.log(`${endpoint}: ${lines.join('; ')}`);
        const failed = lines.filter((line) => line.includes('FAIL'));
        expect({ code, failed, stderr }).toEqual({ code: 0, failed: [], stderr: '' });
        expect(lines.at(-1)).toBe('PASS');
      }
    });
  });
});
