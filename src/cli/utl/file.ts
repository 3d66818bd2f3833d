import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RandomRead } from '../../storage/bbolt/index.js';
import { Sha256 } from '../../util/sha.js';

const TRAILER_BYTES = 32;
const SECTOR_BYTES = 512;
const CHUNK_BYTES = 1 << 20;

/** An open file that is read at any place. */
export class DatabaseFile implements RandomRead {
  readonly #fd: number;
  /** All of it, with a trailer. */
  readonly bytes: number;

  /** @throws Error in Go's words */
  constructor(path: string) {
    this.#fd = opened(path);
    this.bytes = fstatSync(this.#fd).size;
  }

  /** Without a trailer: pages are whole sectors, so 32 bytes beyond them are a snapshot's sha256. */
  get size(): number {
    return this.hasTrailer ? this.bytes - TRAILER_BYTES : this.bytes;
  }

  get hasTrailer(): boolean {
    return this.bytes % SECTOR_BYTES === TRAILER_BYTES;
  }

  read(offset: number, length: number): Buffer {
    const buf = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.bytes - offset)));
    let at = 0;
    while (at < buf.length) {
      const got = readSync(this.#fd, buf, at, buf.length - at, offset + at);
      if (got === 0) break;
      at += got;
    }
    return buf.subarray(0, at);
  }

  /** The trailer, and what it should be. */
  checksums(): { stored: Buffer; actual: Buffer } {
    const hash = new Sha256();
    for (let at = 0; at < this.size; at += CHUNK_BYTES)
      hash.update(this.read(at, Math.min(CHUNK_BYTES, this.size - at)));
    return { stored: this.read(this.size, TRAILER_BYTES), actual: hash.digest() };
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function opened(path: string): number {
  try {
    const fd = openSync(path, 'r');
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (err) {
    throw new Error(`open ${path}: ${reason(err)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
};

export function reason(err: unknown): string {
  const { code, message } = err as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
