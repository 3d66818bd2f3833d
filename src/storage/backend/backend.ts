import type { KvRow } from '../../util/env.js';
import type { Bucket } from './bucket.js';
import type { BackendError } from './errors.js';

/**
 * The rows of the replicated state machine, by etcd's buckets, with the index of the last entry applied to them.
 *
 * Writes go to an overlay in memory and are visible to every later read. `setApplied` closes one apply; a flush takes
 * all closed applies to the store in one durable batch together with their index, so after a crash the store is
 * exactly the state at some applied index, never a part of an apply. The WAL holds the rest.
 *
 * Buffers handed in belong to the backend and must not change; buffers handed out must not be changed.
 * Callbacks never run before the call that took them has returned.
 */
export interface Backend {
  /** Index and term of the last closed apply; 0 in a new store. */
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** Index and term that the store would have after a power cut now. The WAL may be cut up to here. */
  readonly flushedIndex: number;
  readonly flushedTerm: number;
  /** ConfState as JSON (etcd wire §7.4), as last set; undefined in a new store. */
  readonly confState: Buffer | undefined;

  /** Bytes as etcd's Status.dbSizeInUse: 20480 + the sum over rows of key + value + 16. */
  readonly sizeInUse: number;
  /** Bytes as etcd's Status.dbSize: the high-water mark of sizeInUse since the last defragment(). */
  readonly size: number;
  /** Rows in all of etcd's buckets. */
  readonly rowCount: number;

  /** Bytes that wait in memory for a flush. */
  readonly overlayBytes: number;
  /** The overlay is at its bound: apply nothing more until onDrain. (Advice: writes are still taken.) */
  readonly full: boolean;

  /** After each flush, when flushedIndex has its new value. */
  onFlushed: ((index: number, term: number) => void) | null;
  /** A flush failed, or a read found damage where no caller could be told. The member must stop; nothing is retried. */
  onError: ((err: BackendError) => void) | null;
  /** `full` became false again. */
  onDrain: (() => void) | null;

  /**
   * @param key etcd's key, at least one byte
   * @param fresh the caller knows that there is no such row (a new revision): saves the look-up of the old row's size
   */
  put(bucket: Bucket, key: Buffer, value: Buffer, fresh?: boolean): void;
  /**
   * Deletes a row; does nothing if there is none.
   * @param valueBytes length of the stored value, if the caller knows that the row exists: saves a look-up
   */
  del(bucket: Bucket, key: Buffer, valueBytes?: number): void;
  /**
   * Blocks if the row is not in the overlay: for apply and recovery only.
   * @throws BackendError ERR_CORRUPT if the row fails its checksum
   */
  get(bucket: Bucket, key: Buffer): Buffer | undefined;
  /** As `get` from memory alone: null for "known not to exist", undefined for "the store must be asked". */
  peek(bucket: Bucket, key: Buffer): Buffer | null | undefined;
  /** The rows as they are at the time of this call, in the order of `keys`. Does not block. */
  getMany(bucket: Bucket, keys: Buffer[], cb: (err: BackendError | null, values: (Buffer | undefined)[]) => void): void;
  /** Rows with gte <= key < lt in key order, as they are at the time of this call. To be closed. */
  scan(bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor;

  /** Stored with the apply that is open. */
  setConfState(json: Buffer): void;
  /**
   * Closes an apply: what was put since the last call belongs to it. The index may stay as it is (work of this member
   * alone, such as a slice of a compaction), but not go back.
   */
  setApplied(index: number, term: number): void;
  /**
   * Closes work of this member alone (a slice of a compaction) that was done between applies:
   * setApplied(appliedIndex, appliedTerm).
   */
  endLocal(): void;
  /**
   * Takes every apply closed so far to the store, at once instead of at the next flush by time or size. If an apply is
   * open, the flush begins when it is closed. The callback comes when all that is durable.
   */
  flush(cb?: (err: BackendError | null) => void): void;

  /** Asks the store to give back the space of deleted rows in a range, in the background. */
  reclaim(bucket: Bucket, gte: Buffer, lt: Buffer): void;
  /** `size` falls to `sizeInUse`; the store reclaims in the background. Nothing stops for it. */
  defragment(): void;

  /** Pins the store at its flushedIndex, when no flush is under way (flush first for a fresh one). To be closed. */
  pin(cb: (err: BackendError | null, pin: BackendPin | null) => void): void;

  /** Flushes closed applies and closes the store when open cursors and pins are closed. Idempotent. */
  close(cb?: (err: BackendError | null) => void): void;
}

export interface BackendCursor {
  /** Up to `n` more rows, [key, value]; an empty array is the end. One call at a time. */
  next(n: number, cb: (err: BackendError | null, rows: KvRow[]) => void): void;
  close(): void;
}

/** The store at one applied index, unmoved by later flushes. */
export interface BackendPin {
  readonly index: number;
  readonly term: number;
  readonly confState: Buffer | undefined;
  readonly sizeInUse: number;
  readonly rowCount: number;
  /** Of what was applied; -1: not known (state-hash.ts). */
  readonly stateHash: number;
  scan(bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor;
  close(): void;
}
