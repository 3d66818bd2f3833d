import { parseVersion } from '../../util/versions.js';
import { decodeKeyValue } from '../../wire/key-value.js';
import { BUCKET_NAMES } from '../backend/index.js';
import { BboltError } from './errors.js';

const REVISION_BYTES = 17;
const UNDERSCORE = 0x5f;
const TOMBSTONE = 0x74;

/** Main and sub of a row's key in the bucket `key` (etcd wire §7.4). @throws BboltError ERR_FORMAT */
export function revisionOf(key: Buffer): { main: number; sub: number } {
  const isTombstone = key.length === REVISION_BYTES + 1 && key[REVISION_BYTES] === TOMBSTONE;
  if ((key.length !== REVISION_BYTES && !isTombstone) || key[8] !== UNDERSCORE) {
    throw new BboltError('ERR_FORMAT', `not a revision in bucket key: ${key.toString('hex', 0, 40)}`);
  }
  return { main: uint(key, 0), sub: uint(key, 9) };
}

/** Revisions of ours stay below 2^53 (etcd's may in theory be higher). */
function uint(key: Buffer, at: number): number {
  const n = key.readUInt32BE(at) * 0x1_0000_0000 + key.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(n)) throw new BboltError('ERR_FORMAT', `a revision beyond 2^53: ${key.toString('hex')}`);
  return n;
}

/**
 * Whether a row is one that a member can read; what it cannot would stop it at its start.
 * @throws BboltError ERR_FORMAT
 */
export function mustReadable(bucket: string, key: Buffer, value: Buffer): void {
  switch (bucket) {
    case 'key':
      revisionOf(key);
      try {
        decodeKeyValue(value);
      } catch (err) {
        throw new BboltError('ERR_FORMAT', `no KeyValue at ${key.toString('hex')}: ${(err as Error).message}`);
      }
      return;
    case 'lease':
      if (key.length !== 8) throw new BboltError('ERR_FORMAT', `not a lease's id: ${key.toString('hex', 0, 40)}`);
      return;
    case 'meta':
      if (key.toString('latin1').endsWith('CompactRev')) revisionOf(value.subarray(0, REVISION_BYTES));
      return;
    default:
      return;
  }
}

/** Whether a file's schema is one that is known here. @param version storageVersion; empty for etcd 3.5 */
export function mustKnownVersion(version: string, ours: string): void {
  if (version === '') return;
  const theirs = parseVersion(version);
  const own = parseVersion(ours)!;
  const isNewer =
    theirs !== null && (theirs.major > own.major || (theirs.major === own.major && theirs.minor > own.minor));
  if (theirs === null || isNewer) {
    throw new BboltError(
      'ERR_FORMAT',
      `the file has storage version ${version}; this version of keel reads up to ${ours}`,
    );
  }
}

/** The number of a bucket by etcd's name; 0 for one that etcd has not. */
export function bucketNumber(name: string): number {
  const number = BUCKET_NAMES.indexOf(name);
  return number < 1 ? 0 : number;
}
