/**
 * The pipeline every request goes through: path, who, as whom, may they, what. Sources: kubernetes API access control.
 * The listening side is in listener.ts; this knows requests only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../util/log.js';
import type { PeerCertificate } from '../authn/index.js';
import { impersonate } from '../authn/index.js';
import { mustBeAllowed } from '../authz/index.js';
import { ApiError, methodNotAllowed, tooManyRequests, unknownResource } from '../machinery/api-error.js';
import type { Aggregation } from './aggregation.js';
import { EncodedEvents } from './encoded-events.js';
import type { Upgrade } from './exchange.js';
import { Exchange } from './exchange.js';
import type { PageSet } from './pages/index.js';
import type { ServerMetrics } from './pages/metrics.js';
import type { ServerParts } from './parts.js';
import { parseRequestInfo } from './request-info.js';
import { ResourceHandler } from './resource-handler.js';
import { respondError } from './respond.js';
import type { Subresources } from './subresources/subresource.js';

export interface ApiServerOptions {
  /** --max-requests-inflight and --max-mutating-requests-inflight; 0: no limit. */
  readonly maxInflight: number;
  readonly maxMutatingInflight: number;
  readonly log: Logger;
}

/** What the listener knows of a connection. */
export interface Peer {
  readonly certificate: PeerCertificate | null;
}

const READ_ONLY = new Set(['GET', 'HEAD', 'OPTIONS']);
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export class ApiServer {
  readonly #parts: ServerParts;
  readonly #pages: PageSet;
  readonly #metrics: ServerMetrics;
  readonly #aggregation: Pick<Aggregation, 'serve'>;
  readonly #resources: ResourceHandler;
  readonly #options: ApiServerOptions;
  readonly #log: Logger;
  readonly #endings = new Set<() => void>();
  readonly #open = new Set<Promise<void>>();
  #stopping = false;

  constructor(
    parts: ServerParts,
    pages: PageSet,
    metrics: ServerMetrics,
    subresources: Subresources,
    aggregation: Pick<Aggregation, 'serve'>,
    options: ApiServerOptions,
  ) {
    this.#parts = parts;
    this.#pages = pages;
    this.#metrics = metrics;
    this.#aggregation = aggregation;
    this.#options = options;
    this.#log = options.log.with({ caller: 'kube/server/api-server.ts' });
    this.#resources = new ResourceHandler(parts, subresources, new EncodedEvents(), {
      now: parts.now,
      onStop: (end) => {
        this.#endings.add(end);
        if (this.#stopping) end();
        return () => this.#endings.delete(end);
      },
    });
  }

  /** Answers in any case; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, peer: Peer, upgrade?: Upgrade): Promise<void> {
    const exchange = new Exchange(request, response, this.#parts.now(), upgrade ?? null);
    // A client that goes away is no news.
    response.on('error', () => {});
    request.on('error', () => {});
    const work = this.#serve(exchange, peer);
    this.#open.add(work);
    try {
      await work;
    } finally {
      this.#open.delete(work);
      this.#metrics.done(exchange, response.statusCode, this.#parts.now(), this.#isKnown(exchange));
    }
  }

  /** Watches end cleanly, the rest is waited for. @param graceMs how long */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const end of this.#endings) end();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.allSettled([...this.#open]), late]);
    clearTimeout(timer);
  }

  async #serve(exchange: Exchange, peer: Peer): Promise<void> {
    const { request } = exchange;
    const inflight = READ_ONLY.has(request.method ?? '') ? 'readOnly' : 'mutating';
    let counted = false;
    try {
      exchange.info = parseRequestInfo(request.method ?? 'GET', request.url ?? '/');
      counted = this.#enter(exchange, inflight);
      await this.#admit(exchange, peer);
      if (isLong(exchange) && counted) {
        this.#metrics.inflight[inflight]--;
        counted = false;
      }
      if (await this.#aggregation.serve(exchange)) return;
      if (exchange.info.isResource) await this.#watched(exchange);
      else if (!(await this.#pages.handle(exchange))) throw unknownResource();
    } catch (err) {
      const known = respondError(exchange, err);
      if (known.code >= 500) this.#log.warn('request failed', failureOf(exchange, known, err));
    } finally {
      if (counted) this.#metrics.inflight[inflight]--;
      // What the handler did not read: kept, it would stand before the connection's next request.
      if (!request.readableEnded) request.resume();
    }
  }

  async #watched(exchange: Exchange): Promise<void> {
    if (!isLong(exchange)) return await this.#resources.handle(exchange);
    const ended = this.#metrics.longRunning(exchange);
    try {
      await this.#resources.handle(exchange);
    } finally {
      ended();
    }
  }

  /** Who, as whom, and may they. @throws ApiError 401, 403 */
  async #admit(exchange: Exchange, { certificate }: Peer): Promise<void> {
    const { request, info } = exchange;
    if (!METHODS.has(request.method ?? '')) throw methodNotAllowed();
    const { headers } = request;
    const user = await this.#parts.authenticate({ headers, certificate });
    exchange.user = await impersonate(user, headers, this.#parts.authorizer);
    await mustBeAllowed(this.#parts.authorizer, { ...info, user: exchange.user });
  }

  /** @throws ApiError 429 when as many as may are under way */
  #enter(exchange: Exchange, inflight: 'readOnly' | 'mutating'): boolean {
    if (isLong(exchange)) return false;
    const max = inflight === 'readOnly' ? this.#options.maxInflight : this.#options.maxMutatingInflight;
    if (max > 0 && this.#metrics.inflight[inflight] >= max) {
      throw tooManyRequests('Too many requests, please try again later.', 1);
    }
    this.#metrics.inflight[inflight]++;
    return true;
  }

  #isKnown({ info }: Exchange): boolean {
    if (info === undefined) return false;
    return info.isResource && this.#parts.kinds.find(info.group, info.version, info.resource) !== undefined;
  }
}

const LONG_SUBRESOURCES = new Set(['proxy', 'log', 'exec', 'attach', 'portforward']);

function isLong({ info }: Exchange): boolean {
  return info.verb === 'watch' || LONG_SUBRESOURCES.has(info.subresource);
}

function failureOf(exchange: Exchange, known: ApiError, err: unknown): Record<string, unknown> {
  const { request, auditId } = exchange;
  return {
    method: request.method,
    path: (request.url ?? '').split('?', 1)[0],
    code: known.code,
    'audit-id': auditId,
    error: known.message,
    ...(err instanceof ApiError || !(err instanceof Error) ? {} : { stack: err.stack }),
  };
}
