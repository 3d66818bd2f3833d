import type { Backend, BackendError } from '../storage/backend/index.js';
import { Bucket } from '../storage/backend/index.js';
import { StoredLease } from '../wire/lease.js';
import type { LeaseRow } from './types.js';

/** The row of a lease (etcd wire §7.4): 8-byte big-endian id to leasepb.Lease. */
export function putLeaseRow(backend: Backend, lease: LeaseRow, fresh: boolean): void {
  backend.put(Bucket.lease, leaseKey(lease.id), StoredLease.encode(lease), fresh);
}

export function delLeaseRow(backend: Backend, id: bigint): void {
  backend.del(Bucket.lease, leaseKey(id));
}

const ROWS_AT_ONCE = 1000;
/** Above every 8-byte key. */
const END = Buffer.alloc(9, 0xff);

/** Reads all leases, in slices. */
export function readLeases(backend: Backend, cb: (err: BackendError | null, leases: LeaseRow[]) => void): void {
  const leases: LeaseRow[] = [];
  const cursor = backend.scan(Bucket.lease, Buffer.alloc(1), END);
  const next = (): void => {
    cursor.next(ROWS_AT_ONCE, (err, rows) => {
      if (err !== null || rows.length === 0) {
        cursor.close();
        cb(err, leases);
        return;
      }
      for (const [, value] of rows) leases.push(StoredLease.decode(value));
      next();
    });
  };
  next();
}

function leaseKey(id: bigint): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigInt64BE(id);
  return key;
}
