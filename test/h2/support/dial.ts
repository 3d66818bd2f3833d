import type {
  Handlers,
  HttpListener,
  HttpRequest,
  Limits,
  Socket,
  SocketListener,
  StreamCall,
} from '../../../src/h2/index.js';
import { H2Server } from '../../../src/h2/index.js';
import type { Frame } from './wire.js';
import { F, FrameLog, PREFACE, settings, settingsAck, T } from './wire.js';

/** Clock and timers that a test moves. */
export class FakeTime {
  now = 1_000_000;
  readonly #timers: { at: number; fn: () => void }[] = [];
  #deferred: (() => void)[] = [];

  readonly clock = { now: (): number => this.now, wall: (): number => 0 };
  readonly timers = {
    set: (ms: number, fn: () => void): unknown => {
      const timer = { at: this.now + ms, fn };
      this.#timers.push(timer);
      return timer;
    },
    clear: (timer: unknown): void => {
      const at = this.#timers.indexOf(timer as never);
      if (at >= 0) this.#timers.splice(at, 1);
    },
    defer: (fn: () => void): void => {
      this.#deferred.push(fn);
    },
  };

  get waiting(): number {
    return this.#timers.length;
  }

  /** Ends the turn, and those that it makes. */
  settle(): void {
    for (let turns = 0; this.#deferred.length > 0; turns++) {
      if (turns > 10_000) throw new Error('turns without end');
      const now = this.#deferred;
      this.#deferred = [];
      for (const fn of now) fn();
    }
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      this.#timers.sort((a, b) => a.at - b.at);
      const next = this.#timers[0];
      if (next === undefined || next.at > until) break;
      this.#timers.shift();
      this.now = next.at;
      next.fn();
      this.settle();
    }
    this.now = until;
  }
}

/** The server's end of a connection. What it writes is parsed; a test may let it jam. */
export class FakeSocket implements Socket {
  listener!: SocketListener;
  readonly log = new FrameLog();
  full = false;
  /** From so many bytes on it is full. */
  jamAfter = Number.POSITIVE_INFINITY;
  writes = 0;
  bytes = 0;
  ended = false;
  destroyed = false;

  write(chunks: readonly Buffer[]): boolean {
    if (this.destroyed || this.ended) return true;
    this.writes++;
    // As a socket that is written to later would see them: a chunk that is changed meanwhile shows.
    const bytes = Buffer.concat(chunks);
    this.bytes += bytes.length;
    this.log.push(bytes);
    if (this.bytes > this.jamAfter) this.full = true;
    return !this.full;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.listener.onClose();
  }

  listen(listener: SocketListener): void {
    this.listener = listener;
  }
}

/** A server with a unary echo, one that never answers, an answer of any size, and streams that the test holds. */
export class TestServer {
  readonly time = new FakeTime();
  readonly server: H2Server;
  readonly calls: string[] = [];
  readonly streams: TestStream[] = [];
  readonly http: TestHttp[] = [];
  /** Requests of /t.T/Hold, to be answered by the test. */
  readonly held: { reply(response: Buffer): void }[] = [];

  constructor(limits: Partial<Limits> = {}, withHttp = false) {
    const handlers: Handlers = {
      lookup: (path) => {
        switch (path) {
          case '/t.T/Echo':
            return {
              kind: 'unary',
              onCall: (call) => {
                this.calls.push(call.request.toString('latin1'));
                call.reply(call.request);
              },
            };
          case '/t.T/Big':
            return {
              kind: 'unary',
              onCall: (call) => call.reply(Buffer.alloc(Number.parseInt(call.request.toString(), 10) || 0, 7)),
            };
          case '/t.T/Hold':
            return { kind: 'unary', onCall: (call) => void this.held.push(call) };
          case '/t.T/Fail':
            return { kind: 'unary', onCall: (call) => call.refuse({ code: 5, message: call.request.toString() }) };
          case '/t.T/Meta':
            return {
              kind: 'unary',
              onCall: (call) =>
                call.reply(Buffer.from(`${call.metadata('x-a')}|${call.metadata('x-b-bin')}|${call.deadline}`)),
            };
          case '/t.T/Stream':
            return {
              kind: 'stream',
              onOpen: (call) => {
                const stream = new TestStream(call);
                this.streams.push(stream);
                return stream;
              },
            };
          case '/t.T/EchoStream':
            return {
              kind: 'stream',
              onOpen: (call) => {
                const stream = new TestStream(call);
                this.streams.push(stream);
                stream.echo = true;
                call.read();
                return stream;
              },
            };
          default:
            return { kind: 'refused', status: { code: 12, message: `unknown ${path}` } };
        }
      },
      ...(withHttp
        ? {
            http: (request: HttpRequest) => {
              const one = new TestHttp(request);
              this.http.push(one);
              return one;
            },
          }
        : {}),
    };
    this.server = new H2Server({ handlers, limits, clock: this.time.clock, timers: this.time.timers });
  }

  /** A connection that has shaken hands. */
  dial(...clientSettings: [number, number][]): TestClient {
    const client = this.dialRaw();
    client.send(PREFACE, settings(...clientSettings), settingsAck);
    return client;
  }

  dialRaw(): TestClient {
    const socket = new FakeSocket();
    this.server.accept(socket);
    return new TestClient(this, socket);
  }
}

export class TestStream {
  readonly call: StreamCall;
  readonly messages: string[] = [];
  readonly events: string[] = [];
  echo = false;

  constructor(call: StreamCall) {
    this.call = call;
  }

  onMessage(bytes: Buffer): void {
    this.messages.push(bytes.toString('latin1'));
    if (!this.echo) return;
    this.call.send(bytes);
    this.call.read();
  }

  onHalfClose(): void {
    this.events.push('half-close');
    if (this.echo) this.call.end({ code: 0, message: '' });
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onClose(): void {
    this.events.push('close');
  }
}

export class TestHttp implements HttpListener {
  readonly request: HttpRequest;
  readonly body: Buffer[] = [];
  readonly events: string[] = [];

  constructor(request: HttpRequest) {
    this.request = request;
  }

  onData(chunk: Buffer): void {
    this.body.push(chunk);
  }

  onEnd(): void {
    this.events.push('end');
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onClose(): void {
    this.events.push('close');
  }
}

export interface Answer {
  http: string | undefined;
  code: string | undefined;
  message: string | undefined;
  body: Buffer;
  reset: number | null;
}

/** The client: it writes any bytes and looks at what came back. */
export class TestClient {
  readonly #server: TestServer;
  readonly socket: FakeSocket;

  constructor(server: TestServer, socket: FakeSocket) {
    this.#server = server;
    this.socket = socket;
  }

  /** Sends bytes in one chunk and lets the server end its turn. */
  send(...parts: Buffer[]): this {
    this.sendOnly(...parts);
    this.#server.time.settle();
    return this;
  }

  /** Within the server's turn. */
  sendOnly(...parts: Buffer[]): void {
    if (!this.socket.destroyed && !this.socket.ended) this.socket.listener.onData(Buffer.concat(parts));
  }

  get log(): FrameLog {
    return this.socket.log;
  }

  /** The code of the GOAWAY that ended the connection; null: it lives. */
  get goaway(): number | null {
    const last = this.log.of(T.GOAWAY).at(-1);
    return last === undefined || !this.socket.ended ? null : last.payload.readUInt32BE(4);
  }

  get goawayText(): string {
    return this.log.of(T.GOAWAY).at(-1)?.payload.toString('latin1', 8) ?? '';
  }

  /** The code of a stream's RST_STREAM. */
  resetOf(id: number): number | null {
    return this.log.of(T.RST_STREAM, id).at(-1)?.payload.readUInt32BE(0) ?? null;
  }

  body(id: number): Buffer {
    return Buffer.concat(this.log.of(T.DATA, id).map((one) => one.payload));
  }

  ended(id: number): boolean {
    return this.log.all.some(
      (one: Frame) =>
        one.id === id && (one.type === T.DATA || one.type === T.HEADERS) && (one.flags & F.END_STREAM) !== 0,
    );
  }

  answer(id: number): Answer {
    const all = Object.assign({}, ...this.log.of(T.HEADERS, id).map((one) => this.log.fields(one))) as Record<
      string,
      string
    >;
    return {
      http: all[':status'],
      code: all['grpc-status'],
      message: all['grpc-message'],
      body: this.body(id),
      reset: this.resetOf(id),
    };
  }
}
