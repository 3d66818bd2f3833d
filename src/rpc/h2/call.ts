import type { StreamCall as H2StreamCall, UnaryCall as H2UnaryCall, StreamListener } from '../../h2/index.js';
import { StreamCall, UnaryCall } from '../call.js';
import type { Status } from '../errors.js';

/** A unary call of h2. */
export class H2Unary extends UnaryCall {
  readonly request: Buffer;
  readonly deadline: number;
  readonly #call: H2UnaryCall;

  constructor(call: H2UnaryCall) {
    super();
    this.request = call.request;
    this.deadline = call.deadline;
    this.#call = call;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata(name);
  }

  reply(response: Buffer): void {
    this.#call.reply(response);
  }

  refuse(status: Status): void {
    this.#call.refuse(status);
  }
}

/** A call with streams of h2, and what h2 tells of it: the service's handlers hear nothing once they have ended it. */
export class H2Stream extends StreamCall implements StreamListener {
  readonly deadline: number;
  readonly #call: H2StreamCall;
  #ended = false;

  constructor(call: H2StreamCall) {
    super();
    this.deadline = call.deadline;
    this.#call = call;
  }

  metadata(name: string): string | undefined {
    return this.#call.metadata(name);
  }

  read(): void {
    this.#call.read();
  }

  send(message: Buffer): boolean {
    return this.#call.send(message);
  }

  end(status: Status): void {
    this.#ended = true;
    this.#call.end(status);
  }

  onMessage(message: Buffer): void {
    if (!this.#ended) this.handlers.onMessage(message);
  }

  onHalfClose(): void {
    if (!this.#ended) this.handlers.onHalfClose();
  }

  onDrain(): void {
    if (!this.#ended) this.handlers.onDrain();
  }

  onClose(): void {
    this.#ended = true;
    this.over();
  }
}
