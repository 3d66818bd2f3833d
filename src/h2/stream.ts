import { RingBuffer } from '../util/ring-buffer.js';
import type { Connection } from './connection.js';
import type { Timed } from './deadline-wheel.js';
import { ErrorCode } from './error-code.js';
import type { HpackEncoder } from './hpack/encoder.js';
import type { RequestHead } from './request-head.js';

/** Bytes of gRPC's message head: a flag and the length. */
export const MESSAGE_HEAD_BYTES = 5;

/**
 * A stream that a client opened (RFC 9113 section 5.1). Its states are two halves:
 *
 *   the client's   open -> remoteEnded               (END_STREAM)
 *   ours           open -> finished -> closed        (the answer is complete; END_STREAM is out)
 *
 * and `closed` at once by RST_STREAM of either side or the connection's end. Subclasses say what the bytes mean.
 */
export abstract class Stream implements Timed {
  readonly connection: Connection;
  readonly id: number;
  readonly head: RequestHead;

  // --- receiving ---
  /** Bytes that the client may still send. */
  recvWindow: number;
  /** Bytes to be given back with the next WINDOW_UPDATE. */
  recvCredit = 0;
  /** Bytes that were received and are not given back before they are read; part of connection.unreadBytes. */
  unread = 0;
  /** Body bytes, as content-length counts them. */
  received = 0;
  remoteEnded = false;

  // --- sending ---
  sendWindow: number;
  /** Bytes in front of each queued buffer: gRPC's message head, or none. */
  prefixBytes = MESSAGE_HEAD_BYTES;
  /** The flag in the message head. */
  prefixFlag = 0;
  current: Buffer | null = null;
  /** Bytes of the current buffer, prefix included, that are out. */
  currentPos = 0;
  #more: RingBuffer<Buffer> | null = null;
  /** All bytes queued and not out, prefixes included; part of connection.pendingBytes. */
  pendingBytes = 0;
  headSent = false;
  /** Nothing will be queued any more. */
  finished = false;
  closed = false;
  /** In the sender's ring, or waiting for the connection's window. */
  isQueued = false;
  /** A listener waits for `onDrain`. */
  isFull = false;

  // --- the deadline ---
  deadline = 0;
  wheelNext: Timed | null = null;
  wheelPrevious: Timed | null = null;
  wheelSlot = -1;

  constructor(connection: Connection, id: number, head: RequestHead) {
    this.connection = connection;
    this.id = id;
    this.head = head;
    this.recvWindow = connection.limits.streamWindowBytes;
    this.sendWindow = connection.peer.windowBytes;
  }

  /**
   * Takes body bytes. They may be kept; no one writes into them again.
   * @returns how many of them are not read yet, and are reported with `release` when they are
   */
  abstract onBytes(buf: Buffer, start: number, end: number): number;
  /** The client sends no more. */
  abstract onRemoteEnd(): void;
  /** It is over, however; once. */
  abstract onClosed(): void;
  /** The header block before the body. @param only there is neither body nor trailers */
  abstract responseBlock(encoder: HpackEncoder, only: boolean): Buffer;
  /** The body ends the stream: no header block follows it. */
  get trailerBlockIsNone(): boolean {
    return false;
  }
  /** The header block behind the body; null: there is none. */
  abstract trailerBlock(encoder: HpackEncoder): Buffer | null;
  abstract onDeadline(): void;
  /** What was asked for with `connection.wake`. */
  onWake(): void {}
  onDrain(): void {}

  /** Queues bytes behind those that wait. */
  protected enqueue(bytes: Buffer): void {
    if (this.current === null) {
      this.current = bytes;
      this.currentPos = 0;
    } else {
      this.#more ??= new RingBuffer<Buffer>(4);
      this.#more.push(bytes);
    }
    const length = bytes.length + this.prefixBytes;
    this.pendingBytes += length;
    this.connection.pendingBytes += length;
    this.connection.makeReady(this);
  }

  /** The current buffer is out. */
  advance(): void {
    this.current = this.#more?.shift() ?? null;
    this.currentPos = 0;
  }

  /** The answer is complete. */
  protected finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.connection.makeReady(this);
  }

  /** Whether a sender should go on; if not, `onDrain` comes. */
  protected hasRoom(): boolean {
    const { limits, pendingBytes } = this.connection;
    if (this.pendingBytes <= limits.streamPendingBytesMax && pendingBytes <= limits.connectionPendingBytesMax)
      return true;
    this.connection.awaitDrain(this);
    return false;
  }

  /** Gives back bytes that `onBytes` kept. */
  protected release(bytes: number): void {
    this.unread -= bytes;
    this.connection.unreadBytes -= bytes;
    this.connection.credit(this, bytes);
    this.connection.renewWindow();
  }

  /** Ends it at once, without an answer. */
  protected abort(code: ErrorCode = ErrorCode.CANCEL): void {
    if (!this.closed) this.connection.resetStream(this.id, code);
  }

  /** Of the connection: whatever waits is dropped. */
  dispose(): void {
    this.closed = true;
    this.finished = true;
    this.connection.pendingBytes -= this.pendingBytes;
    this.pendingBytes = 0;
    this.current = null;
    this.#more = null;
    this.connection.unreadBytes -= this.unread;
    this.unread = 0;
  }
}
