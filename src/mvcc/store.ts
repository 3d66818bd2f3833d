import type { Backend, BackendError } from '../storage/backend/index.js';
import { assert } from '../util/assert.js';
import type { DeleteRangeRequest } from '../wire/delete-range.js';
import type { PutRequest } from '../wire/put.js';
import type { RangeRequest } from '../wire/range.js';
import type { TxnRequest } from '../wire/txn.js';
import { execute, executeDeleteRange, executePut, refusePath, refuseSinglePut, takePath } from './apply-txn.js';
import { CheckpointWalk } from './checkpoint.js';
import { Compactor } from './compactor.js';
import { HASH_OF_NOTHING, HashKvJob, hashRevision } from './hash-kv.js';
import type { Keyspace } from './keyspace.js';
import type { Loaded } from './load.js';
import { loadKeyspace } from './load.js';
import type { Caller, RangeJobOwner } from './range-job.js';
import { LISTENING, RangeJob } from './range-job.js';
import { readRange } from './read-range.js';
import type { ReadSlices, TxnCallback } from './txn-job.js';
import { isSmallTxn, TxnJob } from './txn-job.js';
import type {
  DeleteRangeResult,
  HashKvResult,
  LeaseKeeper,
  MvccOptions,
  PutResult,
  RangeResult,
  ReadRefusal,
  TxnResult,
  Unread,
  WriteRefusal,
} from './types.js';
import { WatchHub } from './watch-hub.js';
import { WriteTxn } from './write-txn.js';

type Attachments = ReadonlyMap<string, bigint>;
type RangeCallback = (err: BackendError | null, result: RangeResult | ReadRefusal | Unread | null) => void;
type HashCallback = (err: BackendError | null, result: HashKvResult | ReadRefusal | null) => void;

/** Keys put and deleted, the bytes of what was put, ranges outside of transactions, and transactions. */
export interface StoreTraffic {
  readonly puts: number;
  readonly deletes: number;
  readonly putBytes: number;
  readonly ranges: number;
  readonly txns: number;
}

/**
 * The replicated, revisioned key-value store of a member (etcd semantics §3, §4, §7). A refusal is a string, a result
 * an object. The `apply...` methods are called for committed entries, in order, and depend on nothing but what was
 * applied before: no clock, no chance, no progress of this member's own work. Reads may be made at any time between.
 */
export class MvccStore {
  readonly watch: WatchHub;
  /** For work of the owner's that goes on beside. */
  onClose: (() => void) | null = null;
  readonly #options: ResolvedOptions;
  readonly #leases: LeaseKeeper | null;
  readonly #txn: WriteTxn;
  #ranges = 0;
  #txns = 0;
  #space: Keyspace;
  #compactor: Compactor;
  #attachments: Attachments;
  #hashes = 0;
  /** Checkpoints being written down: one at most. */
  #walks = 0;
  #newRows: number;
  /** Ranges under way. */
  readonly #jobs = new Map<RangeJob, RangeCallback>();
  /** Those of them that wait for their next slice. */
  readonly #readyJobs = new Set<RangeJob>();
  readonly #jobOwner: RangeJobOwner = {
    ready: (job) => {
      this.#readyJobs.add(job);
      this.#wake();
    },
    ended: (job, err, result) => this.#jobEnded(job, err, result),
  };
  #woken = false;
  /** Between two steps of a compaction. */
  #resting = false;
  #stepping = false;
  #closed = false;
  /** Who waits for the content that replaces this one; null: it is not being replaced. */
  #waiting: (() => void)[] | null = null;

  /** By way of openMvcc. */
  constructor(loaded: Loaded, options: ResolvedOptions, leases: LeaseKeeper | null) {
    this.#options = options;
    this.#leases = leases;
    this.#txn = new WriteTxn(leases);
    this.#space = loaded.space;
    this.#attachments = loaded.attachments;
    this.#newRows = loaded.rows;
    this.#compactor = this.#newCompactor();
    this.watch = new WatchHub(this.#space, {
      eventLogRevisions: options.eventLogRevisions,
      eventLogBytes: options.eventLogBytes,
      fragmentBytes: options.watchFragmentBytes,
      sliceRows: options.sliceRows,
      wake: () => this.#wake(),
      onError: options.onError,
      mutants: options.mutants,
    });
    if (this.#compactor.pending) this.#wake();
  }

  /** Revision of the last transaction that changed something; 1 in a fresh store. */
  get currentRev(): number {
    return this.#space.currentRev;
  }

  /** Reads below it are refused; -1: never compacted. */
  get compactRev(): number {
    return this.#space.compactRev;
  }

  /** Keys in the index, with those deleted and not compacted yet. */
  get keyCount(): number {
    return this.#space.index.size;
  }

  /** What has gone through the store since the start, for metrics. */
  get traffic(): StoreTraffic {
    const { puts, deletes, putBytes } = this.#txn;
    return { puts, deletes, putBytes, ranges: this.#ranges, txns: this.#txns };
  }

  /**
   * The lease of each live key that has one, as `openMvcc` or `restore` found them: for the lessor, before anything is
   * applied. Given once; after that the lessor knows better.
   */
  attachments(): Attachments {
    const attachments = this.#attachments;
    this.#attachments = new Map();
    return attachments;
  }

  // --- reads ---

  /** A read outside a transaction, at once; a value that is in no memory is read from the store and blocks. */
  range(req: RangeRequest): RangeResult | ReadRefusal {
    this.#ranges++;
    return readRange(this.#space, req, this.#space.currentRev);
  }

  /**
   * The same without blocking. The answer may come before the call returns.
   * @param caller looked at between slices: 'abandoned' is the answer once it is over
   */
  rangeLater(req: RangeRequest, cb: RangeCallback, caller: Caller = LISTENING): void {
    if (this.#waiting !== null) {
      this.#waiting.push(() => this.rangeLater(req, cb, caller));
      return;
    }
    if (req.rangeEnd === '' && this.#space.inMemory(req.key, req.revision)) {
      cb(null, this.range(req));
      return;
    }
    this.#ranges++;
    const job = new RangeJob(this.#space, req, this.#jobOwner, caller);
    const waits = this.#jobs.size >= JOBS_AT_ONCE && job.isBig;
    this.#jobs.set(job, cb);
    if (waits) this.#jobOwner.ready(job);
    else job.slice();
  }

  /** A transaction for which isTxnReadonly holds, outside the log and without blocking, as `rangeLater`. */
  txnLater(req: TxnRequest, cb: TxnCallback, caller: Caller = LISTENING): void {
    const again = (): void => this.txnLater(req, cb, caller);
    if (this.#waiting !== null) {
      this.#waiting.push(again);
      return;
    }
    const space = this.#space;
    if (isSmallTxn(space, req)) {
      cb(null, this.readTxn(req));
      return;
    }
    const path = takePath(space, req);
    const refusal = refusePath(space, this.#leases, path, space.compactRev) as ReadRefusal | null;
    if (refusal !== null) {
      cb(null, refusal);
      return;
    }
    const read: ReadSlices = (range, revision, done) => {
      const job = new RangeJob(space, range, this.#jobOwner, caller, revision);
      this.#jobs.set(job, done);
      // Each in a turn of its own: there may be many of them.
      this.#jobOwner.ready(job);
    };
    new TxnJob(path, space.currentRev, read, again, cb).next();
  }

  #jobEnded(job: RangeJob, err: BackendError | null, result: RangeResult | ReadRefusal | Unread | null): void {
    const cb = this.#jobs.get(job) as RangeCallback;
    this.#jobs.delete(job);
    this.#readyJobs.delete(job);
    if (this.#readyJobs.size > 0) this.#wake();
    this.#wakeCompactor();
    if (err === null && result === null && !job.pinned) this.rangeLater(job.req, cb, job.caller);
    else cb(err, result);
  }

  /** Rows that a restart would have to read now, beside the last checkpoint. */
  get newRows(): number {
    return this.#newRows;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Begins to write down the index as it is now. Compaction stands still until the walk is closed.
   * @returns null where it cannot be done now: a compaction is under way, or the content is being replaced
   */
  checkpoint(): CheckpointWalk | null {
    const { compactRev, finishedCompactRev } = this.#space;
    if (this.#closed || this.#waiting !== null || this.#walks > 0 || finishedCompactRev < compactRev) return null;
    this.#walks++;
    const leases = this.#leases;
    return new CheckpointWalk(
      this.#space,
      (key) => leases?.leaseOf(key) ?? 0n,
      () => {
        this.#walks--;
        this.#wakeCompactor();
      },
    );
  }

  /** A checkpoint is durable, so that a restart needs so many rows less. */
  checkpointed(rows: number): void {
    this.#newRows = Math.max(0, this.#newRows - rows);
  }

  /** A transaction for which isTxnReadonly holds, outside the log. To be called when the store is readable. */
  readTxn(req: TxnRequest): TxnResult | ReadRefusal {
    const result = this.applyTxn(req);
    assert(result !== 'lease-not-found' && result !== 'key-not-found', 'mvcc: a read-only transaction writes');
    return result;
  }

  /** Calls back at once, or when the content that is being replaced has been. */
  whenReadable(cb: () => void): void {
    if (this.#waiting === null) cb();
    else this.#waiting.push(cb);
  }

  // --- apply ---

  applyPut(req: PutRequest): PutResult | WriteRefusal {
    const space = this.#space;
    const refusal = refuseSinglePut(space, this.#leases, req);
    if (refusal !== null) return refusal;
    const txn = this.#txn;
    txn.begin(space);
    const prevKv = executePut(txn, req);
    this.#commit();
    return { revision: space.currentRev, prevKv };
  }

  applyDeleteRange(req: DeleteRangeRequest): DeleteRangeResult {
    const space = this.#space;
    const txn = this.#txn;
    txn.begin(space);
    const { deleted, prevKvs } = executeDeleteRange(txn, req);
    this.#commit();
    return { revision: space.currentRev, deleted, prevKvs };
  }

  /** Changes all of it or nothing (etcd semantics §3.6). */
  applyTxn(req: TxnRequest): TxnResult | WriteRefusal {
    this.#txns++;
    const space = this.#space;
    const path = takePath(space, req);
    const { mutants } = this.#options;
    const readRev = mutants.has('35') ? space.finishedCompactRev : space.compactRev;
    const refusal = mutants.has('36') ? null : refusePath(space, this.#leases, path, readRev);
    if (refusal !== null) return refusal;
    const txn = this.#txn;
    txn.begin(space);
    const parts = execute(txn, path);
    this.#commit();
    return { revision: space.currentRev, succeeded: path.succeeded, parts };
  }

  /** Deletes these keys, in this order, in one revision (a lease's end). @returns how many existed */
  deleteKeys(keys: readonly string[]): number {
    const txn = this.#txn;
    txn.begin(this.#space);
    let deleted = 0;
    for (const key of keys) if (txn.deleteKey(key)) deleted++;
    this.#commit();
    return deleted;
  }

  /** Sets the compact revision, which refuses reads from now on; the rows go in later steps (etcd semantics §3.7). */
  applyCompact(revision: number): { readonly revision: number } | ReadRefusal {
    const space = this.#space;
    if (revision <= space.compactRev) return 'compacted';
    if (revision > space.currentRev) return 'future';
    this.#compactor.schedule(revision);
    this.#wake();
    return { revision: space.currentRev };
  }

  // --- work in slices ---

  /** Does one bounded slice of waiting work. @returns whether there is more that can be done at once */
  step(): boolean {
    this.#woken = false;
    if (this.#closed || this.#waiting !== null) return false;
    this.#stepping = true;
    let more = this.watch.step();
    if (this.#readyJobs.size > 0) more = this.#sliceJobs() || more;
    if (this.#mayCompact && !this.#resting && this.#compactor.step()) {
      if (this.#options.compactionPause === null) more = true;
      else this.#rest(this.#options.compactionPause);
    }
    this.#stepping = false;
    // Whoever woke us in the middle is told by the return value, and the next step is the owner's to call.
    this.#woken ||= more;
    return this.#woken;
  }

  /**
   * A slice of one range, in turns. Few are begun at once, and one of each client. Where they keep too much already, the
   * oldest goes on alone. One whose client takes nothing waits until `tick`, and has to go where even that is too much.
   * @returns whether to call again
   */
  #sliceJobs(): boolean {
    const bytesMax = this.#options.rangeBytes;
    const busy = new Set<string>();
    let bytes = 0;
    let begun = 0;
    let oldest: RangeJob | null = null;
    let largestHeld: RangeJob | null = null;
    for (const job of this.#jobs.keys()) {
      bytes += job.bytes;
      if (job.caller.isHeld === true) {
        if (this.#readyJobs.has(job) && job.bytes > (largestHeld?.bytes ?? 0)) largestHeld = job;
      } else if (job.isBegun) {
        oldest ??= job;
        begun++;
        busy.add(job.caller.remote ?? '');
      }
    }
    busy.delete('');
    if (bytes > 2 * bytesMax && largestHeld !== null) this.#jobEnded(largestHeld, null, 'crowded-out');
    for (const job of this.#readyJobs) {
      if (job.caller.isOver !== true) {
        if (job.caller.isHeld === true) continue;
        if (bytes > bytesMax && oldest !== null && job !== oldest) continue;
        if (!job.isBegun && (begun >= JOBS_AT_ONCE || busy.has(job.caller.remote ?? ''))) continue;
      }
      // It goes to the end.
      this.#readyJobs.delete(job);
      job.slice();
      return this.#readyJobs.size > 0;
    }
    return false;
  }

  /** Now and then: ranges that wait for their clients look again. */
  tick(): void {
    if (this.#readyJobs.size > 0) this.#wake();
  }

  #rest(pause: (resume: () => void) => void): void {
    this.#resting = true;
    pause(() => {
      this.#resting = false;
      this.#wakeCompactor();
    });
  }

  /** What reads in slices relies on the rows, and on the index, of its revision. */
  get #mayCompact(): boolean {
    return this.#hashes === 0 && this.#jobs.size === 0 && this.#walks === 0;
  }

  #wakeCompactor(): void {
    if (this.#mayCompact && this.#compactor.pending) this.#wake();
  }

  /** Calls back once the rows below the compact revision of this moment are gone (physical=true). */
  onCompacted(cb: () => void): void {
    this.#compactor.whenFinished(cb);
  }

  /** @param revision 0 for the current one. Compaction stands still meanwhile */
  hashKv(revision: number, cb: HashCallback): void {
    this.whenReadable(() => this.#hashKv(revision, cb));
  }

  #hashKv(revision: number, cb: HashCallback): void {
    const space = this.#space;
    const resolved = hashRevision(space, revision);
    if (typeof resolved === 'string') {
      cb(null, resolved);
      return;
    }
    if (resolved < 0) {
      const { compactRev, currentRev } = space;
      cb(null, { hash: HASH_OF_NOTHING, compactRevision: compactRev, hashRevision: resolved, revision: currentRev });
      return;
    }
    this.#hashes++;
    new HashKvJob(space, resolved, this.#options.sliceRows, (err, result) => {
      this.#hashes--;
      this.#wakeCompactor();
      // A snapshot came in between and may have taken the rows from under it.
      if ((space !== this.#space || this.#waiting !== null) && !this.#closed) this.hashKv(revision, cb);
      else cb(err, result);
    });
  }

  /**
   * The backend's rows are about to be replaced under this store: from now on it touches them no more. Reads wait for
   * `restore`, writes must not come. To be called before the rows change, where the backend stays the same object.
   */
  suspend(): void {
    if (this.#waiting !== null) return;
    this.#waiting = [];
    this.#space.retired = true;
    this.watch.suspend();
    for (const job of this.#readyJobs) job.slice();
  }

  /**
   * Replaces the content by that of a backend in which a snapshot was installed. When the new index stands everything
   * changes in one turn, `cb` included, and the watchers go on behind the last revision that they have heard of.
   */
  restore(backend: Backend, cb: (err: BackendError | null) => void): void {
    this.suspend();
    loadKeyspace(backend, { ...this.#options, checkpoint: null }, (err, loaded) => {
      if (loaded === null) {
        cb(err);
        return;
      }
      const before = this.#compactor;
      this.#space = loaded.space;
      this.#attachments = loaded.attachments;
      this.#newRows = loaded.rows;
      this.#compactor = this.#newCompactor();
      before.moveTo(this.#compactor);
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      cb(null);
      this.watch.restored(loaded.space);
      for (const read of waiting) read();
      this.#wake();
    });
  }

  /** No more slices; open streams are the owner's to close. */
  close(): void {
    this.#closed = true;
    this.onClose?.();
  }

  #commit(): void {
    const changes = this.#txn.commit();
    this.#newRows += changes.length;
    if (changes.length > 0) this.watch.notify(changes);
  }

  #wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    if (!this.#stepping) this.#options.wake();
  }

  #newCompactor(): Compactor {
    return new Compactor(this.#space, this.#options.compactionSliceRows, this.#options.mutants);
  }
}

/** Reads the rows and builds the index; a compaction that was interrupted goes on with the first steps. */
export function openMvcc(
  backend: Backend,
  options: MvccOptions,
  cb: (err: BackendError | null, store: MvccStore | null) => void,
): void {
  const resolved = resolve(options);
  loadKeyspace(backend, resolved, (err, loaded) => {
    if (loaded === null) cb(err, null);
    else cb(null, new MvccStore(loaded, resolved, options.leases ?? null));
  });
}

/** Big ranges that are read at once: one may wait for its rows while another is walked. */
const JOBS_AT_ONCE = 2;

type ResolvedOptions = Required<Omit<MvccOptions, 'leases'>>;

function resolve(options: MvccOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    valueCacheBytes: options.valueCacheBytes ?? 64 << 20,
    eventLogRevisions: options.eventLogRevisions ?? 4096,
    eventLogBytes: options.eventLogBytes ?? 16 << 20,
    rangeBytes: options.rangeBytes ?? 64 << 20,
    sliceRows: options.sliceRows ?? 1000,
    compactionSliceRows: options.compactionSliceRows ?? 1000,
    compactionPause: options.compactionPause ?? null,
    watchFragmentBytes: options.watchFragmentBytes ?? (1536 + 512) * 1024,
    wake: options.wake ?? (() => {}),
    onError:
      options.onError ??
      ((err) => {
        throw err;
      }),
    mutants: options.mutants ?? new Set<string>(),
    checkpoint: options.checkpoint ?? null,
  };
  assert(resolved.sliceRows > 0 && resolved.compactionSliceRows > 0, 'mvcc: slices hold at least one row');
  assert(resolved.eventLogRevisions >= 0 && resolved.valueCacheBytes >= 0, 'mvcc: a size is negative');
  return resolved;
}
