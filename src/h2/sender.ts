import { RingBuffer } from '../util/ring-buffer.js';
import type { Connection } from './connection.js';
import type { ErrorCode } from './error-code.js';
import { ErrorCode as Code } from './error-code.js';
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_HEAD_BYTES,
  FrameType,
  putFrameHead,
  putUint32,
  WINDOW_DEFAULT,
} from './frame.js';
import type { Slab } from './slab.js';
import type { Stream } from './stream.js';

/** Bytes of bodies that one connection may write in a turn: the others and the rest of the program come between. */
const TURN_BYTES = 256 << 10;
/** Bytes of its body that a stream may send before the next has its turn. */
const QUANTUM_BYTES = FRAME_BYTES_DEFAULT;
const CONTROL_BYTES_FIRST = 256;

/**
 * What a connection sends. Control frames gather in a buffer of their own and go first; streams with something to send
 * stand in a ring and take turns of one quantum, so that an answer of many megabytes and one of ten bytes both move on:
 *
 *   ready    streams with something to send and a window to send it in
 *   parked   streams that only wait for the connection's window
 *
 * A stream whose own window is used up stands in neither, until a WINDOW_UPDATE of its own.
 */
export class Sender {
  readonly #connection: Connection;
  #control: Buffer = Buffer.allocUnsafe(CONTROL_BYTES_FIRST);
  #controlEnd = 0;
  readonly #ready = new RingBuffer<Stream>(16);
  readonly #parked = new RingBuffer<Stream>(4);
  /** Bytes of bodies that the client takes on this connection; below zero never. */
  window = WINDOW_DEFAULT;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Bytes of control frames that were not written. */
  get controlBytes(): number {
    return this.#controlEnd;
  }

  get hasWork(): boolean {
    return this.#controlEnd > 0 || this.#ready.length > 0;
  }

  // --- control frames ---

  bytes(frame: Buffer): void {
    this.#roomFor(frame.length);
    this.#controlEnd += frame.copy(this.#control, this.#controlEnd);
  }

  pingAck(buf: Buffer, start: number): void {
    const at = this.#head(8, FrameType.PING, Flag.ACK, 0);
    buf.copy(this.#control, at, start, start + 8);
    this.#controlEnd = at + 8;
  }

  ping(opaque: Buffer): void {
    const at = this.#head(8, FrameType.PING, 0, 0);
    this.#controlEnd = at + opaque.copy(this.#control, at, 0, 8);
  }

  reset(streamId: number, code: ErrorCode): void {
    this.#controlEnd = putUint32(this.#control, this.#head(4, FrameType.RST_STREAM, 0, streamId), code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#controlEnd = putUint32(this.#control, this.#head(4, FrameType.WINDOW_UPDATE, 0, streamId), increment);
  }

  goaway(lastId: number, code: ErrorCode, text: string): void {
    let at = this.#head(8 + text.length, FrameType.GOAWAY, 0, 0);
    at = putUint32(this.#control, at, lastId);
    at = putUint32(this.#control, at, code);
    this.#controlEnd = at + this.#control.latin1Write(text, at);
  }

  #head(length: number, type: number, flags: number, streamId: number): number {
    this.#roomFor(FRAME_HEAD_BYTES + length);
    return putFrameHead(this.#control, this.#controlEnd, length, type, flags, streamId);
  }

  #roomFor(bytes: number): void {
    const need = this.#controlEnd + bytes;
    if (need <= this.#control.length) return;
    const larger = Buffer.allocUnsafe(need * 2);
    this.#control.copy(larger, 0, 0, this.#controlEnd);
    this.#control = larger;
  }

  // --- streams ---

  /** It has something to send. */
  enter(stream: Stream): void {
    if (stream.isQueued || stream.closed) return;
    stream.isQueued = true;
    this.#ready.push(stream);
  }

  /** The connection's window has grown. */
  unpark(): void {
    for (let stream = this.#parked.shift(); stream !== undefined; stream = this.#parked.shift()) {
      this.#ready.push(stream);
    }
  }

  /** Drops everything but control frames. */
  clear(): void {
    this.#ready.clear();
    this.#parked.clear();
  }

  /** Gathers what may be sent in this turn. */
  gather(slab: Slab): void {
    if (this.#controlEnd > 0) {
      slab.put(this.#control, 0, this.#controlEnd);
      this.#controlEnd = 0;
      // One that a large payload was written from may not be written to before it is out.
      if (this.#control.length > CONTROL_BYTES_FIRST) this.#control = Buffer.allocUnsafe(CONTROL_BYTES_FIRST);
    }
    if (this.#ready.length === 0) return;
    this.#connection.pings.forgive();
    while (slab.bytes < TURN_BYTES) {
      const stream = this.#ready.shift();
      if (stream === undefined) break;
      if (stream.closed) stream.isQueued = false;
      else this.#write(slab, stream);
    }
  }

  /** One turn of a stream. */
  #write(slab: Slab, stream: Stream): void {
    const { encoder, peer } = this.#connection;
    if (!stream.headSent) {
      stream.headSent = true;
      if (stream.finished && stream.pendingBytes === 0) {
        this.#block(slab, stream, stream.responseBlock(encoder, true), true);
        return this.#ended(slab, stream);
      }
      this.#block(slab, stream, stream.responseBlock(encoder, false), false);
    }
    if (stream.pendingBytes > 0) {
      const allowed = Math.min(stream.sendWindow, this.window, QUANTUM_BYTES, peer.frameBytes);
      if (allowed <= 0) return this.#wait(stream);
      if (this.#data(slab, stream, Math.min(allowed, stream.pendingBytes))) return this.#ended(slab, stream);
      if (stream.pendingBytes > 0) {
        if (stream.sendWindow > 0 && this.window > 0) this.#ready.push(stream);
        else this.#wait(stream);
        return;
      }
    }
    if (!stream.finished) {
      stream.isQueued = false;
      return;
    }
    const trailers = stream.trailerBlock(encoder);
    if (trailers === null) this.#emptyEnd(slab, stream);
    else this.#block(slab, stream, trailers, true);
    this.#ended(slab, stream);
  }

  #wait(stream: Stream): void {
    if (stream.sendWindow > 0) this.#parked.push(stream);
    else stream.isQueued = false;
  }

  /** One DATA frame of `length` bytes, out of as many queued buffers as it takes. @returns whether it ends the stream */
  #data(slab: Slab, stream: Stream, length: number): boolean {
    const { prefixBytes } = stream;
    const ends = stream.finished && length === stream.pendingBytes && stream.trailerBlockIsNone;
    slab.ensure(FRAME_HEAD_BYTES + prefixBytes);
    slab.pos = putFrameHead(slab.buf, slab.pos, length, FrameType.DATA, ends ? Flag.END_STREAM : 0, stream.id);
    let rest = length;
    while (rest > 0) {
      const current = stream.current!;
      let pos = stream.currentPos;
      if (pos < prefixBytes) {
        // A frame may end within the head of a message.
        const head = Math.min(prefixBytes - pos, rest);
        slab.ensure(prefixBytes);
        for (const stop = pos + head; pos < stop; pos++) slab.buf[slab.pos++] = prefixByte(stream, current.length, pos);
        rest -= head;
      }
      const from = pos - prefixBytes;
      const taken = Math.min(current.length - from, rest);
      if (pos >= prefixBytes && taken > 0) {
        slab.put(current, from, from + taken);
        rest -= taken;
        pos += taken;
      }
      if (pos === current.length + prefixBytes) stream.advance();
      else stream.currentPos = pos;
    }
    stream.pendingBytes -= length;
    stream.sendWindow -= length;
    this.window -= length;
    this.#connection.pendingBytes -= length;
    return ends;
  }

  #emptyEnd(slab: Slab, stream: Stream): void {
    slab.ensure(FRAME_HEAD_BYTES);
    slab.pos = putFrameHead(slab.buf, slab.pos, 0, FrameType.DATA, Flag.END_STREAM, stream.id);
  }

  /** A header block, in as many frames as the client's limit asks for. */
  #block(slab: Slab, stream: Stream, block: Buffer, ends: boolean): void {
    const { frameBytes } = this.#connection.peer;
    let from = 0;
    do {
      const to = Math.min(from + frameBytes, block.length);
      const first = from === 0;
      const flags = (to === block.length ? Flag.END_HEADERS : 0) | (first && ends ? Flag.END_STREAM : 0);
      slab.ensure(FRAME_HEAD_BYTES);
      const type = first ? FrameType.HEADERS : FrameType.CONTINUATION;
      slab.pos = putFrameHead(slab.buf, slab.pos, to - from, type, flags, stream.id);
      slab.put(block, from, to);
      from = to;
    } while (from < block.length);
  }

  /** END_STREAM is out. Where the client has not ended, it need not go on (RFC 9113 section 8.1). */
  #ended(slab: Slab, stream: Stream): void {
    stream.isQueued = false;
    if (!stream.remoteEnded) {
      slab.ensure(FRAME_HEAD_BYTES + 4);
      const at = putFrameHead(slab.buf, slab.pos, 4, FrameType.RST_STREAM, 0, stream.id);
      slab.pos = putUint32(slab.buf, at, Code.NO_ERROR);
    }
    this.#connection.streamEnded(stream);
  }
}

/** Byte `at` of a message's head. */
function prefixByte(stream: Stream, length: number, at: number): number {
  return at === 0 ? stream.prefixFlag : length >>> ((4 - at) * 8);
}
