/**
 * `npm run bench`: the same load at our three-member cluster and, where an etcd is named, at a three-member etcd in
 * the same run, round by round in turn. Only ratios within a run mean anything on another machine.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, REPO_ROOT } from '../test/support/binaries.js';
import { markdown } from './docs.js';
import type { Figures } from './figures.js';
import { FAILED, medianOf } from './figures.js';
import { measureKube } from './kube.js';
import type { BenchOptions } from './options.js';
import { parseOptions, USAGE } from './options.js';
import { plot } from './plot.js';
import { machine } from './proc.js';
import type { Report } from './report.js';
import { table } from './report.js';
import type { Round } from './rounds.js';
import { prepare, rounds } from './rounds.js';
import { System } from './system.js';

async function main(): Promise<number> {
  let options: BenchOptions | 'help';
  const args = process.argv.slice(2);
  try {
    options = parseOptions(args, process.env);
  } catch (err) {
    console.error(`bench: ${(err as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (options.etcd) process.env.KEEL_TEST_ETCD_BIN = options.etcd;
  const reason = missing(options.subject) ?? (options.etcd ? missing('etcd') : undefined);
  if (reason) {
    console.error(`bench: ${reason}`);
    return 1;
  }
  if (!options.etcd)
    console.error('bench: no etcd is named (--etcd PATH or KEEL_BENCH_ETCD), so there is nothing to compare with');
  const kube = options.groups.has('kube') ? await measureKube(options) : undefined;
  if (kube !== undefined) console.log(`${table(kube)}\n`);
  const failedKube = kube !== undefined && hasFailed(kube);
  if (kube !== undefined && options.groups.size === 1) {
    if (options.json) writeFileSync(options.json, `${JSON.stringify(kube, null, 1)}\n`);
    return failedKube ? 1 : 0;
  }
  const report = await measure(options);
  console.log(table(report));
  const json = `${JSON.stringify(report, null, 1)}\n`;
  if (options.json) writeFileSync(options.json, json);
  if (options.svg) writeFileSync(options.svg, plot(report));
  if (options.writeDocs) {
    const shown = args.map((arg, i) => (args[i - 1] === '--etcd' ? 'PATH' : arg));
    writeFileSync(join(REPO_ROOT, 'docs/benchmarks.md'), markdown(report, `npm run bench -- ${shown.join(' ')}`));
    writeFileSync(join(REPO_ROOT, 'docs/benchmarks.json'), json);
    writeFileSync(join(REPO_ROOT, 'docs/benchmarks.svg'), plot(report));
  }
  return failedKube || hasFailed(report) ? 1 : 0;
}

function hasFailed(report: Report): boolean {
  return report.rounds.some(({ figures }) => Object.values(figures).some((f) => f.failed > 0));
}

type Results = Map<string, Figures[]>;

async function measure(options: BenchOptions): Promise<Report> {
  const notes: string[] = [];
  const versions = new Map<string, string>();
  const before = machine(options.dir ?? tmpdir());
  const list = rounds(options);
  const results = new Map<Round, Results>(list.map((round) => [round, new Map()]));
  const phases = [...new Set(list.map(({ phase }) => phase))];
  for (const phase of phases) {
    const ours = list.filter((round) => round.phase === phase);
    if (phase === 'small') {
      await withSystems(options, versions, async (systems) => {
        for (const system of systems) {
          console.error(`bench: ${system.label}: filling and warming up`);
          await prepare(system, options);
        }
        for (let i = 0; i < options.repeat; i++) await runAll(ours, systems, i, results, notes);
      });
      continue;
    }
    // What changes the store for good starts on an empty one each time.
    for (let i = 0; i < options.repeat; i++)
      await withSystems(options, versions, (systems) => runAll(ours, systems, i, results, notes));
  }
  return {
    machine: before,
    options: {
      repetitions: String(options.repeat),
      'seconds a measurement': String(options.durationMs / 1000),
    },
    systems: [...versions].map(([label, version]) => ({ label, version })),
    rounds: list.map((round) => ({
      group: round.group,
      name: round.name,
      figures: Object.fromEntries([...results.get(round)!].map(([label, all]) => [label, medianOf(all)])),
    })),
    notes,
  };
}

async function withSystems(
  options: BenchOptions,
  versions: Map<string, string>,
  body: (systems: System[]) => Promise<void>,
): Promise<void> {
  const systems: System[] = [];
  let failed = true;
  try {
    const label = options.subject === 'keel' ? 'keel' : 'etcd (2)';
    systems.push(await System.start(label, options.subject, options.dir, options.nodeArgs));
    if (options.etcd) systems.push(await System.start('etcd', 'etcd', options.dir, []));
    for (const system of systems) versions.set(system.label, system.version);
    await body(systems);
    failed = false;
  } finally {
    if (failed)
      for (const { label, cluster } of systems) console.error(`bench: ${label}'s logs are kept in ${cluster.dir}`);
    await Promise.all(systems.map((system) => system.dispose(failed)));
  }
}

async function runAll(
  list: Round[],
  systems: System[],
  repetition: number,
  results: Map<Round, Results>,
  notes: string[],
): Promise<void> {
  for (const [i, round] of list.entries()) {
    // Each goes first in every other round: what the one leaves behind is the other's weather.
    const order = (i + repetition) % 2 === 0 ? systems : [...systems].reverse();
    for (const system of order) {
      if (await system.locateLeader()) notes.push(`the leader of ${system.label} changed before "${round.name}"`);
      const figures = await round.run(system).catch((err: Error) => {
        notes.push(`${system.label}: "${round.name}" failed: ${err.message}`);
        return FAILED;
      });
      const { amount, perSecond, latency, cpuMicros, note } = figures;
      const said = amount ? `${Math.round(amount.value)} ${amount.unit}` : `${Math.round(perSecond)} per s`;
      const p99 = latency ? `, p99 ${latency.p99.toFixed(2)} ms` : '';
      console.error(`bench: ${system.label}: ${round.name}: ${said}, CPU ${cpuMicros.toFixed(1)}${p99} ${note ?? ''}`);
      const all = results.get(round)!;
      all.set(system.label, [...(all.get(system.label) ?? []), figures]);
    }
  }
}

process.exitCode = await main();
