import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRevision, OpRecord, Violation } from '../../../src/sim/checkers/index.js';
import { checkHistory, checkSameLogs, checkWatch } from '../../../src/sim/checkers/index.js';
import type { Cluster } from '../cluster.js';
import type { Fault } from './nemesis.js';
import { Nemesis } from './nemesis.js';
import { upTo } from './up-to.js';
import { Watchers } from './watchers.js';
import { Workload } from './workload.js';

export interface ChaosOptions {
  durationMs: number;
  faults: readonly Fault[];
  clients?: number;
  seed?: number;
}

export interface ChaosReport {
  summary: string;
  violations: Violation[];
  acknowledged: number;
  kills: number;
}

/**
 * Clients write and read while members die; afterwards everything that was seen is held against what the members have.
 * What is needed to look at a failure is written into the cluster's folder.
 */
export async function runChaos(cluster: Cluster, options: ChaosOptions): Promise<ChaosReport> {
  const seed = options.seed ?? Number(process.env.KEEL_E2E_SEED ?? Date.now() % 1_000_000);
  const workload = new Workload(cluster);
  const watchers = new Watchers(cluster);
  const nemesis = new Nemesis(cluster);
  workload.start(options.clients ?? 9, seed);
  let trouble: unknown;
  try {
    await nemesis.run(options.faults, options.durationMs);
  } catch (err) {
    trouble = err;
  }
  await workload.stop();
  keep(cluster, workload.records, nemesis.journal, seed);
  if (trouble) throw new Error(`the run broke off (seed ${seed}): ${nemesis.journal.join('; ')}`, { cause: trouble });

  // Last reads, through every member, as part of the history.
  for (const [i, { name }] of cluster.members.entries()) {
    const all = { kind: 'range' as const, key: '\0', rangeEnd: '\0', revision: 0, serializable: false };
    const record = await workload.run(1000 + i, name, cluster.client(name), all, 10_000);
    if (record.outcome !== 'ok') throw new Error(`no last read of ${name}: ${record.error}`);
  }
  const revision = await cluster.converged();
  const violations: Violation[] = [];
  const hashes = new Map<string, number>();
  const logs = new Map<string, LogRevision[]>();
  for (const { name } of cluster.members) {
    const hash = await cluster.client(name).hashKv(revision);
    if (!hash.ok) throw new Error(`no hash of ${name}: ${hash.error.message}`);
    hashes.set(name, hash.value.hash);
    logs.set(name, await cluster.client(name).readLog(2, revision));
  }
  await watchers.finish(revision);
  if (new Set(hashes.values()).size > 1) {
    const message = `HashKV at ${revision}: ${JSON.stringify([...hashes])}`;
    violations.push({ rule: 'equal hashes', message, ops: [], revisions: [revision] });
  }
  violations.push(...checkSameLogs(logs));
  const log = logs.get(cluster.names[0]!)!;
  writeFileSync(join(cluster.dir, 'log.jsonl'), log.map((entry) => JSON.stringify(entry)).join('\n'));
  keep(cluster, workload.records, nemesis.journal, seed);
  const began = performance.now();
  const report = checkHistory({ records: workload.records, log, restarts: nemesis.restarts });
  violations.push(...report.violations);
  for (const watch of watchers.records) violations.push(...checkWatch(upTo(watch, revision), log));
  const counts = workload.counts();
  const summary =
    `${cluster.kind}, seed ${seed}: ${counts.ok} acknowledged, ${counts.unknown} unknown (${report.resolved} of them took place), ` +
    `${counts.fail} refused; ${revision} revisions; ${nemesis.kills} kills; ${watchers.records.length} watch streams; ` +
    `${report.searched.length} keys searched, ${report.undecided.length} given up; ` +
    `checked in ${Math.round(performance.now() - began)} ms; ${violations.length} violations`;
  if (violations.length > 0) writeFileSync(join(cluster.dir, 'violations.json'), JSON.stringify(violations, null, 1));
  return { summary, violations, acknowledged: counts.ok, kills: nemesis.kills };
}

function keep(cluster: Cluster, records: readonly OpRecord[], journal: readonly string[], seed: number): void {
  writeFileSync(join(cluster.dir, 'history.jsonl'), records.map((record) => JSON.stringify(record)).join('\n'));
  writeFileSync(join(cluster.dir, 'journal.txt'), [`seed ${seed}`, ...journal].join('\n'));
}
