import type { Connection } from './connection.js';
import { ErrorCode as Code } from './error-code.js';
import { Flag, FRAME_BYTES_DEFAULT, FrameType, INT31_MAX, PREFACE, uint31 } from './frame.js';
import type { FrameSink } from './frame-reader.js';
import { FrameReader } from './frame-reader.js';
import { HeaderBlock } from './header-block.js';
import { Requests } from './requests.js';
import { SETTING_BYTES, SETTINGS_ACK, SETTINGS_MAX } from './settings.js';
import type { Stream } from './stream.js';
import { Past } from './stream-history.js';

/** A renewal of less than this brings nothing forward, unless the whole window is that small. */
const INCREMENT_MIN = 64;

/**
 * What a client may send and when (RFC 9113 sections 5 and 6). Each frame either changes the connection's state or ends
 * the stream or the connection with the code that the RFC names.
 */
export class Receiver implements FrameSink {
  readonly #connection: Connection;
  readonly #reader = new FrameReader(this, FRAME_BYTES_DEFAULT);
  readonly #block = new HeaderBlock();
  readonly #requests: Requests;
  /** Bytes of the preface that have come. */
  #prefaceBytes = 0;
  #settingsSeen = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#requests = new Requests(connection);
  }

  /** A header block, or the beginning, has not come to its end. */
  get isHeaderUnfinished(): boolean {
    return this.#block.isOpen || !this.#settingsSeen;
  }

  feed(chunk: Buffer): void {
    let rest = chunk;
    if (this.#prefaceBytes < PREFACE.length) {
      const bytes = Math.min(PREFACE.length - this.#prefaceBytes, chunk.length);
      const wanted = this.#prefaceBytes + bytes;
      if (chunk.compare(PREFACE, this.#prefaceBytes, wanted, 0, bytes) !== 0) {
        return this.#connection.fail(Code.PROTOCOL_ERROR, 'not an HTTP/2 preface');
      }
      this.#prefaceBytes = wanted;
      if (bytes === chunk.length) return;
      rest = chunk.subarray(bytes);
    }
    this.#reader.feed(rest);
  }

  // --- of the reader ---

  onFrameTooLarge(length: number): void {
    this.#connection.fail(Code.FRAME_SIZE_ERROR, `a frame of ${length} bytes`);
  }

  onFrame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): boolean {
    if (this.#block.isOpen && type !== FrameType.CONTINUATION) {
      this.#error('a frame within a header block');
    } else if (!this.#settingsSeen && type !== FrameType.SETTINGS) {
      this.#error('the first frame is not SETTINGS');
    } else {
      this.#frame(type, flags, id, buf, start, end);
    }
    return this.#connection.isOpen;
  }

  #frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): void {
    switch (type) {
      case FrameType.DATA:
        return this.#onData(flags, id, buf, start, end);
      case FrameType.HEADERS:
        return this.#onHeaders(flags, id, buf, start, end);
      case FrameType.PRIORITY:
        return this.#onPriority(id, end - start);
      case FrameType.RST_STREAM:
        return this.#onReset(id, end - start);
      case FrameType.SETTINGS:
        return this.#onSettings(flags, id, buf, start, end);
      case FrameType.PUSH_PROMISE:
        return this.#error('PUSH_PROMISE of a client');
      case FrameType.PING:
        return this.#onPing(flags, id, buf, start, end);
      case FrameType.GOAWAY:
        return this.#onGoaway(id, end - start);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(id, buf, start, end);
      case FrameType.CONTINUATION:
        return this.#onContinuation(flags, id, buf, start, end);
      default:
        // Section 5.5: ignored.
        return this.#connection.idleFrame();
    }
  }

  #error(text: string): void {
    this.#connection.fail(Code.PROTOCOL_ERROR, text);
  }

  #sizeError(text: string): void {
    this.#connection.fail(Code.FRAME_SIZE_ERROR, text);
  }

  // --- DATA, section 6.1 ---

  #onData(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    if (id === 0) return this.#error('DATA on stream 0');
    let from = start;
    let to = end;
    if ((flags & Flag.PADDED) !== 0) {
      if (start === end) return this.#sizeError('DATA without its pad length');
      from = start + 1;
      to = end - buf[start]!;
      if (to < from) return this.#error('padding longer than the frame');
    }
    // Padding counts as data does (section 6.9.1).
    const bytes = end - start;
    if (bytes > connection.recvWindow) {
      return connection.fail(Code.FLOW_CONTROL_ERROR, "more than the connection's window");
    }
    connection.recvWindow -= bytes;
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if (from === to && !endStream) this.#connection.idleFrame();
    const stream = connection.streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      if (stream === undefined) this.#closedStream(id, 'DATA');
      else connection.resetStream(id, Code.STREAM_CLOSED);
      return connection.creditConnection(bytes);
    }
    if (bytes > stream.recvWindow) {
      connection.resetStream(id, Code.FLOW_CONTROL_ERROR);
      return connection.creditConnection(bytes);
    }
    stream.recvWindow -= bytes;
    stream.received += to - from;
    const { contentLength } = stream.head;
    if (contentLength >= 0 && (stream.received > contentLength || (endStream && stream.received < contentLength))) {
      connection.resetStream(id, Code.PROTOCOL_ERROR);
      return connection.creditConnection(bytes);
    }
    // Before the bytes: whoever is handed the last of them may answer at once.
    if (endStream) stream.remoteEnded = true;
    const unread = from < to ? stream.onBytes(buf, from, to) : 0;
    if (!stream.closed) {
      stream.unread += unread;
      connection.unreadBytes += unread;
      connection.credit(stream, bytes - unread);
      if (endStream) stream.onRemoteEnd();
    }
    connection.creditConnection(bytes);
  }

  // --- HEADERS and CONTINUATION, sections 6.2 and 6.10 ---

  #onHeaders(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    if (id === 0) return this.#error('HEADERS on stream 0');
    let from = start;
    let to = end;
    if ((flags & (Flag.PADDED | Flag.PRIORITY)) !== 0) {
      if ((flags & Flag.PADDED) !== 0) {
        if (from >= to) return this.#sizeError('HEADERS without their pad length');
        to -= buf[from++]!;
      }
      if ((flags & Flag.PRIORITY) !== 0) from += 5;
      if (to < from) return from > end ? this.#sizeError('HEADERS too short') : this.#error('padding too long');
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) return this.#requests.onBlock(id, endStream, buf, from, to);
    this.#block.begin(id, endStream);
    this.#addToBlock(buf, from, to);
  }

  #onContinuation(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (!block.isOpen || block.streamId !== id) return this.#error('CONTINUATION of nothing');
    this.#addToBlock(buf, start, end);
    if ((flags & Flag.END_HEADERS) === 0 || !this.#connection.isOpen) return;
    const { endStream } = block;
    const whole = block.finish();
    this.#requests.onBlock(id, endStream, whole, 0, whole.length);
  }

  #addToBlock(buf: Buffer, start: number, end: number): void {
    const { limits } = this.#connection;
    this.#block.add(buf, start, end);
    if (this.#block.length > limits.headerBlockBytesMax || this.#block.frames > limits.headerFramesMax) {
      this.#connection.fail(Code.ENHANCE_YOUR_CALM, 'a header block that is too large');
    }
  }

  // --- the small ones ---

  /** Section 6.3: deprecated, and of no consequence here. */
  #onPriority(id: number, length: number): void {
    if (id === 0) return this.#error('PRIORITY on stream 0');
    if (length !== 5) return this.#connection.resetStream(id, Code.FRAME_SIZE_ERROR);
    this.#connection.idleFrame();
  }

  /** Section 6.4. */
  #onReset(id: number, length: number): void {
    const connection = this.#connection;
    if (id === 0) return this.#error('RST_STREAM on stream 0');
    if (length !== 4) return this.#sizeError('RST_STREAM');
    if (this.#isIdle(id)) return this.#error('RST_STREAM on an idle stream');
    const stream = connection.streams.get(id);
    if (stream === undefined) return this.#connection.idleFrame();
    connection.streamCancelled(stream);
    connection.chargeReset();
  }

  /** Section 6.5. */
  #onSettings(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    if (id !== 0) return this.#error('SETTINGS on a stream');
    const length = end - start;
    if ((flags & Flag.ACK) !== 0) {
      if (length !== 0) return this.#sizeError('SETTINGS ACK with a payload');
      if (!this.#settingsSeen) return this.#error('the first frame is not SETTINGS');
      connection.settingsAcked();
      return this.#connection.idleFrame();
    }
    if (length % SETTING_BYTES !== 0) return this.#sizeError('SETTINGS');
    if (length > SETTING_BYTES * SETTINGS_MAX) {
      return connection.fail(Code.ENHANCE_YOUR_CALM, 'too many settings in one frame');
    }
    if (this.#settingsSeen) this.#connection.idleFrame();
    this.#settingsSeen = true;
    const { peer } = connection;
    const windowBefore = peer.windowBytes;
    const code = peer.applyAll(buf, start, end);
    if (code !== Code.NO_ERROR) return connection.fail(code, 'a value out of bounds in SETTINGS');
    connection.encoder.setTableSizeMax(peer.headerTableBytes);
    if (peer.windowBytes !== windowBefore && !this.#moveWindows(peer.windowBytes - windowBefore)) return;
    connection.sender.bytes(SETTINGS_ACK);
    connection.schedule();
  }

  /** A new initial window changes those of open streams, below zero too (section 6.9.2). */
  #moveWindows(by: number): boolean {
    for (const stream of this.#connection.streams.values()) {
      stream.sendWindow += by;
      if (stream.sendWindow > INT31_MAX) {
        this.#connection.fail(Code.FLOW_CONTROL_ERROR, 'a window beyond 2^31-1');
        return false;
      }
      this.#resume(stream);
    }
    return true;
  }

  /** Section 6.7. */
  #onPing(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    if (id !== 0) return this.#error('PING on a stream');
    if (end - start !== 8) return this.#sizeError('PING');
    if ((flags & Flag.ACK) !== 0) {
      this.#connection.idleFrame();
      return connection.pingAcked(buf.subarray(start, end));
    }
    connection.sender.pingAck(buf, start);
    connection.schedule();
    if (!connection.pings.onPing(connection.clock.now(), connection.streams.size > 0)) {
      return connection.fail(Code.ENHANCE_YOUR_CALM, 'too_many_pings');
    }
    this.#connection.idleFrame();
  }

  /** Section 6.8. */
  #onGoaway(id: number, length: number): void {
    if (id !== 0) return this.#error('GOAWAY on a stream');
    if (length < 8) return this.#sizeError('GOAWAY');
    this.#connection.idleFrame();
    this.#connection.peerGoesAway();
  }

  /** Section 6.9. */
  #onWindowUpdate(id: number, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const { sender } = connection;
    if (end - start !== 4) return this.#sizeError('WINDOW_UPDATE');
    const increment = uint31(buf, start);
    if (increment < INCREMENT_MIN) this.#connection.idleFrame();
    if (id === 0) {
      if (increment === 0) return this.#error('WINDOW_UPDATE by 0');
      if (sender.window + increment > INT31_MAX) {
        return connection.fail(Code.FLOW_CONTROL_ERROR, 'a window beyond 2^31-1');
      }
      sender.window += increment;
      sender.unpark();
      if (sender.hasWork) connection.schedule();
      return;
    }
    if (this.#isIdle(id)) return this.#error('WINDOW_UPDATE on an idle stream');
    const stream = connection.streams.get(id);
    // It may have been on its way when the stream was closed (section 5.1).
    if (stream === undefined) return;
    if (increment === 0) return connection.resetStream(id, Code.PROTOCOL_ERROR);
    if (stream.sendWindow + increment > INT31_MAX) return connection.resetStream(id, Code.FLOW_CONTROL_ERROR);
    stream.sendWindow += increment;
    this.#resume(stream);
  }

  #resume(stream: Stream): void {
    if (stream.pendingBytes > 0 && stream.sendWindow > 0) this.#connection.makeReady(stream);
  }

  // --- streams that are not open, section 5.1 ---

  #isIdle(id: number): boolean {
    return id > this.#connection.history.lastId || (id & 1) === 0;
  }

  #closedStream(id: number, what: string): void {
    const connection = this.#connection;
    if (this.#isIdle(id)) return this.#error(`${what} on an idle stream`);
    const past = connection.history.of(id);
    // What we have reset may still be sent to; what the client has ended may not.
    if (past === Past.RESET || past === Past.FORGOTTEN) return connection.idleFrame();
    connection.fail(Code.STREAM_CLOSED, `${what} on a closed stream`);
  }
}
