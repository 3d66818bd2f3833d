import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../../src/util/rng.js';
import { Cluster } from '../cluster.js';
import type { EpochReport } from './epoch.js';
import { BEGINNING, Epoch } from './epoch.js';
import { CycleNemesis } from './nemesis.js';
import type { RoundPlan } from './plan.js';
import { drawCycle, drawRound } from './plan.js';

export interface CyclesOptions {
  readonly cycles: number;
  readonly seed: number;
  /** In which cycles the members lose unsynced bytes with their lives. `half`: in every other stretch. */
  readonly lossy: 'half' | 'all' | 'none';
  /** Cycles between two checks. Default 10. */
  readonly perEpoch?: number;
  /** Cycles in the life of one cluster. Default 40. */
  readonly perRound?: number;
  /** Default 6. */
  readonly clients?: number;
  /** Between the members stand proxies: in all rounds, or in those that draw it. */
  readonly proxied?: boolean;
  readonly baseDir?: string;
  /** A line after each check. */
  readonly progress?: (line: string) => void;
}

export interface CyclesReport {
  cycles: number;
  lossyCycles: number;
  kills: number;
  pauses: number;
  netFaults: number;
  acknowledged: number;
  unknown: number;
  /** Of the unknown: those that turned out to have happened. */
  resolved: number;
  revisions: number;
  keysSearched: number;
  undecided: number;
  checks: number;
  seconds: number;
  violations: string[];
  /** Folders of clusters that failed. */
  kept: string[];
}

/**
 * Kills members of real clusters again and again while clients write and read, and checks every stretch of that: what
 * was acknowledged is there, the members are equal, no revision fell, the history is linearizable, watchers that
 * resumed have seen everything once. Stops at the first stretch that is not in order.
 *
 * The seed decides what is done and when, but a real machine decides what comes of it: a failure need not come back.
 */
export async function runCycles(options: CyclesOptions): Promise<CyclesReport> {
  const { cycles, seed, perRound = 40, progress = () => {} } = options;
  const report: CyclesReport = {
    cycles: 0,
    lossyCycles: 0,
    kills: 0,
    pauses: 0,
    netFaults: 0,
    acknowledged: 0,
    unknown: 0,
    resolved: 0,
    revisions: 0,
    keysSearched: 0,
    undecided: 0,
    checks: 0,
    seconds: 0,
    violations: [],
    kept: [],
  };
  const began = performance.now();
  const rng = new Rng(seed);
  for (let round = 0; report.cycles < cycles && report.violations.length === 0; round++) {
    const plan = drawRound(rng);
    const proxied = options.proxied ?? plan.proxied;
    const count = Math.min(perRound, cycles - report.cycles);
    const life = new Life(options, { ...plan, proxied }, rng, report, (line) => {
      report.seconds = (performance.now() - began) / 1000;
      progress(line);
    });
    await life.run(round, count);
  }
  report.seconds = (performance.now() - began) / 1000;
  return report;
}

/** One cluster from its birth to its end. */
class Life {
  readonly #options: CyclesOptions;
  readonly #plan: RoundPlan;
  readonly #rng: Rng;
  readonly #report: CyclesReport;
  readonly #progress: (line: string) => void;

  constructor(
    options: CyclesOptions,
    plan: RoundPlan,
    rng: Rng,
    report: CyclesReport,
    progress: (line: string) => void,
  ) {
    this.#options = options;
    this.#plan = plan;
    this.#rng = rng;
    this.#report = report;
    this.#progress = progress;
  }

  async run(round: number, cycles: number): Promise<void> {
    const { heartbeatMs, electionMs, snapshotCount, catchUpEntries, proxied } = this.#plan;
    const cluster = await Cluster.start({
      kind: 'keel',
      heartbeatMs,
      electionMs,
      snapshotCount,
      flags: ['--snapshot-catchup-entries', String(catchUpEntries)],
      peerProxies: proxied,
      readyTimeoutMs: 30_000,
      ...(this.#options.baseDir === undefined ? {} : { baseDir: this.#options.baseDir }),
    });
    const nemesis = new CycleNemesis(cluster, this.#rng);
    nemesis.note(JSON.stringify(this.#plan));
    let keep = true;
    try {
      await this.#live(cluster, nemesis, round, cycles);
      keep = this.#report.violations.length > 0 || process.env.KEEL_E2E_KEEP === '1';
    } catch (err) {
      this.#report.violations.push(`broke off: ${(err as Error).message}`);
    } finally {
      this.#report.kills += nemesis.kills;
      this.#report.pauses += nemesis.pauses;
      this.#report.netFaults += nemesis.netFaults;
      if (keep) {
        writeFileSync(join(cluster.dir, 'journal.txt'), nemesis.journal.join('\n'));
        this.#report.kept.push(cluster.dir);
      }
      await cluster.dispose({ keep });
    }
  }

  async #live(cluster: Cluster, nemesis: CycleNemesis, round: number, cycles: number): Promise<void> {
    const { perEpoch = 10, clients = 6, lossy } = this.#options;
    let end = BEGINNING;
    let wasLossy = false;
    for (let done = 0, epochs = 0; done < cycles && this.#report.violations.length === 0; epochs++) {
      const count = Math.min(perEpoch, cycles - done);
      const isLossy = lossy === 'all' || (lossy === 'half' && (round + epochs) % 2 === 0);
      if (isLossy !== wasLossy) await changeDisk(cluster, nemesis, isLossy);
      wasLossy = isLossy;
      await introduce(cluster);
      if (end.state.revision > 1 && this.#rng.below(2) === 0) await compact(cluster, nemesis, end.state.revision);
      const epoch = new Epoch(cluster, end, { clients, seed: this.#rng.u32(), restMs: 25 });
      let checked: EpochReport;
      try {
        for (let i = 0; i < count; i++) {
          await nemesis.cycle(drawCycle(this.#rng, this.#plan.proxied));
          this.#report.cycles++;
          if (isLossy) this.#report.lossyCycles++;
        }
        checked = await epoch.finish(nemesis.restarts);
        nemesis.mustRun();
        mustBeCalm(cluster);
      } catch (err) {
        await epoch.abandon();
        throw err;
      }
      done += count;
      nemesis.forget();
      end = checked.end;
      this.#note(checked, isLossy, nemesis);
    }
  }

  #note(checked: EpochReport, isLossy: boolean, nemesis: CycleNemesis): void {
    const report = this.#report;
    report.acknowledged += checked.acknowledged;
    report.unknown += checked.unknown;
    report.resolved += checked.resolved;
    report.revisions += checked.revisions;
    report.keysSearched += checked.keysSearched;
    report.undecided += checked.undecided;
    report.checks++;
    report.violations.push(...checked.violations.map(({ rule, message }) => `${rule}: ${message}`));
    this.#progress(
      `${report.cycles}/${this.#options.cycles} cycles${isLossy ? ', lossy' : ''}` +
        `${this.#plan.proxied ? ', proxied' : ''}; ${report.kills + nemesis.kills} kills; ` +
        `${report.acknowledged} acknowledged, ${report.unknown} unknown; ${report.violations.length} violations`,
    );
  }
}

/** All members go down and come back with the other kind of disk. */
async function changeDisk(cluster: Cluster, nemesis: CycleNemesis, lossy: boolean): Promise<void> {
  nemesis.note(lossy ? 'from here on the disks are lossy' : 'from here on the disks are the system’s');
  await Promise.all(cluster.names.map((name) => cluster.kill9(name)));
  for (const { process } of cluster.members) {
    process.spec.env = { ...process.spec.env, KEEL_TEST_LOSSY_DISK: lossy ? '1' : '0' };
  }
  nemesis.start(cluster.names);
  await cluster.allReady();
}

/** Faults of the network are between members, which are known to it by their ids. */
async function introduce(cluster: Cluster): Promise<void> {
  if (!cluster.net) return;
  for (const [name, { memberId }] of await cluster.statuses(2000)) cluster.net.introduce(name, memberId);
}

async function compact(cluster: Cluster, nemesis: CycleNemesis, revision: number): Promise<void> {
  nemesis.note(`compact ${revision}`);
  const client = cluster.client(cluster.names[0]!);
  await client.call('KV/Compact', 'CompactionRequest', 'CompactionResponse', { revision }, 3000);
}

/** What must never be in a log, whoever was killed. */
function mustBeCalm(cluster: Cluster): void {
  for (const { name, process } of cluster.members) {
    const line = process
      .log()
      .match(/^.*(cannot go on|UnhandledPromiseRejection|unhandledRejection|assertion).*$/im)?.[0];
    if (line) throw new Error(`${name} logged: ${line}`);
  }
}
