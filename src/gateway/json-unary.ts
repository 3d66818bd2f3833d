import type { Status, Tally, UnaryRoute } from '../rpc/index.js';
import { Code, UnaryCall } from '../rpc/index.js';
import { refuse } from './gateway-context.js';
import type { ExchangeListener } from './http.js';
import { toJson } from './json/encode.js';
import type { JsonCall } from './json-body.js';
import { JsonParts } from './json-parts.js';
import { metadataOf } from './metadata.js';

export const DEADLINE: Status = { code: Code.DEADLINE_EXCEEDED, message: 'context deadline exceeded' };
/** What a first message of a gRPC server's has said in its headers. */
export const FROM_GRPC = { 'Content-Type': 'application/json', 'Grpc-Metadata-Content-Type': 'application/grpc' };

/** A unary call that came as JSON. */
export class JsonUnary extends UnaryCall implements ExchangeListener {
  readonly request: Buffer;
  readonly #call: JsonCall;
  readonly #route: UnaryRoute;
  readonly #tally: Tally;
  #startedAt = 0;
  #timer: unknown = null;
  #over = false;
  /** A large answer on its way. */
  #parts: JsonParts | null = null;

  constructor(call: JsonCall, route: UnaryRoute, request: Buffer) {
    super();
    this.#call = call;
    this.#route = route;
    this.request = request;
    this.#tally = call.context.router.tally(route);
  }

  start(): this {
    const { context, deadline } = this.#call;
    context.open.add(this);
    this.#startedAt = this.#tally.start();
    this.#tally.take(this.request);
    if (deadline !== 0) {
      const left = deadline - context.clock.now();
      if (left <= 0) {
        this.refuse(DEADLINE);
        return this;
      }
      this.#timer = context.timers.set(left, () => this.refuse(DEADLINE));
    }
    context.router.unary(this.#route, this);
    return this;
  }

  get deadline(): number {
    return this.#call.deadline;
  }

  override get isOver(): boolean {
    return this.#over;
  }

  override get isHeld(): boolean {
    return super.isHeld || this.#call.context.large.isFull;
  }

  override get remote(): string {
    return this.#call.exchange.remote;
  }

  metadata(name: string): string | undefined {
    return metadataOf(this.#call.exchange, name);
  }

  reply(response: Buffer): void {
    if (!this.#end(Code.OK, response.length)) return;
    this.#tally.give(response.length);
    this.#call.context.open.delete(this);
    const { response: codec } = this.#route.rpc;
    const { exchange, cors } = this.#call;
    const body = toJson(codec, codec.decode(response));
    exchange.respond(200, { ...cors, ...FROM_GRPC, 'Content-Length': String(Buffer.byteLength(body)) });
    exchange.end(body);
  }

  /** Its length is not told beforehand, and a stop waits until it is out. */
  override replyParts(parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (!this.#end(Code.OK, bytes)) return;
    this.#tally.give(bytes);
    const { context, exchange, cors } = this.#call;
    exchange.respond(200, { ...cors, ...FROM_GRPC });
    context.large.bytes += bytes;
    this.#parts = new JsonParts(context, exchange, parts, () => {
      context.large.bytes -= bytes;
      context.open.delete(this);
    });
    this.#parts.next();
  }

  refuse(status: Status): void {
    if (!this.#end(status.code)) return;
    const { context, exchange, cors } = this.#call;
    context.open.delete(this);
    refuse(context, exchange, cors, status);
  }

  onData(): void {}

  onEnd(): void {}

  onDrain(): void {
    this.#parts?.onDrain();
  }

  onClose(): void {
    if (this.#end(Code.CANCELLED)) this.#call.context.open.delete(this);
    this.#parts?.close();
  }

  /** @returns whether this is the first end */
  #end(code: number, bytes = 0): boolean {
    if (this.#over) return false;
    this.#over = true;
    const { context } = this.#call;
    if (this.#timer !== null) context.timers.clear(this.#timer);
    this.#tally.endUnary(code, this.#startedAt, this, bytes);
    return true;
  }
}
