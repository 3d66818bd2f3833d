import type { IntervalHistogram } from 'node:perf_hooks';
import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Labels, Metrics, Sample } from './pulled.js';

const NANO = 1e-9;
const MILLI = 1e-3;
/** How often the loop is looked at, ms. It costs one timer. */
const RESOLUTION_MS = 20;

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** What V8 and the loop do. Started once a process, however many members it has. */
class Runtime {
  readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly collections = new Map<string, { count: number; seconds: number }>();
  /** Longest pause for the collector, s. */
  longest = 0;

  constructor() {
    this.delay.enable();
    for (const kind of Object.values(KINDS)) this.collections.set(kind, { count: 0, seconds: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry as unknown as GcEntry);
    }).observe({ entryTypes: ['gc'] });
  }

  #collected({ duration, detail }: GcEntry): void {
    const all = this.collections.get(KINDS[detail?.kind ?? 0] ?? '');
    if (all === undefined) return;
    const seconds = duration * MILLI;
    all.count++;
    all.seconds += seconds;
    this.longest = Math.max(this.longest, seconds);
  }
}

interface GcEntry {
  /** ms */
  readonly duration: number;
  readonly detail?: { readonly kind?: number };
}

let runtime: Runtime | null = null;

/** The event loop, the garbage collector and the heap: names of ours, since etcd has Go's. */
export function runtimeMetrics(metrics: Metrics): void {
  runtime ??= new Runtime();
  const { delay, collections } = runtime;
  const late = (quantile: string, ns: number): Sample => {
    // The timer itself comes after its interval; what is beyond that is the loop's.
    const seconds = Math.max(0, ns * NANO - RESOLUTION_MS * MILLI);
    return { labels: { quantile }, value: Number.isFinite(seconds) ? seconds : 0 };
  };
  metrics.gauges('keel_eventloop_lag_seconds', 'How much later than planned the event loop came round.', () => [
    late('0.5', delay.percentile(50)),
    late('0.99', delay.percentile(99)),
    late('1', delay.max),
  ]);
  metrics.gauge(
    'keel_eventloop_utilization',
    'The part of all time in which the event loop had work to do.',
    () => performance.eventLoopUtilization().utilization,
  );
  const each = (value: (of: { count: number; seconds: number }) => number) => (): Sample[] =>
    [...collections].map(([kind, of]) => ({ labels: { kind }, value: value(of) }));
  metrics.counters(
    'keel_gc_collections_total',
    'Garbage collections by kind.',
    each(({ count }) => count),
  );
  metrics.counters(
    'keel_gc_duration_seconds_total',
    'Time spent in garbage collections by kind.',
    each(({ seconds }) => seconds),
  );
  metrics.gauge('keel_gc_longest_seconds', 'The longest garbage collection so far.', () => runtime?.longest ?? 0);
  const spaces = (value: (space: ReturnType<typeof getHeapSpaceStatistics>[number]) => number) => (): Sample[] =>
    getHeapSpaceStatistics().map((space) => ({ labels: { space: space.space_name } as Labels, value: value(space) }));
  metrics.gauges(
    'keel_heap_space_used_bytes',
    'What is used of the spaces of the heap.',
    spaces((space) => space.space_used_size),
  );
  metrics.gauges(
    'keel_heap_space_size_bytes',
    'The sizes of the spaces of the heap.',
    spaces((space) => space.space_size),
  );
  metrics.gauge('keel_external_memory_bytes', 'Memory of buffers, outside of the heap.', () => {
    const { external, arrayBuffers } = process.memoryUsage();
    return Math.max(external, arrayBuffers);
  });
}
