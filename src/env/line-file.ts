import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';

/** Bytes that may wait for a slow disk; what comes on top is left out and counted. */
const PENDING_BYTES_MAX = 16 << 20;

/** A file that lines are appended to, in their order. Readable by its owner alone. */
export class LineFile {
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
