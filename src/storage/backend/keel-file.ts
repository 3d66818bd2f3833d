import { crc32c } from '../../util/crc32c.js';
import type { Disk } from '../../util/env.js';
import { hex, parseHex } from '../../util/hex.js';
import { BackendError } from './errors.js';

/*
 * The file KEEL in the backend's folder, one line of JSON: the format's version, which folder beside it holds the
 * store, and whose it is; then the CRC-32C of all that, since one flipped bit would make another store's or another
 * member's name. It is replaced as a whole (written beside, fsynced, renamed, folder fsynced), so naming another store
 * is how a snapshot is swapped in.
 *
 *   {"keel":1,"store":"db-3","member":"8e9e05c52164694d","cluster":"cdf818194e3a8c32"} 5d41402a
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
/** The JSON, the checksum behind it. */
const LINE = /^(\{.*\}) ([0-9a-f]{8})\n$/;
const NAME = 'KEEL';
const BESIDE = 'KEEL.tmp';

/** @returns undefined if there is no such file. @throws BackendError ERR_FORMAT or ERR_CORRUPT */
export function readKeelFile(disk: Disk, dir: string): KeelFile | undefined {
  const path = `${dir}/${NAME}`;
  const size = disk.size(path);
  if (size < 0) return undefined;
  const text = disk.read(path, 0, Math.min(size, 4096)).toString('latin1');
  const line = LINE.exec(text);
  if (line === null || checksum(line[1] as string) !== line[2]) {
    throw new BackendError('ERR_CORRUPT', `backend: ${path} is damaged: ${JSON.stringify(text.slice(0, 80))}`);
  }
  const json = JSON.parse(line[1] as string) as {
    keel?: unknown;
    store?: unknown;
    member?: unknown;
    cluster?: unknown;
  } | null;
  if (typeof json?.keel === 'number' && json.keel > KEEL_FORMAT) {
    throw new BackendError(
      'ERR_FORMAT',
      `backend: ${dir} was written in format ${json.keel}; this version of keel reads up to format ${KEEL_FORMAT}: ` +
        'start the keel that wrote it, or have that one save a snapshot (keelctl snapshot save) and restore it with ' +
        'this one (keelutl snapshot restore)',
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

function checksum(json: string): string {
  return crc32c(Buffer.from(json, 'latin1')).toString(16).padStart(8, '0');
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
    const text = JSON.stringify(json);
    beside.writeSync(0, Buffer.from(`${text} ${checksum(text)}\n`));
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
