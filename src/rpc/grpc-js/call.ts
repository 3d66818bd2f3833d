import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { RingBuffer } from '../../util/ring-buffer.js';
import { EMPTY } from '../../wire/index.js';
import { StreamCall, UnaryCall } from '../call.js';
import type { Status } from '../errors.js';
import { NO_MESSAGE, OK } from '../errors.js';
import type { StreamRoute, UnaryRoute } from '../route.js';
import type { Router } from '../router.js';

/** Bytes on their way to a client above which a stream's sender is to hold back, and below which it may go on. */
const PENDING_BYTES_MAX = 256 << 10;
const PENDING_BYTES_MIN = 64 << 10;

const nothing = (): void => {};

/** grpc-js's deadline, on Date's clock, as ms on the monotonic one. */
function deadlineOf(call: ServerInterceptingCallInterface): number {
  const at = call.getDeadline();
  if (at === Number.POSITIVE_INFINITY) return 0;
  return performance.now() + (Number(at) - Date.now());
}

/** A status as grpc-js has it. */
export type GrpcStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

export function grpcStatus(status: Status): GrpcStatus {
  return { code: status.code, details: status.message, metadata: null };
}

/** A unary call of grpc-js, driven on its own interface: a message in, a message and a status out. */
export class GrpcJsUnary extends UnaryCall {
  request: Buffer = EMPTY;
  readonly deadline: number;
  readonly #call: ServerInterceptingCallInterface;
  readonly #router: Router;
  readonly #route: UnaryRoute;
  #metadata: Metadata | null = null;
  #state: 'waiting' | 'running' | 'done' = 'waiting';

  constructor(call: ServerInterceptingCallInterface, router: Router, route: UnaryRoute) {
    super();
    this.#call = call;
    this.#router = router;
    this.#route = route;
    this.deadline = deadlineOf(call);
  }

  override get isOver(): boolean {
    return this.#state === 'done';
  }

  metadata(name: string): string | undefined {
    return this.#metadata?.get(name)[0]?.toString();
  }

  override get remote(): string {
    return this.#call.getPeer();
  }

  reply(response: Buffer): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    this.#call.sendMessage(response, nothing);
    this.#call.sendStatus(grpcStatus(OK));
  }

  refuse(status: Status): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    this.#call.sendStatus(grpcStatus(status));
  }

  // --- grpc-js's listener ---

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#call.startRead();
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'running';
    this.request = message;
    this.#router.unary(this.#route, this);
  }

  /** Without a message. */
  onReceiveHalfClose(): void {
    if (this.#state === 'waiting') this.refuse(NO_MESSAGE);
  }

  onCancel(): void {
    this.#state = 'done';
  }
}

/** A call with streams of grpc-js. */
export class GrpcJsStream extends StreamCall {
  readonly deadline: number;
  readonly #call: ServerInterceptingCallInterface;
  readonly #router: Router;
  readonly #route: StreamRoute;
  #metadata: Metadata | null = null;
  #ended = false;
  /** Lengths of the messages that have not been written out, in order. */
  readonly #pending = new RingBuffer<number>(8);
  #pendingBytes = 0;
  #full = false;
  readonly #written = (): void => {
    this.#pendingBytes -= this.#pending.shift() ?? 0;
    if (!this.#full || this.#pendingBytes > PENDING_BYTES_MIN) return;
    this.#full = false;
    if (!this.#ended) this.handlers.onDrain();
  };

  constructor(call: ServerInterceptingCallInterface, router: Router, route: StreamRoute) {
    super();
    this.#call = call;
    this.#router = router;
    this.#route = route;
    this.deadline = deadlineOf(call);
  }

  metadata(name: string): string | undefined {
    return this.#metadata?.get(name)[0]?.toString();
  }

  override get remote(): string {
    return this.#call.getPeer();
  }

  read(): void {
    if (!this.#ended) this.#call.startRead();
  }

  send(message: Buffer): boolean {
    if (this.#ended) return true;
    this.#pending.push(message.length);
    this.#pendingBytes += message.length;
    this.#call.sendMessage(message, this.#written);
    if (this.#pendingBytes > PENDING_BYTES_MAX) this.#full = true;
    return !this.#full;
  }

  end(status: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call.sendStatus(grpcStatus(status));
  }

  // --- grpc-js's listener ---

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#router.stream(this.#route, this);
  }

  onReceiveMessage(message: Buffer): void {
    if (!this.#ended) this.handlers.onMessage(message);
  }

  onReceiveHalfClose(): void {
    if (!this.#ended) this.handlers.onHalfClose();
  }

  onCancel(): void {
    this.#ended = true;
    this.over();
  }
}
