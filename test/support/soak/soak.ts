import { Workload } from '../chaos/workload.js';
import { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';
import { RawClient } from '../raw-client.js';
import type { Growth, Sample } from './sample.js';
import { growth, sampleAll } from './sample.js';

export interface SoakOptions {
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Operations a second, about. */
  readonly rate: number;
  readonly baseDir?: string;
  readonly progress?: (line: string) => void;
}

export interface SoakReport {
  operations: number;
  seconds: number;
  samples: Sample[];
  growth: { member: string; memory: Growth; heap: Growth }[];
  problems: string[];
  /** The folder, if something was wrong. */
  kept: string | null;
}

const MIB = 2 ** 20;
/**
 * Growth that is allowed, the first quarter left out: this much in the whole run, or this much of it an hour. A process
 * that has just started still finds its size, and in a minute that looks like a leak.
 */
const RESIDENT_MIB_MAX = 64;
const HEAP_MIB_MAX = 16;
const PERCENT_PER_HOUR_MAX = 10;
const FDS_GROWTH_MAX = 8;
const LAG_MAX = 2000;
/** The store keeps its history until it is compacted: this often, ms, so that it has a size to stay at. */
const COMPACT_MS = 5000;

/** Runs a cluster under load, samples it, and says what grew, fell behind or differed. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { durationMs, intervalMs, rate, baseDir, progress = () => {} } = options;
  const report: SoakReport = { operations: 0, seconds: 0, samples: [], growth: [], problems: [], kept: null };
  // The log then tells what each full collection left.
  const nodeArgs = ['--trace-gc'];
  const cluster = await Cluster.start({ kind: 'keel', nodeArgs, ...(baseDir === undefined ? {} : { baseDir }) });
  const began = performance.now();
  let keep = true;
  try {
    const load = new Load(cluster, rate);
    progress('      s  member   MiB   heap  fds  threads  status ms   lag  revision   db MiB');
    try {
      for (let next = intervalMs; next <= durationMs + 1; next += intervalMs) {
        await sleep(began + next - performance.now());
        const samples = await sampleAll(cluster, began);
        report.samples.push(...samples);
        for (const sample of samples) progress(row(sample));
        const unequal = await differing(cluster);
        if (unequal) report.problems.push(unequal);
      }
    } finally {
      report.operations = await load.stop();
    }
    report.seconds = (performance.now() - began) / 1000;
    await cluster.converged();
    const unequal = await differing(cluster);
    if (unequal) report.problems.push(unequal);
    judge(report, cluster, durationMs);
    keep = report.problems.length > 0 || process.env.KEEL_E2E_KEEP === '1';
  } finally {
    if (keep) report.kept = cluster.dir;
    await cluster.dispose({ keep });
  }
  return report;
}

/** Clients of all kinds: writes, reads, leases, watchers that come and go, and a compaction now and then. */
class Load {
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #loops: Promise<void>[];
  #stopping = false;
  #operations = 0;

  constructor(cluster: Cluster, rate: number) {
    this.#cluster = cluster;
    const clients = 9;
    // An operation itself takes some milliseconds of its client's time.
    const restMs = Math.max(2, 2 * ((clients * 1000) / rate - 4));
    this.#workload = new Workload(cluster, { restMs });
    this.#workload.start(clients, 1);
    this.#loops = [this.#compact(), this.#watch(), this.#forget()];
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    await Promise.all([this.#workload.stop(), ...this.#loops]);
    return this.#operations + this.#workload.records.length;
  }

  async #compact(): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      await this.#rest(COMPACT_MS);
      const client = this.#cluster.client(this.#cluster.names[i % this.#cluster.names.length]!);
      const status = await client.status(5000);
      if (!status.ok) continue;
      const revision = Math.max(1, status.value.revision - 1000);
      await client.call('KV/Compact', 'CompactionRequest', 'CompactionResponse', { revision }, 5000);
    }
  }

  /** A connection with a watcher that lasts a second, at each member in turn. */
  async #watch(): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const client = new RawClient(this.#cluster.members[i % this.#cluster.members.length]!.endpoint);
      const stop = client.watch({ key: '\0', rangeEnd: '\0', startRevision: 0 }, { batch: () => {}, end: () => {} });
      await this.#rest(1000);
      // A channel that is closed lives on with its streams.
      stop();
      client.close();
    }
  }

  /** The records are of no use here, and would be what grows in this process. */
  async #forget(): Promise<void> {
    while (!this.#stopping) {
      await this.#rest(1000);
      this.#operations += this.#workload.records.splice(0).length;
    }
  }

  async #rest(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !this.#stopping; left -= 100) await sleep(Math.min(left, 100));
  }
}

/** @returns what differs between the members, at a revision that all have */
async function differing(cluster: Cluster): Promise<string | undefined> {
  const statuses = [...(await cluster.statuses(5000)).values()];
  const revision = Math.min(...statuses.map((status) => status.revision));
  const hashes = new Map<string, string>();
  for (const name of cluster.names) {
    const hash = await cluster.client(name).hashKv(revision);
    if (!hash.ok) return undefined; // compacted meanwhile: the next one will do
    // Of a member that has compacted further, the hash is over fewer rows.
    hashes.set(name, `${hash.value.hash} compacted at ${hash.value.compactRevision}`);
  }
  const compacted = new Set([...hashes.values()].map((hash) => hash.split(' ').at(-1)));
  if (compacted.size > 1 || new Set(hashes.values()).size === 1) return undefined;
  return `HashKV at ${revision} differs: ${JSON.stringify([...hashes])}`;
}

function judge(report: SoakReport, cluster: Cluster, durationMs: number): void {
  for (const { name, process } of cluster.members) {
    const samples = report.samples.filter(({ member }) => member === name);
    const settled = samples.filter(({ at }) => at >= durationMs / 4);
    const memory = growth(settled.map(({ at, residentBytes }) => ({ at, bytes: residentBytes })));
    const heap = growth(settled.filter((s) => s.heapBytes > 0).map(({ at, heapBytes }) => ({ at, bytes: heapBytes })));
    report.growth.push({ member: name, memory, heap });
    for (const [what, { mib, percentPerHour }, mibMax] of [
      ['resident memory', memory, RESIDENT_MIB_MAX],
      ['the heap after full collections', heap, HEAP_MIB_MAX],
    ] as const) {
      if (mib > mibMax && percentPerHour > PERCENT_PER_HOUR_MAX) {
        report.problems.push(`${name}: ${what} grew by ${mib.toFixed(0)} MiB`);
      }
    }
    const third = Math.max(1, Math.floor(settled.length / 3));
    const early = Math.max(...settled.slice(0, third).map(({ fds }) => fds));
    const late = Math.min(...settled.slice(-third).map(({ fds }) => fds));
    if (late > early + FDS_GROWTH_MAX) report.problems.push(`${name}: from ${early} to ${late} file descriptors`);
    const lag = Math.max(...settled.map((s) => s.lag));
    if (lag > LAG_MAX) report.problems.push(`${name}: ${lag} entries behind`);
    const line = process.log().match(/^.*(unhandled|cannot go on|"level":"(error|fatal|panic)").*$/im)?.[0];
    if (line) report.problems.push(`${name} logged: ${line}`);
    if (!process.running) report.problems.push(`${name} is gone`);
  }
}

function row({ member, at, residentBytes, heapBytes, fds, threads, statusMs, lag, revision, dbBytes }: Sample): string {
  return [
    (at / 1000).toFixed(0).padStart(7),
    member.padStart(7),
    (residentBytes / MIB).toFixed(0).padStart(5),
    (heapBytes === 0 ? '-' : (heapBytes / MIB).toFixed(1)).padStart(6),
    String(fds).padStart(4),
    String(threads).padStart(8),
    statusMs.toFixed(1).padStart(10),
    String(lag).padStart(5),
    String(revision).padStart(9),
    (dbBytes / MIB).toFixed(2).padStart(8),
  ].join(' ');
}
