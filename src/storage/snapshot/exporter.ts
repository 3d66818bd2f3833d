import { assert } from '../../util/assert.js';
import type { KvRow, Timers } from '../../util/env.js';
import type { BackendCursor, BackendPin, Bucket } from '../backend/index.js';
import { BUCKET_MAX } from '../backend/index.js';
import { EMPTY_BYTES, rowBytes } from '../backend/row.js';
import { SnapshotError } from './errors.js';
import { ChunkType, ChunkWriter, corrupt, encodeHeader, encodeTotals, pushRow } from './format.js';

type ChunkCallback = (err: SnapshotError | null, chunk: Buffer | null) => void;

/** A chunk is sent when it has this many bytes; a single large row may make it longer. */
const CHUNK_BYTES = 256 << 10;
const ROWS_AT_ONCE = 512;

const FIRST = Buffer.alloc(1);
/** Behind every key: keys are revisions, ids, or names that are text. */
const LAST = Buffer.alloc(40, 0xff);

/** Streams a pinned backend, and closes the pin. @param chunkBytes for tests */
export function exportSnapshot(pin: BackendPin, timers: Timers, chunkBytes: number = CHUNK_BYTES): SnapshotExport {
  return new SnapshotExport(pin, timers, chunkBytes);
}

/**
 * The rows of a pinned backend as chunks, pulled one by one. The rows are counted: where they are not as many and as
 * large as the backend counted them, the stream ends with an error and not with its end marker, so that a member
 * whose store has silently lost rows does not hand that loss on.
 */
export class SnapshotExport {
  readonly #pin: BackendPin;
  readonly #timers: Timers;
  readonly #chunkBytes: number;
  readonly #writer = new ChunkWriter();
  #state: 'header' | 'rows' | 'over' = 'header';
  #bucket = 0;
  #cursor: BackendCursor | null = null;
  #rows: KvRow[] = [];
  #at = 0;
  #rowsTotal = 0;
  #bytesTotal = 0;
  #size = EMPTY_BYTES;
  #busy = false;
  #closed = false;

  /** Use exportSnapshot. */
  constructor(pin: BackendPin, timers: Timers, chunkBytes: number) {
    this.#pin = pin;
    this.#timers = timers;
    this.#chunkBytes = chunkBytes;
  }

  /** The next chunk, or null at the end. One call at a time. */
  next(cb: ChunkCallback): void {
    assert(!this.#busy, 'one call of next at a time');
    this.#busy = true;
    this.#timers.defer(() =>
      this.#make((err, chunk) => {
        this.#busy = false;
        if (err !== null || chunk === null) this.close();
        cb(err, chunk);
      }),
    );
  }

  /** Idempotent; also called by the end of the stream. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cursor?.close();
    this.#pin.close();
  }

  #make(cb: ChunkCallback): void {
    if (this.#state === 'over') return cb(null, null);
    if (this.#closed) return cb(new SnapshotError('ERR_ABORTED', 'snapshot: closed'), null);
    if (this.#state === 'rows') return this.#fill([], 0, cb);
    this.#state = 'rows';
    cb(null, this.#writer.chunk(ChunkType.header, encodeHeader(this.#pin)));
  }

  #fill(payload: Buffer[], bytes: number, cb: ChunkCallback): void {
    while (this.#at < this.#rows.length && bytes < this.#chunkBytes) {
      const [key, value] = this.#rows[this.#at++]!;
      bytes += pushRow(payload, this.#bucket, key, value);
      this.#rowsTotal++;
      this.#bytesTotal += key.length + value.length;
      this.#size += rowBytes(key.length, value.length);
    }
    if (bytes >= this.#chunkBytes) return cb(null, this.#writer.chunk(ChunkType.rows, payload));
    if (this.#cursor === null && this.#bucket === BUCKET_MAX) return this.#finish(payload, cb);
    this.#cursor ??= this.#pin.scan(++this.#bucket as Bucket, FIRST, LAST);
    this.#cursor.next(ROWS_AT_ONCE, (err, rows) => {
      if (this.#closed) return cb(new SnapshotError('ERR_ABORTED', 'snapshot: closed'), null);
      if (err !== null) return cb(SnapshotError.from(err), null);
      this.#rows = rows;
      this.#at = 0;
      if (rows.length === 0) {
        this.#cursor?.close();
        this.#cursor = null;
      }
      this.#fill(payload, bytes, cb);
    });
  }

  #finish(payload: Buffer[], cb: ChunkCallback): void {
    if (payload.length > 0) return cb(null, this.#writer.chunk(ChunkType.rows, payload));
    const { rowCount, sizeInUse } = this.#pin;
    if (this.#rowsTotal !== rowCount || this.#size !== sizeInUse) {
      const found = `${this.#rowsTotal} rows and size ${this.#size}`;
      return cb(corrupt(`the store has ${found}, but counted ${rowCount} and ${sizeInUse}`), null);
    }
    this.#state = 'over';
    cb(null, this.#writer.chunk(ChunkType.end, encodeTotals({ rows: this.#rowsTotal, bytes: this.#bytesTotal })));
  }
}
