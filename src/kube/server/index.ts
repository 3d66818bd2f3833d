/** HTTPS in front of the resources: the front door. */

import type { ApiServices } from '../crd/index.js';
import type { ObjectReader } from '../kinds/kind.js';
import type { VirtualHandler } from '../rest/virtual.js';
import { Aggregation } from './aggregation.js';
import type { ApiServerOptions } from './api-server.js';
import { ApiServer } from './api-server.js';
import type { Exchange } from './exchange.js';
import type { ListenerOptions } from './listener.js';
import { Listener } from './listener.js';
import type { NodeAgents } from './node-agents.js';
import { DiscoveryPages } from './pages/discovery.js';
import type { HealthCheck } from './pages/health.js';
import { HealthPages } from './pages/health.js';
import { PageSet } from './pages/index.js';
import { ServerMetrics } from './pages/metrics.js';
import { OpenApiPages } from './pages/openapi.js';
import type { TokenKeysSource } from './pages/tokens.js';
import { TokenPages } from './pages/tokens.js';
import type { ServerParts } from './parts.js';
import { RemoteProber } from './remote-prober.js';
import { ResourceMetrics } from './resource-metrics.js';
import { bindingHandler } from './subresources/binding.js';
import { evictionHandler } from './subresources/eviction.js';
import { logHandler } from './subresources/log.js';
import { proxyHandler } from './subresources/proxy.js';
import { scaleHandler } from './subresources/scale.js';
import { Subresources } from './subresources/subresource.js';
import { unreachableHandler } from './subresources/unreachable.js';
import { virtualSubresource } from './subresources/virtual.js';

export type * from './node-agents.js';
export type { HealthCheck } from './pages/health.js';
export { KUBERNETES_VERSION } from './pages/version.js';
export type { ServerParts } from './parts.js';
export { serviceAddress } from './proxy/service-address.js';

export interface ServerOptions extends ApiServerOptions, ListenerOptions {
  readonly parts: ServerParts;
  readonly objects: ObjectReader;
  readonly tokenKeys: TokenKeysSource;
  readonly issuer: string;
  readonly checks: readonly HealthCheck[];
  /** Which groups are answered elsewhere. */
  readonly services: ApiServices;
  /** What other servers of the aggregation layer believe us by; PEM. */
  readonly proxyCert: string;
  readonly proxyKey: string;
  /** Of nodes. Default: none can be reached. */
  readonly agents?: NodeAgents;
  /** How often those are looked at, ms. Default 30 s. */
  readonly probeMs?: number;
  /** `host:port` as discovery tells it. */
  readonly advertised: () => string;
}

export interface OpenServer {
  /** @returns the port that was bound */
  listen(): Promise<number>;
  /** To be told of each call of the store that has ended. */
  observeStore(operation: string, seconds: number): void;
  /** From now on looks after the servers of the aggregation layer. */
  probe(): void;
  stop(graceMs: number): Promise<void>;
}

export function openServer(options: ServerOptions): OpenServer {
  const { parts, agents = NO_AGENTS } = options;
  const metrics = new ServerMetrics(parts.kinds, (kind) => parts.storeOf(kind).count());
  const prober = new RemoteProber({
    ...options,
    ...(options.probeMs === undefined ? {} : { roundMs: options.probeMs }),
  });
  const usage = new ResourceMetrics(agents, parts.now, options.services);
  const pages = new PageSet({
    kinds: parts.kinds,
    health: new HealthPages(options.checks, parts.now),
    discovery: new DiscoveryPages(parts.kinds, usage.beside(prober), options.advertised),
    openapi: new OpenApiPages(parts.kinds),
    metrics,
    tokens: new TokenPages(options.tokenKeys, options.issuer),
  });
  const subresources = subresourcesOf(parts, options.objects, agents);
  const remote = new Aggregation(options);
  const aggregation = {
    serve: async (exchange: Exchange) => (await usage.serve(exchange)) || (await remote.serve(exchange)),
  };
  const api = new ApiServer(parts, pages, metrics, subresources, aggregation, options);
  const listener = new Listener(api, options);
  return {
    listen: () => listener.listen(),
    observeStore: (operation, seconds) => metrics.storeCall(operation, seconds),
    probe: () => prober.start(),
    stop: async (graceMs) => {
      prober.stop();
      await listener.stop(graceMs);
    },
  };
}

const NO_AGENTS: NodeAgents = { find: () => undefined, all: () => [], closing: new AbortController().signal };

/** One handler a subresource that is more than a part of its object. */
function subresourcesOf(parts: ServerParts, objects: ObjectReader, agents: NodeAgents): Subresources {
  const all = new Subresources()
    .add('*', 'scale', scaleHandler(parts))
    .add('/pods', 'binding', bindingHandler(parts))
    .add('/pods', 'eviction', evictionHandler(parts))
    .add('/pods', 'log', logHandler(parts, agents));
  for (const name of ['exec', 'attach', 'portforward']) all.add('/pods', name, unreachableHandler(parts));
  for (const plural of ['pods', 'services', 'nodes']) all.add(`/${plural}`, 'proxy', proxyHandler(parts, objects));
  for (const [name, handler] of parts.virtual) {
    const match = /^([^/]*)\/([^/]+)\/([^/]+)$/.exec(name);
    if (match === null) continue;
    all.add(`${match[1]}/${match[2]}`, match[3] as string, virtualSubresource(handler as VirtualHandler));
  }
  return all;
}
