import type { Status, StreamRoute, Tally } from '../rpc/index.js';
import { Code, StreamCall } from '../rpc/index.js';
import { hangUp, refuse } from './gateway-context.js';
import type { ExchangeListener } from './http.js';
import { escapeHtml, toJson } from './json/encode.js';
import { JsonSplitter } from './json/splitter.js';
import type { JsonCall } from './json-body.js';
import { encodeRequest } from './json-body.js';
import { httpStatusOf, streamErrorJson } from './json-status.js';
import { DEADLINE, FROM_GRPC } from './json-unary.js';
import { metadataOf } from './metadata.js';

/** The first message of a body must be complete by then, ms. Later ones may take their time. */
const FIRST_MS = 30_000;

/**
 * A call with streams that came as JSON: messages stand one after the other in the body, and each response is a line.
 * A message that cannot be read ends the client's side and no more, as grpc-gateway does it. Lock and Campaign are
 * streams to the router alone: they have one answer, and it looks like any other.
 */
export class JsonStream extends StreamCall implements ExchangeListener {
  readonly #call: JsonCall;
  readonly #route: StreamRoute;
  readonly #tally: Tally;
  readonly #splitter = new JsonSplitter();
  #startedAt = 0;
  /** The one request of an rpc that takes no stream. */
  #single: Buffer | null = null;
  #deadlineTimer: unknown = null;
  #firstTimer: unknown = null;
  /** The service waits for a message; a piece of the body is asked for; the client sends no more. */
  #wanted = false;
  #reading = false;
  #halfClosed = false;
  #hasHead = false;
  #answer: Buffer | null = null;
  #ended = false;

  constructor(call: JsonCall, route: StreamRoute) {
    super();
    this.#call = call;
    this.#route = route;
    this.#tally = call.context.router.tally(route);
  }

  /** The body is a stream of requests. */
  open(): void {
    const { exchange, context } = this.#call;
    exchange.listen(this);
    this.#firstTimer = context.timers.set(FIRST_MS, () => this.#hangUp(408, '408 Request Timeout'));
    this.#begin();
  }

  openWith(request: Buffer): this {
    this.#single = request;
    this.#splitter.end();
    this.#begin();
    return this;
  }

  #begin(): void {
    const { context, deadline } = this.#call;
    context.open.add(this);
    this.#startedAt = this.#tally.start();
    if (deadline !== 0) {
      const left = Math.max(0, deadline - context.clock.now());
      this.#deadlineTimer = context.timers.set(left, () => this.end(DEADLINE));
    }
    context.router.stream(this.#route, this);
  }

  get deadline(): number {
    return this.#call.deadline;
  }

  override get remote(): string {
    return this.#call.exchange.remote;
  }

  metadata(name: string): string | undefined {
    return metadataOf(this.#call.exchange, name);
  }

  read(): void {
    this.#wanted = true;
    queueMicrotask(() => this.#give());
  }

  send(message: Buffer): boolean {
    if (this.#ended) return true;
    this.#tally.give(message.length);
    if (!this.#route.rpc.serverStreaming) {
      this.#answer = message;
      return true;
    }
    this.#head();
    const { response: codec } = this.#route.rpc;
    return this.#call.exchange.write(`{"result":${escapeHtml(toJson(codec, codec.decode(message)))}}\n`);
  }

  end(status: Status): void {
    if (!this.#finish(status.code)) return;
    const { context, exchange, cors } = this.#call;
    if (!this.#route.rpc.serverStreaming) {
      if (status.code !== Code.OK) refuse(context, exchange, cors, status);
      else this.#reply();
    } else if (status.code === Code.OK) {
      if (!this.#hasHead) exchange.respond(200, cors);
      exchange.end();
    } else {
      if (!this.#hasHead) exchange.respond(httpStatusOf(status.code), { ...cors, 'Content-Type': 'application/json' });
      exchange.write(streamErrorJson(status, context.legacyErrors));
      exchange.end();
    }
    this.over();
  }

  onData(chunk: Buffer): void {
    this.#reading = false;
    if (this.#ended) return;
    this.#splitter.push(chunk);
    this.#give();
  }

  onEnd(): void {
    this.#reading = false;
    this.#splitter.end();
    this.#give();
  }

  onDrain(): void {
    if (!this.#ended) this.handlers.onDrain();
  }

  onClose(): void {
    if (this.#finish(Code.CANCELLED)) this.over();
  }

  #reply(): void {
    const { response: codec } = this.#route.rpc;
    const { exchange, cors } = this.#call;
    const body = toJson(codec, codec.decode(this.#answer ?? Buffer.alloc(0)));
    exchange.respond(200, { ...cors, ...FROM_GRPC, 'Content-Length': String(Buffer.byteLength(body)) });
    exchange.end(body);
  }

  #head(): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    this.#call.exchange.respond(200, { ...this.#call.cors, ...FROM_GRPC });
  }

  /** Hands on the next message, if one is wanted and there is one. */
  #give(): void {
    while (this.#wanted && !this.#ended && !this.#halfClosed) {
      const message = this.#next();
      if (message === undefined) return;
      this.#wanted = false;
      if (message === null) {
        this.#halfClosed = true;
        this.handlers.onHalfClose();
      } else {
        this.#tally.take(message);
        this.handlers.onMessage(message);
      }
    }
  }

  /** undefined: it has not come yet; null: there is none, or it cannot be read. */
  #next(): Buffer | null | undefined {
    if (this.#single !== null) {
      const message = this.#single;
      this.#single = null;
      return message;
    }
    const { context } = this.#call;
    const piece = this.#splitter.next();
    if (piece.kind === 'more') {
      if (this.#splitter.pendingBytes > context.bodies.bytesMax) this.#hangUp(413, '413 Request Entity Too Large');
      else if (!this.#reading) {
        this.#reading = true;
        this.#call.exchange.read();
      }
      return undefined;
    }
    this.#stopWaiting();
    if (piece.kind !== 'value') return null;
    const message = encodeRequest(this.#route.rpc, piece.bytes, context.receiveBytesMax);
    if (Buffer.isBuffer(message)) return message;
    if (message.code !== Code.RESOURCE_EXHAUSTED) return null;
    this.end(message);
    return undefined;
  }

  #hangUp(status: number, text: string): void {
    if (!this.#finish(Code.CANCELLED)) return;
    if (!this.#hasHead) hangUp(this.#call.exchange, this.#call.cors, status, text);
    else {
      this.#call.exchange.hangUp();
      this.#call.exchange.end();
    }
    this.over();
  }

  #stopWaiting(): void {
    if (this.#firstTimer !== null) this.#call.context.timers.clear(this.#firstTimer);
    this.#firstTimer = null;
  }

  /** @returns whether this is the first end */
  #finish(code: number): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    const { context } = this.#call;
    this.#stopWaiting();
    if (this.#deadlineTimer !== null) context.timers.clear(this.#deadlineTimer);
    context.open.delete(this);
    this.#tally.end(code, this.#startedAt);
    return true;
  }
}
