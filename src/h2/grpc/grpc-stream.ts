import type { Connection } from '../connection.js';
import type { Status } from '../handlers.js';
import type { HpackEncoder } from '../hpack/encoder.js';
import type { RequestHead } from '../request-head.js';
import { Stream } from '../stream.js';
import { decodeBinary, isBinary } from './binary-metadata.js';
import { Texts, tooLarge, unknownFormat } from './texts.js';

const OK: Status = { code: 0, message: '' };

/** A call: messages with heads in both directions, and a status behind the answer. */
export abstract class GrpcStream extends Stream {
  status: Status = OK;
  httpStatus = 200;

  /** Answers are packed as the request is: the client has said that it knows how to unpack them. */
  get usesGzip(): boolean {
    return this.head.encoding === 'gzip';
  }

  get remote(): string {
    return this.connection.remote;
  }

  get certificateName(): string {
    return this.connection.certificateName;
  }

  metadata(name: string): string | undefined {
    const value = this.head.value(name);
    return value !== undefined && isBinary(name) ? decodeBinary(value) : value;
  }

  /** Sets the deadline that the client asked for. */
  startDeadline(): void {
    const { timeoutMs } = this.head;
    if (timeoutMs < 0) return;
    const now = this.connection.clock.now();
    this.deadline = now + timeoutMs;
    this.connection.wheel.add(this, now);
  }

  /** Ends the call behind what was queued. */
  protected finishWith(status: Status): void {
    if (this.finished) return;
    this.status = status;
    this.finish();
  }

  /** @returns what is wrong with a message by its head; null: nothing */
  protected refusalOf(flag: number, length: number): Status | null {
    if (flag !== 0) {
      if (flag !== 1) return unknownFormat(flag);
      if (!this.usesGzip) return Texts.flagWithoutEncoding;
    }
    const { messageBytesMax } = this.connection.limits;
    return length > messageBytesMax ? tooLarge(length, messageBytesMax) : null;
  }

  override responseBlock(_encoder: HpackEncoder, only: boolean): Buffer {
    const { blocks } = this.connection;
    const { contentSubtype } = this.head;
    if (only) return blocks.only(this.httpStatus, contentSubtype, this.status);
    return blocks.head(contentSubtype, this.usesGzip);
  }

  override trailerBlock(_encoder: HpackEncoder): Buffer | null {
    return this.connection.blocks.trailers(this.status);
  }
}

/** A request that no handler sees. Its body is dropped. */
export class RefusedCall extends GrpcStream {
  constructor(connection: Connection, id: number, head: RequestHead, status: Status, httpStatus = 200) {
    super(connection, id, head);
    this.status = status;
    this.httpStatus = httpStatus;
  }

  answer(): void {
    this.finish();
  }

  override onBytes(): number {
    return 0;
  }

  override onRemoteEnd(): void {}
  override onClosed(): void {}
  override onDeadline(): void {}
}
