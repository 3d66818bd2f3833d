import type { Metric, Registry } from 'prom-client';
import type { Histogram } from '../../util/histogram.js';

export type Labels = Readonly<Record<string, string>>;

/** One line of a metric. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
  /** Where it is not the metric's own: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly metricName?: string;
}

type Type = 'counter' | 'gauge' | 'histogram';

/** Metrics whose values are looked up when somebody asks for them: what is counted pays nothing for being told. */
export class Metrics {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  gauge(name: string, help: string, value: () => number): void {
    this.#add(name, help, 'gauge', () => [{ value: value() }]);
  }

  gauges(name: string, help: string, values: () => Iterable<Sample>): void {
    this.#add(name, help, 'gauge', values);
  }

  counter(name: string, help: string, value: () => number): void {
    this.#add(name, help, 'counter', () => [{ value: value() }]);
  }

  counters(name: string, help: string, values: () => Iterable<Sample>): void {
    this.#add(name, help, 'counter', values);
  }

  histograms(name: string, help: string, values: () => Iterable<readonly [Labels, Histogram]>): void {
    this.#add(name, help, 'histogram', function* () {
      for (const [labels, histogram] of values()) yield* histogramLines(name, labels, histogram);
    });
  }

  #add(name: string, help: string, type: Type, values: () => Iterable<Sample>): void {
    const get = async () => ({ name, help, type, values: [...values()], aggregator: 'sum' });
    this.#registry.registerMetric({ name, help, type, get, reset: () => {} } as unknown as Metric);
  }
}

/** Buckets are cumulative in the text format. */
function* histogramLines(name: string, labels: Labels, { bounds, counts, sum }: Histogram): Generator<Sample> {
  let count = 0;
  for (let i = 0; i < counts.length; i++) {
    count += counts[i]!;
    const le = i < bounds.length ? String(bounds[i]) : '+Inf';
    yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  }
  yield { metricName: `${name}_sum`, labels, value: sum };
  yield { metricName: `${name}_count`, labels, value: count };
}
