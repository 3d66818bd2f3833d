import type { Socket } from 'node:net';
import { connect } from 'node:net';
import {
  ACK,
  clientSettings,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEADER_BYTES,
  frame,
  GOAWAY,
  HEADERS,
  HeaderBlocks,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  windowUpdate,
  writeFrameHeader,
} from './frames.js';

/** A request in flight. `failed` is set for a reset, or a status without any message: trailers alone are an error. */
export interface Call {
  /** Free for the caller, e.g. when it was due. */
  at: number;
  tag: number;
  gotData: boolean;
  failed: boolean;
  /** For streams that stay open: gets each chunk of DATA. */
  onData: ((chunk: Buffer) => void) | null;
}

const RECEIVE_WINDOW = 0x40000000;
/** SETTINGS_MAX_FRAME_SIZE at its least. A message is to fit a stream's first window: nothing is sent on credit. */
const FRAME_BYTES_MAX = 16_384;

/**
 * One HTTP/2 connection of the load: calls go out in one write a turn, answers cost a few field reads. It does not
 * look into trailers: an answer with a message is a success.
 */
export class LoadConnection {
  /** Called when a call has ended. */
  onEnd: (call: Call) => void = () => {};
  onError: (err: Error) => void = (err) => {
    throw err;
  };
  readonly #socket: Socket;
  readonly #blocks: HeaderBlocks;
  readonly #shortBlocks = new Map<string, Buffer>();
  readonly #calls = new Map<number, Call>();
  #nextStream = 1;
  #out = Buffer.allocUnsafe(1 << 16);
  #outLength = 0;
  #flushScheduled = false;
  #rest: Buffer | null = null;
  #sendWindow = 65_535;
  #waiting: { path: string; message: Buffer; call: Call; end: boolean }[] = [];
  #received = 0;
  #closing = false;

  constructor(host: string, port: number) {
    this.#blocks = new HeaderBlocks(`${host}:${port}`);
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (err) => this.#closing || this.onError(err));
    this.#socket.on('close', () => this.#closing || this.onError(new Error('the server closed the connection')));
    this.#append(PREFACE);
    this.#append(clientSettings());
    this.#append(windowUpdate(0, RECEIVE_WINDOW));
  }

  get inFlight(): number {
    return this.#calls.size + this.#waiting.length;
  }

  /**
   * Sends one message on a new stream. @param end half-closes: a unary call
   * @param message with its gRPC prefix; not kept
   */
  call(path: string, message: Buffer, call: Call, end = true): void {
    if (message.length > this.#sendWindow || this.#waiting.length > 0) {
      this.#waiting.push({ path, message, call, end });
      return;
    }
    this.#send(path, message, call, end);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #send(path: string, message: Buffer, call: Call, end: boolean): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#calls.set(stream, call);
    this.#sendWindow -= message.length;
    let block = this.#shortBlocks.get(path);
    if (!block) {
      const short = this.#blocks.settled(path);
      block = this.#blocks.block(path);
      // Every new entry shifts the indices of all others.
      if (short) this.#shortBlocks.set(path, block);
      else this.#shortBlocks.clear();
    }
    const frames = Math.max(1, Math.ceil(message.length / FRAME_BYTES_MAX));
    let at = this.#reserve((1 + frames) * FRAME_HEADER_BYTES + block.length + message.length);
    const out = this.#out;
    writeFrameHeader(out, at, block.length, HEADERS, END_HEADERS, stream);
    at += FRAME_HEADER_BYTES;
    block.copy(out, at);
    at += block.length;
    for (let i = 0; i < frames; i++) {
      const from = i * FRAME_BYTES_MAX;
      const to = Math.min(message.length, from + FRAME_BYTES_MAX);
      writeFrameHeader(out, at, to - from, DATA, end && i === frames - 1 ? END_STREAM : 0, stream);
      message.copy(out, at + FRAME_HEADER_BYTES, from, to);
      at += FRAME_HEADER_BYTES + to - from;
    }
  }

  #append(bytes: Buffer): void {
    const at = this.#reserve(bytes.length);
    bytes.copy(this.#out, at);
  }

  #reserve(length: number): number {
    const at = this.#outLength;
    this.#outLength += length;
    if (this.#outLength > this.#out.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#outLength));
      this.#out.copy(larger, 0, 0, at);
      this.#out = larger;
    }
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      setImmediate(() => this.#flush());
    }
    return at;
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#closing || this.#outLength === 0) return;
    this.#socket.write(Buffer.from(this.#out.subarray(0, this.#outLength)));
    this.#outLength = 0;
  }

  #read(chunk: Buffer): void {
    const buf = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (buf.length - at >= FRAME_HEADER_BYTES) {
      const length = (buf[at]! << 16) | (buf[at + 1]! << 8) | buf[at + 2]!;
      const body = at + FRAME_HEADER_BYTES;
      if (buf.length < body + length) break;
      const stream = buf.readUInt32BE(at + 5) & 0x7fffffff;
      this.#frame(buf[at + 3]!, buf[at + 4]!, stream, buf, body, length);
      at = body + length;
    }
    this.#rest = at < buf.length ? buf.subarray(at) : null;
  }

  #frame(type: number, flags: number, stream: number, buf: Buffer, body: number, length: number): void {
    switch (type) {
      case DATA: {
        this.#received += length;
        if (this.#received > RECEIVE_WINDOW / 4) {
          this.#append(windowUpdate(0, this.#received));
          this.#received = 0;
        }
        const call = this.#calls.get(stream);
        if (!call) return;
        call.gotData = true;
        call.onData?.(buf.subarray(body, body + length));
        if (flags & END_STREAM) this.#end(stream, call);
        return;
      }
      case HEADERS: {
        const call = this.#calls.get(stream);
        if (call && flags & END_STREAM) this.#end(stream, call);
        return;
      }
      case RST_STREAM: {
        const call = this.#calls.get(stream);
        if (!call) return;
        call.failed = true;
        this.#end(stream, call);
        return;
      }
      case SETTINGS:
        if (!(flags & ACK)) this.#append(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
        return;
      case PING:
        if (!(flags & ACK)) this.#append(frame(PING, ACK, 0, Buffer.from(buf.subarray(body, body + length))));
        return;
      case WINDOW_UPDATE:
        if (stream === 0) this.#opened(buf.readUInt32BE(body));
        return;
      case GOAWAY:
        this.onError(new Error(`GOAWAY: ${buf.toString('latin1', body + 8, body + length)}`));
        return;
    }
  }

  #opened(bytes: number): void {
    this.#sendWindow += bytes;
    while (this.#waiting.length > 0 && this.#waiting[0]!.message.length <= this.#sendWindow) {
      const { path, message, call, end } = this.#waiting.shift()!;
      this.#send(path, message, call, end);
    }
  }

  #end(stream: number, call: Call): void {
    this.#calls.delete(stream);
    if (!call.gotData) call.failed = true;
    this.onEnd(call);
  }
}
