import { createRequire } from 'node:module';
import type { Registry } from 'prom-client';
import type { MemberApi } from '../../server/index.js';
import type { HttpHandler } from '../http.js';
import { httpError } from '../http.js';
import type { HealthCounts } from './health.js';
import { healthMetrics } from './health.js';
import { memberMetrics } from './member.js';
import { processMetrics } from './process.js';
import { Metrics } from './pulled.js';
import type { RpcCounts } from './rpc.js';
import { rpcMetrics } from './rpc.js';
import { runtimeMetrics } from './runtime.js';

export { HealthCounts } from './health.js';
export type { RpcCounts } from './rpc.js';

/**
 * Of prom-client the registry with its text format is used and nothing else: the package's front door takes another 60 ms
 * to load, for kinds of metrics that count by themselves and for OpenTelemetry.
 */
const PromRegistry = createRequire(import.meta.url)('prom-client/lib/registry.js') as typeof Registry;

/** GET /metrics, in Prometheus' text format. Everything is looked up when it is asked for. */
export function metricsHandler(
  member: MemberApi,
  rpcs: RpcCounts | null,
  health: HealthCounts,
  extensive = false,
): HttpHandler {
  const registry = new PromRegistry();
  const metrics = new Metrics(registry);
  processMetrics(metrics);
  runtimeMetrics(metrics);
  memberMetrics(metrics, member);
  healthMetrics(metrics, health);
  if (rpcs !== null) rpcMetrics(metrics, rpcs, extensive);
  const headers = { 'Content-Type': registry.contentType };
  return (_, respond) => {
    registry.metrics().then(
      (body) => respond({ status: 200, headers, body }),
      (err: Error) => respond(httpError(500, err.message)),
    );
  };
}
