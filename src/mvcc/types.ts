import type { BackendError } from '../storage/backend/index.js';
import type { ResponsePart } from '../wire/txn.js';
import type { WatchId } from '../wire/watch.js';
import type { CheckpointSource } from './load.js';

/** Why a read is refused (etcd semantics §3.2). Deterministic: no progress of one member's own work decides it. */
export type ReadRefusal = 'compacted' | 'future';
/** Why an applied write changes nothing (etcd semantics §3.4, §3.6). */
export type WriteRefusal = ReadRefusal | 'lease-not-found' | 'key-not-found';

/** Why a range of many keys was given up: its caller is gone, or takes no answers and others need the memory. */
export type Unread = 'abandoned' | 'crowded-out';

/** Rows are marshalled KeyValues, to be spliced into an answer; nobody changes their bytes. */
export interface RangeResult {
  /** For the header: the revision of the store, not the one that was read. */
  readonly revision: number;
  readonly kvs: readonly Buffer[];
  readonly more: boolean;
  /** Keys in the range at that revision, whatever limit and filters say. */
  readonly count: number;
}

export interface PutResult {
  readonly revision: number;
  /** null: not asked for, or the key is new. */
  readonly prevKv: Buffer | null;
}

export interface DeleteRangeResult {
  readonly revision: number;
  readonly deleted: number;
  /** In key order; empty unless asked for. */
  readonly prevKvs: readonly Buffer[];
}

export interface TxnResult {
  readonly revision: number;
  readonly succeeded: boolean;
  /** In the order of the operations of the branch that was taken. */
  readonly parts: readonly ResponsePart[];
}

export interface HashKvResult {
  readonly hash: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
  readonly hashRevision: number;
  /** Of the store when the hash was asked for. */
  readonly revision: number;
}

/** What the store needs to know of leases. Attachments are no rows of their own: they follow from the live keys. */
export interface LeaseKeeper {
  exists(id: bigint): boolean;
  /** The lease exists. Replaces the key's earlier attachment. */
  attach(id: bigint, key: string): void;
  /** Does nothing if the key has no lease. */
  detach(key: string): void;
  /** 0n: it has none. */
  leaseOf(key: string): bigint;
}

export interface MvccOptions {
  /** Newest values kept in memory, in bytes. Default 64 MiB. */
  readonly valueCacheBytes?: number;
  /** Revisions whose events stay in memory for watchers that are a little behind. Default 4096. */
  readonly eventLogRevisions?: number;
  /** The same in bytes of events. Default 16 MiB. */
  readonly eventLogBytes?: number;
  /** Bytes that ranges of many keys may keep in all; beyond, they are read one after the other. Default 64 MiB. */
  readonly rangeBytes?: number;
  /** Rows read in one slice by a catch-up of watchers, a hash or a restart. Default 1000. */
  readonly sliceRows?: number;
  /** Keys looked at, or rows deleted, in one step of a compaction. Default 1000. */
  readonly compactionSliceRows?: number;
  /** Calls back when the next step of a compaction may begin; null, the default: at once. */
  readonly compactionPause?: ((resume: () => void) => void) | null;
  /** Default 1.5 MiB + 512 KiB: a watch response of a watcher with `fragment` stays below it. */
  readonly watchFragmentBytes?: number;
  readonly leases?: LeaseKeeper;
  /** An index that was written down earlier; null, the default: every row is read. */
  readonly checkpoint?: CheckpointSource | null;
  /**
   * There is work in slices (a compaction, watchers behind): call `step()` soon, and as long as it returns true.
   * Called at most once between two calls of `step()`, from within any method.
   */
  readonly wake?: () => void;
  /** The backend failed or found damage in work that nobody waits for: the member must stop. */
  readonly onError?: (err: BackendError) => void;
  /** Bugs put back on purpose, by their number in the museum of the simulator: 33, 35, 36, 43 to 49. */
  readonly mutants?: ReadonlySet<string>;
}

/** One WatchResponse, its events marshalled. `events` are shared by all watchers and never change. */
export interface WatchPart {
  readonly watchId: WatchId;
  /** For the header; 0 in a cancel after a compaction (etcd semantics §12). */
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  /** Marshalled mvccpb.Event messages, without tag and length. */
  readonly events: readonly Buffer[];
}

/** Where the responses of a watch stream go. It must not call back into the stream before `send` has returned. */
export interface WatchSink {
  /**
   * Always takes the part. Returns false when it is full: from then on no events are sent (answers to create, cancel
   * and progress still are) until `WatchStream.resume`.
   */
  send(part: WatchPart): boolean;
}

export interface WatchStreamOptions {
  /** Interval of progress_notify in ms, with the jitter in it. Default 10 minutes; at least 100 ms. */
  readonly progressIntervalMs?: number;
}
