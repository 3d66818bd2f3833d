import { RingBuffer } from '../util/ring-buffer.js';
import type { Connection } from './connection.js';
import type { HttpListener, HttpRequest } from './handlers.js';
import type { HpackEncoder } from './hpack/encoder.js';
import { Indexing } from './hpack/encoder.js';
import { Name } from './hpack/field.js';
import type { RequestHead } from './request-head.js';
import { Stream } from './stream.js';

/** Fields that HTTP/2 does not know (RFC 9113 section 8.2.2). */
const NOT_SENT = /^(?:connection|proxy-connection|keep-alive|transfer-encoding|upgrade)$/;
/** Names and values as the receiver may refuse the whole answer for. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const NOT_IN_VALUES = /[\0\r\n]|^[ \t]|[ \t]$/;

/** A request that is no gRPC, and its answer. */
export class HttpExchange extends Stream implements HttpRequest {
  #listener: HttpListener | null = null;
  readonly #body = new RingBuffer<Buffer>(4);
  #wanted = false;
  #busy = false;
  #overTold = false;
  #responded = false;
  #httpStatus = 200;
  #headers: (readonly [string, string])[] = [];

  constructor(connection: Connection, id: number, head: RequestHead) {
    super(connection, id, head);
    this.prefixBytes = 0;
  }

  open(handler: (request: HttpRequest) => HttpListener): void {
    this.#listener = handler(this);
    if (this.closed) this.#tellOver();
  }

  // --- HttpRequest ---

  get method(): string {
    return this.head.method;
  }

  get target(): string {
    return this.head.path;
  }

  get scheme(): string {
    return this.head.scheme;
  }

  get authority(): string {
    return this.head.authority;
  }

  get remote(): string {
    return this.connection.remote;
  }

  get certificateName(): string {
    return this.connection.certificateName;
  }

  header(name: string): string | undefined {
    let all: string | undefined;
    for (const field of this.head.fields) {
      if (field.name !== name) continue;
      all = all === undefined ? field.value : `${all}${name === 'cookie' ? '; ' : ', '}${field.value}`;
    }
    return all;
  }

  *headers(): Iterable<readonly [string, string]> {
    for (const { name, value, kind } of this.head.fields) if (kind !== Name.HOST) yield [name, value];
  }

  read(): void {
    if (this.finished) return;
    this.#wanted = true;
    if (!this.#busy) this.connection.wake(this);
  }

  respond(status: number, headers: Iterable<readonly [string, string]>): void {
    if (this.#responded || this.finished) return;
    this.#responded = true;
    this.#httpStatus = status;
    for (const [name, value] of headers) {
      if (!NOT_SENT.test(name) && NAME.test(name) && !NOT_IN_VALUES.test(value)) this.#headers.push([name, value]);
    }
    this.connection.makeReady(this);
  }

  write(body: Buffer): boolean {
    if (this.finished || body.length === 0) return true;
    if (!this.#responded) this.respond(200, []);
    if (this.head.method === 'HEAD') return true;
    this.enqueue(body);
    return this.hasRoom();
  }

  end(): void {
    if (!this.#responded) this.respond(200, []);
    this.finish();
  }

  // --- of the connection ---

  override onBytes(buf: Buffer, start: number, end: number): number {
    if (this.finished || start === end) return 0;
    // A view of what was received keeps all of it; small pieces are copied out.
    const piece = buf.subarray(start, end);
    this.#body.push(piece.length * 4 < buf.length ? Buffer.from(piece) : piece);
    // It is given out in a moment, and released as it is.
    if (this.#wanted) this.connection.wake(this);
    return end - start;
  }

  override onRemoteEnd(): void {
    if (this.#wanted) this.connection.wake(this);
  }

  override onWake(): void {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted && !this.finished) {
      const piece = this.#body.shift();
      if (piece === undefined && !this.remoteEnded) break;
      this.#wanted = false;
      if (piece === undefined) {
        this.#listener?.onEnd();
      } else {
        this.release(piece.length);
        this.#listener?.onData(piece);
      }
    }
    this.#busy = false;
  }

  override onDrain(): void {
    if (!this.finished) this.#listener?.onDrain();
  }

  override onDeadline(): void {}

  override onClosed(): void {
    this.#wanted = false;
    this.#body.clear();
    if (this.#listener !== null) this.#tellOver();
  }

  #tellOver(): void {
    if (this.#overTold) return;
    this.#overTold = true;
    this.#listener?.onClose();
  }

  override responseBlock(encoder: HpackEncoder): Buffer {
    encoder.begin();
    encoder.add(':status', String(this.#httpStatus), Indexing.NONE);
    for (const [name, value] of this.#headers) {
      encoder.add(name, value, name === 'set-cookie' ? Indexing.NEVER : Indexing.NONE);
    }
    return encoder.finish();
  }

  override get trailerBlockIsNone(): boolean {
    return true;
  }

  override trailerBlock(): Buffer | null {
    return null;
  }
}
