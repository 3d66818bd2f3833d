import { writeSync } from 'node:fs';
import { readHidden } from './password.js';

/** Where a command reads and writes. Writes are done when they return: an exit loses nothing. */
export interface Io {
  out(data: string | Buffer): void;
  err(text: string): void;
  /** All of standard input. */
  readAll(): Promise<Buffer>;
  /** The line typed next, unseen; only where standard input is a terminal. */
  hidden?(): Promise<string>;
  /** Lines with their line ends; the last may have none. */
  lines(): AsyncIterableIterator<string>;
  readonly env: NodeJS.ProcessEnv;
  /** Calls `fn` at SIGINT or SIGTERM, which then do not end the process. */
  onInterrupt?(fn: () => void): void;
}

export function processIo(): Io {
  return {
    out: (data) => writeAll(1, data),
    err: (text) => writeAll(2, text),
    env: process.env,
    async readAll() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    lines: () => splitLines(process.stdin),
    ...(process.stdin.isTTY ? { hidden: () => readHidden(process.stdin) } : {}),
    onInterrupt: (fn) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, fn);
    },
  };
}

async function* splitLines(input: AsyncIterable<Buffer | string>): AsyncIterableIterator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, Buffer.from(chunk)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end + 1);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function writeAll(fd: number, data: string | Buffer): void {
  let rest = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (err) {
      const code = (err as NodeJS.ErrnoException).code;
      // A reader that is slower than we are (a pipe that is full), or gone (head).
      if (code === 'EAGAIN') Atomics.wait(PAUSE, 0, 0, 1);
      else if (code === 'EPIPE') process.exit(141);
      else throw err;
    }
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
