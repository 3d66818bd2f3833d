import { barLines } from './bar.js';
import type { Figures } from './figures.js';

export interface RoundReport {
  group: string;
  name: string;
  /** By system, the median of all repetitions. */
  figures: Record<string, Figures>;
}

export interface Report {
  machine: Record<string, string>;
  /** What was asked for, as on the command line. */
  options: Record<string, string>;
  /** Ours first, then what it is compared with. */
  systems: { label: string; version: string }[];
  rounds: RoundReport[];
  notes: string[];
}

const HEAD = [
  'round',
  'system',
  'result',
  'ratio',
  'CPU us/op',
  'ratio',
  'p50 ms',
  'p99',
  'p99.9',
  'max',
  'failed',
  '',
];

/** The report as a table for people: one line a round and system, with the ratio to the last system. */
export function table(report: Report): string {
  const bar = barLines(report).map(({ work, bar: wanted, ratio, verdict }) => [
    work,
    wanted,
    ratio === null ? '-' : `${ratio.toFixed(2)}x`,
    verdict,
  ]);
  return [
    ...headLines(report),
    '',
    ...align([HEAD, ...cells(report)], 2),
    ...(bar.length > 0 ? ['', ...align([['the bar', 'wanted', 'ratio', ''], ...bar], 2)] : []),
  ].join('\n');
}

/** Machine, versions, notes. */
export function headLines({ machine, options, systems, notes }: Report): string[] {
  const base = systems.length > 1 ? systems.at(-1)!.label : undefined;
  return [
    ...Object.entries(machine).map(([name, text]) => `${name}: ${text}`),
    ...Object.entries(options).map(([name, text]) => `${name}: ${text}`),
    ...systems.map(({ label, version }) => `${label}: ${version}`),
    ...(base === undefined ? [] : [`ratios: to ${base}, in this run on this machine`]),
    ...notes.map((note) => `NOTE: ${note}`),
  ];
}

/** The rows of the table under HEAD. */
export function cells({ systems, rounds }: Report): string[][] {
  const base = systems.length > 1 ? systems.at(-1)!.label : undefined;
  const rows: string[][] = [];
  for (const { name, figures } of rounds) {
    const reference = base === undefined ? undefined : figures[base];
    for (const [i, { label }] of systems.entries()) {
      const own = figures[label];
      if (!own) continue;
      const compared = reference && own !== reference ? reference : undefined;
      const { latency } = own;
      rows.push([
        i === 0 ? name : '',
        label,
        result(own),
        compared ? ratio(resultOf(own), resultOf(compared)) : '',
        own.cpuMicros > 0 ? own.cpuMicros.toFixed(own.cpuMicros < 10 ? 1 : 0) : '',
        compared ? ratio(own.cpuMicros, compared.cpuMicros) : '',
        ...(latency
          ? [latency.p50, latency.p99, latency.p999, latency.max].map((ms) => ms.toFixed(2))
          : ['', '', '', '']),
        own.failed > 0 ? String(own.failed) : '',
        remarks(own, reference),
      ]);
    }
  }
  return rows;
}

export { HEAD };

function result(figures: Figures): string {
  const { amount, perSecond } = figures;
  if (amount) return `${Math.round(amount.value).toLocaleString('en')} ${amount.unit}`;
  if (perSecond > 0 && perSecond < 10) return `${perSecond.toFixed(1)} /s`;
  return perSecond > 0 ? `${Math.round(perSecond).toLocaleString('en')} /s` : '-';
}

/** What two systems are compared by. */
export function resultOf(figures: Figures): number {
  return figures.amount?.value ?? figures.perSecond;
}

/** What a reader of the figures must know, e.g. that two systems' answers differ, so that their rates cannot be compared. */
function remarks(own: Figures, reference: Figures | undefined): string {
  const [a, b] = [own.bytesPerAnswer ?? 0, reference?.bytesPerAnswer ?? 0];
  const unequal = a > 0 && b > 0 && Math.abs(a - b) > 0.05 * b + 16;
  return [own.generator === 'h2load' ? 'h2load' : '', own.note ?? '', unequal ? `ANSWERS OF ${a} BYTES, NOT ${b}` : '']
    .filter((text) => text !== '')
    .join(', ');
}

function ratio(own: number, other: number): string {
  return own > 0 && other > 0 ? `${(own / other).toFixed(2)}x` : '';
}

function align(rows: string[][], left: number): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < left || column === row.length - 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
