/** Counters of the API server in Prometheus' text form. Source: kubernetes metrics reference. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Kind, Kinds } from '../../kinds/kind.js';
import { qualifiedResource } from '../../machinery/object.js';
import type { Exchange } from '../exchange.js';
import { respondText } from '../respond.js';

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 30, 60];

export class ServerMetrics {
  readonly registry = new Registry();
  /** Requests under way, long ones left out. */
  readonly inflight = { readOnly: 0, mutating: 0 };
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #longRunning: Gauge;
  readonly #storeSeconds: Histogram;

  /** @param count objects of a kind in the cache of its folder, null if there is none */
  constructor(kinds: Kinds, count: (kind: Kind) => number | null) {
    const registers = [this.registry];
    const labelNames = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, group, version, resource, scope and code of the answer.',
      labelNames: [...labelNames, 'code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the request to the end of its answer, in seconds; without watches and streams.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches, logs and proxied requests under way.',
      labelNames,
      registers,
    });
    this.#storeSeconds = new Histogram({
      name: 'etcd_request_duration_seconds',
      help: 'Time of calls of the store by operation, in seconds.',
      labelNames: ['operation'],
      buckets: BUCKETS,
      registers,
    });
    const { inflight } = this;
    new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests under way, by whether they may write.',
      labelNames: ['request_kind'],
      registers,
      collect() {
        this.set({ request_kind: 'readOnly' }, inflight.readOnly);
        this.set({ request_kind: 'mutating' }, inflight.mutating);
      },
    });
    new Gauge({
      name: 'apiserver_storage_objects',
      help: 'Objects in the store, of the resources that somebody watches.',
      labelNames: ['resource'],
      registers,
      collect() {
        this.reset();
        for (const kind of kinds.all()) {
          const resource = qualifiedResource(kind.group, kind.plural);
          const objects = kind.verbs?.includes('watch') === false ? null : count(kind);
          if (objects !== null) this.set({ resource }, objects);
        }
      },
    });
  }

  storeCall(operation: string, seconds: number): void {
    this.#storeSeconds.observe({ operation }, seconds);
  }

  /** @returns to be called when it ends */
  longRunning(exchange: Exchange): () => void {
    const labels = labelsOf(exchange);
    this.#longRunning.inc(labels);
    return () => this.#longRunning.dec(labels);
  }

  /** @param known whether the path leads to a resource that is served: others would make labels without end */
  done(exchange: Exchange, code: number, now: number, known: boolean): void {
    const labels = known
      ? labelsOf(exchange)
      : { ...NO_RESOURCE, verb: exchange.info === undefined ? '' : (exchange.request.method ?? '') };
    this.#requests.inc({ ...labels, code: String(code) });
    if (!exchange.longRunning) this.#seconds.observe(labels, (now - exchange.startedAt) / 1000);
  }

  async page(exchange: Exchange): Promise<void> {
    respondText(exchange, 200, await this.registry.metrics(), { 'Content-Type': this.registry.contentType });
  }
}

const NO_RESOURCE = { group: '', version: '', resource: '', subresource: '', scope: '' };

function labelsOf({ info }: Exchange): Record<string, string> {
  const scope = !info.isResource ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  return {
    verb: info.verb.toUpperCase(),
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    scope,
  };
}
