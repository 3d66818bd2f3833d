import type { Router, Status, StreamRoute, UnaryRoute } from '../rpc/index.js';
import { Code } from '../rpc/index.js';
import type { Clock, Timers } from '../util/env.js';
import { RPCS } from '../wire/index.js';
import type { GatewayContext, Headers } from './gateway-context.js';
import { BodyBudget, hangUp, LargeAnswers, OpenCalls, refuse } from './gateway-context.js';
import type { HttpExchange } from './http.js';
import { BodyCollector } from './json-body.js';
import { JsonStream } from './json-stream.js';
import { timeoutOf } from './metadata.js';

export interface JsonGatewayOptions {
  /** A request's bytes as protobuf, at most: what gRPC takes as well. */
  readonly receiveBytesMax: number;
  /** Errors as etcd 3.5 wrote them; default false. */
  readonly legacyErrors?: boolean;
}

const NOT_FOUND: Status = { code: Code.NOT_FOUND, message: 'Not Found' };
const NOT_ALLOWED: Status = { code: Code.UNIMPLEMENTED, message: 'Method Not Allowed' };

/**
 * The JSON gateway (etcd wire §5): each path is an rpc, the body its request, the answer its response. It makes a call
 * object of its own for each, and hands it to the router like any transport: no rpc is done again here.
 */
export class JsonGateway {
  readonly #routes = new Map<string, UnaryRoute | StreamRoute>();
  readonly #context: GatewayContext;

  constructor(router: Router, env: { clock: Clock; timers: Timers }, options: JsonGatewayOptions) {
    this.#context = {
      router,
      clock: env.clock,
      timers: env.timers,
      receiveBytesMax: options.receiveBytesMax,
      legacyErrors: options.legacyErrors ?? false,
      bodies: new BodyBudget(options.receiveBytesMax),
      open: new OpenCalls(),
      large: new LargeAnswers(),
    };
    for (const rpc of RPCS) {
      const route = router.at(rpc.path);
      if (route === undefined || route.kind === 'missing') continue;
      for (const path of rpc.gateway) this.#routes.set(path, route);
    }
  }

  /** @param path clean, and below /v3/ @param cors headers that every answer has */
  handle(exchange: HttpExchange, path: string, cors: Headers): void {
    const context = this.#context;
    const route = this.#routes.get(path);
    if (route === undefined) return refuse(context, exchange, cors, NOT_FOUND);
    if (exchange.method !== 'POST') return refuse(context, exchange, cors, NOT_ALLOWED);
    const timeout = timeoutOf(exchange);
    if (typeof timeout === 'string') {
      return refuse(context, exchange, cors, { code: Code.INVALID_ARGUMENT, message: timeout });
    }
    const deadline = timeout === null ? 0 : context.clock.now() + timeout;
    const call = { context, exchange, cors, deadline };
    if (route.kind === 'stream' && route.rpc.clientStreaming) new JsonStream(call, route).open();
    else if (Number(exchange.header('content-length') ?? 0) > context.bodies.bytesMax) tooLarge(exchange, cors);
    else new BodyCollector(call, route).start();
  }

  /** Calls back when no call is under way, or after `ms`. */
  drain(ms: number, cb: () => void): void {
    this.#context.open.drain(this.#context.timers, ms, cb);
  }
}

function tooLarge(exchange: HttpExchange, cors: Headers): void {
  hangUp(exchange, cors, 413, '413 Request Entity Too Large');
}
