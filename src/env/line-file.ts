import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import type { Rotation } from './rotating-file.js';
import { RotatingFile } from './rotating-file.js';

/** Bytes that may wait for a slow disk; what comes on top is left out and counted. */
const PENDING_BYTES_MAX = 16 << 20;

/** Where lines go. */
export interface LineSink {
  write(line: string): void;
  close(cb: () => void): void;
}

/** A file that lines are appended to, in their order. Readable by its owner alone. */
export class LineFile implements LineSink {
  readonly #stream: WriteStream;
  #lost = 0;

  constructor(path: string, onError: (err: Error) => void) {
    this.#stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
    this.#stream.on('error', onError);
  }

  write(line: string): void {
    if (this.#stream.destroyed) return;
    if (this.#stream.writableLength > PENDING_BYTES_MAX) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) this.#stream.write(`${JSON.stringify({ lost: this.#lost })}\n`);
    this.#lost = 0;
    this.#stream.write(`${line}\n`);
  }

  close(cb: () => void): void {
    if (this.#stream.destroyed) return cb();
    this.#stream.end(cb);
  }
}

/** The same in a file that is set aside when it is full. The lines of a turn are one write. */
export class RotatingLines implements LineSink {
  readonly #onError: (err: Error) => void;
  #file: RotatingFile | null;
  #lines = '';
  #failed = false;

  /** @throws what opening the file says */
  constructor(path: string, rotation: Rotation, onError: (err: Error) => void) {
    this.#file = new RotatingFile(path, rotation);
    this.#onError = onError;
  }

  write(line: string): void {
    if (this.#file === null) return;
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += `${line}\n`;
  }

  close(cb: () => void): void {
    this.#flush();
    this.#file?.close();
    this.#file = null;
    cb();
  }

  /** A disk that is full is told of once, until it takes lines again. */
  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (this.#file === null || lines === '') return;
    try {
      this.#file.write(lines);
      this.#failed = false;
    } catch (err) {
      if (!this.#failed) this.#onError(err as Error);
      this.#failed = true;
    }
  }
}
