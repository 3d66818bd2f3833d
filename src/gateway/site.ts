import type { MemberApi } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { healthHandler } from './health.js';
import type { HttpHandler, HttpRequest, HttpResponse, Respond } from './http.js';
import { notFound, onlyGet } from './http.js';
import type { RpcCounts } from './metrics/index.js';
import { HealthCounts, metricsHandler } from './metrics/index.js';
import { LIVEZ, probeHandler, READYZ } from './probes.js';

export interface SiteOptions {
  /** --cors; default every origin. */
  readonly corsOrigins?: readonly string[];
  /** Whose calls /metrics tells. */
  readonly rpcs?: RpcCounts;
}

/** Everything that is served over HTTP on a client port, but gRPC. Knows no transport. */
export class Site {
  readonly #paths = new Map<string, HttpHandler>();
  readonly #origins: ReadonlySet<string>;

  constructor(member: MemberApi, log: Logger, options: SiteOptions = {}) {
    this.#origins = new Set(options.corsOrigins ?? ['*']);
    const counts = new HealthCounts();
    const logger = log.with({ caller: 'gateway/probes.ts' });
    this.#paths.set('/health', healthHandler(member, counts));
    for (const [root, checks] of [['/livez', LIVEZ] as const, ['/readyz', READYZ] as const]) {
      this.#paths.set(root, probeHandler(member, root.slice(1), checks, logger, counts));
      for (const check of checks)
        this.#paths.set(`${root}/${check.name}`, probeHandler(member, root.slice(1), [check], logger, counts));
    }
    this.#paths.set('/version', versionHandler(member));
    this.#paths.set('/metrics', metricsHandler(member, options.rpcs ?? null, counts));
  }

  handle(request: HttpRequest, respond: Respond): void {
    const cors = this.#cors(request.header('origin'));
    const answer: Respond = (response) => respond({ ...response, headers: { ...cors, ...response.headers } });
    if (request.method === 'OPTIONS') return answer({ status: 200, headers: {}, body: '' });
    const handler = this.#paths.get(request.path);
    if (handler !== undefined) return handler(request, answer);
    answer(request.path.startsWith('/v3/') || request.path.startsWith('/v3beta/') ? noJsonYet() : notFound());
  }

  #cors(origin: string | undefined): Record<string, string> {
    const allowed = this.#origins.has('*') ? '*' : origin !== undefined && this.#origins.has(origin) ? origin : null;
    if (allowed === null) return {};
    return {
      'Access-Control-Allow-Headers': 'accept, content-type, authorization',
      'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE',
      'Access-Control-Allow-Origin': allowed,
    };
  }
}

function versionHandler(member: MemberApi): HttpHandler {
  return onlyGet((_, respond) => {
    const { etcd, cluster, storage, keel } = member.clientVersion;
    const body = JSON.stringify({ etcdserver: etcd, etcdcluster: cluster, storage, keel });
    respond({ status: 200, headers: { 'Content-Type': 'application/json' }, body });
  });
}

/** Unimplemented, as the gateway words a status. */
function noJsonYet(): HttpResponse {
  const body = JSON.stringify({ code: 12, message: 'keel: this version does not have the JSON gateway yet; use gRPC' });
  return { status: 501, headers: { 'Content-Type': 'application/json' }, body };
}
