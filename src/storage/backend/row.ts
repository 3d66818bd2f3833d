import { update } from '../../util/crc32c.js';
import { BUCKET_NAMES } from './bucket.js';
import { BackendError } from './errors.js';

/*
 * A row in the store:
 *
 *   key    | bucket, 1 byte | etcd's key bytes |
 *   value  | etcd's value bytes | CRC-32C over the stored key and the value, 4 bytes big-endian |
 *
 * The binding does not verify LevelDB's own block checksums, so ours is the only one that stands between rot and a
 * client. It covers the key: a row that is read back under another row's key fails too.
 */
export const CRC_BYTES = 4;

/** etcd counts a row's page element with it: 16 bytes a row. */
export const ROW_OVERHEAD = 16;
/** A fresh database of etcd's: five pages. */
export const EMPTY_BYTES = 20480;

/** What a row adds to sizeInUse. */
export function rowBytes(keyBytes: number, valueBytes: number): number {
  return keyBytes + valueBytes + ROW_OVERHEAD;
}

export function rowKey(bucket: number, key: Buffer): Buffer {
  const out = Buffer.allocUnsafe(1 + key.length);
  out[0] = bucket;
  key.copy(out, 1);
  return out;
}

/** The first row key behind a bucket. */
export function bucketEnd(bucket: number): Buffer {
  return Buffer.from([bucket + 1]);
}

/** A stored value for `key` (a row key) in a buffer of its own. */
export function sealed(key: Buffer, value: Buffer): Buffer {
  const out = Buffer.allocUnsafe(value.length + CRC_BYTES);
  value.copy(out);
  out.writeUInt32BE(update(update(0, key, 0, key.length), value, 0, value.length), value.length);
  return out;
}

/**
 * The value within a stored one: a view of it.
 * @throws BackendError ERR_CORRUPT, naming bucket and key
 */
export function unsealed(key: Buffer, stored: Buffer): Buffer {
  const end = stored.length - CRC_BYTES;
  if (end < 0) throw corrupt(key, `has ${stored.length} bytes`);
  const crc = update(update(0, key, 0, key.length), stored, 0, end);
  if (crc !== stored.readUInt32BE(end)) throw corrupt(key, 'fails its checksum');
  return stored.subarray(0, end);
}

function corrupt(key: Buffer, what: string): BackendError {
  const bucket = BUCKET_NAMES[key[0] ?? -1] ?? `bucket ${key[0]}`;
  return new BackendError('ERR_CORRUPT', `backend: row ${bucket}/${key.subarray(1).toString('hex')} ${what}`);
}

/** Seals rows into one pair of reused buffers, for a batch that copies what it is given. */
export class RowWriter {
  #key = Buffer.allocUnsafe(64);
  #value = Buffer.allocUnsafe(4096);

  /** Views of the last row's bytes, good until the next `set`. */
  key: Buffer = this.#key;
  value: Buffer = this.#value;

  /** @param id the key's bytes as a latin1 string */
  set(bucket: number, id: string, value: Buffer): void {
    this.setKey(bucket, id);
    const end = value.length;
    if (this.#value.length < end + CRC_BYTES) this.#value = Buffer.allocUnsafe(2 * (end + CRC_BYTES));
    const crc = update(update(0, this.key, 0, this.key.length), value, 0, end);
    value.copy(this.#value);
    this.#value.writeUInt32BE(crc, end);
    this.value = this.#value.subarray(0, end + CRC_BYTES);
  }

  setKey(bucket: number, id: string): void {
    const end = 1 + id.length;
    if (this.#key.length < end) {
      this.#key = Buffer.allocUnsafe(2 * end);
      this.key = this.#key.subarray(0, end);
    } else if (this.key.length !== end) {
      // Nearly all keys are revisions, of one length: the view is made once.
      this.key = this.#key.subarray(0, end);
    }
    this.#key[0] = bucket;
    this.#key.latin1Write(id, 1, id.length);
  }
}
