import type { Metrics, Sample } from './pulled.js';

/** How /health, /livez and /readyz went. */
export class HealthCounts {
  success = 0;
  failures = 0;
  /** By `livez` or `readyz` and the check's name. */
  readonly #checks = new Map<string, { type: string; name: string; ok: boolean; success: number; error: number }>();

  checked(type: string, name: string, ok: boolean): void {
    const key = `${type}/${name}`;
    let check = this.#checks.get(key);
    if (check === undefined) this.#checks.set(key, (check = { type, name, ok, success: 0, error: 0 }));
    check.ok = ok;
    if (ok) check.success++;
    else check.error++;
  }

  *results(): Generator<Sample> {
    for (const { type, name, ok } of this.#checks.values()) yield { labels: { type, name }, value: ok ? 1 : 0 };
  }

  *totals(): Generator<Sample> {
    for (const { type, name, success, error } of this.#checks.values()) {
      yield { labels: { type, name, status: 'success' }, value: success };
      yield { labels: { type, name, status: 'error' }, value: error };
    }
  }
}

export function healthMetrics(metrics: Metrics, counts: HealthCounts): void {
  metrics.counter('etcd_server_health_success', 'The total number of successful health checks', () => counts.success);
  metrics.counter('etcd_server_health_failures', 'The total number of failed health checks', () => counts.failures);
  metrics.gauges('etcd_server_healthcheck', 'The result of each kind of healthcheck.', () => counts.results());
  metrics.counters('etcd_server_healthchecks_total', 'The total number of each kind of healthcheck.', () =>
    counts.totals(),
  );
}
