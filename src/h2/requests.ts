import type { Connection } from './connection.js';
import { ErrorCode as Code } from './error-code.js';
import { binaryFault, isBinary } from './grpc/binary-metadata.js';
import { RefusedCall } from './grpc/grpc-stream.js';
import { MessageStream } from './grpc/message-stream.js';
import { notGrpc, notPost, Texts, unknownEncoding } from './grpc/texts.js';
import { UnaryStream } from './grpc/unary-stream.js';
import type { GrpcHandler, Status } from './handlers.js';
import { HeadCache } from './head-cache.js';
import { HpackDecoder } from './hpack/decoder.js';
import type { Field } from './hpack/field.js';
import { HttpExchange } from './http-exchange.js';
import { STREAMS_MAX } from './limits.js';
import { areTrailers, RequestHead, readRequest } from './request-head.js';
import { HEADER_TABLE_BYTES } from './settings.js';
import type { Stream } from './stream.js';
import { Past } from './stream-history.js';

/** A whole header block: it opens a stream, or ends one. */
export class Requests {
  readonly #connection: Connection;
  readonly #decoder = new HpackDecoder(HEADER_TABLE_BYTES);
  readonly #cache = new HeadCache();
  #fields: Field[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  onBlock(id: number, endStream: boolean, buf: Buffer, start: number, end: number): void {
    const { history } = this.#connection;
    if (id > history.lastId && (id & 1) === 1) this.#onRequest(id, endStream, buf, start, end);
    else this.#onLaterBlock(id, endStream, buf, start, end);
  }

  /** @returns false: the connection has failed */
  #decode(buf: Buffer, start: number, end: number): number {
    this.#fields = [];
    const { headerListBytesMax } = this.#connection.limits;
    const bytes = this.#decoder.decode(buf, start, end, this.#fields, headerListBytesMax);
    if (bytes < 0) this.#connection.fail(Code.COMPRESSION_ERROR, 'not a header block');
    return bytes;
  }

  // --- of a stream that is not new ---

  #onLaterBlock(id: number, endStream: boolean, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const stream = connection.streams.get(id);
    // Whatever becomes of it, the table must see it (RFC 9113 section 4.3).
    if (this.#decode(buf, start, end) < 0) return;
    if (stream === undefined) return this.#onClosedStream(id);
    if (stream.remoteEnded) return connection.resetStream(id, Code.STREAM_CLOSED);
    const { contentLength } = stream.head;
    const isShort = contentLength >= 0 && stream.received < contentLength;
    if (!endStream || isShort || !areTrailers(this.#fields)) return connection.resetStream(id, Code.PROTOCOL_ERROR);
    stream.remoteEnded = true;
    stream.onRemoteEnd();
  }

  #onClosedStream(id: number): void {
    const connection = this.#connection;
    if ((id & 1) === 0) return connection.fail(Code.PROTOCOL_ERROR, 'a client opens odd streams');
    const past = connection.history.of(id);
    if (past === Past.RESET || past === Past.FORGOTTEN) return connection.idleFrame();
    // Section 5.1.1: an id that was passed over cannot be opened any more.
    if (past === Past.SKIPPED) connection.fail(Code.PROTOCOL_ERROR, 'a stream id that does not grow');
    else connection.fail(Code.STREAM_CLOSED, 'HEADERS on a closed stream');
  }

  // --- of a new one ---

  #onRequest(id: number, endStream: boolean, buf: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const { history, limits, streams } = connection;
    const { generation } = this.#decoder;
    let head = this.#cache.find(buf, start, end, generation);
    let bytes = 0;
    if (head === null) {
      bytes = this.#decode(buf, start, end);
      if (bytes < 0) return;
      if (bytes <= limits.headerListBytesMax) head = readRequest(this.#fields);
      if (head !== null && this.#decoder.generation === generation) this.#cache.keep(buf, start, end, generation, head);
    }
    // We have said which was the last (section 6.8).
    history.open(id);
    if (connection.refusesStreams) return history.reset(id);
    if (bytes > limits.headerListBytesMax) {
      return this.#answer(id, endStream, new RequestHead(), Texts.headersTooLarge, 431);
    }
    if (head === null || (endStream && head.contentLength > 0)) return connection.resetStream(id, Code.PROTOCOL_ERROR);
    if (streams.size >= (limits.concurrentStreamsMax || STREAMS_MAX)) {
      connection.resetStream(id, Code.REFUSED_STREAM);
      return connection.chargeReset();
    }
    if (head.isGrpc) this.#onCall(id, endStream, head);
    else this.#onHttp(id, endStream, head);
  }

  #onHttp(id: number, endStream: boolean, head: RequestHead): void {
    const { handlers } = this.#connection;
    if (handlers.http === undefined) return this.#answer(id, endStream, head, notGrpc(head.contentType), 415);
    const exchange = new HttpExchange(this.#connection, id, head);
    this.#begin(exchange, endStream);
    exchange.open((request) => handlers.http!(request));
    this.#maybeEnd(exchange);
  }

  #onCall(id: number, endStream: boolean, head: RequestHead): void {
    const connection = this.#connection;
    if (!head.isChecked) {
      head.isChecked = true;
      head.refusal ??= refusalOf(head);
    }
    const { refusal } = head;
    if (refusal !== null) return this.#answer(id, endStream, head, refusal, refusal.httpStatus);
    head.route ??= connection.handlers.lookup(head.path);
    const handler = head.route as GrpcHandler;
    if (handler.kind === 'refused') return this.#answer(id, endStream, head, handler.status, 200);
    if (head.encoding !== '' && head.encoding !== 'identity' && head.encoding !== 'gzip') {
      return this.#answer(id, endStream, head, unknownEncoding(head.encoding), 200);
    }
    if (head.timeoutMs === 0) return this.#answer(id, endStream, head, Texts.deadline, 200);
    if (handler.kind === 'unary') {
      const call = new UnaryStream(connection, id, head, handler);
      this.#begin(call, endStream);
      call.startDeadline();
      this.#maybeEnd(call);
    } else {
      const call = new MessageStream(connection, id, head, handler);
      this.#begin(call, endStream);
      call.startDeadline();
      call.open();
      this.#maybeEnd(call);
    }
  }

  /** Answers without a handler. */
  #answer(id: number, endStream: boolean, head: RequestHead, status: Status, httpStatus: number): void {
    const call = new RefusedCall(this.#connection, id, head, status, httpStatus);
    this.#begin(call, endStream);
    call.answer();
  }

  #begin(stream: Stream, endStream: boolean): void {
    stream.remoteEnded = endStream;
    this.#connection.streams.set(stream.id, stream);
  }

  #maybeEnd(stream: Stream): void {
    if (stream.remoteEnded && !stream.closed) stream.onRemoteEnd();
  }
}

function refusalOf(head: RequestHead): RequestHead['refusal'] {
  for (const { name, value } of head.fields) {
    const fault = isBinary(name) ? binaryFault(name, value) : null;
    if (fault !== null) return { httpStatus: 400, code: 13, message: fault };
  }
  return head.method === 'POST' ? null : { httpStatus: 405, ...notPost(head.method) };
}
