import type { Rng } from '../../../src/util/rng.js';
import { now } from '../chaos/workload.js';
import type { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';
import type { CyclePlan, NetFault, Whom } from './plan.js';

/** Does to a cluster what the plans say, and notes it. */
export class CycleNemesis {
  /** What was done and when, for the reader of a failed run. */
  readonly journal: string[] = [];
  /** When each member was killed, since the last `forget`. */
  restarts = new Map<string, number[]>();
  kills = 0;
  pauses = 0;
  netFaults = 0;
  readonly #cluster: Cluster;
  readonly #rng: Rng;
  readonly #began = Date.now();
  #lastLeader: string;

  constructor(cluster: Cluster, rng: Rng) {
    this.#cluster = cluster;
    this.#rng = rng;
    this.#lastLeader = cluster.names[0]!;
  }

  forget(): void {
    this.restarts = new Map();
  }

  async cycle(plan: CyclePlan): Promise<void> {
    const cluster = this.#cluster;
    const leader = await this.#leader();
    if (plan.net) this.#spoil(plan.net, leader);
    const paused = plan.pause ? this.#choose(plan.pause, leader) : null;
    if (paused) {
      this.note(`SIGSTOP ${paused}`);
      cluster.pause(paused);
      this.pauses++;
    }
    await sleep(plan.leadMs);
    const victims = this.#victims(plan.kill, leader);
    await this.kill(victims);
    await sleep(plan.downMs);
    if (!plan.healLate) this.#heal(plan.net);
    if (paused && !victims.includes(paused)) {
      cluster.resume(paused);
      this.note(`SIGCONT ${paused}`);
    }
    this.start(victims);
    if (plan.againMs !== null) {
      await sleep(plan.againMs);
      await this.kill(victims);
      this.start(victims);
    }
    if (plan.healLate) this.#heal(plan.net);
    await cluster.allReady();
    this.note('ready');
    await sleep(plan.restMs);
    this.mustRun();
  }

  async kill(names: readonly string[]): Promise<void> {
    this.mustRun();
    await Promise.all(names.map((name) => this.#cluster.kill9(name)));
    for (const name of names) this.restarts.set(name, [...(this.restarts.get(name) ?? []), now()]);
    this.kills += names.length;
    this.note(`kill -9 ${names.join(' ')}`);
  }

  start(names: readonly string[]): void {
    for (const name of names) this.#cluster.member(name).process.start();
    this.note(`start ${names.join(' ')}`);
  }

  /** Nobody dies but by us. */
  mustRun(): void {
    for (const { name, process } of this.#cluster.members) {
      if (process.running) continue;
      const log = process.log().split('\n').slice(-8).join('\n');
      throw new Error(`${name} ended by itself\n${log}`);
    }
  }

  note(text: string): void {
    this.journal.push(`${((Date.now() - this.#began) / 1000).toFixed(2)} s ${text}`);
  }

  #heal(fault: NetFault | null): void {
    if (!fault) return;
    this.#cluster.net?.heal();
    this.note('the network is well');
  }

  /** The leader that is known, or who was it last: a cluster without one is hit all the same. */
  async #leader(): Promise<string> {
    let term = -1;
    for (const [name, status] of await this.#cluster.statuses(200)) {
      if (status.leader !== '0' && status.leader === status.memberId && status.raftTerm > term) {
        this.#lastLeader = name;
        term = status.raftTerm;
      }
    }
    return this.#lastLeader;
  }

  #choose(whom: Whom, leader: string): string {
    if (whom === 'leader') return leader;
    const names = whom === 'any' ? this.#cluster.names : this.#cluster.names.filter((name) => name !== leader);
    return names[this.#rng.below(names.length)]!;
  }

  #victims(kill: CyclePlan['kill'], leader: string): string[] {
    if (kill === 'all') return this.#cluster.names;
    if (kill !== 'two') return [this.#choose(kill, leader)];
    const spared = this.#choose('any', leader);
    return this.#cluster.names.filter((name) => name !== spared);
  }

  #spoil(fault: NetFault, leader: string): void {
    const { net, names } = this.#cluster;
    if (!net) return;
    this.netFaults++;
    switch (fault.kind) {
      case 'drop':
        this.note('every peer connection breaks');
        return net.drop();
      case 'delay':
        this.note(`peers are ${fault.delayMs} to ${fault.delayMs + fault.jitterMs} ms away`);
        return net.delay(fault.delayMs, fault.jitterMs);
      default: {
        const whom = this.#choose(fault.whom, leader);
        this.note(`${fault.kind} ${whom}${fault.kind === 'one way' ? (fault.out ? ' (out)' : ' (in)') : ''}`);
        for (const other of names) {
          if (other === whom) continue;
          if (fault.kind === 'isolate') net.cut(whom, other);
          else if (fault.kind === 'hold') net.hold(whom, other);
          else if (fault.out) net.oneWay(whom, other);
          else net.oneWay(other, whom);
        }
      }
    }
  }
}
