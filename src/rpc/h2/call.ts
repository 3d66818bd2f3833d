import type { StreamCall as H2StreamCall, UnaryCall as H2UnaryCall, StreamListener } from '../../h2/index.js';
import { StreamCall, UnaryCall } from '../call.js';
import type { Status } from '../errors.js';
import { Code } from '../errors.js';
import type { Tally } from '../tally.js';

/** A unary call of h2. */
export class H2Unary extends UnaryCall {
  readonly request: Buffer;
  readonly deadline: number;
  readonly #call: H2UnaryCall;
  readonly #tally: Tally;
  readonly #startedAt: number;

  constructor(call: H2UnaryCall, tally: Tally) {
    super();
    this.#tally = tally;
    this.#startedAt = tally.start();
    this.request = call.request;
    this.deadline = call.deadline;
    this.#call = call;
  }

  override get isOver(): boolean {
    return this.#call.isOver;
  }

  override get isHeld(): boolean {
    return super.isHeld || this.#call.isHeld;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata(name);
  }

  override get remote(): string {
    return this.#call.remote;
  }

  /** What the gateway passes on has the gateway's certificate, which is nobody's (etcd semantics §9.1). */
  override get certificateName(): string {
    return this.#call.metadata('grpcgateway-accept') === undefined ? this.#call.certificateName : '';
  }

  reply(response: Buffer): void {
    this.#tally.give(response.length);
    this.#tally.endUnary(Code.OK, this.#startedAt, this, response.length);
    this.#call.reply(response);
  }

  override replyParts(parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#tally.give(bytes);
    this.#tally.endUnary(Code.OK, this.#startedAt, this, bytes);
    this.#call.replyParts(parts);
  }

  refuse(status: Status): void {
    this.#tally.endUnary(status.code, this.#startedAt, this, 0);
    this.#call.refuse(status);
  }
}

/** A call with streams of h2, and what h2 tells of it: the service's handlers hear nothing once they have ended it. */
export class H2Stream extends StreamCall implements StreamListener {
  readonly deadline: number;
  readonly #call: H2StreamCall;
  readonly #tally: Tally;
  readonly #startedAt: number;
  #ended = false;

  constructor(call: H2StreamCall, tally: Tally) {
    super();
    this.#tally = tally;
    this.#startedAt = tally.start();
    this.deadline = call.deadline;
    this.#call = call;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata(name);
  }

  override get remote(): string {
    return this.#call.remote;
  }

  /** What the gateway passes on has the gateway's certificate, which is nobody's (etcd semantics §9.1). */
  override get certificateName(): string {
    return this.#call.metadata('grpcgateway-accept') === undefined ? this.#call.certificateName : '';
  }

  read(): void {
    this.#call.read();
  }

  send(message: Buffer): boolean {
    this.#tally.give(message.length);
    return this.#call.send(message);
  }

  end(status: Status): void {
    if (!this.#ended) this.#tally.end(status.code, this.#startedAt);
    this.#ended = true;
    this.#call.end(status);
  }

  onMessage(message: Buffer): void {
    if (this.#ended) return;
    this.#tally.take(message);
    this.handlers.onMessage(message);
  }

  onHalfClose(): void {
    if (!this.#ended) this.handlers.onHalfClose();
  }

  onDrain(): void {
    if (!this.#ended) this.handlers.onDrain();
  }

  onClose(): void {
    // By its client, or by its deadline.
    if (!this.#ended) this.#tally.end(Code.CANCELLED, this.#startedAt);
    this.#ended = true;
    this.over();
  }
}
