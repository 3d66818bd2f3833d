import { expect, it } from 'vitest';
import { kindUnderTest, missing } from '../support/binaries.js';
import { runChaos } from '../support/chaos/chaos-run.js';
import type { Fault } from '../support/chaos/nemesis.js';
import { withCluster } from '../support/cluster.js';

const KILLS: Fault[] = ['kill leader', 'kill two', 'kill follower', 'kill all'];

export interface KillTestOptions {
  seconds: number;
  /** Unsynced bytes of the log are lost with the process, as in a power cut (our own server only). */
  lossyDisk: boolean;
  /** Leaders are also stopped for a while and wake up in the past. */
  pauses?: boolean;
}

/**
 * Every acknowledged write is there afterwards, the members are equal, no client saw a revision fall, the history is
 * linearizable, and watchers that resumed have seen every event once.
 */
export function killTest({ seconds, lossyDisk, pauses = false }: KillTestOptions): void {
  const kind = kindUnderTest();
  const title = `${seconds} s of kill -9${pauses ? ' and pauses' : ''}${lossyDisk ? ', with a lossy disk' : ''}`;
  const reason = missing(kind) ?? (lossyDisk && kind === 'etcd' ? 'etcd has no lossy disk' : undefined);
  if (reason) console.warn(`SKIPPED ${title}: ${reason}`);
  it.skipIf(reason)(
    title,
    async () => {
      await withCluster({ kind, lossyDisk }, async (cluster) => {
        const faults: Fault[] = pauses ? [...KILLS, 'pause leader'] : KILLS;
        const report = await runChaos(cluster, { durationMs: seconds * 1000, faults });
        console.log(report.summary);
        expect(report.violations.slice(0, 5)).toEqual([]);
        expect(report.kills).toBeGreaterThanOrEqual(seconds / 10);
        expect(report.acknowledged).toBeGreaterThan(seconds * 20);
      });
    },
    seconds * 1000 + 90_000,
  );
}
