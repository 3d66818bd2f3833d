import type { Figures } from './rounds.js';

export interface RoundReport {
  name: string;
  /** By system, the median of all repetitions. */
  figures: Record<string, Figures>;
}

export interface Report {
  machine: Record<string, string>;
  systems: { label: string; version: string; residentBytes: { fresh: number[]; after: number[] } }[];
  rounds: RoundReport[];
  notes: string[];
}

/** The report as a table for people: one line a round and system, with the ratio to the last system. */
export function table({ machine, systems, rounds, notes }: Report): string {
  const base = systems.length > 1 ? systems.at(-1)!.label : undefined;
  const rows: string[][] = [
    ['round', 'system', 'per s', 'ratio', 'CPU us/op', 'ratio', 'p50 ms', 'p99', 'p99.9', 'max', 'failed', ''],
  ];
  for (const { name, figures } of rounds) {
    const reference = base === undefined ? undefined : figures[base];
    for (const [i, { label }] of systems.entries()) {
      const own = figures[label];
      if (!own) continue;
      const compared = reference && own !== reference;
      const { latency } = own;
      rows.push([
        i === 0 ? name : '',
        label,
        own.perSecond > 0 ? Math.round(own.perSecond).toLocaleString('en') : '-',
        compared && own.perSecond > 0 ? ratio(own.perSecond, reference.perSecond) : '',
        own.cpuMicros.toFixed(own.cpuMicros < 10 ? 1 : 0),
        compared ? ratio(own.cpuMicros, reference.cpuMicros) : '',
        ...(latency
          ? [latency.p50, latency.p99, latency.p999, latency.max].map((ms) => ms.toFixed(2))
          : ['', '', '', '']),
        own.failed > 0 ? String(own.failed) : '',
        remarks(own, reference),
      ]);
    }
  }
  for (const when of ['fresh', 'after'] as const) {
    for (const [i, { label, residentBytes }] of systems.entries()) {
      const megabytes = residentBytes[when].map((bytes) => Math.round(bytes / 2 ** 20));
      const name = when === 'fresh' ? 'memory of each member, at start' : 'memory of each member, at the end';
      rows.push([i === 0 ? name : '', label, `${megabytes.join(' / ')} MiB`, '', '', '', '', '', '', '', '', '']);
    }
  }
  const head = [
    ...Object.entries(machine).map(([name, text]) => `${name}: ${text}`),
    ...systems.map(({ label, version }) => `${label}: ${version}`),
    ...(base === undefined ? [] : [`ratios: to ${base}, in this run on this machine`]),
    ...notes.map((note) => `NOTE: ${note}`),
  ];
  return [...head, '', ...align(rows)].join('\n');
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
  return other > 0 ? `${(own / other).toFixed(2)}x` : '';
}

function align(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 || column === row.length - 1 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** @returns the repetition in the middle, by operations per second (or by CPU where nothing was done) */
export function median(repetitions: Figures[]): Figures {
  const key = (figures: Figures) => figures.perSecond || figures.cpuMicros;
  return [...repetitions].sort((a, b) => key(a) - key(b))[Math.floor(repetitions.length / 2)]!;
}
