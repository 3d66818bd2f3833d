import { RingBuffer } from '../../util/ring-buffer.js';
import type { Connection } from '../connection.js';
import { uint32 } from '../frame.js';
import type { GrpcHandler, Status, StreamCall, StreamListener } from '../handlers.js';
import type { RequestHead } from '../request-head.js';
import { MESSAGE_HEAD_BYTES } from '../stream.js';
import { GrpcStream } from './grpc-stream.js';
import { deflate, inflate } from './gzip.js';
import { MessageReader } from './message-reader.js';
import { Texts } from './texts.js';

type StreamHandler = GrpcHandler & { kind: 'stream' };

/**
 * A call with streams. Its listener pulls: while it does not ask, what the client sends is kept up to the stream's
 * window, which is given back as it is read.
 */
export class MessageStream extends GrpcStream implements StreamCall {
  readonly #handler: StreamHandler;
  #listener: StreamListener | null = null;
  readonly #reader = new MessageReader();
  #wanted = false;
  /** The listener is being called, or a message is being unpacked: what is asked for meanwhile is given after it. */
  #busy = false;
  /** A message is being unpacked. */
  #inflating = false;
  #overTold = false;
  /** Messages to be packed, in order; the first is in work. */
  #packing: RingBuffer<Buffer> | null = null;
  #packingBytes = 0;
  /** `end` waits for the last of them. */
  #endStatus: Status | null = null;

  constructor(connection: Connection, id: number, head: RequestHead, handler: StreamHandler) {
    super(connection, id, head);
    this.#handler = handler;
  }

  open(): void {
    this.#listener = this.#handler.onOpen(this);
    // It may have ended before there was a listener.
    if (this.closed) this.#tellOver();
  }

  // --- StreamCall ---

  read(): void {
    if (this.finished || this.#endStatus !== null) return;
    this.#wanted = true;
    if (!this.#busy && (this.#reader.length > 0 || this.remoteEnded)) this.connection.wake(this);
  }

  send(message: Buffer): boolean {
    if (this.finished || this.#endStatus !== null) return true;
    if (this.usesGzip) this.#pack(message);
    else this.enqueue(message);
    return this.hasRoom();
  }

  end(status: Status): void {
    if (this.finished || this.#endStatus !== null) return;
    this.#wanted = false;
    if (this.#packing !== null && this.#packing.length > 0) this.#endStatus = status;
    else this.finishWith(status);
  }

  // --- of the connection ---

  override onBytes(buf: Buffer, start: number, end: number): number {
    if (this.finished || this.#endStatus !== null) return 0;
    let pos = start;
    if (this.#reader.length === 0 && !this.#busy) {
      this.#busy = true;
      while (this.#wanted && end - pos >= MESSAGE_HEAD_BYTES) {
        const flag = buf[pos]!;
        const length = uint32(buf, pos + 1);
        const refusal = this.refusalOf(flag, length);
        if (refusal !== null) {
          this.end(refusal);
          break;
        }
        const to = pos + MESSAGE_HEAD_BYTES + length;
        if (to > end) break;
        const message = buf.subarray(pos + MESSAGE_HEAD_BYTES, to);
        pos = to;
        this.#give(flag, message);
      }
      if (!this.#inflating) this.#busy = false;
      if (this.finished || this.#endStatus !== null) return 0;
    }
    if (pos === end) return 0;
    this.#reader.push(buf, pos, end);
    const { connection } = this;
    connection.partialBytes += end - pos;
    if (!this.#wanted) return end - pos;
    // It is part of the message that is asked for: the client may go on.
    this.#pump();
    if (connection.partialBytes > connection.limits.partialBytesMax) this.end(Texts.tooMuchAtOnce);
    return 0;
  }

  override onRemoteEnd(): void {
    if (this.#wanted) this.#pump();
  }

  override onWake(): void {
    this.#pump();
  }

  override onDrain(): void {
    if (!this.finished && this.#endStatus === null) this.#listener?.onDrain();
  }

  override onDeadline(): void {
    this.#wanted = false;
    this.finishWith(Texts.deadline);
  }

  override onClosed(): void {
    this.#wanted = false;
    this.connection.partialBytes -= this.#reader.length;
    if (this.#listener !== null) this.#tellOver();
  }

  #tellOver(): void {
    if (this.#overTold) return;
    this.#overTold = true;
    this.#listener?.onClose();
  }

  /** Gives what is there and asked for. */
  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted && !this.finished) {
      if (this.#reader.hasHead) {
        const refusal = this.refusalOf(this.#reader.flag, this.#reader.messageLength);
        if (refusal !== null) {
          this.end(refusal);
          break;
        }
      }
      const flag = this.#reader.hasHead ? this.#reader.flag : 0;
      const message = this.#reader.take();
      if (message !== null) {
        this.connection.partialBytes -= message.length + MESSAGE_HEAD_BYTES;
        this.#releaseUpTo(message.length + MESSAGE_HEAD_BYTES);
        this.#give(flag, message);
        if (this.#inflating) return;
        continue;
      }
      // What has come so far belongs to the message that is asked for.
      this.#releaseUpTo(this.#reader.length);
      if (!this.remoteEnded) break;
      this.#wanted = false;
      // To gRPC for Go a part of a head is no more than the end.
      if (this.#reader.hasHead) this.end(Texts.brokenOffStream);
      else this.#listener?.onHalfClose();
    }
    this.#busy = false;
  }

  #releaseUpTo(bytes: number): void {
    const released = Math.min(bytes, this.unread);
    if (released > 0) this.release(released);
  }

  #give(flag: number, message: Buffer): void {
    this.#wanted = false;
    if (flag === 0) {
      this.#listener?.onMessage(message);
      return;
    }
    this.#inflating = true;
    inflate(message, this.connection.limits.messageBytesMax, (refusal, plain) => {
      this.#inflating = false;
      if (this.finished) return;
      if (refusal !== null) this.end(refusal);
      else this.#listener?.onMessage(plain);
      this.#busy = false;
      if (this.#wanted) this.#pump();
    });
  }

  #pack(message: Buffer): void {
    this.#packing ??= new RingBuffer<Buffer>(4);
    this.#packing.push(message);
    this.#packingBytes += message.length;
    if (this.#packing.length === 1) this.#packNext();
  }

  #packNext(): void {
    const message = this.#packing?.peek();
    if (message === undefined) return;
    deflate(message, (packed) => {
      this.#packing?.shift();
      this.#packingBytes -= message.length;
      if (this.finished) return;
      // A flag stands in every head; what could not be packed ends the call rather than pretend.
      if (packed === null) return this.finishWith({ code: 8, message: 'grpc: out of memory while compressing' });
      this.prefixFlag = 1;
      this.enqueue(packed);
      if (this.#packing !== null && this.#packing.length > 0) this.#packNext();
      else if (this.#endStatus !== null) this.finishWith(this.#endStatus);
    });
  }

  protected override hasRoom(): boolean {
    if (this.#packingBytes <= this.connection.limits.streamPendingBytesMax) return super.hasRoom();
    this.connection.awaitDrain(this);
    return false;
  }
}
