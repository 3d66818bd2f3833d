import type { BackendPin, Bucket, StoredBackend } from '../storage/backend/index.js';
import { BUCKET_NAMES } from '../storage/backend/index.js';
import { crc32c } from '../util/crc32c.js';

const SKIPPED = new Set(['consistent_index', 'term', 'storageVersion']);
const BOTTOM = Buffer.alloc(0);
const TOP = Buffer.alloc(64, 0xff);
const SLICE = 1000;

/**
 * CRC-32C over the whole database, as Maintenance.Hash gives it: every bucket's name, then its keys and values, in
 * byte order (semantics 7). Read in slices from a pinned store, so that nothing waits for it.
 */
export function hashDatabase(backend: StoredBackend, cb: (err: Error | null, hash: number) => void): void {
  backend.flush((flushError) => {
    if (flushError !== null) return cb(flushError, 0);
    backend.pin((err, pin) => {
      if (err !== null || pin === null) return cb(err, 0);
      hashBuckets(pin, (hashError, hash) => {
        pin.close();
        cb(hashError, hash);
      });
    });
  });
}

function hashBuckets(pin: BackendPin, cb: (err: Error | null, hash: number) => void): void {
  const buckets = BUCKET_NAMES.map((name, number) => ({ name, number })).slice(1);
  buckets.sort((a, b) => (a.name < b.name ? -1 : 1));
  let hash = 0;
  const next = (i: number): void => {
    const bucket = buckets[i];
    if (bucket === undefined) return cb(null, hash);
    hash = crc32c(Buffer.from(bucket.name), hash);
    const cursor = pin.scan(bucket.number as Bucket, BOTTOM, TOP);
    const more = (): void =>
      cursor.next(SLICE, (err, rows) => {
        if (err !== null || rows.length === 0) {
          cursor.close();
          if (err !== null) return cb(err, 0);
          return next(i + 1);
        }
        for (const [key, value] of rows) {
          if (bucket.name === 'meta' && SKIPPED.has(key.toString('latin1'))) continue;
          hash = crc32c(value, crc32c(key, hash));
        }
        more();
      });
    more();
  };
  next(0);
}
