import type { Status } from './status.js';
import { CLOSED } from './status.js';
import type { Link } from './token.js';
import { callMetadata } from './token.js';
import type { Call, Stream, StreamHandlers } from './transport.js';

/** How many endpoints may refuse the connection before the stream fails. */
const ATTEMPTS_MAX = 10;

/** A server stream with one request. Tried elsewhere only while no connection comes about; never resumed. */
export class OneStream implements Call {
  readonly #link: Link;
  readonly #path: string;
  readonly #request: Buffer;
  readonly #endpoint: string | null;
  readonly #handlers: StreamHandlers;
  #stream: Stream | null = null;
  #attempts = 0;
  #over = false;

  constructor(link: Link, path: string, request: Buffer, endpoint: string | null, handlers: StreamHandlers) {
    this.#link = link;
    this.#path = path;
    this.#request = request;
    this.#endpoint = endpoint;
    this.#handlers = handlers;
  }

  start(): this {
    this.#link.env.timers.defer(() => this.#open());
    return this;
  }

  cancel(): void {
    this.#over = true;
    this.#stream?.cancel();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** The client closes. */
  abort(status: Status): void {
    if (this.#over) return;
    this.cancel();
    this.#handlers.end(status);
  }

  #open(): void {
    if (this.#over) return;
    const { endpoints, tokens, env } = this.#link;
    if (this.#link.closed) return this.abort(CLOSED);
    if (!tokens.ready) {
      tokens.fetch((status) => {
        if (this.#over) return;
        if (status === null) this.#open();
        else this.#handlers.end(status);
      });
      return;
    }
    const endpoint = this.#endpoint === null ? endpoints.pick(null) : endpoints.named(this.#endpoint);
    if (endpoint === null) {
      env.timers.set(endpoints.readyInMs(), () => this.#open());
      return;
    }
    this.#attempts++;
    const stream = endpoints.connection(endpoint).stream(
      this.#path,
      { timeoutMs: 0, metadata: callMetadata(tokens, false) },
      {
        message: (reply) => this.#handlers.message(reply),
        end: (status) => {
          if (this.#over) return;
          if (!status.sent) {
            endpoints.lost(endpoint);
            if (this.#attempts < ATTEMPTS_MAX) {
              env.timers.set(endpoints.readyInMs(), () => this.#open());
              return;
            }
          }
          this.#over = true;
          this.#handlers.end(status);
        },
      },
    );
    this.#stream = stream;
    stream.send(this.#request);
    stream.finish();
  }
}
