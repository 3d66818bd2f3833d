import { assert } from '../util/assert.js';
import type { DiskFile, IoCallback, SyncNote } from '../util/env.js';
import type { SimDisk } from './disk.js';
import type { QueuedOp, SimDiskQueue } from './disk-queue.js';
import type { SimInode } from './sim-inode.js';

/** An open file of a SimDisk. After a crash of the disk it does nothing any more. */
export class SimFile implements DiskFile {
  readonly #disk: SimDisk;
  readonly #queue: SimDiskQueue;
  readonly #inode: SimInode;
  /** As the queue will have it when everything in it has run; #name is how far it is. */
  #path: string;
  #name: string;
  #size: number;
  #closed = false;
  /** @internal The first error; the file takes nothing behind it. */
  error: Error | null = null;

  constructor(disk: SimDisk, queue: SimDiskQueue, inode: SimInode, path: string) {
    this.#disk = disk;
    this.#queue = queue;
    this.#inode = inode;
    this.#path = path;
    this.#name = path;
    this.#size = inode.length;
  }

  get path(): string {
    return this.#path;
  }

  get size(): number {
    return this.#size;
  }

  write(offset: number, chunks: readonly Buffer[]): void {
    // A copy: the caller has its buffers back after the sync, the platter keeps the bytes.
    const bytes = Buffer.concat(chunks);
    this.#push('plain', () => this.#disk.writeTo(this.#inode, this.#name, offset, bytes), null);
    if (bytes.length > 0) this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncate(length: number): void {
    this.#push('plain', () => this.#inode.truncate(length), null);
    this.#size = length;
  }

  sync(cb: IoCallback, note?: SyncNote): void {
    if (note === undefined) {
      this.#push('sync', null, cb);
      return;
    }
    const file = note.file as SimFile;
    assert(file instanceof SimFile && file.#disk === this.#disk, 'a note goes to a file of the same disk');
    const { offset } = note;
    const bytes = Buffer.from(note.bytes);
    const run = (): void => {
      if (file.error === null) file.attempt(() => this.#disk.writeTo(file.#inode, file.#name, offset, bytes));
    };
    this.#push('sync', run, cb);
    file.#size = Math.max(file.#size, offset + bytes.length);
  }

  flushed(cb: IoCallback): void {
    this.#push('report', null, cb);
  }

  rename(to: string): void {
    this.#push(
      'report',
      () => {
        this.#disk.rename(this.#name, to);
        this.#name = to;
      },
      null,
    );
    this.#path = to;
  }

  syncDir(): void {
    this.#push('report', () => this.#disk.fsyncDir(this.#name.slice(0, this.#name.lastIndexOf('/')) || '/'), null);
  }

  after(other: DiskFile): void {
    const file = other as SimFile;
    this.#push(
      'report',
      () => {
        if (file.error !== null) throw file.error;
      },
      null,
    );
  }

  close(cb?: IoCallback): void {
    this.#push('report', null, cb ?? null);
    this.#closed = true;
  }

  writeSync(offset: number, chunk: Buffer): void {
    this.#atOnce();
    this.#disk.writeTo(this.#inode, this.#name, offset, Buffer.from(chunk));
    this.#size = Math.max(this.#size, offset + chunk.length);
  }

  truncateSync(length: number): void {
    this.#atOnce();
    this.#inode.truncate(length);
    this.#size = length;
  }

  syncSync(): void {
    this.#atOnce();
    this.#disk.syncInode(this.#inode, this.#name);
  }

  /** @internal Runs a step of the queue; its error becomes the file's. */
  attempt(run: (() => void) | null): void {
    try {
      run?.();
    } catch (err) {
      this.error = err as Error;
    }
  }

  /** @internal */
  syncNow(): void {
    if (this.error === null) this.attempt(() => this.#disk.syncInode(this.#inode, this.#name));
  }

  /** @internal */
  syncDelayUs(): number {
    return this.#disk.syncDelayUs(this.#name);
  }

  #push(kind: QueuedOp['kind'], run: (() => void) | null, cb: IoCallback | null): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    this.#queue.push({ file: this, kind, run, cb });
  }

  #atOnce(): void {
    assert(!this.#closed, () => `${this.#path} is closed`);
    assert(!this.#queue.dead, () => `${this.#path}: the disk has crashed since it was opened`);
  }
}
