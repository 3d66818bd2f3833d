import type { KvRow, Timers } from '../../util/env.js';
import type { BackendCursor, BackendError, Bucket } from '../backend/index.js';
import { BUCKET_NAMES } from '../backend/index.js';
import type { BboltReader, FileBucket } from './reader.js';

/** The reading part of a backend, over a file. The file must have been checked: a read does not fail. */
export class FileRows {
  readonly #buckets: ReadonlyMap<string, FileBucket>;
  readonly #timers: Timers;

  constructor(reader: BboltReader, timers: Timers) {
    this.#buckets = new Map(reader.buckets().map((bucket) => [bucket.name, bucket]));
    this.#timers = timers;
  }

  getMany(
    bucket: Bucket,
    keys: Buffer[],
    cb: (err: BackendError | null, values: (Buffer | undefined)[]) => void,
  ): void {
    const values = new Array<Buffer | undefined>(keys.length).fill(undefined);
    for (const [key, value] of this.#rows(bucket)) {
      const at = keys.findIndex((wanted) => wanted.equals(key));
      if (at >= 0) values[at] = value;
    }
    this.#timers.defer(() => cb(null, values));
  }

  scan(bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor {
    const rows = this.#rows(bucket);
    return {
      next: (n, cb) => {
        const out: KvRow[] = [];
        while (out.length < n) {
          const row = rows.next();
          if (row.done) break;
          const [key] = row.value;
          if (key.compare(gte) >= 0 && key.compare(lt) < 0) out.push(row.value);
        }
        this.#timers.defer(() => cb(null, out));
      },
      close: () => void rows.return(undefined),
    };
  }

  #rows(bucket: Bucket): Generator<KvRow> {
    return this.#buckets.get(BUCKET_NAMES[bucket]!)?.rows() ?? none();
  }
}

function* none(): Generator<KvRow> {}
