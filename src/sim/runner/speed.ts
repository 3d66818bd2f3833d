import type { Overrides } from '../options.js';
import { drawOptions } from '../options.js';
import { runSeed } from './seed.js';

/** Drawn runs of one length and one load; what a seed draws beside these is left to it. */
const LOAD: Overrides = { members: 3, loadMs: 30_000, clients: 24, opsPerSecond: 320 };

const ROWS: readonly { readonly name: string; readonly overrides: Overrides }[] = [
  { name: 'no fault', overrides: { ...LOAD, profile: 'calm', faultKinds: [] } },
  { name: 'faults', overrides: { ...LOAD, profile: 'swarm' } },
];

interface Figures {
  simulatedS: number;
  loadS: number;
  operations: number;
  events: number;
  cpuS: number;
  wallS: number;
}

/**
 * How much simulated time goes into a second: three members under 200 operations a second, every invariant on, the
 * checks at the end and the program's own start included. CPU seconds count all of its threads (compiler and
 * collector too) and are what to compare on a machine that others use as well; on a quiet one seconds are fewer.
 *
 * @param seeds of each row
 * @returns how many of them failed
 */
export function measureSpeed(seeds: number, from: number, print: (line: string) => void): number {
  let failures = 0;
  print(`three members, 200 operations a second, all invariants on; ${seeds} seeds each`);
  print(line(['', 'simulated s', 'operations/s', 'events/s', 'CPU s', 's', 'per CPU s', 'per s']));
  const all = [];
  for (const { name, overrides } of ROWS) {
    const figures = measure(() => {
      const sum = { simulatedS: 0, loadS: 0, operations: 0, events: 0 };
      for (let seed = from; seed < from + seeds; seed++) {
        const options = drawOptions(seed, overrides);
        const { result, failure } = runSeed({ options });
        if (failure !== null) {
          failures++;
          print(`seed ${seed}, ${name}: ${failure.rule}\n${failure.message}`);
        }
        if (result === null) continue;
        sum.simulatedS += result.virtualMs / 1000;
        sum.loadS += options.loadMs / 1000;
        sum.operations += result.operations;
        sum.events += result.events;
      }
      return sum;
    });
    all.push(figures);
    print(row(name, figures));
  }
  print(row('both', all.reduce(add)));
  return failures;
}

function measure(work: () => Omit<Figures, 'cpuS' | 'wallS'>): Figures {
  const start = performance.now();
  const before = process.cpuUsage();
  const sum = work();
  const { user, system } = process.cpuUsage(before);
  return { ...sum, cpuS: (user + system) / 1e6, wallS: (performance.now() - start) / 1000 };
}

function add(a: Figures, b: Figures): Figures {
  return {
    simulatedS: a.simulatedS + b.simulatedS,
    loadS: a.loadS + b.loadS,
    operations: a.operations + b.operations,
    events: a.events + b.events,
    cpuS: a.cpuS + b.cpuS,
    wallS: a.wallS + b.wallS,
  };
}

function row(name: string, f: Figures): string {
  return line([
    name,
    f.simulatedS.toFixed(0),
    (f.operations / f.loadS).toFixed(0),
    (f.events / f.cpuS).toFixed(0),
    f.cpuS.toFixed(1),
    f.wallS.toFixed(1),
    (f.simulatedS / f.cpuS).toFixed(1),
    (f.simulatedS / f.wallS).toFixed(1),
  ]);
}

function line([name = '', ...figures]: readonly string[]): string {
  return name.padEnd(10) + figures.map((figure) => figure.padStart(13)).join('');
}
