import type { Router, Status } from '../rpc/index.js';
import { Code } from '../rpc/index.js';
import type { Clock, Timers } from '../util/env.js';
import type { HttpExchange } from './http.js';
import { httpError } from './http.js';
import { errorJson, httpStatusOf } from './json-status.js';

export type Headers = Readonly<Record<string, string>>;

/** What the calls of the gateway share. */
export interface GatewayContext {
  readonly router: Router;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A request's bytes as protobuf, at most. */
  readonly receiveBytesMax: number;
  /** Errors as etcd 3.5 wrote them. */
  readonly legacyErrors: boolean;
  readonly bodies: BodyBudget;
  readonly open: OpenCalls;
  /** Large answers that are not out. */
  readonly large: LargeAnswers;
}

/** Bytes of large answers, as protobuf, above which the next are not begun. */
const LARGE_BYTES_MAX = 64 << 20;

export class LargeAnswers {
  bytes = 0;

  get isFull(): boolean {
    return this.bytes > LARGE_BYTES_MAX;
  }
}

/** Bytes of JSON for one of protobuf: base64 has a third more, and names and white space come on top. */
const JSON_FACTOR = 4;
/** Bytes of bodies that are being collected, of all requests together. */
const BODIES_MAX = 256 << 20;

/** Counts what is held of bodies that have not come to their end. */
export class BodyBudget {
  /** Of one body, or of one message of a stream. */
  readonly bytesMax: number;
  #used = 0;

  constructor(receiveBytesMax: number) {
    this.bytesMax = receiveBytesMax * JSON_FACTOR;
  }

  /** @returns whether there is room; if not, nothing was taken */
  take(bytes: number): boolean {
    if (this.#used + bytes > BODIES_MAX) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** The calls that are not over, so that a stop can wait for them. */
export class OpenCalls {
  readonly #calls = new Set<object>();
  #onIdle: (() => void) | null = null;

  add(call: object): void {
    this.#calls.add(call);
  }

  delete(call: object): void {
    if (!this.#calls.delete(call) || this.#calls.size > 0) return;
    this.#onIdle?.();
    this.#onIdle = null;
  }

  /** Calls back once: when no call is left, or after `ms`. */
  drain(timers: Timers, ms: number, cb: () => void): void {
    if (this.#calls.size === 0) return cb();
    const timer = timers.set(ms, () => {
      this.#onIdle = null;
      cb();
    });
    this.#onIdle = () => {
      timers.clear(timer);
      cb();
    };
  }
}

/** Answers with an error as grpc-gateway has it. */
export function refuse(context: GatewayContext, exchange: HttpExchange, cors: Headers, status: Status): void {
  const body = errorJson(status, context.legacyErrors);
  exchange.respond(httpStatusOf(status.code), {
    ...cors,
    'Content-Type': 'application/json',
    ...(status.code === Code.UNAUTHENTICATED ? { 'WWW-Authenticate': status.message } : {}),
    'Content-Length': String(Buffer.byteLength(body)),
  });
  exchange.end(body);
}

/** Answers a body that is not to be read to its end. */
export function hangUp(exchange: HttpExchange, cors: Headers, status: number, text: string): void {
  const { headers, body } = httpError(status, text);
  exchange.hangUp();
  exchange.respond(status, { ...cors, ...headers, 'Content-Length': String(body.length) });
  exchange.end(body);
}
