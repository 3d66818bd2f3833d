import type { Rng } from '../../util/rng.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';

/** What the kinds of faults do their work with: a cluster, and things that end by themselves. */
export class FaultScene {
  readonly cluster: SimCluster;
  /** A line of the timeline. */
  readonly note: (text: string) => void;
  /** Members that clients cannot reach. */
  readonly cutFromClients = new Set<string>();
  /** µs: when the last stalled disk goes on. */
  stalledUntil = 0;
  /** µs: until then changes of the configuration race already. */
  racesUntil = 0;
  /** No fault begins, and no end of one has an effect, any more. */
  over = false;

  constructor(cluster: SimCluster, note: (text: string) => void) {
    this.cluster = cluster;
    this.note = note;
  }

  /** Does something so many virtual ms on, unless all is healed by then. */
  later(ms: number, fn: () => void): void {
    this.cluster.engine.schedule(ms * 1000, () => {
      if (!this.over) fn();
    });
  }

  /** Starts a member then, if it is down. */
  restart(node: SimNode, ms: number): void {
    this.later(ms, () => {
      if (node.up) return;
      this.note(`${node.name} starts`);
      node.start();
    });
  }

  others(some: readonly SimNode[]): SimNode[] {
    return this.cluster.nodes.filter((node) => !some.includes(node));
  }

  /** Both directions of every link between the two groups. */
  pairs(a: readonly SimNode[], b: readonly SimNode[]): [string, string][] {
    return a.flatMap((x) =>
      b.flatMap((y): [string, string][] => [
        [x.name, y.name],
        [y.name, x.name],
      ]),
    );
  }

  cut(pairs: readonly [string, string][], forMs: number): void {
    const { net } = this.cluster;
    for (const [from, to] of pairs) net.cut(from, to);
    this.later(forMs, () => {
      for (const [from, to] of pairs) net.heal(from, to);
    });
  }

  /** Cuts and heals, again and again. */
  flap(pairs: readonly [string, string][], leftMs: number, rng: Rng): void {
    if (leftMs <= 0) return;
    const down = rng.between(10, 700);
    this.cut(pairs, down);
    const next = down + rng.between(10, 700);
    this.later(next, () => this.flap(pairs, leftMs - next, rng));
  }

  /** A quorum's disks must be sound, and its members must not change under it: damage hits one member of a run at most, and only where there are others. */
  mayDamage(node: SimNode): boolean {
    const { nodes } = this.cluster;
    return !this.cluster.changing && nodes.length >= 3 && !nodes.some((other) => other.rotten && other !== node);
  }
}
