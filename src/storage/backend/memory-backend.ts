import { assert } from '../../util/assert.js';
import type { KvRow } from '../../util/env.js';
import type { Backend, BackendCursor, BackendPin } from './backend.js';
import { Bucket } from './bucket.js';
import { BackendError } from './errors.js';
import { UNKNOWN_HASH } from './state-hash.js';

type Done = (err: BackendError | null) => void;

interface State {
  readonly rows: ReadonlyMap<string, Row>;
  readonly index: number;
  readonly term: number;
  readonly confState: Buffer | undefined;
  readonly sizeInUse: number;
  readonly size: number;
}

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * The plain twin of StoredBackend, for tests of the rooms above: a map, copied whole at each flush. Nothing is flushed
 * but by flush() and close().
 */
export class MemoryBackend implements Backend {
  onFlushed: ((index: number, term: number) => void) | null = null;
  onError: ((err: BackendError) => void) | null = null;
  onDrain: (() => void) | null = null;

  readonly full = false;
  readonly #defer: (fn: () => void) => void;
  readonly #rows: Map<string, Row>;
  #index: number;
  #term: number;
  #confState: Buffer | undefined;
  #sizeInUse: number;
  #size: number;
  #flushed: State;
  #open = 0;
  #overlayBytes = 0;
  #waiters: Done[] = [];
  #closed = false;

  /** @param defer runs a callback after the call that took it: queueMicrotask, setImmediate, or a simulator's */
  constructor(defer: (fn: () => void) => void, from?: State) {
    this.#defer = defer;
    const start = from ?? { rows: new Map(), index: 0, term: 0, confState: undefined, sizeInUse: 20480, size: 20480 };
    this.#rows = new Map(start.rows);
    this.#index = start.index;
    this.#term = start.term;
    this.#confState = start.confState;
    this.#sizeInUse = start.sizeInUse;
    this.#size = start.size;
    this.#flushed = start;
  }

  /** What a member finds after a crash now: the state at the last flush. This one is not to be used any more. */
  reopen(): MemoryBackend {
    this.#closed = true;
    return new MemoryBackend(this.#defer, this.#flushed);
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
    return this.#sizeInUse;
  }
  get size(): number {
    return this.#size;
  }
  get rowCount(): number {
    return this.#rows.size + (this.#index > 0 && !this.#rows.has(id(Bucket.meta, INDEX)) ? 2 : 0);
  }
  get overlayBytes(): number {
    return this.#overlayBytes;
  }

  put(bucket: Bucket, key: Buffer, value: Buffer, fresh = false): void {
    const at = id(bucket, key);
    const old = this.#rows.get(at);
    assert(!this.#closed, 'backend: written to after close');
    assert(key.length > 0, 'an empty key');
    assert(!(fresh && old !== undefined), () => `not fresh: ${key.toString('hex')}`);
    if (old !== undefined) this.#sizeInUse -= old.key.length + old.value.length + 16;
    this.#sizeInUse += key.length + value.length + 16;
    this.#size = Math.max(this.#size, this.#sizeInUse);
    this.#rows.set(at, { key, value });
    this.#open++;
    this.#overlayBytes += key.length + value.length;
  }

  del(bucket: Bucket, key: Buffer, valueBytes = -1): void {
    const at = id(bucket, key);
    const old = this.#rows.get(at);
    assert(!this.#closed, 'backend: written to after close');
    if (old === undefined) return;
    assert(valueBytes < 0 || valueBytes === old.value.length, () => `size of ${key.toString('hex')}`);
    this.#sizeInUse -= old.key.length + old.value.length + 16;
    this.#rows.delete(at);
    this.#open++;
    this.#overlayBytes += key.length;
  }

  get(bucket: Bucket, key: Buffer): Buffer | undefined {
    if (this.#closed) throw new BackendError('ERR_CLOSED', 'backend: closed');
    return this.#rows.get(id(bucket, key))?.value;
  }

  peek(bucket: Bucket, key: Buffer): Buffer | null | undefined {
    return this.#rows.get(id(bucket, key))?.value ?? null;
  }

  getMany(
    bucket: Bucket,
    keys: Buffer[],
    cb: (err: BackendError | null, values: (Buffer | undefined)[]) => void,
  ): void {
    const values = keys.map((key) => this.#rows.get(id(bucket, key))?.value);
    this.#defer(() => cb(null, values));
  }

  scan(bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor {
    if (this.#closed) throw new BackendError('ERR_CLOSED', 'backend: closed');
    return this.#scan(this.#rows, bucket, gte, lt);
  }

  #scan(from: ReadonlyMap<string, Row>, bucket: Bucket, gte: Buffer, lt: Buffer): BackendCursor {
    const rows = [...from.entries()]
      .filter(([at]) => at >= id(bucket, gte) && at < id(bucket, lt))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, row]): KvRow => [row.key, row.value]);
    let closed = false;
    return {
      next: (n, cb) => {
        const some = rows.splice(0, n);
        this.#defer(() =>
          closed ? cb(new BackendError('ERR_CLOSED', 'backend: the cursor is closed'), []) : cb(null, some),
        );
      },
      close: () => {
        closed = true;
      },
    };
  }

  setConfState(json: Buffer): void {
    this.put(Bucket.meta, Buffer.from('confState'), json);
    this.#confState = json;
  }

  setApplied(index: number, term: number): void {
    assert(!this.#closed, 'backend: written to after close');
    assert(
      index >= this.#index && term >= this.#term,
      () => `applied ${index}/${term} after ${this.#index}/${this.#term}`,
    );
    if (this.#index === 0 && index > 0) this.#sizeInUse += INDEX.length + 8 + 16 + TERM.length + 8 + 16;
    this.#size = Math.max(this.#size, this.#sizeInUse);
    this.#index = index;
    this.#term = term;
    this.#open = 0;
    if (this.#waiters.length > 0) this.#flushNow();
  }

  endLocal(): void {
    this.setApplied(this.#index, this.#term);
  }

  flush(cb?: Done): void {
    this.#waiters.push(cb ?? (() => {}));
    if (this.#open === 0) this.#flushNow();
  }

  #flushNow(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    if (this.#index > 0) {
      this.#rows.set(id(Bucket.meta, INDEX), { key: INDEX, value: uint64(this.#index) });
      this.#rows.set(id(Bucket.meta, TERM), { key: TERM, value: uint64(this.#term) });
    }
    this.#overlayBytes = 0;
    this.#flushed = {
      rows: new Map(this.#rows),
      index: this.#index,
      term: this.#term,
      confState: this.#confState,
      sizeInUse: this.#sizeInUse,
      size: this.#size,
    };
    const { index, term } = this.#flushed;
    this.#defer(() => {
      this.onFlushed?.(index, term);
      for (const cb of waiters) cb(null);
    });
  }

  reclaim(): void {}

  defragment(): void {
    this.#size = this.#sizeInUse;
  }

  pin(cb: (err: BackendError | null, pin: BackendPin | null) => void): void {
    const state = this.#flushed;
    this.#defer(() =>
      cb(null, {
        index: state.index,
        term: state.term,
        confState: state.confState,
        sizeInUse: state.sizeInUse,
        rowCount: state.rows.size,
        stateHash: UNKNOWN_HASH,
        scan: (bucket, gte, lt) => this.#scan(state.rows, bucket, gte, lt),
        close: () => {},
      }),
    );
  }

  close(cb?: Done): void {
    const done: Done = cb ?? (() => {});
    if (this.#closed) {
      this.#defer(() => done(null));
      return;
    }
    if (this.#open === 0) this.flush();
    this.#closed = true;
    this.#defer(() => done(null));
  }
}

const INDEX = Buffer.from('consistent_index');
const TERM = Buffer.from('term');

function id(bucket: number, key: Buffer): string {
  return String.fromCharCode(bucket) + key.toString('latin1');
}

function uint64(n: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(n));
  return out;
}
