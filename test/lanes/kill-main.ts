/** `npm run test:kill`: cycles of kill -9 with real processes, see docs/process-lane.md. */
import { parseArgs } from 'node:util';
import { missing } from '../support/binaries.js';
import type { CyclesOptions, CyclesReport } from '../support/cycles/cycles.js';
import { runCycles } from '../support/cycles/cycles.js';

const USAGE = `usage: npm run test:kill -- [--cycles N] [--lossy half|all|none] [--seed S] [--clients N] [--dir FOLDER]

  --cycles N      default 100
  --lossy WHICH   in which cycles a member's unsynced log bytes die with it; half (default): in every other stretch
  --seed S        default: from the clock
  --clients N     default 6
  --per-epoch N   cycles between two checks, default 10
  --dir FOLDER    where the clusters' folders go, default the system's for temporary files
`;

async function main(): Promise<number> {
  let options: CyclesOptions;
  try {
    options = parse();
  } catch (err) {
    process.stderr.write(`test:kill: ${(err as Error).message}\n${USAGE}`);
    return 2;
  }
  const reason = missing('keel');
  if (reason) {
    process.stderr.write(`test:kill: ${reason}\n`);
    return 1;
  }
  const began = performance.now();
  const report = await runCycles({
    ...options,
    progress: (line) => {
      const seconds = (performance.now() - began) / 1000;
      process.stdout.write(`${seconds.toFixed(0).padStart(5)} s  ${line}\n`);
    },
  });
  process.stdout.write(`${summary(report)}\n`);
  if (report.violations.length === 0) return 0;
  for (const violation of report.violations.slice(0, 5)) process.stdout.write(`\nVIOLATION ${violation}\n`);
  process.stdout.write(`\ndata, logs and history: ${report.kept.join(' ')}\n`);
  const { cycles, lossy, seed, clients = 6, perEpoch = 10 } = options;
  process.stdout.write(
    `reproduce: npm run test:kill -- --cycles ${cycles} --lossy ${lossy} --seed ${seed} --clients ${clients} --per-epoch ${perEpoch}\n`,
  );
  return 1;
}

function parse(): CyclesOptions {
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '100' },
      lossy: { type: 'string', default: 'half' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '6' },
      'per-epoch': { type: 'string', default: '10' },
      dir: { type: 'string' },
    },
  });
  const { lossy, dir } = values;
  if (lossy !== 'half' && lossy !== 'all' && lossy !== 'none') throw new Error(`--lossy ${lossy}`);
  return {
    cycles: count('cycles', values.cycles),
    lossy,
    seed: count('seed', values.seed),
    clients: count('clients', values.clients),
    perEpoch: count('per-epoch', values['per-epoch']),
    ...(dir === undefined ? {} : { baseDir: dir }),
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || text.trim() === '') throw new Error(`--${name} ${text}`);
  return value;
}

function summary(report: CyclesReport): string {
  const { cycles, lossyCycles, kills, pauses, netFaults, acknowledged, unknown, resolved, revisions, seconds } = report;
  return [
    `${cycles} cycles (${lossyCycles} with the lossy disk), ${kills} kills, ${pauses} pauses, ${netFaults} faults of the network`,
    `${acknowledged} acknowledged, ${unknown} unknown (${resolved} of them took place), ${revisions} revisions`,
    `${report.checks} checks, ${report.keysSearched} keys searched, ${report.undecided} given up`,
    `${seconds.toFixed(0)} s, ${(seconds / Math.max(1, cycles)).toFixed(2)} s a cycle; ${report.violations.length} violations`,
  ].join('\n');
}

process.exitCode = await main();
