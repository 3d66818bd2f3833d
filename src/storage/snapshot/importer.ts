import { assert } from '../../util/assert.js';
import type { Env, IoCallback, KvBatch, KvStore } from '../../util/env.js';
import { FORMAT, putCounters } from '../backend/counters.js';
import type { StoredBackend } from '../backend/index.js';
import { BUCKET_MAX } from '../backend/index.js';
import { EMPTY_BYTES, RowWriter, rowBytes } from '../backend/row.js';
import { SnapshotError } from './errors.js';
import type { SnapshotHeader } from './format.js';
import { ChunkReader, ChunkType, corrupt, decodeHeader, decodeTotals, readRows } from './format.js';

type Done = (err: Error | null) => void;
type EndCallback = (err: SnapshotError | null, header: SnapshotHeader | null) => void;

/** Rows gather to this many bytes before they are written: one fsync for each. */
const BATCH_BYTES = 4 << 20;

/**
 * A snapshot that arrives: chunks go into a store of their own beside the backend's, which goes on undisturbed.
 * `end` says whether everything is there and as the sender counted it; `install` then swaps the store in.
 *
 *   write* ── end ── install
 *     └────────┴──────── abort      (at any time before install; removes what was written)
 *
 * Chunks may be handed over before the one before has been taken; they wait in order. After a failure every later
 * call brings the same error.
 */
export class SnapshotImport {
  readonly #env: Env;
  readonly #backend: StoredBackend;
  readonly #path: string;
  readonly #reader = new ChunkReader();
  readonly #writer = new RowWriter();
  #jobs: ((done: Done) => void)[] = [];
  #working = false;
  #store: KvStore | null = null;
  #batch: KvBatch | null = null;
  #batchBytes = 0;
  #header: SnapshotHeader | null = null;
  /** The row before this one; rows come in order. */
  #last = Buffer.alloc(0);
  #rows = 0;
  #bytes = 0;
  #size = EMPTY_BYTES;
  #ended = false;
  #failure: SnapshotError | null = null;
  #state: 'open' | 'complete' | 'installed' | 'aborted' = 'open';

  constructor(env: Env, backend: StoredBackend) {
    this.#env = env;
    this.#backend = backend;
    this.#path = backend.sidePath();
  }

  /** The chunk's bytes must not change until the callback, which comes when it has been taken. */
  write(chunk: Buffer, cb: Done): void {
    this.#queue((done) => this.#take(chunk, done), cb);
  }

  /** All chunks were written. The store is complete and durable when the callback comes without an error. */
  end(cb: EndCallback): void {
    this.#queue(
      (done) => this.#complete(done),
      (err) => (err === null ? cb(null, this.#header) : cb(SnapshotError.from(err), null)),
    );
  }

  /**
   * Swaps the complete store in; see StoredBackend.replaceWith. After a failure of it the backend is as before, and
   * what was written is removed.
   */
  install(cb: Done): void {
    assert(this.#state === 'complete', () => `snapshot: install while ${this.#state}`);
    this.#state = 'installed';
    this.#backend.replaceWith(this.#path, (err) => {
      if (err === null) return cb(null);
      this.#env.disk.removeTree(this.#path);
      cb(err);
    });
  }

  /** Removes what was written. Idempotent; does nothing once install was called. */
  abort(cb: () => void = () => {}): void {
    if (this.#state === 'installed' || this.#state === 'aborted') return this.#env.timers.defer(cb);
    this.#state = 'aborted';
    this.#failure ??= new SnapshotError('ERR_ABORTED', 'snapshot: aborted');
    // Behind what is under way: a store is not to be removed while it is being opened or written.
    this.#jobs.push((done) => {
      this.#closeStore(() => {
        this.#env.disk.removeTree(this.#path);
        cb();
        done(null);
      });
    });
    if (!this.#working) this.#env.timers.defer(() => this.#work());
    this.#working = true;
  }

  /** Jobs run one by one, each behind a turn of its own; after a failure none runs but abort's. */
  #queue(job: (done: Done) => void, cb: Done): void {
    this.#jobs.push((done) => {
      const finish: Done = (err) => {
        if (err !== null) this.#failure ??= SnapshotError.from(err);
        cb(err === null ? null : this.#failure);
        done(null);
      };
      if (this.#failure !== null) return finish(this.#failure);
      try {
        job(finish);
      } catch (err) {
        finish(SnapshotError.from(err));
      }
    });
    if (!this.#working) this.#env.timers.defer(() => this.#work());
    this.#working = true;
  }

  #work(): void {
    const job = this.#jobs.shift();
    this.#working = job !== undefined;
    job?.(() => this.#env.timers.defer(() => this.#work()));
  }

  #take(chunk: Buffer, done: Done): void {
    if (this.#ended) throw corrupt('a chunk behind the end marker');
    const { type, payload } = this.#reader.read(chunk);
    if (this.#header === null) {
      if (type !== ChunkType.header) throw corrupt('the first chunk is not a header');
      this.#header = decodeHeader(payload);
      return this.#open(done);
    }
    switch (type) {
      case ChunkType.rows:
        readRows(payload, (bucket, key, value) => this.#row(bucket, key, value));
        return this.#batchBytes < BATCH_BYTES ? done(null) : this.#flush(done);
      case ChunkType.end: {
        const totals = decodeTotals(payload);
        this.#checkTotals(totals.rows, totals.bytes);
        this.#ended = true;
        return done(null);
      }
      default:
        throw corrupt(`a chunk of type ${type}`);
    }
  }

  #open(done: Done): void {
    this.#env.stores.open(this.#path, { create: true }, (err, store) => {
      this.#store = store;
      done(err);
    });
  }

  #row(bucket: number, key: Buffer, value: Buffer): void {
    if (bucket < 1 || bucket > BUCKET_MAX || key.length === 0) throw corrupt(`a row of bucket ${bucket}`);
    this.#writer.set(bucket, key.latin1Slice(0, key.length), value);
    if (this.#last.compare(this.#writer.key) >= 0) throw corrupt(`rows out of order at ${key.toString('hex')}`);
    this.#last = Buffer.from(this.#writer.key);
    this.#batch ??= this.#store!.newBatch();
    this.#batch.put(this.#writer.key, this.#writer.value);
    this.#batchBytes += key.length + value.length;
    this.#rows++;
    this.#bytes += key.length + value.length;
    this.#size += rowBytes(key.length, value.length);
  }

  #checkTotals(rows: number, bytes: number): void {
    const { rowCount, sizeInUse } = this.#header!;
    if (rows !== this.#rows || bytes !== this.#bytes || rowCount !== this.#rows || sizeInUse !== this.#size) {
      const got = `${this.#rows} rows of ${this.#bytes} bytes, size ${this.#size}`;
      throw corrupt(`${got}; promised were ${rows} of ${bytes} and ${rowCount}, size ${sizeInUse}`);
    }
  }

  /** Synced, all of them: LevelDB may lose an unsynced batch and keep a synced one behind it. */
  #flush(cb: IoCallback): void {
    const batch = this.#batch;
    this.#batch = null;
    this.#batchBytes = 0;
    if (batch === null) cb(null);
    else batch.write({ sync: true }, cb);
  }

  /** The counters come last: without them a store is not one that replaceWith takes. */
  #complete(done: Done): void {
    const header = this.#header;
    if (header === null || !this.#ended) throw new SnapshotError('ERR_INCOMPLETE', 'snapshot: it ended too soon');
    const { index, term, rowCount, sizeInUse, stateHash } = header;
    this.#flush((err) => {
      if (err !== null) return done(err);
      this.#batch = this.#store!.newBatch();
      const sizes = { sizeInUse, size: sizeInUse, rowCount };
      const counters = { format: FORMAT, flush: 1, window: 1, index, term, ...sizes, stateHash };
      putCounters(this.#batch, counters, 1);
      this.#flush((flushErr) => {
        if (flushErr !== null) return done(flushErr);
        this.#closeStore((closeErr) => {
          if (closeErr === null && this.#state === 'open') this.#state = 'complete';
          done(closeErr);
        });
      });
    });
  }

  #closeStore(cb: IoCallback): void {
    const store = this.#store;
    this.#store = null;
    if (store === null) cb(null);
    else store.close(cb);
  }
}
