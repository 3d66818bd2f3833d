import { parseVersion } from '../util/versions.js';
import type { ServerErrorCode } from './errors.js';

export const DowngradeAction = { VALIDATE: 0, ENABLE: 1, CANCEL: 2 } as const;

/**
 * Whether the cluster could go down to a version (etcd semantics §7): by exactly one minor. Its data could not: no etcd
 * opens a member's folder, so a downgrade can be asked about and not begun.
 * @param cluster the cluster's version; null: not decided yet
 * @returns why not
 */
export function downgradeRefusal(target: string, cluster: string | null): ServerErrorCode | null {
  const wanted = /^\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(target) ? parseVersion(target) : null;
  if (wanted === null) return 'ERR_DOWNGRADE_VERSION_FORMAT';
  const now = cluster === null ? null : parseVersion(cluster);
  if (now === null) return 'ERR_CLUSTER_VERSION_UNAVAILABLE';
  const below = wanted.major === now.major && wanted.minor === now.minor - 1;
  return below ? null : 'ERR_DOWNGRADE_TARGET';
}

/** major.minor, as the answer of 3.6 has it. */
export function shortVersion(cluster: string | null): string {
  const version = cluster === null ? null : parseVersion(cluster);
  return version === null ? '' : `${version.major}.${version.minor}`;
}
