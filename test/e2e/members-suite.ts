import { expect, it } from 'vitest';
import type { KeelError } from '../../src/client/index.js';
import { KeelClient } from '../../src/client/index.js';
import { kindUnderTest, missing } from '../support/binaries.js';
import type { Cluster } from '../support/cluster.js';
import { withCluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import type { Newcomer } from '../support/newcomer.js';
import { forget, newcomer } from '../support/newcomer.js';

/** Puts and linearizable reads without a pause, and what they saw. */
class Load {
  puts = 0;
  reads = 0;
  readonly failedReads: string[] = [];
  readonly stale: string[] = [];
  slowestReadMs = 0;
  /** The newest number that was acknowledged, by key. */
  readonly #acked = new Map<string, number>();
  readonly #client: KeelClient;
  #over = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(client: KeelClient) {
    this.#client = client;
  }

  start(): void {
    const writers = [0, 1, 2].map((i) => this.#write(`load/${i}`));
    const readers = [0, 1, 2].map((i) => this.#read(`load/${i}`));
    this.#running = Promise.all([...writers, ...readers]);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async #write(key: string): Promise<void> {
    for (let n = 1; !this.#over; n++) {
      try {
        await this.#client.put(key, String(n));
        this.#acked.set(key, n);
        this.puts++;
      } catch {
        // Its outcome is unknown; the next number is higher in any case.
        await sleep(20);
      }
      await sleep(1);
    }
  }

  async #read(key: string): Promise<void> {
    while (!this.#over) {
      const least = this.#acked.get(key) ?? 0;
      const began = performance.now();
      try {
        const { kvs } = await this.#client.get(key);
        const value = Number(kvs[0]?.value.toString() ?? 0);
        if (value < least) this.stale.push(`${key}: read ${value}, and ${least} was acknowledged before`);
        this.reads++;
      } catch (err) {
        this.failedReads.push((err as KeelError).message);
      }
      this.slowestReadMs = Math.max(this.slowestReadMs, performance.now() - began);
      await sleep(1);
    }
  }
}

export interface MembersTestOptions {
  rounds: number;
  /** So small that a newcomer needs a snapshot. */
  snapshotCount?: number;
  timeoutMs: number;
}

/** Members come, are promoted, replaced and removed, and leadership moves, while clients write and read. */
export function membersTest({ rounds, snapshotCount, timeoutMs }: MembersTestOptions): void {
  const kind = kindUnderTest();
  const title = `${rounds} rounds of growing, promoting, removing, replacing and moving the leader under load`;
  const reason = missing(kind);
  if (reason) console.warn(`SKIPPED ${title}: ${reason}`);
  it.skipIf(reason)(
    title,
    async () => {
      await withCluster({ kind, ...(snapshotCount === undefined ? {} : { snapshotCount }) }, async (cluster) => {
        const client = new KeelClient({ endpoints: cluster.endpoints });
        const load = new Load(client);
        const turnover = new Turnover(cluster, client, snapshotCount);
        try {
          load.start();
          for (let i = 0; i < rounds; i++) await turnover.round();
        } finally {
          await load.stop();
          await client.close();
        }
        console.log(
          `${load.puts} puts, ${load.reads} reads, the slowest ${Math.round(load.slowestReadMs)} ms; ${turnover.journal.join('; ')}`,
        );
        expect(load.failedReads).toEqual([]);
        expect(load.stale).toEqual([]);
        expect(load.puts).toBeGreaterThan(100);
        // An election (500 to 1000 ms, twice that where votes are split) and the client's way to another member.
        expect(load.slowestReadMs).toBeLessThan(5000);
        const revision = await cluster.converged();
        const hashes = await Promise.all(cluster.names.map((name) => cluster.client(name).hashKv(revision)));
        expect(new Set(hashes.map((hash) => (hash.ok ? hash.value.hash : hash.error.message))).size).toBe(1);
      });
    },
    timeoutMs,
  );
}

class Turnover {
  readonly journal: string[] = [];
  readonly #cluster: Cluster;
  readonly #client: KeelClient;
  readonly #flags: string[];
  readonly #began = Date.now();
  #next: number;

  constructor(cluster: Cluster, client: KeelClient, snapshotCount: number | undefined) {
    this.#cluster = cluster;
    this.#client = client;
    this.#flags = snapshotCount === undefined ? [] : ['--snapshot-count', String(snapshotCount)];
    this.#next = cluster.members.length + 1;
  }

  async round(): Promise<void> {
    await this.#learner();
    await this.#removeLeader();
    await this.#replace();
    await this.#moveLeader();
  }

  #say(text: string): void {
    this.journal.push(`${((Date.now() - this.#began) / 1000).toFixed(1)} s ${text}`);
  }

  async #learner(): Promise<void> {
    const fresh = await this.#newcomer();
    const others = await this.#initialCluster();
    const { member } = await this.#until(() => this.#client.cluster.memberAdd([fresh.peerUrl], { isLearner: true }));
    expect(member.isLearner).toBe(true);
    await fresh.join(others, this.#flags);
    this.#say(`${fresh.name} is a learner`);
    const { members } = await this.#until(() => this.#client.cluster.memberPromote(member.id));
    expect(members.find(({ id }) => id === member.id)?.isLearner).toBe(false);
    this.#say(`${fresh.name} is a voter`);
    this.#endpoints();
  }

  async #removeLeader(): Promise<void> {
    const name = await this.#cluster.leader();
    await this.#remove(name);
    const how = await Promise.race([this.#cluster.member(name).process.exited(), sleep(5000).then(() => 'runs on')]);
    expect(how).toBe('exited with code 0');
    expect(this.#cluster.member(name).process.log()).toContain('permanently removed from the cluster');
    this.#say(`${name}, the leader, is removed`);
    await forget(this.#cluster, name);
    this.#endpoints();
  }

  /** A member dies for good: it is removed, and a new one takes its place. */
  async #replace(): Promise<void> {
    const leader = await this.#cluster.leader();
    const name = this.#cluster.names.find((candidate) => candidate !== leader) as string;
    await this.#cluster.kill9(name);
    await this.#remove(name);
    await forget(this.#cluster, name);
    this.#endpoints();
    const fresh = await this.#newcomer();
    const others = await this.#initialCluster();
    await this.#until(() => this.#client.cluster.memberAdd([fresh.peerUrl]));
    await fresh.join(others, this.#flags);
    this.#say(`${fresh.name} is in ${name}'s place`);
    this.#endpoints();
  }

  async #moveLeader(): Promise<void> {
    const leader = await this.#cluster.leader();
    const target = this.#cluster.names.find((candidate) => candidate !== leader) as string;
    const { members } = await this.#client.cluster.memberList();
    const id = members.find((member) => member.name === target)?.id ?? 0n;
    await this.#client.maintenance.moveLeader(id, this.#cluster.member(leader).endpoint);
    expect(await this.#cluster.leader()).toBe(target);
    this.#say(`${target} leads`);
  }

  async #remove(name: string): Promise<void> {
    const { members } = await this.#client.cluster.memberList();
    const id = members.find((member) => member.name === name)?.id ?? 0n;
    await this.#until(() => this.#client.cluster.memberRemove(id));
  }

  async #newcomer(): Promise<Newcomer> {
    return newcomer(this.#cluster, `m${this.#next++}`);
  }

  async #initialCluster(): Promise<string[]> {
    const { members } = await this.#client.cluster.memberList();
    return members.map((member) => `${member.name}=${member.peerUrls[0]}`);
  }

  #endpoints(): void {
    this.#client.setEndpoints(this.#cluster.endpoints);
  }

  /** Again while the cluster is not well enough for the change, or a learner has not caught up. */
  async #until<T>(change: () => Promise<T>): Promise<T> {
    const until = Date.now() + 20_000;
    for (;;) {
      try {
        return await change();
      } catch (err) {
        if (Date.now() > until || !/unhealthy|in sync with leader/.test((err as Error).message)) throw err;
        await sleep(100);
      }
    }
  }
}
