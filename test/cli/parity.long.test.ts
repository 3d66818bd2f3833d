/** What parity.test.ts has no time for: the two checks, whose figures differ and whose form must not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdctlBinary } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult, CtlRun } from '../support/ctl.js';
import { runKeelctl, runProgram } from '../support/ctl.js';
import { describeStores } from '../support/stores.js';

const MINUTES = 120_000;

/** Figures, and the line that counts up, which has as many steps as there was time for. */
function form({ code, out, err }: CtlResult): CtlResult {
  const text = out
    .replace(/(\r \d+ \/ \d+ {2,}\d+\.\d\d%( \d\dm\d\ds| \d+m?\d*s)?)+\n/, 'BAR\n')
    .replaceAll(/-?\d+\.\d{2,6}/g, 'F')
    .replaceAll(/is \d+ writes/g, 'is N writes')
    .replace(/revision \d+/g, 'revision R')
    .replace(/"127\.0\.0\.1:\d+"/, 'ENDPOINT');
  return { code, out: text, err };
}

const available = etcdctlBinary() !== undefined;

describe.skipIf(!available)(available ? 'the checks' : 'the checks: no etcdctl', () => {
  describeStores('on a store', (kind) => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await Cluster.start({ kind, size: 1 });
    });
    afterAll(() => cluster?.dispose());

    const both = async (...args: string[]): Promise<[CtlResult, CtlResult]> => {
      const run: CtlRun = { args: ['--endpoints', cluster.endpoints[0]!, ...args] };
      const theirs = await runProgram(etcdctlBinary()!, run, MINUTES);
      return [form(theirs), form(await runKeelctl(run))];
    };

    it('datascale', { timeout: 2 * MINUTES }, async () => {
      const [theirs, ours] = await both('check', 'datascale', '--auto-compact', '--auto-defrag');
      expect(theirs.code).toBe(0);
      expect(theirs.out).toContain('BAR\n');
      expect(ours).toEqual(theirs);
    });

    it('perf', { timeout: 2 * MINUTES }, async () => {
      const [theirs, ours] = await both('check', 'perf');
      // On a busy machine a store may fail; both must say so in the same form, where they agree.
      if (theirs.code === ours.code) expect(ours).toEqual(theirs);
      expect(ours.out).toMatch(/^BAR\n(.*(writes\/s|s)\n){3}(PASS|FAIL)\n$/);
      expect(theirs.out).toMatch(/^BAR\n(.*(writes\/s|s)\n){3}(PASS|FAIL)\n$/);
    });
  });
});
