import type { Status, StreamRoute, UnaryRoute } from '../rpc/index.js';
import { Code } from '../rpc/index.js';
import type { Rpc } from '../wire/index.js';
import type { GatewayContext, Headers } from './gateway-context.js';
import { hangUp, refuse } from './gateway-context.js';
import type { ExchangeListener, HttpExchange } from './http.js';
import { fromJson } from './json/decode.js';
import { JsonError } from './json/json-error.js';
import { JsonSplitter } from './json/splitter.js';
import { JsonStream } from './json-stream.js';
import { JsonUnary } from './json-unary.js';

/** One request of the gateway. */
export interface JsonCall {
  readonly context: GatewayContext;
  readonly exchange: HttpExchange;
  /** Headers that every answer has. */
  readonly cors: Headers;
  /** On the monotonic clock; 0: the client set none. */
  readonly deadline: number;
}

/** A body must be complete by then, ms. That of a stream of requests has its own way (json-stream.ts). */
const BODY_MS = 30_000;

/** Takes the whole body of an rpc with one request, and then makes the call. */
export class BodyCollector implements ExchangeListener {
  readonly #call: JsonCall;
  readonly #route: UnaryRoute | StreamRoute;
  readonly #timer: unknown;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Who hears of the exchange from now on; null while the body is coming. */
  #next: ExchangeListener | null = null;
  #refused = false;

  constructor(call: JsonCall, route: UnaryRoute | StreamRoute) {
    this.#call = call;
    this.#route = route;
    this.#timer = call.context.timers.set(BODY_MS, () => this.#hangUp(408, '408 Request Timeout'));
  }

  start(): void {
    this.#call.exchange.listen(this);
    this.#call.exchange.read();
  }

  onData(chunk: Buffer): void {
    if (this.#refused) return;
    const { bodies } = this.#call.context;
    if (this.#bytes + chunk.length > bodies.bytesMax) return this.#hangUp(413, '413 Request Entity Too Large');
    if (!bodies.take(chunk.length)) return this.#hangUp(429, '429 Too Many Requests');
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    this.#call.exchange.read();
  }

  onEnd(): void {
    if (this.#refused) return;
    const { context, exchange, cors, deadline } = this.#call;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#release();
    const request = requestOf(this.#route.rpc, body, context.receiveBytesMax);
    if (!Buffer.isBuffer(request)) return refuse(context, exchange, cors, request);
    const call = { context, exchange, cors, deadline };
    if (this.#route.kind === 'unary') this.#next = new JsonUnary(call, this.#route, request).start();
    else this.#next = new JsonStream(call, this.#route).openWith(request);
  }

  onDrain(): void {
    this.#next?.onDrain();
  }

  onClose(): void {
    this.#release();
    this.#next?.onClose();
  }

  #hangUp(status: number, text: string): void {
    this.#refused = true;
    this.#release();
    hangUp(this.#call.exchange, this.#call.cors, status, text);
  }

  #release(): void {
    this.#call.context.timers.clear(this.#timer);
    this.#call.context.bodies.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks = [];
  }
}

/** The request's bytes: of the first value in the body, or of nothing where it is empty. */
function requestOf(rpc: Rpc, body: Buffer, bytesMax: number): Buffer | Status {
  const splitter = new JsonSplitter();
  splitter.push(body);
  splitter.end();
  const piece = splitter.next();
  if (piece.kind === 'error') return { code: Code.INVALID_ARGUMENT, message: piece.text };
  return piece.kind === 'value' ? encodeRequest(rpc, piece.bytes, bytesMax) : rpc.request.encode({});
}

/** @returns the message as protobuf, or why there is none */
export function encodeRequest(rpc: Rpc, json: Buffer, bytesMax: number): Buffer | Status {
  try {
    const bytes = rpc.request.encode(fromJson(rpc.request, json) as object);
    if (bytes.length <= bytesMax) return bytes;
    const message = `grpc: received message larger than max (${bytes.length} vs. ${bytesMax})`;
    return { code: Code.RESOURCE_EXHAUSTED, message };
  } catch (err) {
    if (!(err instanceof JsonError)) throw err;
    return { code: Code.INVALID_ARGUMENT, message: err.message };
  }
}
