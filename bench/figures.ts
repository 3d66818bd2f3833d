import type { DriveResult } from './load/drive.js';
import type { Histogram } from './load/histogram.js';

export interface Figures {
  /** 0 where `amount` is what was measured. */
  perSecond: number;
  operations: number;
  failed: number;
  /** CPU time of the three members per operation, microseconds. */
  cpuMicros: number;
  /** Milliseconds; null where the generator does not tell. */
  latency: { p50: number; p99: number; p999: number; max: number } | null;
  /** Something of which less is better: a time, an amount of memory. */
  amount?: { value: number; unit: 'ms' | 'MiB' | 'bytes' };
  /** Bytes of an answer, where the generator tells: equal work has equal answers. */
  bytesPerAnswer?: number;
  generator: 'h2load' | 'own' | 'etcdctl' | 'none';
  note?: string;
}

export type Measured = Omit<DriveResult, 'latency'> & { latency: Histogram | null; dataBytes?: number };

export function toFigures(result: Measured, cpu: number, generator: Figures['generator']): Figures {
  const { done, failed, elapsedMs, latency, dataBytes } = result;
  return {
    ...(dataBytes ? { bytesPerAnswer: Math.round(dataBytes / Math.max(1, done)) } : {}),
    perSecond: (done / elapsedMs) * 1000,
    operations: done,
    failed,
    cpuMicros: done > 0 ? cpu / done : 0,
    latency: latency && quantiles(latency),
    generator,
  };
}

export function quantiles(latency: Histogram): NonNullable<Figures['latency']> {
  return {
    p50: latency.quantile(0.5),
    p99: latency.quantile(0.99),
    p999: latency.quantile(0.999),
    max: latency.max,
  };
}

/** Figures of something that is not done so many times a second. */
export function amountOf(value: number, unit: 'ms' | 'MiB' | 'bytes', note: string): Figures {
  return {
    perSecond: 0,
    operations: 0,
    failed: 0,
    cpuMicros: 0,
    latency: null,
    amount: { value, unit },
    generator: 'none',
    note,
  };
}

/** A round that could not be run is a finding; the others are still worth having. */
export const FAILED: Figures = {
  perSecond: 0,
  operations: 0,
  failed: 1,
  cpuMicros: 0,
  latency: null,
  generator: 'none',
  note: 'FAILED, see the notes',
};

/** @returns the repetition in the middle, by what it was measured for */
export function median(repetitions: Figures[]): Figures {
  const key = (figures: Figures) => figures.amount?.value ?? (figures.perSecond || figures.cpuMicros);
  return [...repetitions].sort((a, b) => key(a) - key(b))[Math.floor(repetitions.length / 2)]!;
}

/**
 * As `median`, but of a latency each quantile's own: rounds at one rate have nothing else to be ordered by.
 */
export function medianOf(repetitions: Figures[]): Figures {
  const middle = median(repetitions);
  const all = repetitions.flatMap(({ latency }) => (latency === null ? [] : [latency]));
  if (middle.latency === null || all.length < 2) return middle;
  const of = (pick: (latency: NonNullable<Figures['latency']>) => number) =>
    all.map(pick).sort((a, b) => a - b)[Math.floor(all.length / 2)]!;
  const latency = { p50: of((l) => l.p50), p99: of((l) => l.p99), p999: of((l) => l.p999), max: of((l) => l.max) };
  return { ...middle, latency };
}
