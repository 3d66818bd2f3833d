import type { Disk } from '../../util/env.js';
import { hex, parseHex } from '../../util/hex.js';
import { BackendError } from './errors.js';

/*
 * The file KEEL in the backend's folder, one line of JSON: the format's version, which folder beside it holds the
 * store, and whose it is. It is replaced as a whole (written beside, fsynced, renamed, folder fsynced), so naming
 * another store is how a snapshot is swapped in.
 *
 *   {"keel":1,"store":"db-3","member":"8e9e05c52164694d","cluster":"cdf818194e3a8c32"}
 */
export interface KeelFile {
  readonly store: string;
  /** Undefined until the member knows who it is. */
  readonly owner: Owner | undefined;
}

export interface Owner {
  readonly memberId: bigint;
  readonly clusterId: bigint;
}

export const KEEL_FORMAT = 1;
const NAME = 'KEEL';
const BESIDE = 'KEEL.tmp';

/** @returns undefined if there is no such file. @throws BackendError ERR_FORMAT or ERR_CORRUPT */
export function readKeelFile(disk: Disk, dir: string): KeelFile | undefined {
  const path = `${dir}/${NAME}`;
  const size = disk.size(path);
  if (size < 0) return undefined;
  const text = disk.read(path, 0, Math.min(size, 4096)).toString('utf8');
  let json: { keel?: unknown; store?: unknown; member?: unknown; cluster?: unknown } | null;
  try {
    json = JSON.parse(text) as typeof json;
  } catch (err) {
    throw new BackendError('ERR_CORRUPT', `backend: ${path} is damaged: ${JSON.stringify(text.slice(0, 80))}`, err);
  }
  if (typeof json?.keel === 'number' && json.keel > KEEL_FORMAT) {
    throw new BackendError(
      'ERR_FORMAT',
      `backend: ${dir} was written in format ${json.keel}; this version of keel reads up to format ${KEEL_FORMAT}`,
    );
  }
  if (json?.keel !== KEEL_FORMAT || typeof json.store !== 'string' || !/^db-\d+$/.test(json.store)) {
    throw new BackendError('ERR_CORRUPT', `backend: ${path} is damaged: ${JSON.stringify(text.slice(0, 80))}`);
  }
  if (json.member === undefined && json.cluster === undefined) return { store: json.store, owner: undefined };
  const memberId = typeof json.member === 'string' ? parseHex(json.member) : undefined;
  const clusterId = typeof json.cluster === 'string' ? parseHex(json.cluster) : undefined;
  if (memberId === undefined || clusterId === undefined) {
    throw new BackendError('ERR_CORRUPT', `backend: ${path} is damaged: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return { store: json.store, owner: { memberId, clusterId } };
}

/** Replaces the file; durable when it returns. After a crash in between the old one is there, or the new one. */
export function writeKeelFile(disk: Disk, dir: string, file: KeelFile): void {
  const json = {
    keel: KEEL_FORMAT,
    store: file.store,
    ...(file.owner && { member: hex(file.owner.memberId), cluster: hex(file.owner.clusterId) }),
  };
  const beside = disk.open(`${dir}/${BESIDE}`, { create: true });
  try {
    beside.truncateSync(0);
    beside.writeSync(0, Buffer.from(`${JSON.stringify(json)}\n`));
    beside.syncSync();
  } finally {
    beside.close();
  }
  disk.rename(`${dir}/${BESIDE}`, `${dir}/${NAME}`);
  disk.fsyncDir(dir);
}

/** @throws BackendError ERR_OWNER */
export function checkOwner(dir: string, found: Owner | undefined, expected: Owner | undefined): void {
  if (found === undefined || expected === undefined) return;
  if (found.clusterId !== expected.clusterId) {
    throw new BackendError(
      'ERR_OWNER',
      `backend: ${dir} belongs to cluster ${hex(found.clusterId)}, not ${hex(expected.clusterId)}`,
    );
  }
  if (found.memberId !== expected.memberId) {
    throw new BackendError(
      'ERR_OWNER',
      `backend: ${dir} belongs to member ${hex(found.memberId)}, not ${hex(expected.memberId)}`,
    );
  }
}

/** Removes what an interrupted swap, import or first start left behind. Only with the store's lock held. */
export function removeLeftovers(disk: Disk, dir: string, current: string): void {
  for (const name of disk.list(dir)) {
    if (name === BESIDE) disk.unlink(`${dir}/${name}`);
    else if (/^db-\d+$/.test(name) && name !== current) disk.removeTree(`${dir}/${name}`);
  }
}
