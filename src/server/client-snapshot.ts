import type { StoredBackend } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import type { RowEdit } from '../storage/bbolt/index.js';
import { BboltExport } from '../storage/bbolt/index.js';
import type { Timers } from '../util/env.js';
import { STORAGE_VERSION } from '../util/versions.js';
import type { Completion, SnapshotFile } from './api.js';
import { ServerError } from './errors.js';

/** What etcd's schema has and our store need not keep. */
const EDITS: readonly RowEdit[] = [
  { bucket: Bucket.meta, key: Buffer.from('storageVersion'), value: Buffer.from(STORAGE_VERSION) },
];

/**
 * The database as it is now, as a file of etcd's (semantics 7, Snapshot). All that was applied is flushed and pinned,
 * then measured; writes go on meanwhile. To be closed by the receiver.
 */
export function openClientSnapshot(backend: StoredBackend, timers: Timers, done: Completion<SnapshotFile>): void {
  const fail = (err: Error | null): void => done.fail(new ServerError('ERR_INTERNAL', err?.message ?? 'no snapshot'));
  backend.flush((flushError) => {
    if (flushError !== null) return fail(flushError);
    backend.pin((pinError, pin) => {
      if (pinError !== null || pin === null) return fail(pinError);
      const file = new BboltExport(pin, timers, EDITS);
      file.measure((err) => {
        if (err !== null) return fail(err);
        done.ok({
          size: file.size,
          version: STORAGE_VERSION,
          index: pin.index,
          next: (cb) => file.next(cb),
          close: () => file.close(),
        });
      });
    });
  });
}
