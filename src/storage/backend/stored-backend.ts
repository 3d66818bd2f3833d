import { assert, assertSafe } from '../../util/assert.js';
import type { Disk, Env, KvBatch, KvStore, TimerHandle, Timers } from '../../util/env.js';
import { diskTimes } from '../../util/histogram.js';
import type { Logger } from '../../util/log.js';
import type { Backend, BackendCursor, BackendPin } from './backend.js';
import { BatchFill } from './batch-fill.js';
import { Bucket } from './bucket.js';
import type { Counters } from './counters.js';
import { be64, CONF_STATE, NOWHERE_GTE, NOWHERE_LT } from './counters.js';
import { MergeCursor } from './cursor.js';
import { BackendError } from './errors.js';
import { startFlush, writeFlush } from './flush-batch.js';
import type { Owner } from './keel-file.js';
import { checkOwner, writeKeelFile } from './keel-file.js';
import type { Loaded } from './load.js';
import { loadStore } from './load.js';
import type { BackendOptions } from './options.js';
import { MUTANTS } from './options.js';
import { Overlay } from './overlay.js';
import { pinStore } from './pin.js';
import { Reclaimer } from './reclaimer.js';
import { CRC_BYTES, rowKey, unsealed } from './row.js';
import { Sizes } from './sizes.js';
import { StateHash, UNKNOWN_HASH } from './state-hash.js';

type Done = (err: BackendError | null) => void;

/**
 * The backend over a KvStore.
 *
 *   put, del ──> active layer ──(freeze, between applies)──> flushing layer ──(one synced batch)──> store
 *   get      <── active, then flushing, then store
 *
 * At most one flush is under way; what is applied meanwhile gathers in the active layer. A flush's rows are readable
 * from its layer until the batch is durable.
 */
export class StoredBackend implements Backend {
  onFlushed: ((index: number, term: number) => void) | null = null;
  onError: ((err: BackendError) => void) | null = null;
  onDrain: (() => void) | null = null;
  readonly commits = diskTimes();
  readonly #timers: Timers;
  readonly #disk: Disk;
  readonly #env: Env;
  readonly #log: Logger;
  readonly #dir: string;
  readonly #options: BackendOptions;

  #store: KvStore;
  #storeName: string;
  /** The number of the last store folder that was named here. */
  #storeNumber: number;
  #owner: Owner | undefined;
  readonly #overlay = new Overlay();
  readonly #reclaimer: Reclaimer;
  readonly #fill: BatchFill;
  /** Writes since the last setApplied. */
  #open = 0;
  /** Something is closed in the active layer, or the index moved, since the last freeze. */
  #dirty = false;
  #full = false;

  #index: number;
  #term: number;
  #confState: Buffer | undefined;
  #sizes: Sizes;
  #hash: StateHash;

  /** What the store holds. */
  #flushed: Counters;
  #flushedConfState: Buffer | undefined;
  /** Flushes up to this number have left LevelDB's log. */
  #provenFlush: number;
  #proving = false;

  #flushWanted = false;
  #timer: TimerHandle | null = null;
  /** Waiting for the flush under way, and for the next one. */
  #flightWaiters: Done[] = [];
  #nextWaiters: Done[] = [];
  #quietWaiters: (() => void)[] = [];

  #failed: BackendError | null = null;
  /** Damage has been read, and told. */
  #damaged = false;
  #swapping = false;
  #closing: Done[] | null = null;
  #closed = false;

  /** Use openBackend. */
  constructor(env: Env, dir: string, name: string, owner: Owner | undefined, loaded: Loaded, options: BackendOptions) {
    this.#env = env;
    this.#timers = env.timers;
    this.#disk = env.disk;
    this.#log = env.log.with({ caller: 'storage/stored-backend.ts' });
    this.#dir = dir;
    this.#options = options;
    this.#storeName = name;
    this.#storeNumber = Number(name.slice('db-'.length));
    this.#owner = owner;
    this.#store = loaded.store;
    const c = loaded.counters;
    this.#flushed = c;
    this.#flushedConfState = loaded.confState;
    // Opening a store writes its logs to tables.
    this.#provenFlush = c.flush;
    this.#index = c.index;
    this.#term = c.term;
    this.#confState = loaded.confState;
    this.#sizes = new Sizes(c);
    this.#hash = new StateHash(c.stateHash ?? UNKNOWN_HASH);
    this.#reclaimer = new Reclaimer(this.#log);
    this.#fill = new BatchFill(env.timers, options.sliceRows);
  }

  get appliedIndex(): number {
    return this.#index;
  }
  get appliedTerm(): number {
    return this.#term;
  }
  get flushedIndex(): number {
    return this.#flushed.index;
  }
  get flushedTerm(): number {
    return this.#flushed.term;
  }
  get confState(): Buffer | undefined {
    return this.#confState;
  }
  get sizeInUse(): number {
    return this.#sizes.inUse;
  }
  get size(): number {
    return this.#sizes.total;
  }
  get rowCount(): number {
    return this.#sizes.rowCount;
  }
  /** state-hash.ts; the writes of an apply that is open are in it. */
  get stateHash(): number {
    return this.#hash.open;
  }
  get overlayBytes(): number {
    return this.#overlay.bytes;
  }
  get full(): boolean {
    return this.#full;
  }
  /** confState as of flushedIndex: what a record of a snapshot at that index must carry. */
  get flushedConfState(): Buffer | undefined {
    return this.#flushedConfState;
  }
  /** Whose folder this is; undefined until adopt. */
  get owner(): Owner | undefined {
    return this.#owner;
  }

  /**
   * Writes down whose folder this is.
   * @throws BackendError ERR_OWNER if it is another's
   */
  adopt(owner: Owner): void {
    checkOwner(this.#dir, this.#owner, owner);
    if (this.#owner !== undefined) return;
    writeKeelFile(this.#disk, this.#dir, { store: this.#storeName, owner });
    this.#owner = owner;
  }

  put(bucket: Bucket, key: Buffer, value: Buffer, fresh = false): void {
    this.#mustTakeWrites();
    assert(key.length > 0, 'an empty key');
    const id = key.latin1Slice(0, key.length);
    const row = this.#overlay.find(bucket, id);
    let old = -1;
    if (row !== undefined) old = row.value === null ? -1 : row.value.length;
    else if (!fresh) old = this.#storedBytes(bucket, key);
    else if (this.#options.paranoid)
      assert(this.#storedBytes(bucket, key) < 0, () => `not fresh: ${key.toString('hex')}`);
    this.#sizes.row(key.length, old, value.length);
    this.#write(bucket, id, key, value);
  }

  del(bucket: Bucket, key: Buffer, valueBytes = -1): void {
    this.#mustTakeWrites();
    const id = key.latin1Slice(0, key.length);
    const row = this.#overlay.find(bucket, id);
    let old = valueBytes;
    if (row !== undefined) old = row.value === null ? -1 : row.value.length;
    else if (valueBytes < 0) old = this.#storedBytes(bucket, key);
    else if (this.#options.paranoid)
      assert(this.#storedBytes(bucket, key) === old, () => `size of ${key.toString('hex')}`);
    if (old < 0) return;
    this.#sizes.row(key.length, old, -1);
    this.#write(bucket, id, key, null);
  }

  #write(bucket: number, id: string, key: Buffer, value: Buffer | null): void {
    this.#overlay.set(bucket, id, value);
    this.#hash.add(bucket, key, value);
    this.#open++;
    if (!this.#full && this.#overlay.bytes >= this.#options.overlayBytesMax) this.#full = true;
  }

  #mustTakeWrites(): void {
    assert(this.#closing === null, 'backend: written to after close');
    assert(!this.#swapping, 'backend: written to while a snapshot is swapped in');
  }

  /** Bytes of the stored value, or -1. */
  #storedBytes(bucket: number, key: Buffer): number {
    const stored = this.#read(rowKey(bucket, key));
    return stored === undefined ? -1 : stored.length - CRC_BYTES;
  }

  #read(key: Buffer): Buffer | undefined {
    if (this.#closing !== null) throw new BackendError('ERR_CLOSED', 'backend: closed');
    try {
      return this.#store.getSync(key);
    } catch (err) {
      throw this.#noticed(BackendError.from(err, 'backend: read'));
    }
  }

  /**
   * Whoever reads damage, the owner hears of it first: a store with one bad row may have others, and must not be served
   * from any more. What cannot be read (EIO) is the reader's to report.
   */
  readonly #noticed = (err: BackendError): BackendError => {
    if (err.code !== 'ERR_CORRUPT' || this.#damaged || this.#closing !== null) return err;
    this.#damaged = true;
    this.#log.error('damaged data in the store', { error: err.message });
    this.onError?.(err);
    return err;
  };

  get(bucket: Bucket, key: Buffer): Buffer | undefined {
    const row = this.#overlay.find(bucket, key.latin1Slice(0, key.length));
    if (row !== undefined) return row.value ?? undefined;
    const stored = rowKey(bucket, key);
    const value = this.#read(stored);
    try {
      return value === undefined ? undefined : unsealed(stored, value);
    } catch (err) {
      throw this.#noticed(err as BackendError);
    }
  }

  peek(bucket: Bucket, key: Buffer): Buffer | null | undefined {
    return this.#overlay.find(bucket, key.latin1Slice(0, key.length))?.value;
  }

  getMany(
    bucket: Bucket,
    keys: Buffer[],
    cb: (err: BackendError | null, values: (Buffer | undefined)[]) => void,
  ): void {
    const values = new Array<Buffer | undefined>(keys.length).fill(undefined);
    const asked: Buffer[] = [];
    const at: number[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const row = this.#overlay.find(bucket, key.latin1Slice(0, key.length));
      if (row !== undefined) {
        values[i] = row.value ?? undefined;
      } else {
        asked.push(rowKey(bucket, key));
        at.push(i);
      }
    }
    if (asked.length === 0) {
      this.#timers.defer(() => cb(null, values));
      return;
    }
    if (this.#closing !== null) {
      this.#timers.defer(() => cb(new BackendError('ERR_CLOSED', 'backend: closed'), []));
      return;
    }
    this.#store.getMany(asked, (err, stored) => {
      if (err !== null) return cb(this.#noticed(BackendError.from(err, 'backend: read')), []);
      try {
        for (let i = 0; i < asked.length; i++) {
          const s = stored[i];
          if (s !== undefined) values[at[i]!] = unsealed(asked[i]!, s);
        }
      } catch (e) {
        return cb(this.#noticed(BackendError.from(e, 'backend: read')), []);
      }
      cb(null, values);
    });
  }

  scan(bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor {
    if (this.#closing !== null) throw new BackendError('ERR_CLOSED', 'backend: closed');
    const from = gte.latin1Slice(0, gte.length);
    const to = lt.latin1Slice(0, lt.length);
    const over = this.#overlay.range(bucket, from, to);
    const stored = this.#store.scan({ gte: rowKey(bucket, gte), lt: rowKey(bucket, lt) });
    const forgetDeletions = this.#options.mutants.has(MUTANTS.deletionForgotten);
    return new MergeCursor(stored, over, this.#timers, this.#noticed, forgetDeletions);
  }

  setConfState(json: Buffer): void {
    this.put(Bucket.meta, CONF_STATE, json);
    this.#confState = json;
  }

  setApplied(index: number, term: number): void {
    this.#mustTakeWrites();
    assertSafe(index, 'applied index');
    assert(
      index >= this.#index && term >= this.#term,
      () => `applied ${index}/${term} after ${this.#index}/${this.#term}`,
    );
    if (this.#open === 0 && index === this.#index) return;
    if (this.#index === 0 && index > 0) this.#sizes.indexRows();
    this.#hash.close(index === this.#index);
    this.#index = index;
    this.#term = term;
    this.#open = 0;
    this.#dirty = true;
    if (this.#overlay.activeBytes >= this.#options.flushBytes) this.#flushWanted = true;
    if (this.#flushWanted) this.#maybeFlush();
    else if (this.#timer === null && !this.#overlay.flushing) this.#armTimer();
  }

  endLocal(): void {
    this.setApplied(this.#index, this.#term);
  }

  #armTimer(): void {
    this.#timer = this.#timers.set(this.#options.flushMs, () => {
      this.#timer = null;
      this.#flushWanted = true;
      this.#maybeFlush();
    });
  }

  flush(cb?: Done): void {
    if (this.#failed !== null || this.#closing !== null) {
      const err = this.#failed ?? new BackendError('ERR_CLOSED', 'backend: closed');
      if (cb !== undefined) this.#timers.defer(() => cb(err));
      return;
    }
    if (this.#dirty || this.#open > 0) {
      if (cb !== undefined) this.#nextWaiters.push(cb);
      this.#flushWanted = true;
      this.#maybeFlush();
    } else if (cb !== undefined) {
      if (this.#overlay.flushing) this.#flightWaiters.push(cb);
      else this.#timers.defer(() => cb(null));
    }
  }

  #maybeFlush(): void {
    if (this.#overlay.flushing || this.#open > 0 || !this.#dirty || this.#swapping || this.#failed !== null) return;
    this.#flushWanted = false;
    this.#dirty = false;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    const { mayFlush } = this.#options;
    assert(mayFlush === undefined || mayFlush(this.#index), () => `index ${this.#index} is not in the WAL yet`);

    const layer = this.#overlay.freeze();
    this.#flightWaiters = this.#nextWaiters;
    this.#nextWaiters = [];
    const flush = this.#flushed.flush + 1;
    const counters: Counters = {
      format: this.#flushed.format,
      flush,
      window: Math.max(this.#flushed.window, this.#provenFlush + 1),
      index: this.#index,
      term: this.#term,
      sizeInUse: this.#sizes.inUse,
      size: this.#sizes.total,
      rowCount: this.#sizes.rowCount,
      stateHash: this.#hash.closed,
    };
    // Readable like other rows while the batch is on its way.
    if (this.#index > 0) {
      layer.set(Bucket.meta, 'consistent_index', be64(counters.index));
      layer.set(Bucket.meta, 'term', be64(counters.term));
    }
    const batch = startFlush(this.#store);
    this.#fill.fill(batch, layer.runs(), () => this.#writeFlush(batch, counters, this.#confState));
  }

  #writeFlush(batch: KvBatch, counters: Counters, confState: Buffer | undefined): void {
    const content = { counters, before: this.#flushed.window, mutants: this.#options.mutants };
    const times = { clock: this.#env.clock, commits: this.commits };
    writeFlush(this.#store, batch, content, times, (err) => this.#flushDone(err, counters, confState));
  }

  #flushDone(err: Error | null, counters: Counters, confState: Buffer | undefined): void {
    const waiters = this.#flightWaiters;
    this.#flightWaiters = [];
    if (err !== null) {
      this.#fail(BackendError.from(err, `backend: flush ${counters.flush}`), waiters);
      return;
    }
    this.#overlay.thaw();
    this.#flushed = counters;
    this.#flushedConfState = confState;
    this.#maybeProve();
    const quiet = this.#quietWaiters;
    this.#quietWaiters = [];
    for (const fn of quiet) fn();
    this.onFlushed?.(counters.index, counters.term);
    for (const cb of waiters) cb(null);
    if (this.#full && this.overlayBytes < this.#options.overlayBytesMax / 2) {
      this.#full = false;
      this.onDrain?.();
    }
    if (this.#flushWanted || this.#overlay.activeBytes >= this.#options.flushBytes) this.#flushSoon();
    else if (this.#dirty && this.#timer === null && this.#closing === null) this.#armTimer();
  }

  #flushSoon(): void {
    this.#flushWanted = true;
    this.#maybeFlush();
  }

  /** Not retried: what a failed write left behind is not known (the pages may be marked clean). */
  #fail(err: BackendError, waiters: Done[]): void {
    this.#failed = err;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    const all = waiters.concat(this.#nextWaiters);
    this.#nextWaiters = [];
    const quiet = this.#quietWaiters;
    this.#quietWaiters = [];
    this.#log.error('backend flush failed', { error: err.message });
    this.onError?.(err);
    for (const cb of all) cb(err);
    for (const fn of quiet) fn();
  }

  /** When many flush numbers have gathered, has the store move them from its log to a table, so that they can go. */
  #maybeProve(): void {
    const { flush, window } = this.#flushed;
    if (this.#proving || flush - Math.max(window, this.#provenFlush + 1) < this.#options.numbersMax) return;
    this.#proving = true;
    const store = this.#store;
    store.compactRange(NOWHERE_GTE, NOWHERE_LT, (err) => {
      this.#proving = false;
      // A failure here costs nothing but more numbers; a store that is broken says so at the next flush.
      if (err === null && store === this.#store) this.#provenFlush = flush;
    });
  }

  reclaim(bucket: Bucket, gte: Buffer, lt: Buffer): void {
    if (this.#closing === null) this.#reclaimer.reclaim(this.#store, rowKey(bucket, gte), rowKey(bucket, lt));
  }

  defragment(): void {
    this.#mustTakeWrites();
    this.#sizes.total = this.#sizes.inUse;
    this.#dirty = true;
    if (this.#timer === null && !this.#overlay.flushing) this.#armTimer();
    this.#reclaimer.reclaim(this.#store, Buffer.from([0]), Buffer.from([0xff]));
  }

  pin(cb: (err: BackendError | null, pin: BackendPin | null) => void): void {
    this.#whenQuiet(() => {
      if (this.#closing !== null) return cb(new BackendError('ERR_CLOSED', 'backend: closed'), null);
      if (this.#failed !== null) return cb(this.#failed, null);
      cb(null, pinStore(this.#store, this.#flushed, this.#flushedConfState, this.#timers, this.#noticed));
    });
  }

  /** Calls `fn` in a later turn, when no flush is under way. */
  #whenQuiet(fn: () => void): void {
    const check = (): void => {
      if (this.#overlay.flushing && this.#failed === null) this.#quietWaiters.push(check);
      else fn();
    };
    this.#timers.defer(check);
  }

  /** A folder for a store that replaceWith is to take; nothing is there yet. */
  sidePath(): string {
    this.#storeNumber++;
    return `${this.#dir}/db-${this.#storeNumber}`;
  }

  /**
   * Makes a complete, closed store in a folder of sidePath() this backend's. The overlay is dropped: the store's index
   * must not be below appliedIndex. No write may come before the callback; reads see the old state until then, and
   * cursors and pins that are open stay with it. A crash leaves the old store or the new one.
   */
  replaceWith(path: string, cb: Done): void {
    this.#mustTakeWrites();
    assert(this.#open === 0, 'backend: a snapshot cannot be swapped in within an apply');
    this.#swapping = true;
    const finish = (err: BackendError | null): void => {
      this.#swapping = false;
      cb(err);
      if (this.#closing !== null) this.#closeStore();
      else if (this.#flushWanted) this.#maybeFlush();
      else if (this.#dirty && this.#timer === null) this.#armTimer();
    };
    this.#whenQuiet(() => {
      if (this.#failed !== null) return finish(this.#failed);
      loadStore(this.#env.stores, path, { create: false, ignoreHoles: false }, (err, loaded) => {
        if (err !== null || loaded === null) return finish(err);
        try {
          this.#swap(path, loaded);
        } catch (e) {
          const failure = BackendError.from(e, 'backend: swap');
          return loaded.store.close(() => finish(failure));
        }
        finish(null);
      });
    });
  }

  #swap(path: string, loaded: Loaded): void {
    const c = loaded.counters;
    if (c.index < this.#index) {
      throw new BackendError('ERR_STALE', `backend: a snapshot at index ${c.index} behind the applied ${this.#index}`);
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    const oldName = this.#storeName;
    const oldStore = this.#store;
    writeKeelFile(this.#disk, this.#dir, { store: name, owner: this.#owner });
    // From here on a crash finds the new store.
    this.#store = loaded.store;
    this.#storeName = name;
    this.#flushed = c;
    this.#flushedConfState = loaded.confState;
    this.#provenFlush = c.flush;
    if (!this.#options.mutants.has(MUTANTS.staleIndex)) {
      this.#overlay.drop();
      this.#dirty = false;
      this.#flushWanted = false;
      if (this.#timer !== null) this.#timers.clear(this.#timer);
      this.#timer = null;
      this.#index = c.index;
      this.#term = c.term;
      this.#confState = loaded.confState;
      this.#sizes = new Sizes(c);
      this.#hash = new StateHash(c.stateHash ?? UNKNOWN_HASH);
    } else {
      this.#dirty = true;
      this.#armTimer();
    }
    const waiters = this.#nextWaiters;
    this.#nextWaiters = [];
    if (this.#full) {
      this.#full = false;
      this.#timers.defer(() => this.onDrain?.());
    }
    this.#reclaimer.leave(oldStore);
    oldStore.close(() => {
      // What stays behind for whatever reason is removed at the next open.
      if (this.#storeName !== oldName) this.#disk.removeTree(`${this.#dir}/${oldName}`);
    });
    this.onFlushed?.(c.index, c.term);
    for (const cb of waiters) cb(null);
  }

  close(cb?: Done): void {
    const done: Done = cb ?? (() => {});
    if (this.#closed) {
      this.#timers.defer(() => done(null));
      return;
    }
    if (this.#closing !== null) {
      this.#closing.push(done);
      return;
    }
    const begin = (): void => this.#whenQuiet(() => this.#closeStore());
    // An apply that is open was cut short by a failure: its rows must not reach the store. The WAL has the rest.
    const last = this.#dirty && this.#open === 0 && this.#failed === null && !this.#swapping;
    if (last) this.flush(begin);
    this.#closing = [done];
    this.#reclaimer.stop();
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    // A swap under way closes when it is done.
    if (!last && !this.#swapping) begin();
  }

  #closeStore(): void {
    this.#store.close((err) => {
      const failure = err === null ? this.#failed : BackendError.from(err, 'backend: close');
      const waiters = this.#closing ?? [];
      this.#closed = true;
      for (const cb of waiters) cb(failure);
    });
  }
}
