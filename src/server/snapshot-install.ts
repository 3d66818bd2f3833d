import { readLeases } from '../lease/index.js';
import type { Ready } from '../raft/index.js';
import type { MemberParts } from './parts.js';
import type { SnapshotTransfer } from './snapshot-transfer.js';
import { loadTables } from './tables.js';

/**
 * Swaps in the snapshot of a Ready and reads everything that is kept in memory anew. What must not see a store half
 * changed waits meanwhile: reads, watchers that catch up, slices of a compaction.
 * @param cb clusterVersion: as the snapshot has it
 */
export function installSnapshot(
  parts: MemberParts,
  transfer: SnapshotTransfer,
  ready: Ready,
  cb: (err: Error | null, clusterVersion: string | null) => void,
): void {
  const { backend, mvcc, lessor, membership, alarms, auth, env } = parts;
  mvcc.suspend();
  transfer.install(ready, (installError) => {
    if (installError !== null) return cb(installError, null);
    loadTables(
      backend,
      membership,
      alarms,
      auth,
      (tablesError, clusterVersion) => {
        if (tablesError !== null) return cb(tablesError, null);
        mvcc.restore(backend, (restoreError) => {
          if (restoreError !== null) return cb(restoreError, null);
          readLeases(backend, (leasesError, rows) => {
            if (leasesError !== null) return cb(leasesError, null);
            lessor.reset(backend, rows, mvcc.attachments(), env.clock.now());
            transfer.installed();
            cb(null, clusterVersion);
          });
        });
      },
      true,
    );
  });
}
