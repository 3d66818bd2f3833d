import * as net from 'node:net';
import { FrameLog, frame, PREFACE, settings, settingsAck, T } from '../../h2/support/wire.js';

/** A client of HTTP/2 that sends what it likes, over a real socket. */
export class RawH2 {
  readonly socket: net.Socket;
  readonly log = new FrameLog();
  /** Counts what comes without keeping it. */
  bytes = 0;
  closed = false;
  readonly over: Promise<void>;
  #keeps = true;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.over = new Promise((resolve) => {
      socket.on('close', () => {
        this.closed = true;
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.#keeps) this.log.push(chunk);
    });
  }

  /** Connected, and no more. */
  static async dial(port: number): Promise<RawH2> {
    const socket = net.connect(port, '127.0.0.1');
    const client = new RawH2(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** One that has shaken hands. */
  static async open(port: number, ...pairs: [number, number][]): Promise<RawH2> {
    const client = await RawH2.dial(port);
    client.write(PREFACE, settings(...pairs), settingsAck);
    await client.until(() => client.log.of(T.SETTINGS).length > 0);
    return client;
  }

  write(...parts: Buffer[]): void {
    if (!this.closed) this.socket.write(Buffer.concat(parts));
  }

  /** Writes as fast as the other side takes it, until it hangs up, `ms` have passed, or all is out. @returns bytes written */
  async flood(bytesOf: (n: number) => Buffer | null, ms = 1500): Promise<number> {
    const until = Date.now() + ms;
    let written = 0;
    for (let n = 0; !this.closed && Date.now() < until; n++) {
      const bytes = bytesOf(n);
      if (bytes === null) break;
      written += bytes.length;
      if (this.socket.write(bytes)) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.over, pause(200)]);
    }
    return written;
  }

  /** Nothing is read any more. */
  stopReading(): void {
    this.socket.pause();
  }

  /** What comes is read and counted, and not kept. */
  onlyCount(): void {
    this.#keeps = false;
  }

  async until(done: () => boolean, ms = 5000): Promise<void> {
    const end = Date.now() + ms;
    while (!done()) {
      if (Date.now() > end) throw new Error('it does not come');
      await pause(5);
    }
  }

  /** The code of the last GOAWAY and its text; undefined: there was none. */
  get goaway(): [number, string] | undefined {
    const last = this.log.of(T.GOAWAY).at(-1);
    return last === undefined ? undefined : [last.payload.readUInt32BE(4), last.payload.toString('latin1', 8)];
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The same frame many times. */
export function times(count: number, one: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => one));
}

export const rawFrame = frame;
