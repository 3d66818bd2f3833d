import type { Socket } from 'node:net';
import type {
  ConnectionInjector,
  ServerInterceptingCall,
  ServerInterceptingCallInterface,
  ServerOptions,
} from '@grpc/grpc-js';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import type { Status } from '../errors.js';
import { messageTooLarge, SERVER_STATUS } from '../errors.js';
import type { Router } from '../router.js';
import type { GrpcStatus } from './call.js';
import { GrpcJsStream, GrpcJsUnary, grpcStatus } from './call.js';

export interface GrpcServerOptions {
  /** Largest message that a client may send, bytes. */
  readonly receiveBytesMax: number;
  /** --max-concurrent-streams; 0: no limit. */
  readonly concurrentStreamsMax: number;
  /** --grpc-keepalive-min-time, ms: nearer together, a client's pings are too many (not seen over grpc-js). */
  readonly pingMinMs: number;
  /** --grpc-keepalive-interval and --grpc-keepalive-timeout, ms: pings of ours on idle connections. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const GRPC_DEFAULTS: GrpcServerOptions = {
  receiveBytesMax: 1_572_864 + (512 << 10),
  concurrentStreamsMax: 0,
  pingMinMs: 5000,
  keepaliveIntervalMs: 2 * 60 * 60 * 1000,
  keepaliveTimeoutMs: 20_000,
};

/**
 * gRPC by @grpc/grpc-js, as a transport of raw messages: an interceptor takes every call before grpc-js would put
 * streams and codecs on it. Connections come from outside, since HTTP/1.1 lives on the same port.
 *
 * What it cannot do and etcd does: end connections that ping too often.
 */
export class GrpcJsServer {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;

  constructor(router: Router, options: GrpcServerOptions = GRPC_DEFAULTS) {
    const settings: ServerOptions = {
      'grpc.max_receive_message_length': options.receiveBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': options.keepaliveIntervalMs,
      'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
      'grpc.enable_channelz': 0,
      interceptors: [(method, call) => takeCall(router, method.path, call)],
    };
    if (options.concurrentStreamsMax > 0) settings['grpc.max_concurrent_streams'] = options.concurrentStreamsMax;
    // It writes plain lines to stderr, which is a stream of JSON objects here.
    if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server(settings);
    for (const { rpc } of router.routes) this.#server.register(rpc.path, nothing, asIs, asIs, 'bidi');
    answerUnknownPaths(this.#server);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Serves a connection; nothing of it has been read that was not put back. */
  accept(socket: Socket): void {
    this.#injector.injectConnection(socket);
  }

  /** Tells clients to go, and calls back when the last call is over, or after `ms`. */
  drain(ms: number, cb: () => void): void {
    let done = false;
    const finish = (): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      cb();
    };
    const timer = setTimeout(finish, ms);
    this.#server.tryShutdown(finish);
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;
const nothing = (): void => {};

/** grpc-js knows paths only by their handlers; it would answer others in its own words. */
function answerUnknownPaths(server: Server): void {
  const inner = server as unknown as { _retrieveHandler?: (path: string) => unknown };
  const known = inner._retrieveHandler;
  if (typeof known !== 'function') return;
  inner._retrieveHandler = (path) =>
    known.call(server, path) ?? { path, func: nothing, serialize: asIs, deserialize: asIs, type: 'bidi' };
}

function takeCall(router: Router, path: string, call: ServerInterceptingCallInterface): ServerInterceptingCall {
  // The call ends itself too (a message too large, a deadline), by this same method.
  plainSendStatus ??= Object.getPrototypeOf(call).sendStatus as typeof plainSendStatus;
  call.sendStatus = sendStatus;
  return new TakenCall(router, path, call) as unknown as ServerInterceptingCall;
}

let plainSendStatus: ((this: ServerInterceptingCallInterface, status: GrpcStatus) => void) | null = null;

const TOO_LARGE = /^Received message larger than max \((\d+) vs\.? (\d+)\)$/;
const UNKNOWN_ENCODING = /^Received message compressed with unsupported encoding (".*")$/;

/** grpc-js's own words for what etcd words differently. */
function sendStatus(this: ServerInterceptingCallInterface, status: GrpcStatus): void {
  plainSendStatus?.call(this, reworded(status));
}

function reworded(status: GrpcStatus): GrpcStatus {
  const large = TOO_LARGE.exec(status.details ?? '');
  if (large !== null) return { ...status, details: messageTooLarge(Number(large[1]), Number(large[2])).message };
  const foreign = UNKNOWN_ENCODING.exec(status.details ?? '');
  if (foreign !== null) {
    return { ...status, details: `grpc: Decompressor is not installed for grpc-encoding ${foreign[1]}` };
  }
  if (status.details === 'Deadline exceeded') return { ...status, details: SERVER_STATUS.ERR_DEADLINE.message };
  return status;
}

/** Stands between grpc-js and its own handling of the call, which it never lets begin. */
class TakenCall {
  readonly #router: Router;
  readonly #path: string;
  readonly #call: ServerInterceptingCallInterface;

  constructor(router: Router, path: string, call: ServerInterceptingCallInterface) {
    this.#router = router;
    this.#path = path;
    this.#call = call;
  }

  start(): void {
    const route = this.#router.at(this.#path);
    switch (route?.kind) {
      case 'unary':
        return this.#call.start(new GrpcJsUnary(this.#call, this.#router, route));
      case 'stream':
        return this.#call.start(new GrpcJsStream(this.#call, this.#router, route));
      default:
        this.#refuse(route === undefined ? this.#router.unknown(this.#path) : route.status);
    }
  }

  #refuse(status: Status): void {
    this.#call.start({
      onReceiveMetadata: nothing,
      onReceiveMessage: nothing,
      onReceiveHalfClose: nothing,
      onCancel: nothing,
    });
    this.#call.sendStatus(grpcStatus(status));
  }

  sendMetadata = nothing;
  sendMessage = nothing;
  sendStatus = nothing;
  startRead = nothing;
}
