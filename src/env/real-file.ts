import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { assert } from '../util/assert.js';
import type { DiskFile, IoCallback, SyncNote } from '../util/env.js';
import type { DiskQueue } from './disk-queue.js';
import {
  OP_AFTER,
  OP_CLOSE,
  OP_FLUSHED,
  OP_OPEN,
  OP_RENAME,
  OP_SYNC,
  OP_SYNC_DIR,
  OP_TRUNCATE,
} from './disk-worker.js';

/** An operation held back until the sync (lossy disk); bytes null: a truncation to `offset`. */
interface Held {
  readonly offset: number;
  readonly bytes: Buffer | null;
}

/** A file of the real disk: its queued operations go to the disk's worker thread. */
export class RealFile implements DiskFile {
  readonly #queue: DiskQueue;
  readonly #fd: number;
  /** Number of the file among those of its disk, from 1; never used again. */
  readonly #id: number;
  readonly #lossy: boolean;
  #path: string;
  #size: number;
  #closed = false;
  /** Whether the worker knows the file yet. */
  #announced = false;
  #held: Held[] = [];

  constructor(queue: DiskQueue, fd: number, id: number, path: string, lossy: boolean) {
    this.#queue = queue;
    this.#fd = fd;
    this.#id = id;
    this.#path = path;
    this.#lossy = lossy;
    this.#size = fstatSync(fd).size;
  }

  get path(): string {
    return this.#path;
  }

  get size(): number {
    return this.#size;
  }

  write(offset: number, chunks: readonly Buffer[]): void {
    this.#ready();
    this.#queue.write(this.#id, offset, chunks);
    let end = offset;
    for (const chunk of chunks) end += chunk.length;
    if (end > this.#size && end > offset) this.#size = end;
  }

  truncate(length: number): void {
    this.#ready();
    this.#queue.push(OP_TRUNCATE, this.#id, length, 0, null, null);
    this.#size = length;
  }

  sync(cb: IoCallback, note?: SyncNote): void {
    this.#ready();
    if (note === undefined) {
      this.#queue.push(OP_SYNC, this.#id, 0, 0, null, cb);
    } else {
      const file = note.file as RealFile;
      assert(file instanceof RealFile && file.#queue === this.#queue, 'a note goes to a file of the same disk');
      file.#ready();
      this.#queue.pushBytes(OP_SYNC, this.#id, file.#id, note.offset, note.bytes, cb);
      file.#size = Math.max(file.#size, note.offset + note.bytes.length);
    }
    this.#queue.publish();
  }

  flushed(cb: IoCallback): void {
    this.#ready();
    this.#queue.push(OP_FLUSHED, this.#id, 0, 0, null, cb);
    this.#queue.publish();
  }

  rename(to: string): void {
    this.#ready();
    assert(dirname(to) === dirname(this.#path), () => `rename out of the directory: ${this.#path} to ${to}`);
    this.#queue.push(OP_RENAME, this.#id, 0, 0, [this.#path, to], null);
    this.#path = to;
  }

  syncDir(): void {
    this.#ready();
    this.#queue.push(OP_SYNC_DIR, this.#id, 0, 0, dirname(this.#path), null);
  }

  after(other: DiskFile): void {
    const file = other as RealFile;
    assert(file instanceof RealFile && file.#queue === this.#queue, 'files of one disk fail together');
    this.#ready();
    this.#queue.push(OP_AFTER, this.#id, file.#id, 0, null, null);
  }

  close(cb?: IoCallback): void {
    this.#ready();
    this.#queue.push(OP_CLOSE, this.#id, 0, 0, null, (err) => {
      closeSync(this.#fd);
      cb?.(err);
    });
    this.#queue.publish();
    this.#closed = true;
  }

  writeSync(offset: number, chunk: Buffer): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    if (this.#lossy) this.#held.push({ offset, bytes: Buffer.from(chunk) });
    else this.#writeAll(offset, chunk);
    this.#size = Math.max(this.#size, offset + chunk.length);
  }

  truncateSync(length: number): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    if (this.#lossy) this.#held.push({ offset: length, bytes: null });
    else ftruncateSync(this.#fd, length);
    this.#size = length;
  }

  syncSync(): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    this.#release();
    fdatasyncSync(this.#fd);
  }

  /** Introduces the file to the worker at its first queued operation. */
  #ready(): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    if (this.#announced) return;
    this.#announced = true;
    this.#release();
    this.#queue.push(OP_OPEN, this.#id, this.#fd, 0, null, null);
  }

  #release(): void {
    for (const op of this.#held) {
      if (op.bytes === null) ftruncateSync(this.#fd, op.offset);
      else this.#writeAll(op.offset, op.bytes);
    }
    this.#held = [];
  }

  #writeAll(offset: number, chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at, chunk.length - at, offset + at);
  }
}
