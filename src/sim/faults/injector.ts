import type { Rng } from '../../util/rng.js';
import type { SimCluster } from '../cluster.js';
import type { SimNode } from '../node.js';
import type { FaultEvent, FaultKind } from './kinds.js';
import { FAULTS, faultOf } from './registry.js';
import { FaultScene } from './scene.js';

/** Does to a cluster what a list of faults says, and takes all of it back in the end. */
export class FaultInjector {
  readonly #cluster: SimCluster;
  readonly #scene: FaultScene;
  /** How often each kind happened; what found nobody to happen to is not counted. */
  readonly counts = new Map<FaultKind, number>();

  constructor(cluster: SimCluster, note: (text: string) => void) {
    this.#cluster = cluster;
    this.#scene = new FaultScene(cluster, note);
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** Members that clients cannot reach. */
  get cutFromClients(): ReadonlySet<string> {
    return this.#scene.cutFromClients;
  }

  /** How long a stall that has begun may still last. */
  stalledForMs(): number {
    return Math.max(0, this.#scene.stalledUntil - this.#cluster.engine.now) / 1000;
  }

  /** A member has stopped over the damage that it found: it is started again, as by systemd. */
  restartDamaged(node: SimNode): void {
    this.#scene.restart(node, 1000);
  }

  start(events: readonly FaultEvent[], rng: Rng): void {
    for (const event of events) {
      this.#scene.later(event.at, () => {
        const [first, ...rest] = this.#nodes(event);
        if (first === undefined) return;
        this.counts.set(event.kind, (this.counts.get(event.kind) ?? 0) + 1);
        const names = [first, ...rest].map((node) => node.name).join(' ');
        this.#scene.note(`fault ${event.id}: ${event.kind} ${names} for ${event.forMs} ms`);
        faultOf(event.kind).act(this.#scene, event, [first, ...rest], rng.split(event.id));
      });
    }
  }

  /** Everything works from now on; members that are down are started. */
  healAll(): void {
    this.#scene.over = true;
    const { net, nodes } = this.#cluster;
    net.healAll();
    net.unclogAll();
    this.#scene.cutFromClients.clear();
    for (const node of nodes) {
      node.resume();
      node.crashAfterEvents(0, 'process');
      node.crashWhenBusy(0, 'process');
      node.crashWhenAnswers(null);
      node.whenBusy(null);
      node.disk.clearFaults();
      node.stores.clearFaults();
      for (const fault of FAULTS) fault.heal?.(node);
      node.start();
    }
  }

  #nodes(event: FaultEvent): SimNode[] {
    // Where members come and go the numbers are those of the ones that are left.
    const nodes = this.#cluster.changing ? this.#cluster.nodes.filter((node) => !node.gone) : this.#cluster.nodes;
    const found = new Set<SimNode>();
    for (const i of event.who) {
      const node = i === -1 ? this.#cluster.leader() : nodes[i % nodes.length];
      if (node != null) found.add(node);
    }
    return [...found];
  }
}
