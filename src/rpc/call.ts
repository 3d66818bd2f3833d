import type { CallContext, Completion, MemberApi, ServerError } from '../server/index.js';
import type { Status } from './errors.js';
import { statusOf } from './errors.js';
import type { Slicer } from './slicer.js';

/** Makes a response's bytes. One function for all calls of an rpc: no closure is made per call. Null: they come later. */
export type Encode<T> = (member: MemberApi, value: T, call: UnaryCall) => Buffer | null;

/**
 * One unary call, whatever transport it came by. The transport extends it with the last two methods; it ignores an
 * answer that comes after the client cancelled or the deadline passed.
 */
export abstract class UnaryCall implements CallContext {
  /** Our own for as long as we like: the transport does not write into it again. */
  abstract readonly request: Buffer;
  /** ms on the monotonic clock; 0: the client set none. */
  abstract readonly deadline: number;
  /** Set by the router. */
  member!: MemberApi;
  slicer!: Slicer;
  #encode: Encode<never> | null = null;

  /** Of CallContext: the transport says so. */
  get isOver(): boolean {
    return false;
  }

  /** Of CallContext. A transport whose client does not take its answers says so as well. */
  get isHeld(): boolean {
    return this.slicer.isFull;
  }

  /** First value of a metadata entry; `name` in lower case. */
  abstract metadata(name: string): string | undefined;

  /** Of CallContext. */
  get token(): string | undefined {
    return tokenOf(this);
  }

  /** Of CallContext. A transport with TLS says it. */
  get certificateName(): string | undefined {
    return undefined;
  }

  /** Of CallContext. */
  get remote(): string | undefined {
    return undefined;
  }

  /** Ends the call with OK. */
  abstract reply(response: Buffer): void;

  /** The same with a large response, in pieces. */
  replyParts(parts: readonly Buffer[]): void {
    this.reply(Buffer.concat(parts));
  }

  /** Ends the call with an error. */
  abstract refuse(status: Status): void;

  /** The call as the receiver of a member's answer, which `encode` turns into the response. */
  answer<T>(encode: Encode<T>): Completion<T> {
    this.#encode = encode as Encode<never>;
    return this as unknown as Completion<T>;
  }

  /** Of Completion. */
  ok(value: unknown): void {
    const response = (this.#encode as Encode<unknown>)(this.member, value, this);
    if (response !== null) this.reply(response);
  }

  /** Of Completion. */
  fail(err: ServerError): void {
    this.refuse(statusOf(err));
  }
}

/** Metadata `token`, else `authorization`, whose prefix `Bearer ` is left out (etcd semantics §9.1). */
function tokenOf(call: { metadata(name: string): string | undefined }): string | undefined {
  const token = call.metadata('token');
  if (token !== undefined) return token;
  const authorization = call.metadata('authorization');
  return authorization?.startsWith('Bearer ') ? authorization.slice(7) : authorization;
}

/** What a stream call's service hears. Messages come only when they were asked for. */
export interface StreamHandlers {
  onMessage(message: Buffer): void;
  /** The client sends no more. */
  onHalfClose(): void;
  /** There is room again after a `send` that returned false. */
  onDrain(): void;
  /** Once, last: the call is over, by `end`, by the client or by the connection. */
  onClose(): void;
}

/**
 * One call with streams. It pulls: `read` asks for one message, and one `onMessage` or `onHalfClose` follows, so that a
 * client that sends faster than it is served meets the transport's flow control and no queue grows here.
 */
export abstract class StreamCall implements CallContext {
  abstract readonly deadline: number;
  member!: MemberApi;
  /** Set by the router before the first message. */
  handlers!: StreamHandlers;
  /** The router's own. */
  onOver: ((call: StreamCall) => void) | null = null;
  #over = false;

  abstract metadata(name: string): string | undefined;

  /** Of CallContext. */
  get token(): string | undefined {
    return tokenOf(this);
  }

  /** Of CallContext. A transport with TLS says it. */
  get certificateName(): string | undefined {
    return undefined;
  }

  /** Of CallContext. */
  get remote(): string | undefined {
    return undefined;
  }

  /** Asks for the next message. One at a time. */
  abstract read(): void;
  /** Always takes the message; false: hold back until onDrain. */
  abstract send(message: Buffer): boolean;
  /** Ends the call, after what was sent. Nothing may follow; a second one is ignored. */
  abstract end(status: Status): void;

  /** The transport says that the call is over. */
  protected over(): void {
    if (this.#over) return;
    this.#over = true;
    this.onOver?.(this);
    this.handlers?.onClose();
  }
}
