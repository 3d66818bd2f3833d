import type { Rng } from '../../util/rng.js';
import type { SimCluster } from '../cluster.js';
import type { CrashMode } from '../disk.js';
import { diskDefaults } from '../disk-faults.js';
import type { SimNode } from '../node.js';
import type { FaultEvent, FaultKind } from './kinds.js';
import { rot } from './rot.js';

const MODES: readonly CrashMode[] = ['process', 'none', 'prefix', 'sectors', 'mixed'];
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** Does to a cluster what a list of faults says, and takes all of it back in the end. */
export class FaultInjector {
  readonly #cluster: SimCluster;
  readonly #note: (text: string) => void;
  /** How often each kind happened; what found nobody to happen to is not counted. */
  readonly counts = new Map<FaultKind, number>();
  /** Members that clients cannot reach. */
  readonly cutFromClients = new Set<string>();
  /** µs: when the last stalled disk goes on. */
  #stalledUntil = 0;
  /** No fault begins, and no end of one has an effect, any more. */
  #over = false;

  constructor(cluster: SimCluster, note: (text: string) => void) {
    this.#cluster = cluster;
    this.#note = note;
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** How long a stall that has begun may still last. */
  stalledForMs(): number {
    return Math.max(0, this.#stalledUntil - this.#cluster.engine.now) / 1000;
  }

  start(events: readonly FaultEvent[], rng: Rng): void {
    for (const event of events) {
      this.#later(event.at, () => {
        const nodes = this.#nodes(event);
        if (nodes.length === 0) return;
        this.counts.set(event.kind, (this.counts.get(event.kind) ?? 0) + 1);
        this.#note(
          `fault ${event.id}: ${event.kind} ${nodes.map((node) => node.name).join(' ')} for ${event.forMs} ms`,
        );
        this.#do(event, nodes, rng.split(event.id));
      });
    }
  }

  /** Everything works from now on; members that are down are started. */
  healAll(): void {
    this.#over = true;
    const { net, nodes } = this.#cluster;
    net.healAll();
    net.unclogAll();
    this.cutFromClients.clear();
    for (const node of nodes) {
      node.resume();
      node.crashAfterEvents(0, 'process');
      node.crashWhenBusy(0, 'process');
      node.disk.clearFaults();
      node.disk.configure({ capacityBytes: diskDefaults.capacityBytes });
      node.stores.clearFaults();
      node.start();
    }
  }

  #later(ms: number, fn: () => void): void {
    this.#cluster.engine.schedule(ms * 1000, () => {
      if (!this.#over) fn();
    });
  }

  #nodes(event: FaultEvent): SimNode[] {
    const { nodes } = this.#cluster;
    const found = new Set<SimNode>();
    for (const i of event.who) {
      const node = i === -1 ? this.#cluster.leader() : nodes[i];
      if (node != null) found.add(node);
    }
    return [...found];
  }

  #do(event: FaultEvent, nodes: readonly SimNode[], rng: Rng): void {
    const node = nodes[0] as SimNode;
    const { net } = this.#cluster;
    const mode = MODES[event.n % MODES.length] as CrashMode;
    switch (event.kind) {
      case 'crash':
        for (const victim of nodes) {
          if (rng.chance(1, 2)) victim.crash(mode);
          else victim.crashAfterEvents(1 + (event.n % 97), mode);
          this.#restart(victim, event.forMs + 100);
        }
        return;
      case 'crash-all':
        for (const victim of nodes) victim.crash(mode);
        for (const victim of nodes) this.#restart(victim, rng.below(event.forMs + 1));
        return;
      case 'crash-busy':
        node.crashWhenBusy(1 + (event.n % 60), mode);
        // So that there is something to do: open the folder again.
        if (event.n & 1) {
          node.crash(mode);
          node.start();
        }
        this.#restart(node, event.forMs + 2000);
        return;
      case 'pause':
        for (const victim of nodes) victim.pause();
        this.#later(event.forMs, () => {
          for (const victim of nodes) victim.resume();
        });
        return;
      case 'isolate':
        return this.#cut(this.#pairs([node], others(this.#cluster.nodes, [node])), event.forMs);
      case 'split': {
        const side = nodes.slice(0, Math.ceil(nodes.length / 2));
        const bridge = event.n & 1 ? nodes[0] : undefined;
        const pairs = this.#pairs(
          side.filter((one) => one !== bridge),
          others(this.#cluster.nodes, side),
        );
        return this.#cut(pairs, event.forMs);
      }
      case 'one-way': {
        const targets = event.n & 1 ? others(this.#cluster.nodes, [node]) : nodes.slice(1);
        const pairs = targets.map((to): [string, string] =>
          event.n & 2 ? [node.name, to.name] : [to.name, node.name],
        );
        return this.#cut(pairs, event.forMs);
      }
      case 'flap':
        return this.#flap(this.#pairs([node], nodes.slice(1)), event.forMs, rng);
      case 'break':
        for (const other of nodes.slice(1)) net.breakConns(node.name, other.name);
        return;
      case 'clog':
        for (const [from, to] of this.#pairs([node], nodes.slice(1))) {
          if (event.n & 1 || from === node.name) net.clog(from, to, 5_000 + (event.n % 32) * 20_000);
          this.#later(event.forMs, () => net.unclog(from, to));
        }
        return;
      case 'stall':
        // It begins with the next fsync.
        this.#stalledUntil = Math.max(this.#stalledUntil, this.#cluster.engine.now + (event.forMs + 2000) * 1000);
        for (const victim of nodes) victim.disk.inject({ kind: 'stall', path: inLog, us: event.forMs * 1000 });
        return;
      case 'sync-error':
        if (event.n % 4 === 0) node.stores.failNext('sync', 'EIO');
        else node.disk.inject({ kind: 'sync-error', path: inLog });
        this.#restart(node, event.forMs + 1000);
        return;
      case 'full-disk': {
        const { capacityBytes } = diskDefaults;
        const used = node.disk.options.capacityBytes - node.disk.free('');
        node.disk.configure({ capacityBytes: used + (event.n % 8) * 4096 });
        this.#later(event.forMs, () => node.disk.configure({ capacityBytes }));
        return this.#restart(node, event.forMs + 500);
      }
      case 'rot':
        // A quorum must be sound: only one member of a run is ever hit, and where there are others.
        if (this.#cluster.nodes.length < 3) return;
        if (this.#cluster.nodes.some((other) => other.rotten && other !== node)) return;
        this.#note(rot(node, rng));
        return this.#restart(node, event.forMs);
      case 'wall-jump':
        node.wallOffsetMs += rng.between(-1000, 1000) * (TEN_YEARS_MS / 1000);
        return;
      case 'client-cut':
        this.cutFromClients.add(node.name);
        this.#later(event.forMs, () => this.cutFromClients.delete(node.name));
        return;
    }
  }

  #restart(node: SimNode, ms: number): void {
    this.#later(ms, () => {
      if (node.up) return;
      this.#note(`${node.name} starts`);
      node.start();
    });
  }

  #pairs(a: readonly SimNode[], b: readonly SimNode[]): [string, string][] {
    return a.flatMap((x) =>
      b.flatMap((y): [string, string][] => [
        [x.name, y.name],
        [y.name, x.name],
      ]),
    );
  }

  #cut(pairs: readonly [string, string][], forMs: number): void {
    const { net } = this.#cluster;
    for (const [from, to] of pairs) net.cut(from, to);
    this.#later(forMs, () => {
      for (const [from, to] of pairs) net.heal(from, to);
    });
  }

  #flap(pairs: readonly [string, string][], leftMs: number, rng: Rng): void {
    if (leftMs <= 0) return;
    const down = rng.between(10, 700);
    this.#cut(pairs, down);
    const next = down + rng.between(10, 700);
    this.#later(next, () => this.#flap(pairs, leftMs - next, rng));
  }
}

function others(all: readonly SimNode[], some: readonly SimNode[]): SimNode[] {
  return all.filter((node) => !some.includes(node));
}

function inLog(path: string): boolean {
  return path.endsWith('.wal') || path.endsWith('.tmp');
}
