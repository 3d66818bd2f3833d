import type { MemberApi } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { Access } from './access.js';
import { varsHandler } from './debug-vars.js';
import { healthHandler } from './health.js';
import type { HttpExchange, HttpHandler, HttpResponse } from './http.js';
import { httpError, notFound, onlyGet } from './http.js';
import type { JsonGateway } from './json-gateway.js';
import type { RpcCounts } from './metrics/index.js';
import { HealthCounts, metricsHandler } from './metrics/index.js';
import { LIVEZ, probeHandler, READYZ } from './probes.js';
import { PROFILES, profileHandlers } from './profiles.js';
import { cleanPath, encodePath } from './target.js';

export interface SiteOptions {
  /** --cors; default every origin. */
  readonly corsOrigins?: readonly string[];
  /** --host-whitelist; default every name. */
  readonly hostWhitelist?: readonly string[];
  /** Whose calls /metrics tells. */
  readonly rpcs?: RpcCounts;
  /** --enable-grpc-gateway; null or left out: there is no /v3/. */
  readonly gateway?: JsonGateway | null;
  /** --enable-pprof; default false. */
  readonly profiles?: boolean;
  /** --metrics=extensive; default false. */
  readonly extensiveMetrics?: boolean;
  /** --client-cert-auth: a certificate's name is a user's. */
  readonly clientCertAuth?: boolean;
}

const BY_CERTIFICATE =
  'CommonName of client sending a request against gateway will be ignored and not used as expected';

/** What a transport asks for pages. */
export type Pages = Pick<Site, 'handle'>;

/** Everything that is served over HTTP on a client port, but gRPC. Knows no transport. */
export class Site {
  readonly #member: MemberApi;
  readonly #paths = new Map<string, HttpHandler>();
  readonly #access: Access;
  readonly #gateway: JsonGateway | null;
  readonly #clientCertAuth: boolean;

  constructor(member: MemberApi, log: Logger, options: SiteOptions = {}) {
    this.#member = member;
    this.#access = new Access(options.corsOrigins ?? ['*'], options.hostWhitelist ?? ['*']);
    this.#gateway = options.gateway ?? null;
    this.#clientCertAuth = options.clientCertAuth ?? false;
    for (const [path, handler] of operatorPaths(member, log, options)) this.#paths.set(path, handler);
  }

  handle(exchange: HttpExchange): void {
    const refused = this.#access.refusal(exchange) ?? this.#refusedCertificate(exchange);
    if (refused !== null) return answer(exchange, {}, refused);
    const cors = this.#access.headers(exchange.header('origin'));
    if (exchange.method === 'OPTIONS') return answer(exchange, cors, { status: 200, headers: {}, body: '' });
    const path = exchange.path.startsWith('/v3beta/') ? `/v3/${exchange.path.slice(8)}` : exchange.path;
    const clean = this.#gateway !== null && path === '/v3' ? '/v3/' : cleanPath(path);
    if (clean !== path) return answer(exchange, cors, moved(exchange, clean));
    const handler = this.#paths.get(path);
    if (handler !== undefined) return handler(exchange, (response) => answer(exchange, cors, response));
    if (this.#gateway !== null && path.startsWith('/v3/')) return this.#gateway.handle(exchange, path, cors);
    answer(exchange, cors, notFound());
  }

  /** Calls back when the calls of the gateway are over, or after `ms`. */
  drain(ms: number, cb: () => void): void {
    if (this.#gateway === null) cb();
    else this.#gateway.drain(ms, cb);
  }

  #refusedCertificate(exchange: HttpExchange): HttpResponse | null {
    if (!this.#clientCertAuth || this.#gateway === null || !exchange.secure || exchange.certificateName === '')
      return null;
    if (!/^\/v3(?:beta)?\//.test(exchange.path) || !this.#member.guard.enabled) return null;
    return httpError(400, BY_CERTIFICATE);
  }
}

function* operatorPaths(member: MemberApi, log: Logger, options: SiteOptions): Generator<[string, HttpHandler]> {
  const counts = new HealthCounts();
  const logger = log.with({ caller: 'gateway/probes.ts' });
  yield ['/health', healthHandler(member, counts)];
  for (const [root, checks] of [['/livez', LIVEZ] as const, ['/readyz', READYZ] as const]) {
    yield [root, probeHandler(member, root.slice(1), checks, logger, counts)];
    for (const check of checks)
      yield [`${root}/${check.name}`, probeHandler(member, root.slice(1), [check], logger, counts)];
  }
  yield ['/version', versionHandler(member)];
  yield ['/metrics', metricsHandler(member, options.rpcs ?? null, counts, options.extensiveMetrics ?? false)];
  yield ['/debug/vars', varsHandler(member)];
  if (options.profiles !== true) return;
  const profiles = profileHandlers();
  for (const [name, handler] of profiles) yield [`${PROFILES}${name}`, handler];
}

function answer(exchange: HttpExchange, cors: Readonly<Record<string, string>>, response: HttpResponse): void {
  const { status, headers, body } = response;
  exchange.respond(status, { ...cors, ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  exchange.end(body);
}

/** As Go's multiplexer sends clients to the clean form of a path. */
function moved({ method, query }: HttpExchange, path: string): HttpResponse {
  const asked = query.toString();
  const location = `${encodePath(path)}${asked === '' ? '' : `?${asked}`}`;
  if (method !== 'GET' && method !== 'HEAD') return { status: 301, headers: { Location: location }, body: '' };
  const shown = location.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
  return {
    status: 301,
    headers: { 'Content-Type': 'text/html; charset=utf-8', Location: location },
    body: method === 'GET' ? `<a href="${shown}">Moved Permanently</a>.\n\n` : '',
  };
}

function versionHandler(member: MemberApi): HttpHandler {
  return onlyGet((_, respond) => {
    const { etcd, cluster, storage, keel } = member.clientVersion;
    const body = JSON.stringify({ etcdserver: etcd, etcdcluster: cluster, storage, keel });
    respond({ status: 200, headers: { 'Content-Type': 'application/json' }, body });
  });
}
