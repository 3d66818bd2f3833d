import { defaultTuning } from '../server/index.js';
import type { Logger } from '../util/log.js';
import { nullLogger } from '../util/log.js';
import { Rng } from '../util/rng.js';
import type { Violation } from './checkers/index.js';
import { finalChecks } from './checks/final.js';
import { Hasher } from './checks/hasher.js';
import { Oracle } from './checks/oracle.js';
import { Settle } from './checks/settle.js';
import { StoredRows } from './checks/stored-rows.js';
import { SimCluster } from './cluster.js';
import { drawFaults } from './faults/draw.js';
import { FaultInjector } from './faults/injector.js';
import type { FaultEvent } from './faults/kinds.js';
import type { SimNode } from './node.js';
import type { SimOptions } from './options.js';
import { drawMemberConfig } from './options.js';
import type { SimClient } from './workload/client-kinds.js';
import { CLIENT_KINDS } from './workload/client-kinds.js';
import { ClientPort } from './workload/client-port.js';
import { History } from './workload/history.js';
import { KvClient } from './workload/kv-client.js';
import { LeaseClient } from './workload/lease-client.js';
import { WatchClient } from './workload/watch-client.js';
import type { Workload } from './workload/workload.js';

export interface RunInput {
  readonly options: SimOptions;
  /** Instead of those that the seed draws: the shrinker's. */
  readonly faults?: readonly FaultEvent[];
  /** Members' log lines go here. */
  readonly logger?: Logger;
  /** Is told how to find out the virtual time. */
  readonly timeline?: { now: () => number };
  /** Hears of what happens, with the virtual time in µs. */
  readonly note?: (atUs: number, text: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: readonly FaultEvent[];
  readonly faultCounts: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly revisions: number;
  readonly leaderChanges: number;
  readonly snapshots: number;
  readonly watchEvents: number;
  /** Entries that auth refused. */
  readonly refused: number;
  readonly traceHash: number;
}

/** How a member names damage that it has found. */
const DAMAGE = new Set([
  'ERR_WAL_ROT',
  'ERR_WAL_GAP',
  'ERR_WAL_MISSING',
  'ERR_CORRUPT',
  'ERR_HOLE',
  'ERR_FORMAT',
  'ERR_DAMAGED',
]);

/** One seed from its start to its verdict. Nothing in it looks at the real machine. */
export function run(input: RunInput): RunResult {
  return new Run(input).result();
}

class Run {
  readonly #options: SimOptions;
  readonly #cluster: SimCluster;
  readonly #oracle = new Oracle();
  readonly #injector: FaultInjector;
  readonly #work: Workload;
  readonly #watches: WatchClient[] = [];
  readonly #others: SimClient[] = [];
  readonly #faults: readonly FaultEvent[];
  readonly #note: (text: string) => void;
  readonly #root: Rng;
  #failed = false;

  constructor({ options, faults, logger, note, timeline }: RunInput) {
    this.#options = options;
    this.#root = new Rng(options.seed);
    this.#faults = faults ?? drawFaults(options, this.#root.split('fault list'));
    this.#cluster = makeCluster(options, logger ?? nullLogger);
    const { engine } = this.#cluster;
    if (timeline !== undefined) timeline.now = () => engine.now;
    this.#note = (text) => note?.(engine.now, text);
    this.#oracle.onViolation = () => {
      this.#failed = true;
    };
    this.#injector = new FaultInjector(this.#cluster, this.#note);
    const portOptions = { maxDelayUs: options.net.maxDelayUs, lossPpm: options.clientLossPpm };
    const port = new ClientPort(engine, this.#root.split('client net'), this.#injector, portOptions);
    this.#work = {
      options,
      cluster: this.#cluster,
      port,
      history: new History(engine),
      stopping: false,
      log: () => this.#oracle.model.log,
      leaderChanges: () => this.#oracle.leaderChanges,
      report: (rule, message) => this.#oracle.report(rule, message),
      compactRevision: () => this.#oracle.model.compactRevision,
      seenRevision: 1,
      hearsOfWrites: [],
    };
    const adopt = (node: SimNode): void => {
      node.watcher = {
        opened: (_node, member) => this.#oracle.attach(node, member),
        ended: () => {
          port.ended(node);
          for (const watch of this.#watches) watch.ended(node);
          for (const other of this.#others) other.ended?.(node);
        },
      };
      node.onFailure = (err) => this.#stoppedByItself(node, err);
      node.onRemoved = (memberId) => {
        this.#note(`${node.name} stops: it was removed`);
        if (!this.#oracle.isRemoved(memberId)) {
          this.#oracle.report('a member stopped by itself', `${node.name} takes itself for removed, and is not`);
        }
      };
    };
    for (const node of this.#cluster.nodes) adopt(node);
    this.#cluster.onNode = (node) => {
      this.#note(`${node.name} joins`);
      adopt(node);
    };
  }

  /** Only a disk that failed may stop a member, or one whose damage it has found. */
  #stoppedByItself(node: SimNode, err: Error): void {
    this.#note(`${node.name} stops: ${err.message}`);
    const { cause, code } = err as { cause?: unknown; code?: unknown };
    if (/simulated|injected failure/.test(`${err.message} ${String(cause ?? '')}`)) return;
    // A newcomer found nobody who knows of it yet; it is started again.
    if (node.joins && code === 'ERR_CONFIG') return;
    // It repairs itself when it is started again.
    // One that was made to differ may have sent its state to others, who are the majority now.
    if (code === 'ERR_DIVERGED' && this.#cluster.nodes.some((other) => other.rotten)) {
      return this.#injector.restartDamaged(node);
    }
    if (node.rotten && DAMAGE.has(String(code))) return this.#injector.restartDamaged(node);
    this.#oracle.report('a member stopped by itself', `${node.name}: ${err.stack ?? err.message}`);
  }

  result(): RunResult {
    const { engine } = this.#cluster;
    this.#execute();
    const { records } = this.#work.history;
    return {
      seed: this.#options.seed,
      violations: this.#oracle.violations,
      faults: this.#faults,
      faultCounts: this.#injector.counts,
      virtualMs: Math.floor(engine.now / 1000),
      events: engine.events,
      operations: records.length,
      acknowledged: records.filter((record) => record.outcome === 'ok').length,
      revisions: this.#oracle.model.log.length,
      leaderChanges: this.#oracle.leaderChanges,
      snapshots: this.#oracle.snapshotsInstalled,
      watchEvents: this.#watchRecords().reduce((sum, w) => sum + w.batches.reduce((n, b) => n + b.events.length, 0), 0),
      refused: this.#oracle.model.auth.refused,
      traceHash: engine.traceHash,
    };
  }

  #watchRecords() {
    return this.#watches.flatMap((watch) => watch.records);
  }

  #execute(): void {
    const settle = new Settle(this.#cluster, this.#oracle, this.#injector, this.#work, this.#watches, this.#others);
    this.#cluster.startAll();
    if (!settle.firstLeader(() => this.#failed)) return;
    this.#note('the load begins');
    this.#startClients();
    const hasher = new Hasher(this.#cluster, this.#oracle, this.#root.split('hasher'));
    hasher.start();
    const rows = new StoredRows(this.#cluster, this.#oracle, this.#root.split('rows'));
    rows.start();
    this.#injector.start(this.#faults, this.#root.split('fault draws'));
    this.#cluster.run(this.#options.loadMs, () => this.#failed);
    if (this.#failed) return;
    this.#work.stopping = true;
    this.#note('the load ends; everything is healed');
    this.#injector.healAll();
    if (!settle.afterFaults(() => this.#failed)) return;
    hasher.stop();
    rows.stop();
    finalChecks({
      options: this.#options,
      cluster: this.#cluster,
      oracle: this.#oracle,
      records: this.#work.history.records,
      watches: this.#watchRecords(),
      others: this.#others,
      rng: this.#root.split('final'),
      settle,
      failed: () => this.#failed,
      note: this.#note,
    });
  }

  #startClients(): void {
    const { clients, leaseHolders, watchers } = this.#options;
    const rng = this.#root.split('clients');
    for (let i = 1; i <= clients; i++) new KvClient(this.#work, i, rng.split(`kv ${i}`)).start();
    for (let i = 1; i <= leaseHolders; i++) new LeaseClient(this.#work, 100 + i, rng.split(`lease ${i}`)).start();
    for (let i = 1; i <= watchers; i++) {
      const watch = new WatchClient(this.#work, `w${i}`, rng.split(`watch ${i}`));
      this.#watches.push(watch);
      watch.start();
    }
    for (const kind of CLIENT_KINDS) {
      for (let i = 1; i <= (this.#options.others[kind.name] ?? 0); i++) {
        const other = kind.make(this.#work, i, rng.split(`${kind.name} ${i}`));
        this.#others.push(other);
        other.start();
      }
    }
  }
}

function makeCluster(options: SimOptions, logger: Logger): SimCluster {
  return new SimCluster({
    seed: options.seed,
    size: options.members,
    config: options.config,
    ...(options.mixedConfig ? { configOf: drawMemberConfig } : {}),
    tuning: { ...defaultTuning, ...options.tuning, mutants: new Set(options.mutants) },
    net: options.net,
    disk: { syncUs: [50, options.disk.syncUsMax] },
    store: options.store,
    driftPpm: options.driftPpm,
    surpriseOrder: options.surpriseOrder,
    logger,
  });
}
