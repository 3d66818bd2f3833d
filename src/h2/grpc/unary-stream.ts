import type { Connection } from '../connection.js';
import { uint32 } from '../frame.js';
import type { GrpcHandler, Status, UnaryCall } from '../handlers.js';
import type { RequestHead } from '../request-head.js';
import { MESSAGE_HEAD_BYTES } from '../stream.js';
import { GrpcStream } from './grpc-stream.js';
import { deflate, inflate } from './gzip.js';
import { MessageReader } from './message-reader.js';
import { Texts } from './texts.js';

const EMPTY = Buffer.alloc(0);

type UnaryHandler = GrpcHandler & { kind: 'unary' };

/** A unary call. Its handler hears of it when the message is complete; what the client sends after it is dropped. */
export class UnaryStream extends GrpcStream implements UnaryCall {
  request: Buffer = EMPTY;
  readonly #handler: UnaryHandler;
  /** Until the first byte behind an incomplete head or message there is none. */
  #reader: MessageReader | null = null;
  #waiting = true;
  #answered = false;

  constructor(connection: Connection, id: number, head: RequestHead, handler: UnaryHandler) {
    super(connection, id, head);
    this.#handler = handler;
  }

  get isOver(): boolean {
    return this.#answered || this.finished;
  }

  get isHeld(): boolean {
    return this.connection.isHeld;
  }

  reply(response: Buffer): void {
    if (this.#answered || this.finished) return;
    this.#answered = true;
    if (this.usesGzip) return this.#replyPacked(response);
    this.enqueue(response);
    this.finish();
  }

  replyParts(parts: readonly Buffer[]): void {
    if (this.usesGzip) return this.reply(Buffer.concat(parts));
    if (this.#answered || this.finished) return;
    this.#answered = true;
    // The message's head is a piece of its own, and no piece has one.
    const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
    head.writeUInt32BE(
      parts.reduce((sum, part) => sum + part.length, 0),
      1,
    );
    this.prefixBytes = 0;
    this.enqueue(head);
    for (const part of parts) if (part.length > 0) this.enqueue(part);
    this.finish();
  }

  refuse(status: Status): void {
    if (this.#answered || this.finished) return;
    this.#answered = true;
    this.#waiting = false;
    this.#dropPartial();
    this.finishWith(status);
  }

  override onBytes(buf: Buffer, start: number, end: number): number {
    if (!this.#waiting) return 0;
    if (this.#reader === null && end - start >= MESSAGE_HEAD_BYTES) {
      const flag = buf[start]!;
      const length = uint32(buf, start + 1);
      const refusal = this.refusalOf(flag, length);
      const from = start + MESSAGE_HEAD_BYTES;
      if (refusal !== null) this.refuse(refusal);
      else if (from + length <= end) this.#complete(flag, buf.subarray(from, from + length));
      else this.#keep(buf, start, end);
    } else {
      this.#keep(buf, start, end);
    }
    return 0;
  }

  override onRemoteEnd(): void {
    if (!this.#waiting) return;
    // To gRPC for Go a part of a head is no more than the end.
    this.refuse(this.#reader?.hasHead ? Texts.brokenOffUnary : Texts.noMessage);
  }

  override onDeadline(): void {
    this.refuse(Texts.deadline);
  }

  override onClosed(): void {
    this.#waiting = false;
    this.#answered = true;
    this.connection.requestBytes -= this.request.length;
    this.#dropPartial();
  }

  /** Of the connection, once it has room for an answer. */
  run(): void {
    if (!this.#answered) this.#handler.onCall(this);
  }

  #keep(buf: Buffer, start: number, end: number): void {
    const { connection } = this;
    this.#reader ??= new MessageReader();
    const reader = this.#reader;
    const hadHead = reader.hasHead;
    connection.partialBytes += end - start;
    reader.push(buf, start, end);
    if (!reader.hasHead) return;
    if (!hadHead) {
      const refusal = this.refusalOf(reader.flag, reader.messageLength);
      if (refusal !== null) return this.refuse(refusal);
    }
    const { flag } = reader;
    const message = reader.take();
    if (message !== null) {
      this.#dropPartial(message.length + MESSAGE_HEAD_BYTES);
      this.#complete(flag, message);
    } else if (connection.partialBytes > connection.limits.partialBytesMax) {
      this.refuse(Texts.tooMuchAtOnce);
    }
  }

  #dropPartial(taken = 0): void {
    if (this.#reader === null) return;
    this.connection.partialBytes -= this.#reader.length + taken;
    this.#reader = null;
  }

  #complete(flag: number, message: Buffer): void {
    this.#waiting = false;
    if (flag === 0) {
      this.#take(message);
      this.connection.dispatch(this);
      return;
    }
    inflate(message, this.connection.limits.messageBytesMax, (refusal, plain) => {
      if (this.#answered) return;
      if (refusal !== null) return this.refuse(refusal);
      this.#take(plain);
      this.connection.dispatch(this);
    });
  }

  #take(request: Buffer): void {
    this.request = request;
    this.connection.requestBytes += request.length;
  }

  #replyPacked(response: Buffer): void {
    deflate(response, (packed) => {
      if (this.finished) return;
      if (packed !== null) this.prefixFlag = 1;
      this.enqueue(packed ?? response);
      this.finish();
    });
  }
}
