import type { Socket } from 'node:net';
import type { GrpcHandler, Handlers, HttpListener, HttpRequest } from '../../h2/index.js';
import { NodeSocket, H2Server as Server } from '../../h2/index.js';
import type { Clock, Timers } from '../../util/env.js';
import type { GrpcServerOptions } from '../grpc-js/server.js';
import { GRPC_DEFAULTS } from '../grpc-js/server.js';
import type { StreamRoute, UnaryRoute } from '../route.js';
import type { Router } from '../router.js';
import type { Tally } from '../tally.js';
import { H2Stream, H2Unary } from './call.js';

/** The router's services over h2. It offers what GrpcJsServer does, so that one takes the other's place. */
export class H2GrpcServer {
  readonly #server: Server;

  /** @param http takes requests that are no gRPC, where a port has both (etcd wire §1: over TLS) */
  constructor(
    router: Router,
    env: { clock: Clock; timers: Timers },
    options: GrpcServerOptions = GRPC_DEFAULTS,
    http?: (request: HttpRequest) => HttpListener,
  ) {
    const handlers: Handlers = {
      lookup: (path) => handlerOf(router, path),
      ...(http === undefined ? {} : { http }),
    };
    this.#server = new Server({
      handlers,
      clock: env.clock,
      timers: env.timers,
      limits: {
        messageBytesMax: options.receiveBytesMax,
        concurrentStreamsMax: options.concurrentStreamsMax,
        pingMinMs: options.pingMinMs,
        keepaliveIntervalMs: options.keepaliveIntervalMs,
        keepaliveTimeoutMs: options.keepaliveTimeoutMs,
      },
    });
  }

  /** Serves a connection; nothing of it has been read that was not put back. */
  accept(socket: Socket, certificateName = ''): void {
    this.#server.accept(new NodeSocket(socket, certificateName));
  }

  /** Tells clients to go, and calls back when the last call is over, or after `ms`. */
  drain(ms: number, cb: () => void): void {
    this.#server.close(ms, cb);
  }
}

function handlerOf(router: Router, path: string): GrpcHandler {
  const route = router.at(path);
  switch (route?.kind) {
    case 'unary':
      return new UnaryHandler(router, route);
    case 'stream':
      return new StreamHandler(router, route);
    case 'missing':
      return { kind: 'refused', status: route.status };
    case undefined:
      return { kind: 'refused', status: router.unknown(path) };
  }
}

class UnaryHandler {
  readonly kind = 'unary';
  readonly #router: Router;
  readonly #route: UnaryRoute;
  readonly #tally: Tally;

  constructor(router: Router, route: UnaryRoute) {
    this.#tally = router.tally(route);
    this.#router = router;
    this.#route = route;
  }

  onCall(call: ConstructorParameters<typeof H2Unary>[0]): void {
    this.#tally.take(call.request);
    this.#router.unary(this.#route, new H2Unary(call, this.#tally));
  }
}

class StreamHandler {
  readonly kind = 'stream';
  readonly #router: Router;
  readonly #route: StreamRoute;
  readonly #tally: Tally;

  constructor(router: Router, route: StreamRoute) {
    this.#tally = router.tally(route);
    this.#router = router;
    this.#route = route;
  }

  onOpen(call: ConstructorParameters<typeof H2Stream>[0]): H2Stream {
    const stream = new H2Stream(call, this.#tally);
    this.#router.stream(this.#route, stream);
    return stream;
  }
}
