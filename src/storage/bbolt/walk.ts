import type { KvRow } from '../../util/env.js';
import type { BackendCursor, BackendPin, Bucket } from '../backend/index.js';
import { BUCKET_NAMES } from '../backend/index.js';
import { BboltError } from './errors.js';
import { BUCKET_ELEMENT } from './format.js';
import type { PageSink } from './tree-writer.js';
import { TreeWriter } from './tree-writer.js';

/** A row that the file has otherwise than the store: another value, or (null) not at all. */
export interface RowEdit {
  readonly bucket: Bucket;
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** Calls back with true at the end of the walk, when the root's page id is known. */
type StepCallback = (err: BboltError | null, isOver: boolean) => void;

/** Rows of about this many bytes are taken in one turn. */
const SLICE_BYTES = 256 << 10;
const ROWS_MIN = 4;
const ROWS_MAX = 512;
const ROWS_FIRST = 32;

const FIRST = Buffer.alloc(1);
/** Behind every key: keys are revisions, ids, or names that are text. */
const LAST = Buffer.alloc(40, 0xff);

/** bbolt keeps the tree of buckets by name, as every tree by its keys. */
const BUCKETS: readonly { name: Buffer; bucket: Bucket }[] = BUCKET_NAMES.map((name, number) => ({
  name: Buffer.from(name),
  bucket: number as Bucket,
}))
  .slice(1)
  .sort((a, b) => a.name.compare(b.name));

/** All buckets of a pinned backend, in the file's order, into a sink of pages; a slice of rows a step. */
export class Walk {
  readonly #pin: BackendPin;
  readonly #edits: readonly RowEdit[];
  readonly #sink: PageSink;
  readonly #top: TreeWriter;
  #at = 0;
  #tree: TreeWriter;
  #cursor: BackendCursor | null = null;
  /** Of the bucket under way, in key order; those from #nextEdit on are to come. */
  #bucketEdits: RowEdit[] = [];
  #nextEdit = 0;
  #rowsWanted = ROWS_FIRST;
  #closed = false;
  /** Page id of the tree of buckets, when the walk is over. */
  root = 0;

  constructor(pin: BackendPin, edits: readonly RowEdit[], sink: PageSink) {
    this.#pin = pin;
    this.#edits = edits;
    this.#sink = sink;
    this.#top = new TreeWriter(sink, BUCKET_ELEMENT);
    this.#tree = new TreeWriter(sink);
  }

  /** Calls back in a later turn. One call at a time; none after the end. */
  step(cb: StepCallback): void {
    if (this.#cursor === null) this.#begin();
    (this.#cursor as unknown as BackendCursor).next(this.#rowsWanted, (err, rows) => {
      if (this.#closed) return cb(new BboltError('ERR_CLOSED', 'snapshot: closed'), false);
      if (err !== null) return cb(BboltError.from(err), false);
      if (rows.length === 0) return cb(null, this.#end());
      this.#take(rows);
      cb(null, false);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cursor?.close();
  }

  #begin(): void {
    const { bucket } = BUCKETS[this.#at]!;
    this.#cursor = this.#pin.scan(bucket, FIRST, LAST);
    this.#tree = new TreeWriter(this.#sink);
    this.#bucketEdits = this.#edits.filter((e) => e.bucket === bucket).sort((a, b) => a.key.compare(b.key));
    this.#nextEdit = 0;
    this.#rowsWanted = ROWS_FIRST;
  }

  #take(rows: KvRow[]): void {
    let bytes = 0;
    for (const [key, value] of rows) {
      bytes += key.length + value.length;
      if (this.#nextEdit < this.#bucketEdits.length && this.#edited(key)) continue;
      this.#tree.add(key, value);
    }
    const fitting = Math.floor((SLICE_BYTES * rows.length) / (bytes + 1));
    this.#rowsWanted = Math.max(ROWS_MIN, Math.min(ROWS_MAX, fitting));
  }

  /** Adds the edits up to a row's key. @returns whether one of them stands in its place */
  #edited(key: Buffer): boolean {
    for (; this.#nextEdit < this.#bucketEdits.length; this.#nextEdit++) {
      const edit = this.#bucketEdits[this.#nextEdit]!;
      const order = edit.key.compare(key);
      if (order > 0) return false;
      if (edit.value !== null) this.#tree.add(edit.key, edit.value);
      if (order === 0) {
        this.#nextEdit++;
        return true;
      }
    }
    return false;
  }

  /** The end of a bucket. @returns whether it was the last */
  #end(): boolean {
    for (; this.#nextEdit < this.#bucketEdits.length; this.#nextEdit++) {
      const { key, value } = this.#bucketEdits[this.#nextEdit]!;
      if (value !== null) this.#tree.add(key, value);
    }
    this.#cursor?.close();
    this.#cursor = null;
    this.#top.add(BUCKETS[this.#at]!.name, this.#tree.finishBucket());
    this.#at++;
    if (this.#at < BUCKETS.length) return false;
    this.root = this.#top.finish();
    return true;
  }
}
