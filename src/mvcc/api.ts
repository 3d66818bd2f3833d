import type { Backend, BackendError } from '../storage/backend/index.js';
import type { DeleteRangeRequest } from '../wire/delete-range.js';
import type { PutRequest } from '../wire/put.js';
import type { RangeRequest } from '../wire/range.js';
import type { TxnRequest } from '../wire/txn.js';
import type { WatchCreateRequest } from '../wire/watch.js';
import type {
  DeleteRangeResult,
  HashKvResult,
  PutResult,
  RangeResult,
  ReadRefusal,
  TxnResult,
  WatchSink,
  WatchStreamOptions,
  WriteRefusal,
} from './types.js';

/** What the rooms above may call. A refusal is a string, a result an object. */
export interface MvccApi {
  /** Revision of the last transaction that changed something; 1 in a fresh store. */
  readonly currentRev: number;
  /** -1: never compacted. */
  readonly compactRev: number;
  readonly watch: WatchHubApi;

  /** A read outside a transaction, at once; a value that is in no memory is read from the store and blocks. */
  range(req: RangeRequest): RangeResult | ReadRefusal;
  /** The same in slices and without blocking. The answer may come before the call returns. */
  rangeLater(req: RangeRequest, cb: (err: BackendError | null, result: RangeResult | ReadRefusal | null) => void): void;
  /** A transaction for which isTxnReadonly holds, outside the log. */
  readTxn(req: TxnRequest): TxnResult | ReadRefusal;

  applyPut(req: PutRequest): PutResult | WriteRefusal;
  applyDeleteRange(req: DeleteRangeRequest): DeleteRangeResult;
  applyTxn(req: TxnRequest): TxnResult | WriteRefusal;
  /** Deletes these keys, in this order, in one revision (a lease's end). @returns how many existed */
  deleteKeys(keys: readonly string[]): number;
  /** Sets the compact revision; the rows go in later steps. */
  applyCompact(revision: number): { revision: number } | ReadRefusal;

  /** Does one bounded slice of waiting work. @returns whether there is more that can be done at once */
  step(): boolean;
  /** Calls back once the rows below the compact revision of this moment are gone (physical=true). */
  onCompacted(cb: () => void): void;
  hashKv(revision: number, cb: (err: BackendError | null, result: HashKvResult | ReadRefusal | null) => void): void;
  /** Replaces the content by another backend's (a snapshot was installed); the old state is served until the callback. */
  restore(backend: Backend, cb: (err: BackendError | null) => void): void;
  close(): void;
}

export interface WatchHubApi {
  openStream(sink: WatchSink, options?: WatchStreamOptions): WatchStreamApi;
  /** Sends the progress notifications that are due. @param now ms on the monotonic clock; call it every 100 ms or so */
  tick(now: number): void;
}

/** The watchers of one client stream (etcd semantics §4). */
export interface WatchStreamApi {
  readonly watcherCount: number;
  /** Answers with a created response, maybe a cancelled one. Permission has been checked. */
  create(req: WatchCreateRequest): void;
  /** The answer to a create that is refused from outside (permission): created, cancelled, watch_id -1. */
  refuse(reason: string): void;
  cancel(watchId: number): void;
  progress(): void;
  /** The sink has room again. */
  resume(): void;
  close(): void;
}
