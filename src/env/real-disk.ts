import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../util/env.js';
import { DiskQueue } from './disk-queue.js';
import { RealFile } from './real-file.js';

export interface RealDiskOptions {
  /**
   * Holds what is written through DiskFile in memory until its sync, so that `kill -9` loses it as a power cut would.
   * Names, and files closed in order, are not lost. Default: whether KEEL_TEST_LOSSY_DISK is 1.
   */
  readonly lossy?: boolean;
}

/**
 * The machine's file system. Queued operations of all its files run in one worker thread of its own (disk-worker.ts),
 * which is started with the first of them and ended by stop().
 */
export class RealDisk implements Disk {
  readonly #queue: DiskQueue;
  readonly #lossy: boolean;
  #files = 0;

  constructor(options: RealDiskOptions = {}) {
    this.#lossy = options.lossy ?? process.env.KEEL_TEST_LOSSY_DISK === '1';
    this.#queue = new DiskQueue({ lossy: this.#lossy });
  }

  mkdirp(dir: string): void {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  list(dir: string): string[] {
    try {
      return fs.readdirSync(dir).sort();
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw err;
    }
  }

  size(path: string): number {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? -1 : stat.size;
  }

  isDirectory(path: string): boolean {
    return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  read(path: string, offset: number, length: number): Buffer {
    const fd = fs.openSync(path, 'r');
    try {
      const buf = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, fs.fstatSync(fd).size - offset)));
      let at = 0;
      while (at < buf.length) {
        const n = fs.readSync(fd, buf, at, buf.length - at, offset + at);
        if (n === 0) break;
        at += n;
      }
      return buf.subarray(0, at);
    } finally {
      fs.closeSync(fd);
    }
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  unlink(path: string): void {
    fs.unlinkSync(path);
  }

  removeTree(dir: string): void {
    fs.rmSync(dir, { recursive: true, force: true });
  }

  fsyncDir(dir: string): void {
    const fd = fs.openSync(dir, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  open(path: string, options: { create: boolean }): DiskFile {
    const flags = fs.constants.O_RDWR | (options.create ? fs.constants.O_CREAT : 0);
    return new RealFile(this.#queue, fs.openSync(path, flags, 0o600), ++this.#files, path, this.#lossy);
  }

  free(dir: string): number {
    let at = dir;
    while (!fs.existsSync(at) && dirname(at) !== at) at = dirname(at);
    const stat = fs.statfsSync(at);
    return stat.bavail * stat.bsize;
  }

  /** Ends the worker thread when everything queued has run. Files should be closed before. */
  stop(cb: () => void = () => {}): void {
    this.#queue.stop(cb);
  }
}
