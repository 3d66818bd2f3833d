import { AuthenticateRequest, AuthenticateResponse } from '../../wire/index.js';
import type { Balance } from './endpoints.js';
import { Endpoints } from './endpoints.js';
import type { ClientEnv } from './env.js';
import { LeaseKeeper } from './lease-keeper.js';
import { OneStream } from './one-stream.js';
import type { Repeat } from './status.js';
import { CLOSED } from './status.js';
import type { Link } from './token.js';
import { TokenSource } from './token.js';
import type { Call, Dialer, StreamHandlers, UnaryDone } from './transport.js';
import type { UnaryOptions } from './unary.js';
import { UnaryCall } from './unary.js';
import { WatchMux } from './watch-mux.js';

const AUTHENTICATE_PATH = '/etcdserverpb.Auth/Authenticate';

export interface CoreOptions {
  readonly endpoints: readonly string[];
  readonly balance: Balance;
  readonly credentials: { readonly name: string; readonly password: string } | null;
  /** Of the Authenticate call. */
  readonly authTimeoutMs: number;
  /** See WatchMuxOptions. */
  readonly progressRequestMs: number;
}

export interface CallSettings {
  readonly repeat: Repeat;
  /** 0 is none. */
  readonly timeoutMs: number;
  readonly requireLeader: boolean;
  /** Ask this endpoint and no other. */
  readonly endpoint?: string;
}

/**
 * The client without sockets, promises and clocks of its own: unary calls with retry, watches that survive their
 * stream, leases that are kept alive. Everything it does is driven by calls, by the dialer's callbacks and by the
 * environment's timers, so the same code runs under the simulator.
 */
export class ClientCore {
  readonly endpoints: Endpoints;
  readonly leases: LeaseKeeper;
  readonly #link: Link;
  readonly #options: CoreOptions;
  readonly #open = new Set<UnaryCall>();
  readonly #streams = new Set<OneStream>();
  #watches: WatchMux | null = null;
  /** For watches that are content with a member without a leader. */
  #looseWatches: WatchMux | null = null;

  constructor(env: ClientEnv, dialer: Dialer, options: CoreOptions) {
    this.#options = options;
    this.endpoints = new Endpoints(env, dialer, options.endpoints, options.balance);
    const { credentials } = options;
    const tokens = new TokenSource(
      credentials === null
        ? null
        : (done) => {
            this.#start(
              AUTHENTICATE_PATH,
              AuthenticateRequest.encode(credentials),
              {
                repeat: 'read',
                timeoutMs: options.authTimeoutMs,
                requireLeader: false,
                endpoint: null,
                anonymous: true,
              },
              (status, reply) => done(status, reply === null ? '' : AuthenticateResponse.decode(reply).token),
            );
          },
    );
    this.#link = { env, endpoints: this.endpoints, tokens, closed: false };
    this.leases = new LeaseKeeper(this.#link);
  }

  unary(path: string, request: Buffer, settings: CallSettings, done: UnaryDone): Call {
    return this.#start(
      path,
      request,
      {
        repeat: settings.repeat,
        timeoutMs: settings.timeoutMs,
        requireLeader: settings.requireLeader,
        endpoint: settings.endpoint === undefined ? null : this.endpoints.named(settings.endpoint),
        anonymous: false,
      },
      done,
    );
  }

  /**
   * One server stream, never taken up again by itself (Snapshot).
   * @param endpoint null for the next good one
   */
  stream(path: string, request: Buffer, endpoint: string | null, handlers: StreamHandlers): OneStream {
    const stream = new OneStream(this.#link, path, request, endpoint, {
      message: (reply) => handlers.message(reply),
      end: (status) => {
        this.#streams.delete(stream);
        handlers.end(status);
      },
    });
    this.#streams.add(stream);
    return stream.start();
  }

  watches(requireLeader: boolean): WatchMux {
    const { progressRequestMs } = this.#options;
    if (requireLeader) return (this.#watches ??= new WatchMux(this.#link, { requireLeader, progressRequestMs }));
    return (this.#looseWatches ??= new WatchMux(this.#link, { requireLeader, progressRequestMs }));
  }

  /** Ends everything: calls, watches and leases end with Canceled; connections close. */
  close(): void {
    if (this.#link.closed) return;
    this.#link.closed = true;
    for (const call of [...this.#open]) call.abort(CLOSED);
    for (const stream of [...this.#streams]) stream.abort(CLOSED);
    this.#watches?.close();
    this.#looseWatches?.close();
    this.leases.close();
    this.endpoints.close();
  }

  #start(path: string, request: Buffer, options: UnaryOptions, done: UnaryDone): UnaryCall {
    const call = new UnaryCall(this.#link, path, request, options, (status, reply) => {
      this.#open.delete(call);
      done(status, reply);
    });
    this.#open.add(call);
    return call.start();
  }
}
