/** The etcd whose contract Keel keeps. */
export const ETCD_VERSION = '3.6.14';
export const STORAGE_VERSION = '3.6.0';
export const MIN_CLUSTER_VERSION = '3.0.0';
/** Keel's own; package.json says the same, and a test holds them equal. */
export const KEEL_VERSION = '0.1.0';

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Major and minor of `3.6`, `3.6.14`, `3.6.0-rc.1`; null if it is no version. */
export function parseVersion(text: string): Version | null {
  const match = /^(\d+)\.(\d+)(\.\d+.*)?$/.exec(text);
  return match === null ? null : { major: Number(match[1]), minor: Number(match[2]) };
}

export function compareVersions(a: string, b: string): number {
  const x = parseVersion(a);
  const y = parseVersion(b);
  if (x === null || y === null) return 0;
  return x.major - y.major || x.minor - y.minor;
}

/** The cluster's version for members of these versions: the lowest, without its patch (operations spec 1.4). */
export function clusterVersionOf(members: readonly string[], max: string | null): string {
  let lowest = ETCD_VERSION;
  for (const version of members) if (compareVersions(version, lowest) < 0) lowest = version;
  if (max !== null && compareVersions(max, lowest) < 0) lowest = max;
  const parsed = parseVersion(lowest);
  return parsed === null ? MIN_CLUSTER_VERSION : `${parsed.major}.${parsed.minor}.0`;
}
