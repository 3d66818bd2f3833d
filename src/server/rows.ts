import type { Backend, BackendError, Bucket } from '../storage/backend/index.js';
import type { KvRow } from '../util/env.js';

const SLICE = 1000;
/** Above every key of a bucket: none is longer than etcd's 32,768 bytes, and none begins with 64 bytes of 0xff. */
const TOP = Buffer.alloc(64, 0xff);
const BOTTOM = Buffer.alloc(0);

/** Reads all rows of a small bucket. */
export function readBucket(
  backend: Backend,
  bucket: Bucket,
  cb: (err: BackendError | null, rows: KvRow[]) => void,
): void {
  const cursor = backend.scan(bucket, BOTTOM, TOP);
  const all: KvRow[] = [];
  const more = (): void => {
    cursor.next(SLICE, (err, rows) => {
      if (err !== null || rows.length === 0) {
        cursor.close();
        return cb(err, all);
      }
      for (const row of rows) all.push(row);
      more();
    });
  };
  more();
}
