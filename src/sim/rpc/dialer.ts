import type { Status } from '../../client/core/status.js';
import { GrpcCode, makeStatus, OK } from '../../client/core/status.js';
import type {
  Call,
  CallOptions,
  Connection,
  Dialer,
  Stream,
  StreamHandlers,
  UnaryDone,
} from '../../client/core/transport.js';
import type { Conn, Net, TimerHandle, Timers } from '../../util/env.js';
import type { Frame } from './frames.js';
import { decodeFrame, encodeFrame } from './frames.js';

const DIAL_TIMEOUT_MS = 3000;

/** What the core's own transport would do with a gRPC channel, over the simulated network. */
export class SimDialer implements Dialer {
  readonly #net: Net;
  readonly #timers: Timers;
  /** Hears of each message that a stream sends. */
  onSend: ((path: string, message: Buffer) => void) | null = null;

  constructor(net: Net, timers: Timers) {
    this.#net = net;
    this.#timers = timers;
  }

  dial(endpoint: string): Connection {
    return new SimConnection(this.#net, this.#timers, endpoint.replace(/^https?:\/\//, ''), (path, message) =>
      this.onSend?.(path, message),
    );
  }
}

/**
 * One endpoint. Calls wait here until there is a connection: what is refused before that was certainly never sent; what
 * is lost behind it may have been.
 */
class SimConnection implements Connection {
  readonly #net: Net;
  readonly timers: Timers;
  readonly #address: string;
  readonly onSend: (path: string, message: Buffer) => void;
  #conn: Conn | null = null;
  #open = false;
  #dialTimer: TimerHandle | null = null;
  #closed = false;
  #ids = 0;
  readonly #calls = new Map<number, ClientCall>();

  constructor(net: Net, timers: Timers, address: string, onSend: (path: string, message: Buffer) => void) {
    this.#net = net;
    this.timers = timers;
    this.#address = address;
    this.onSend = onSend;
  }

  unary(path: string, request: Buffer, options: CallOptions, done: UnaryDone): Call {
    const call = this.#call('unary', path, options, {
      message: (reply) => call.answered(() => done(OK, reply)),
      end: (status) => done(status, null),
    });
    call.begin(request);
    return call;
  }

  stream(path: string, options: CallOptions, handlers: StreamHandlers): Stream {
    const call = this.#call('open', path, options, handlers);
    call.begin();
    return call;
  }

  #call(kind: 'unary' | 'open', path: string, options: CallOptions, handlers: StreamHandlers): ClientCall {
    const call = new ClientCall(this, ++this.#ids, kind, path, options, handlers);
    this.#calls.set(call.id, call);
    if (this.#closed) {
      const status = makeStatus(GrpcCode.CANCELLED, 'grpc: the client connection is closing', false);
      this.timers.defer(() => call.ends(status));
    } else if (this.#conn === null) this.#dial();
    return call;
  }

  /** @returns false: there is no connection yet */
  write(frame: Frame, body?: Buffer): boolean {
    if (!this.#open || this.#conn === null) return false;
    this.#conn.write(encodeFrame(frame, body));
    return true;
  }

  forget(id: number): void {
    this.#calls.delete(id);
    if (this.#closed && this.#calls.size === 0) this.#conn?.destroy();
  }

  close(): void {
    this.#closed = true;
    if (this.#calls.size === 0) this.#conn?.destroy();
  }

  #dial(): void {
    const conn = this.#net.dial(this.#address);
    this.#conn = conn;
    this.#dialTimer = this.timers.set(DIAL_TIMEOUT_MS, () => {
      if (this.#open || this.#conn !== conn) return;
      conn.onClose = null;
      conn.destroy();
      this.#lost('dial timeout');
    });
    conn.onOpen = () => {
      this.#open = true;
      for (const call of [...this.#calls.values()]) call.connected();
    };
    conn.onData = (chunk) => {
      const { frame, body } = decodeFrame(chunk);
      this.#calls.get(frame.id)?.took(frame, body);
    };
    conn.onClose = (err) => this.#lost(err?.code ?? 'the connection was closed');
  }

  #lost(why: string): void {
    if (this.#dialTimer !== null) this.timers.clear(this.#dialTimer);
    this.#conn = null;
    this.#open = false;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.ends(makeStatus(GrpcCode.UNAVAILABLE, why, call.sent));
  }
}

class ClientCall implements Stream {
  readonly id: number;
  readonly #connection: SimConnection;
  readonly #head: Frame & { path: string };
  readonly #handlers: StreamHandlers;
  /** Until the connection stands. */
  #unsent: [Frame, Buffer | undefined][] = [];
  /** Came while the reader paused. */
  #held: Buffer[] | null = null;
  #timer: TimerHandle | null = null;
  #over = false;
  /** Something of it has left. */
  sent = false;

  constructor(
    connection: SimConnection,
    id: number,
    kind: 'unary' | 'open',
    path: string,
    { timeoutMs, metadata }: CallOptions,
    handlers: StreamHandlers,
  ) {
    this.#connection = connection;
    this.id = id;
    this.#head = { kind, id, path, timeoutMs, metadata: metadata ?? {} };
    this.#handlers = handlers;
    if (timeoutMs <= 0) return;
    this.#timer = connection.timers.set(timeoutMs, () => {
      const { sent } = this;
      this.#tell({ kind: 'cancel', id });
      this.ends(makeStatus(GrpcCode.DEADLINE_EXCEEDED, 'context deadline exceeded', sent));
    });
  }

  begin(body?: Buffer): void {
    this.#tell(this.#head, body);
  }

  send(request: Buffer): void {
    if (this.#over) return;
    this.#tell({ kind: 'message', id: this.id }, request);
    this.#connection.onSend(this.#head.path, request);
  }

  finish(): void {
    this.#tell({ kind: 'half-close', id: this.id });
  }

  /** A unary call has its reply, and is over before anybody hears of it. */
  answered(tell: () => void): void {
    if (this.#over) return;
    this.#end();
    tell();
  }

  cancel(): void {
    if (this.#over) return;
    if (this.sent) this.#tell({ kind: 'cancel', id: this.id });
    this.#end();
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const message of held) this.#connection.timers.defer(() => this.#message(message));
  }

  connected(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const [frame, body] of unsent) this.#tell(frame, body);
  }

  took(frame: Frame, body: Buffer): void {
    if (this.#over) return;
    if (frame.kind === 'message') this.#message(body);
    else if (frame.kind === 'end') this.ends(makeStatus(frame.code, frame.message));
  }

  #message(body: Buffer): void {
    if (this.#over) return;
    if (this.#held !== null) this.#held.push(body);
    else this.#handlers.message(body);
  }

  ends(status: Status): void {
    if (this.#over) return;
    this.#end();
    this.#handlers.end(status);
  }

  #tell(frame: Frame, body?: Buffer): void {
    if (this.#over) return;
    if (this.#connection.write(frame, body)) this.sent = true;
    else this.#unsent.push([frame, body]);
  }

  #end(): void {
    this.#over = true;
    this.#unsent = [];
    if (this.#timer !== null) this.#connection.timers.clear(this.#timer);
    this.#connection.forget(this.id);
  }
}
