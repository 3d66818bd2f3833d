import type { SimCluster } from '../cluster.js';
import type { FaultInjector } from '../faults/injector.js';
import { skewed } from '../faults/skew.js';
import type { SimClient } from '../workload/client-kinds.js';
import type { ClientPort } from '../workload/client-port.js';
import type { WatchClient } from '../workload/watch-client.js';
import type { Oracle } from './oracle.js';

const FIRST_LEADER_MS = 30_000;

/** I15: what must come to pass once nothing is in the way. */
export class Settle {
  readonly #cluster: SimCluster;
  readonly #oracle: Oracle;
  readonly #injector: FaultInjector;
  readonly #work: { port: ClientPort };
  readonly #watches: readonly WatchClient[];
  readonly #others: readonly SimClient[];

  constructor(
    cluster: SimCluster,
    oracle: Oracle,
    injector: FaultInjector,
    work: { port: ClientPort },
    watches: readonly WatchClient[],
    others: readonly SimClient[] = [],
  ) {
    this.#cluster = cluster;
    this.#oracle = oracle;
    this.#injector = injector;
    this.#work = work;
    this.#watches = watches;
    this.#others = others;
  }

  firstLeader(failed: () => boolean): boolean {
    return this.#within(FIRST_LEADER_MS, failed, () => this.#notReady(), 'a new cluster');
  }

  afterFaults(failed: () => boolean): boolean {
    const electionMs = Math.max(...this.#cluster.nodes.map((node) => node.config.electionMs));
    const requestMs = 5000 + 2 * electionMs;
    // What a stalled disk holds up it holds up; the leases that nobody renews end by themselves.
    const ms = this.#injector.stalledForMs() + 20 * electionMs + requestMs + 15_000;
    const wrong = (): string | null => this.#notReady() ?? this.#notEqual() ?? this.#notIdle(requestMs + 5000);
    return this.#within(ms, failed, wrong, 'after the faults') && this.#watchersCaughtUp(failed);
  }

  /** After the restart of all: nothing but the cluster itself. */
  again(failed: () => boolean): boolean {
    return this.#within(
      FIRST_LEADER_MS,
      failed,
      () => this.#notReady() ?? this.#notEqual(),
      'after the last power cut',
    );
  }

  #watchersCaughtUp(failed: () => boolean): boolean {
    let asked = 0;
    const behind = (): string | null => {
      const { revision } = this.#oracle.model;
      const late = this.#watches.filter((watch) => !watch.hasSeen(revision));
      if (late.length === 0) return null;
      if (asked++ % 10 === 0) for (const watch of late) watch.askProgress();
      return `watchers have not come to revision ${revision}: ${late.map((watch) => watch.where()).join(', ')}`;
    };
    if (!this.#within(60_000, failed, behind, 'after the faults')) return false;
    for (const watch of this.#watches) watch.finish(this.#oracle.model.revision);
    return true;
  }

  #within(ms: number, failed: () => boolean, wrong: () => string | null, when: string): boolean {
    const { engine } = this.#cluster;
    const until = engine.now + ms * 1000;
    for (;;) {
      if (failed()) return false;
      const why = wrong();
      if (why === null) return true;
      if (engine.now >= until) {
        this.#oracle.report('I15 liveness', `${when}, ${ms} ms on: ${why}`);
        return false;
      }
      this.#cluster.run(100, failed);
    }
  }

  #notReady(): string | null {
    const nodes = this.#cluster.nodes.filter((node) => !node.leaving);
    const down = nodes.filter((node) => !node.ready).map((node) => node.name);
    if (down.length > 0) {
      // A member whose disk failed may have been started on a disk that had failed already.
      for (const node of nodes) if (!node.up) node.start();
      return `${down.join(' ')} not ready`;
    }
    return this.#cluster.leader() === null ? 'there is no leader' : skewed(this.#cluster);
  }

  #notEqual(): string | null {
    const behind: string[] = [];
    for (const node of this.#cluster.nodes) {
      if (node.leaving) continue;
      const index = node.member?.status().raftAppliedIndex ?? 0;
      if (index !== this.#oracle.applied) behind.push(`${node.name} at ${index}`);
    }
    return behind.length === 0 ? null : `applied ${this.#oracle.applied}, but ${behind.join(', ')}`;
  }

  /** Every request has its answer, and every lease that was granted has ended. */
  #notIdle(requestMs: number): string | null {
    const overdue = this.#work.port.overdue(requestMs);
    if (overdue.length > 0) {
      return `no answer to ${overdue.map((call) => `a request at ${call.node}, ${call.sinceMs} ms ago`).join(', ')}`;
    }
    if (this.#work.port.unanswered > 0) return `${this.#work.port.unanswered} requests have no answer`;
    for (const client of this.#others) {
      const what = client.waitsFor?.() ?? null;
      if (what !== null) return what;
    }
    const { size } = this.#oracle.model.leases;
    return size === 0 ? null : `I12: ${size} leases have not ended`;
  }
}
