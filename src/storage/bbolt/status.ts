import { crc32c } from '../../util/crc32c.js';
import { decodeKeyValue } from '../../wire/key-value.js';
import { BboltError } from './errors.js';
import type { BboltReader } from './reader.js';
import { revisionOf } from './schema.js';

/** What `snapshot status` says of a file (etcd operations §5.6). */
export interface FileStatus {
  /** CRC-32C over every bucket's name, its keys and values. */
  readonly hash: number;
  /** The newest stored one; 0 where there is none. */
  readonly revision: number;
  /** User keys that exist. */
  readonly totalKey: number;
  /** Bytes, without a trailer. */
  readonly totalSize: number;
  /** storageVersion; empty in files of etcd 3.5. */
  readonly version: string;
}

/**
 * Reads all of a file, checks it, and sums it up. Holds the names of the live user keys.
 * @throws BboltError
 */
export function fileStatus(reader: BboltReader): FileStatus {
  try {
    reader.check();
  } catch (err) {
    if (!(err instanceof BboltError)) throw err;
    const text = `snapshot file integrity check failed. 1 errors found.\n${err.message}`;
    throw new BboltError(err.code, text, err);
  }
  let hash = 0;
  let revision = 0;
  let version = '';
  const live = new Set<string>();
  for (const bucket of reader.buckets()) {
    hash = crc32c(Buffer.from(bucket.name), hash);
    for (const [key, value] of bucket.rows()) {
      hash = crc32c(value, crc32c(key, hash));
      if (bucket.name === 'meta' && key.equals(STORAGE_VERSION)) version = value.toString();
      if (bucket.name !== 'key') continue;
      revision = revisionOf(key).main;
      const kv = keyValueOf(key, value);
      if (kv.version > 0) live.add(kv.key);
      else live.delete(kv.key);
    }
  }
  return { hash, revision, totalKey: live.size, totalSize: reader.size, version };
}

const STORAGE_VERSION = Buffer.from('storageVersion');

function keyValueOf(key: Buffer, value: Buffer): { key: string; version: number } {
  try {
    return decodeKeyValue(value);
  } catch (err) {
    throw new BboltError(
      'ERR_CORRUPT',
      `cannot unmarshal value, key: ${key.toString('hex')}: ${(err as Error).message}`,
    );
  }
}
