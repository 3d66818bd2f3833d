import type { Cluster } from '../cluster.js';
import { sleep } from '../member-process.js';
import { now } from './workload.js';

/** What goes wrong, in turn. */
export type Fault = 'kill leader' | 'kill two' | 'kill follower' | 'kill all' | 'pause leader';

/** Breaks members, one fault after the other, and mends them, until time is up. */
export class Nemesis {
  /** What was done and when, for the reader of a failed run. */
  readonly journal: string[] = [];
  /** When each member was killed: a member that comes back may know less than it did. */
  readonly restarts = new Map<string, number[]>();
  kills = 0;
  readonly #cluster: Cluster;
  readonly #began = Date.now();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async run(faults: readonly Fault[], durationMs: number): Promise<void> {
    const until = this.#began + durationMs;
    for (let i = 0; Date.now() < until; i++) {
      await sleep(400);
      await this.#inflict(faults[i % faults.length]!);
    }
  }

  async #inflict(fault: Fault): Promise<void> {
    const cluster = this.#cluster;
    const leader = await cluster.leader(20_000);
    const followers = cluster.names.filter((name) => name !== leader);
    switch (fault) {
      case 'pause leader':
        this.#note(`pause ${leader}`);
        cluster.pause(leader);
        await sleep(1500);
        cluster.resume(leader);
        this.#note(`resume ${leader}`);
        return;
      case 'kill leader':
        return this.#killAndRestart([leader]);
      case 'kill follower':
        return this.#killAndRestart([followers[this.kills % followers.length]!]);
      case 'kill two':
        return this.#killAndRestart([leader, followers[this.kills % followers.length]!]);
      case 'kill all':
        return this.#killAndRestart(cluster.names);
    }
  }

  async #killAndRestart(names: string[]): Promise<void> {
    this.#note(`kill -9 ${names.join(' ')}`);
    await Promise.all(names.map((name) => this.#cluster.kill9(name)));
    for (const name of names) this.restarts.set(name, [...(this.restarts.get(name) ?? []), now()]);
    this.kills += names.length;
    await sleep(600);
    this.#note(`restart ${names.join(' ')}`);
    await this.#cluster.restart(...names);
    this.#note(`ready ${names.join(' ')}`);
  }

  #note(text: string): void {
    this.journal.push(`${((Date.now() - this.#began) / 1000).toFixed(2)} s ${text}`);
  }
}
