import { dirname } from 'node:path';
import type { Disk } from '../util/env.js';
import { ConfigError } from './config.js';

/**
 * Makes a member's folder durable with every folder above it that had to be made. Syncing the folder's own content is
 * not enough: its name stands in its parent, and a power cut that takes the name takes the whole log with it (museum 25).
 * Names are synced at every start, since an earlier one may have been cut off between making and syncing.
 */
export function makeMemberFolder(disk: Disk, dataDir: string): void {
  const member = `${dataDir}/member`;
  const parents = [dataDir, dirname(dataDir)];
  for (let above = dirname(dataDir); !disk.isDirectory(above) && dirname(above) !== above; ) {
    above = dirname(above);
    parents.push(above);
  }
  disk.mkdirp(member);
  disk.fsyncDir(member);
  for (const parent of parents) disk.fsyncDir(parent);
}

/** A database file of etcd's is not ours to open, let alone to change. */
export function refuseForeignFolder(disk: Disk, dataDir: string): void {
  if (disk.size(`${dataDir}/member/snap/db`) < 0) return;
  throw new ConfigError(
    `${dataDir} holds a database of etcd (member/snap/db); bring it in with "keelutl snapshot restore"`,
  );
}
