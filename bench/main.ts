/**
 * `npm run bench`: the same load at our three-member cluster and, where an etcd is named, at a three-member etcd in
 * the same run, round by round in turn. Only ratios within a run mean anything on another machine.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { missing } from '../test/support/binaries.js';
import type { BenchOptions } from './options.js';
import { parseOptions, USAGE } from './options.js';
import { machine } from './proc.js';
import type { Report } from './report.js';
import { median, table } from './report.js';
import type { Figures } from './rounds.js';
import { prepare, rounds } from './rounds.js';
import { System } from './system.js';

async function main(): Promise<number> {
  let options: BenchOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2), process.env);
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
  const systems: System[] = [];
  let failed = true;
  try {
    const label = options.subject === 'keel' ? 'keel' : 'etcd (2)';
    systems.push(await System.start(label, options.subject, options.dir, options.nodeArgs));
    if (options.etcd) systems.push(await System.start('etcd', 'etcd', options.dir, []));
    const report = await measure(options, systems);
    console.log(table(report));
    const json = JSON.stringify(report, null, 1);
    if (options.json) writeFileSync(options.json, `${json}\n`);
    else console.log(`\n${json}`);
    failed = false;
    return report.rounds.some(({ figures }) => Object.values(figures).some((f) => f.failed > 0)) ? 1 : 0;
  } finally {
    if (failed)
      for (const { label, cluster } of systems) console.error(`bench: ${label}'s logs are kept in ${cluster.dir}`);
    await Promise.all(systems.map((system) => system.dispose(failed)));
  }
}

async function measure(options: BenchOptions, systems: System[]): Promise<Report> {
  const notes: string[] = [];
  const fresh = systems.map((system) => system.resident());
  for (const system of systems) {
    console.error(`bench: ${system.label}: filling and warming up`);
    await prepare(system, options);
  }
  const list = rounds(options);
  const results = list.map(() => new Map<string, Figures[]>());
  for (let repetition = 0; repetition < options.repeat; repetition++) {
    for (const [i, round] of list.entries()) {
      // Each goes first in every other round: what the one leaves behind is the other's weather.
      const order = (i + repetition) % 2 === 0 ? systems : [...systems].reverse();
      for (const system of order) {
        if (await system.locateLeader()) notes.push(`the leader of ${system.label} changed before "${round.name}"`);
        const figures = await round.run(system).catch((err: Error) => {
          // One round that fails is a finding; the others are still worth having.
          notes.push(`${system.label}: "${round.name}" failed: ${err.message}`);
          return FAILED;
        });
        console.error(`bench: ${system.label}: ${round.name}: ${Math.round(figures.perSecond)} per s`);
        const all = results[i]!;
        all.set(system.label, [...(all.get(system.label) ?? []), figures]);
      }
    }
  }
  return {
    machine: machine(options.dir ?? tmpdir()),
    systems: systems.map((system, i) => ({
      label: system.label,
      version: system.version,
      residentBytes: { fresh: fresh[i]!, after: system.resident() },
    })),
    rounds: list.map(({ name }, i) => ({
      name,
      figures: Object.fromEntries([...results[i]!].map(([label, all]) => [label, median(all)])),
    })),
    notes,
  };
}

const FAILED: Figures = {
  perSecond: 0,
  operations: 0,
  failed: 1,
  cpuMicros: 0,
  latency: null,
  generator: 'none',
  note: 'FAILED, see the notes',
};

process.exitCode = await main();
