import type { ClientEnv } from '../../src/client/core/env.js';
import type { Status } from '../../src/client/core/status.js';
import { makeStatus, OK } from '../../src/client/core/status.js';
import type {
  Call,
  CallOptions,
  Connection,
  Dialer,
  Metadata,
  Stream,
  StreamHandlers,
  UnaryDone,
} from '../../src/client/core/transport.js';
import { Rng } from '../../src/util/rng.js';

interface Timer {
  at: number;
  order: number;
  fn: () => void;
}

/** A clock that stands still until it is told to run. */
export class VirtualTime {
  now = 0;
  #order = 0;
  #timers: Timer[] = [];

  env(seed = 1): ClientEnv {
    return {
      clock: { now: () => this.now, wall: () => this.now },
      timers: {
        set: (delayMs, fn) => {
          const timer = { at: this.now + delayMs, order: this.#order++, fn };
          this.#timers.push(timer);
          return timer;
        },
        clear: (handle) => {
          this.#timers = this.#timers.filter((t) => t !== handle);
        },
        defer: (fn) => void this.#timers.push({ at: this.now, order: this.#order++, fn }),
      },
      rng: new Rng(seed),
    };
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Runs everything that is due within `ms`, in order. */
  run(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.now = Math.max(this.now, due.at);
      due.fn();
    }
    this.now = until;
  }
}

/** One call that arrived at a fake endpoint; the test decides what becomes of it. */
export class FakeCall implements Call {
  readonly url: string;
  readonly path: string;
  readonly request: Buffer;
  readonly options: CallOptions;
  readonly #done: UnaryDone;
  readonly #env: ClientEnv;
  canceled = false;
  answered = false;

  constructor(env: ClientEnv, url: string, path: string, request: Buffer, options: CallOptions, done: UnaryDone) {
    this.#env = env;
    this.url = url;
    this.path = path;
    this.request = request;
    this.options = options;
    this.#done = done;
  }

  ok(reply: Buffer): void {
    this.#end(OK, reply);
  }

  fail(code: number, message: string, sent = true): void {
    this.#end(makeStatus(code, message, sent), null);
  }

  cancel(): void {
    this.canceled = true;
  }

  #end(status: Status, reply: Buffer | null): void {
    if (this.answered) throw new Error('answered twice');
    this.answered = true;
    this.#env.timers.defer(() => {
      if (!this.canceled) this.#done(status, reply);
    });
  }
}

export class FakeStream implements Stream {
  readonly url: string;
  readonly path: string;
  readonly metadata: Metadata | null;
  readonly sent: Buffer[] = [];
  readonly #handlers: StreamHandlers;
  readonly #env: ClientEnv;
  canceled = false;
  ended = false;

  constructor(env: ClientEnv, url: string, path: string, options: CallOptions, handlers: StreamHandlers) {
    this.#env = env;
    this.url = url;
    this.path = path;
    this.metadata = options.metadata;
    this.#handlers = handlers;
  }

  send(request: Buffer): void {
    if (this.ended || this.canceled) throw new Error('sent on a stream that is over');
    this.sent.push(request);
  }

  /** From the member. */
  push(reply: Buffer): void {
    this.#env.timers.defer(() => {
      if (!this.canceled && !this.ended) this.#handlers.message(reply);
    });
  }

  end(code: number, message: string, sent = true): void {
    this.#env.timers.defer(() => {
      if (this.canceled || this.ended) return;
      this.ended = true;
      this.#handlers.end(makeStatus(code, message, sent));
    });
  }

  cancel(): void {
    this.canceled = true;
  }

  finish(): void {}
  pause(): void {}
  resume(): void {}
}

/** Endpoints that do what the test says. */
export class FakeNetwork implements Dialer {
  readonly env: ClientEnv;
  readonly calls: FakeCall[] = [];
  readonly streams: FakeStream[] = [];
  /** What each endpoint does with a unary call, by URL; absent: the call waits for the test. */
  readonly answer = new Map<string, (call: FakeCall) => void>();
  readonly closed: string[] = [];

  constructor(env: ClientEnv) {
    this.env = env;
  }

  dial(url: string): Connection {
    return {
      unary: (path, request, options, done) => {
        const call = new FakeCall(this.env, url, path, request, options, done);
        this.calls.push(call);
        this.answer.get(url)?.(call);
        return call;
      },
      stream: (path, options, handlers) => {
        const stream = new FakeStream(this.env, url, path, options, handlers);
        this.streams.push(stream);
        return stream;
      },
      close: () => void this.closed.push(url),
    };
  }

  get last(): FakeStream {
    return this.streams[this.streams.length - 1]!;
  }
}
