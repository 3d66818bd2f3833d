import type { Disk, DiskFile, IoCallback } from '../../../src/util/env.js';
import type { Rng } from '../../../src/util/rng.js';

interface Inode {
  bytes: Buffer;
  durable: Buffer;
}

/** A change of one folder's names that is not durable yet: what each name stands for afterwards. */
type NameOp = Map<string, Inode | null>;

/** Thrown at the crash point that a test asked for. */
export class CrashPoint extends Error {}

/**
 * A disk that forgets what was not fsynced: contents by file, names by folder, each change of a name by itself.
 * Synchronous calls only: what the backend uses.
 */
export class MemDisk implements Disk {
  readonly #rng: Rng;
  readonly #files = new Map<string, Inode>();
  readonly #durable = new Map<string, Inode>();
  readonly #pending = new Map<string, NameOp[]>();
  readonly #dirs = new Set<string>();
  /** Counts changes; the one with this number throws CrashPoint instead of happening. */
  crashAt = Number.POSITIVE_INFINITY;
  changes = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  #change(): void {
    if (this.changes++ === this.crashAt) throw new CrashPoint(`change ${this.crashAt}`);
  }

  #name(path: string, inode: Inode | null, more?: [string, Inode | null]): void {
    const op: NameOp = new Map([[path, inode]]);
    if (more !== undefined) op.set(...more);
    for (const [p, i] of op) {
      if (i === null) this.#files.delete(p);
      else this.#files.set(p, i);
    }
    const dir = parent(path);
    const ops = this.#pending.get(dir) ?? [];
    ops.push(op);
    this.#pending.set(dir, ops);
  }

  mkdirp(dir: string): void {
    this.#change();
    for (let d = dir; d !== ''; d = parent(d)) this.#dirs.add(d);
  }

  list(dir: string): string[] {
    const names = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#dirs]) {
      if (path.startsWith(`${dir}/`)) names.add(path.slice(dir.length + 1).split('/')[0]!);
    }
    return [...names].sort();
  }

  size(path: string): number {
    return this.#files.get(path)?.bytes.length ?? -1;
  }

  isDirectory(path: string): boolean {
    return this.#dirs.has(path);
  }

  read(path: string, offset: number, length: number): Buffer {
    const file = this.#files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return Buffer.from(file.bytes.subarray(offset, offset + length));
  }

  rename(from: string, to: string): void {
    this.#change();
    this.#name(to, this.#files.get(from)!, [from, null]);
  }

  unlink(path: string): void {
    this.#change();
    this.#name(path, null);
  }

  removeTree(dir: string): void {
    this.#change();
    for (const path of [...this.#files.keys()]) if (path.startsWith(`${dir}/`)) this.#name(path, null);
    for (const d of [...this.#dirs]) if (d === dir || d.startsWith(`${dir}/`)) this.#dirs.delete(d);
  }

  fsyncDir(dir: string): void {
    this.#change();
    for (const op of this.#pending.get(dir) ?? []) this.#settle(op);
    this.#pending.delete(dir);
  }

  #settle(op: NameOp): void {
    for (const [path, inode] of op) {
      if (inode === null) this.#durable.delete(path);
      else this.#durable.set(path, inode);
    }
  }

  open(path: string, { create }: { create: boolean }): DiskFile {
    let inode = this.#files.get(path);
    if (inode === undefined) {
      if (!create) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
      this.#change();
      inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
      this.#name(path, inode);
    }
    const file = inode;
    const queued = (): never => {
      throw new Error('not in this disk');
    };
    return {
      path,
      get size() {
        return file.bytes.length;
      },
      write: queued,
      truncate: queued,
      sync: queued,
      flushed: queued,
      rename: queued,
      syncDir: queued,
      after: queued,
      close: (cb?: IoCallback) => cb?.(null),
      writeSync: (offset, chunk) => {
        this.#change();
        const end = Math.max(file.bytes.length, offset + chunk.length);
        const bytes = Buffer.alloc(end);
        file.bytes.copy(bytes);
        chunk.copy(bytes, offset);
        file.bytes = bytes;
      },
      truncateSync: (length) => {
        this.#change();
        const bytes = Buffer.alloc(length);
        file.bytes.copy(bytes);
        file.bytes = bytes;
      },
      syncSync: () => {
        this.#change();
        file.durable = Buffer.from(file.bytes);
      },
    };
  }

  free(): number {
    return 1 << 30;
  }

  crash(): void {
    this.crashAt = Number.POSITIVE_INFINITY;
    for (const ops of this.#pending.values()) for (const op of ops) if (this.#rng.chance(1, 2)) this.#settle(op);
    this.#pending.clear();
    this.#files.clear();
    for (const [path, inode] of this.#durable) {
      // Contents that were not fsynced: all, none, or the old length in zeros.
      if (this.#rng.chance(1, 2)) inode.durable = Buffer.from(inode.bytes);
      inode.bytes = Buffer.from(inode.durable);
      this.#files.set(path, inode);
    }
  }
}

function parent(path: string): string {
  const i = path.lastIndexOf('/');
  return i <= 0 ? '' : path.slice(0, i);
}
