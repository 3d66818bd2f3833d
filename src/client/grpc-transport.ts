import { createRequire } from 'node:module';
import type {
  ChannelCredentials,
  ClientDuplexStream,
  ClientOptions,
  Client as GrpcClient,
  Metadata as GrpcMetadata,
  StatusObject,
} from '@grpc/grpc-js';
import type { Status } from './core/status.js';
import { GrpcCode, makeStatus, OK } from './core/status.js';
import type {
  Call,
  CallOptions,
  Connection,
  Dialer,
  Metadata,
  Stream,
  StreamHandlers,
  UnaryDone,
} from './core/transport.js';

type Grpc = typeof import('@grpc/grpc-js');

const INT32_MAX = 2147483647;
/** What etcd's client lets out: the server's receive limit at its default. */
export const REQUEST_BYTES_MAX = 2 * 1024 * 1024;
/** Bytes that a server may send ahead on one connection: snapshots and big ranges are not to wait for our acks. */
const FLOW_CONTROL_WINDOW = 1024 * 1024;

export interface TlsOptions {
  /** PEM of the authorities to trust; default: the system's. */
  readonly ca?: Buffer;
  /** PEM of the client's certificate and key, both or none. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Do not verify the server's certificate. */
  readonly insecureSkipVerify?: boolean;
}

export interface GrpcDialerOptions {
  /** How long a connection may take to come about before its calls go elsewhere. */
  readonly dialTimeoutMs: number;
  /** Ping a connection with open calls after this much silence; etcd refuses less than 5 s. */
  readonly keepaliveTimeMs: number;
  /** Without an answer to the ping for so long, the connection is dropped. */
  readonly keepaliveTimeoutMs: number;
  readonly requestBytesMax: number;
  /** Largest answer that is taken; default 2 GiB. */
  readonly receiveBytesMax?: number;
  readonly tls: TlsOptions | null;
}

/** Connections over @grpc/grpc-js, which is loaded when the first one is dialled. */
export class GrpcDialer implements Dialer {
  readonly #options: GrpcDialerOptions;

  constructor(options: GrpcDialerOptions) {
    this.#options = options;
  }

  dial(endpoint: string): Connection {
    return new GrpcConnection(loadGrpc(), endpoint, this.#options);
  }
}

let loaded: Grpc | null = null;

function loadGrpc(): Grpc {
  loaded ??= createRequire(import.meta.url)('@grpc/grpc-js') as Grpc;
  return loaded;
}

/** A call that waits for the connection. */
interface Waiting {
  start(): void;
  /** It was never sent. */
  refuse(status: Status): void;
}

/**
 * One channel. Calls wait here, not in the channel, until it is ready: what is refused here was certainly never
 * sent, which is what a write needs to know before it is tried elsewhere.
 */
class GrpcConnection implements Connection {
  readonly #grpc: Grpc;
  readonly #options: GrpcDialerOptions;
  readonly #client: GrpcClient;
  readonly #requireLeader: GrpcMetadata;
  readonly #waiting = new Set<Waiting>();
  #dialDeadline = 0;
  #watchingState = false;
  #closed = false;

  constructor(grpc: Grpc, endpoint: string, options: GrpcDialerOptions) {
    this.#grpc = grpc;
    this.#options = options;
    const { target, secure } = parseEndpoint(endpoint);
    this.#client = new grpc.Client(target, makeCredentials(grpc, secure, options.tls), makeClientOptions(options));
    this.#requireLeader = new grpc.Metadata();
    this.#requireLeader.set('hasleader', 'true');
  }

  unary(path: string, request: Buffer, options: CallOptions, done: UnaryDone): Call {
    const tooLarge = this.#checkSize(request);
    if (tooLarge !== null) {
      setImmediate(done, tooLarge, null);
      return NO_CALL;
    }
    const call = new GrpcUnary(this, path, request, options, done);
    this.#whenReady(call);
    return call;
  }

  stream(path: string, options: CallOptions, handlers: StreamHandlers): Stream {
    const stream = new GrpcStream(this, path, options, handlers);
    this.#whenReady(stream);
    return stream;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.close();
    for (const call of [...this.#waiting]) call.refuse(makeStatus(GrpcCode.CANCELLED, CLOSING, false));
    this.#waiting.clear();
  }

  /** @internal for the calls */
  get client(): GrpcClient {
    return this.#client;
  }

  /** @internal for the calls */
  metadata(from: Metadata | null): GrpcMetadata {
    if (from === null) return new this.#grpc.Metadata();
    if (from.token === undefined && from.hasleader === 'true') return this.#requireLeader.clone();
    const metadata = new this.#grpc.Metadata();
    for (const [name, value] of Object.entries(from)) metadata.set(name, value);
    return metadata;
  }

  /** @internal a call that waits no longer */
  forget(call: Waiting): void {
    this.#waiting.delete(call);
  }

  #checkSize(request: Buffer): Status | null {
    const max = this.#options.requestBytesMax;
    if (request.length <= max) return null;
    const text = `trying to send message larger than max (${request.length} vs. ${max})`;
    return makeStatus(GrpcCode.RESOURCE_EXHAUSTED, text);
  }

  #whenReady(call: Waiting): void {
    if (this.#closed) {
      setImmediate(() => call.refuse(makeStatus(GrpcCode.CANCELLED, CLOSING, false)));
      return;
    }
    const channel = this.#client.getChannel();
    const state = channel.getConnectivityState(true);
    const { READY, TRANSIENT_FAILURE } = this.#grpc.connectivityState;
    // In a failed state the channel refuses the call itself, and says why.
    if (state === READY || state === TRANSIENT_FAILURE) {
      call.start();
      return;
    }
    this.#waiting.add(call);
    if (this.#watchingState) return;
    this.#watchingState = true;
    this.#dialDeadline = Date.now() + this.#options.dialTimeoutMs;
    this.#watchState(state);
  }

  #watchState(state: number): void {
    this.#client.getChannel().watchConnectivityState(state, this.#dialDeadline, (err) => {
      if (this.#closed) return;
      const { READY, TRANSIENT_FAILURE } = this.#grpc.connectivityState;
      const now = this.#client.getChannel().getConnectivityState(true);
      if (now !== READY && now !== TRANSIENT_FAILURE && !err) {
        this.#watchState(now);
        return;
      }
      this.#watchingState = false;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const call of waiting) {
        if (err) call.refuse(makeStatus(GrpcCode.UNAVAILABLE, 'dial timeout', false));
        else call.start();
      }
    });
  }
}

const CLOSING = 'grpc: the client connection is closing';

const NO_CALL: Call = { cancel() {} };

const identity = (bytes: Buffer): Buffer => bytes;

class GrpcUnary implements Call, Waiting {
  readonly #connection: GrpcConnection;
  readonly #path: string;
  readonly #request: Buffer;
  readonly #options: CallOptions;
  readonly #done: UnaryDone;
  readonly #startedAt = Date.now();
  #call: { cancel(): void } | null = null;
  #over = false;

  constructor(connection: GrpcConnection, path: string, request: Buffer, options: CallOptions, done: UnaryDone) {
    this.#connection = connection;
    this.#path = path;
    this.#request = request;
    this.#options = options;
    this.#done = done;
  }

  start(): void {
    const { timeoutMs, metadata } = this.#options;
    this.#call = this.#connection.client.makeUnaryRequest(
      this.#path,
      identity,
      identity,
      this.#request,
      this.#connection.metadata(metadata),
      timeoutMs > 0 ? { deadline: this.#startedAt + timeoutMs } : {},
      (err, reply) => {
        if (this.#over) return;
        this.#over = true;
        if (err === null) this.#done(OK, reply ?? EMPTY);
        else this.#done(toStatus(err), null);
      },
    );
  }

  refuse(status: Status): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(status, null);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.forget(this);
    this.#call?.cancel();
  }
}

class GrpcStream implements Stream, Waiting {
  readonly #connection: GrpcConnection;
  readonly #path: string;
  readonly #options: CallOptions;
  readonly #handlers: StreamHandlers;
  #call: ClientDuplexStream<Buffer, Buffer> | null = null;
  /** Sent before the connection was ready. */
  #early: Buffer[] = [];
  #finished = false;
  #over = false;

  constructor(connection: GrpcConnection, path: string, options: CallOptions, handlers: StreamHandlers) {
    this.#connection = connection;
    this.#path = path;
    this.#options = options;
    this.#handlers = handlers;
  }

  start(): void {
    const call = this.#connection.client.makeBidiStreamRequest(
      this.#path,
      identity,
      identity,
      this.#connection.metadata(this.#options.metadata),
      {},
    );
    this.#call = call;
    call.on('data', (reply: Buffer) => {
      if (!this.#over) this.#handlers.message(reply);
    });
    // The status says the same and comes for every end; an error without a listener would be thrown.
    call.on('error', () => {});
    call.on('status', (status: StatusObject) => this.refuse(toStatus(status)));
    for (const request of this.#early) call.write(request);
    this.#early = [];
    if (this.#finished) call.end();
  }

  refuse(status: Status): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.end(status);
  }

  send(request: Buffer): void {
    if (this.#over || this.#finished) return;
    if (this.#call === null) this.#early.push(request);
    else this.#call.write(request);
  }

  finish(): void {
    this.#finished = true;
    this.#call?.end();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.forget(this);
    this.#call?.cancel();
  }

  pause(): void {
    this.#call?.pause();
  }

  resume(): void {
    this.#call?.resume();
  }
}

const EMPTY = Buffer.alloc(0);

/** grpc-js' own texts for what etcd users know by Go's. */
function toStatus(from: { code: number; details: string }): Status {
  const { code, details } = from;
  if (code === GrpcCode.OK) return OK;
  if (code === GrpcCode.DEADLINE_EXCEEDED && details.startsWith('Deadline exceeded')) {
    return makeStatus(code, 'context deadline exceeded');
  }
  const sent = !(
    code === GrpcCode.UNAVAILABLE &&
    (details.startsWith('No connection established') ||
      details.startsWith('Name resolution failed') ||
      details === 'Channel closed before call started' ||
      details === 'Stream refused by server')
  );
  return makeStatus(code, details, sent);
}

/** @returns grpc-js' name of an endpoint, and whether it is spoken to over TLS; null if it does not say */
export function parseEndpoint(endpoint: string): { target: string; secure: boolean | null } {
  const match = /^(https?|unixs?):(?:\/\/)?(.*)$/.exec(endpoint);
  if (match === null) return { target: `dns:${endpoint}`, secure: null };
  const [, scheme, rest] = match as unknown as [string, string, string];
  if (scheme.startsWith('unix')) return { target: `unix:${rest}`, secure: scheme === 'unixs' ? true : null };
  return { target: `dns:${rest.replace(/\/+$/, '')}`, secure: scheme === 'https' };
}

function makeCredentials(grpc: Grpc, secure: boolean | null, tls: TlsOptions | null): ChannelCredentials {
  if (secure === false || (secure === null && tls === null)) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(tls?.ca ?? null, tls?.key ?? null, tls?.cert ?? null, {
    rejectUnauthorized: tls?.insecureSkipVerify !== true,
  });
}

function makeClientOptions(options: GrpcDialerOptions): ClientOptions {
  return {
    'grpc.max_receive_message_length': Math.min(options.receiveBytesMax ?? INT32_MAX, INT32_MAX),
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': options.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // Ours is the retry policy; a channel that retries by itself does not know which calls are safe.
    'grpc.enable_retries': 0,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
  };
}
