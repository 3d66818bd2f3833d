import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreKind } from '../test/support/binaries.js';
import { Cluster } from '../test/support/cluster.js';
import { sleep } from '../test/support/member-process.js';
import { RawClient } from '../test/support/raw-client.js';
import type { Request } from './load/drive.js';
import { newCall, withConnections } from './load/drive.js';
import { GRANT, grantMessage, keepAliveMessage, REVOKE } from './load/requests.js';
import type { ProcessMemory } from './proc.js';
import { cpuMicros, processMemory, residentBytes } from './proc.js';

const PROBE = new URL('./probe.mjs', import.meta.url).href;
const PROBE_FILE = join(tmpdir(), `keel-bench-probe-${process.pid}`);

/** What bench/probe.mjs writes. */
interface Probed {
  over20: { raw: number; own: number };
  worst: { raw: number[]; own: number[] };
  gc: Record<string, { count: number; totalMs: number; maxMs: number }>;
}

/** A three-member cluster under measurement. */
export class System {
  readonly label: string;
  readonly cluster: Cluster;
  leaderPort = 0;
  leaderName = '';
  followerPorts: number[] = [];
  version = '';

  private constructor(label: string, cluster: Cluster) {
    this.label = label;
    this.cluster = cluster;
  }

  /** Starts it with the defaults that a user gets, time-outs included. */
  static async start(label: string, kind: StoreKind, dir: string | undefined, nodeArgs: string[]): Promise<System> {
    const cluster = await Cluster.start({
      kind,
      heartbeatMs: 100,
      electionMs: 1000,
      nodeArgs: [...nodeArgs, '--import', PROBE],
      env: { KEEL_BENCH_PROBE: PROBE_FILE },
      readyTimeoutMs: 120_000,
      ...(dir === undefined ? {} : { baseDir: dir }),
    });
    const system = new System(label, cluster);
    await system.locateLeader();
    return system;
  }

  /** @returns whether the leader is another one than before */
  async locateLeader(): Promise<boolean> {
    const leader = this.cluster.member(await this.cluster.leader());
    const moved = this.leaderPort !== 0 && this.leaderPort !== leader.clientPort;
    this.leaderPort = leader.clientPort;
    this.leaderName = leader.name;
    this.followerPorts = this.cluster.members.filter((m) => m !== leader).map((m) => m.clientPort);
    const status = await this.cluster.client(leader.name).status(5000);
    if (status.ok) this.version = status.value.version;
    return moved;
  }

  get pids(): number[] {
    return this.cluster.members.map((m) => {
      if (m.process.pid === undefined)
        throw new Error(`${m.name} of ${this.label} is gone, logs in ${this.cluster.dir}`);
      return m.process.pid;
    });
  }

  /** CPU time of all members so far, microseconds. */
  cpu(): number {
    return this.pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  }

  resident(): number[] {
    return this.pids.map(residentBytes);
  }

  memory(): ProcessMemory[] {
    return this.pids.map(processMemory);
  }

  leaderResident(): number {
    return residentBytes(this.cluster.member(this.leaderName).process.pid!);
  }

  /**
   * Watches the event loops of our members meanwhile. @returns what came, and what to say of the loops, to be put behind
   * another remark; '' where it is an etcd
   */
  async probing<T>(body: () => Promise<T>): Promise<[result: T, stalls: string]> {
    if (this.cluster.kind !== 'keel') return [await body(), ''];
    for (const pid of this.pids) process.kill(pid, 'SIGUSR2');
    await sleep(50);
    const result = await body().catch(async (err) => {
      await this.#probed();
      throw err;
    });
    return [result, await this.#probed()];
  }

  async #probed(): Promise<string> {
    const all: Probed[] = [];
    for (const pid of this.pids) {
      const file = `${PROBE_FILE}.${pid}`;
      process.kill(pid, 'SIGUSR2');
      for (let i = 0; i < 500 && !existsSync(file); i++) await sleep(10);
      if (!existsSync(file)) throw new Error(`${this.label}: a member did not answer the probe`);
      all.push(JSON.parse(readFileSync(file, 'utf8')) as Probed);
      rmSync(file);
    }
    const ms = (list: (number | undefined)[]) => Math.round(Math.max(0, ...list.map((n) => n ?? 0)));
    const raw = ms(all.map((p) => p.worst.raw[0]));
    const own = ms(all.map((p) => p.worst.own[0]));
    const gc = ms(all.flatMap((p) => Object.values(p.gc).map((g) => g.maxMs)));
    const over = all.map((p) => p.over20.own).join(' / ');
    return `; loop held up ${raw} ms at most, ${own} ms without waiting for a core, over 20 ms ${over} times; longest GC ${gc} ms`;
  }

  /** Milliseconds from `began` until a member answers a linearizable read. */
  async healthy(endpoint: string, began: number): Promise<number> {
    for (;;) {
      const client = new RawClient(endpoint);
      try {
        const op = { kind: 'range', key: 'health', rangeEnd: '', revision: 0, serializable: false } as const;
        const result = await client.run(op, 1000);
        if (result.ok) return performance.now() - began;
      } finally {
        client.close();
      }
      if (performance.now() - began > 120_000) throw new Error(`${this.label}: ${endpoint} is not healthy`);
      await sleep(10);
    }
  }

  /** Compacts at the revision of now. */
  async compact(): Promise<void> {
    const revision = await this.revision();
    const leader = this.cluster.client(this.leaderName);
    await leader.call('KV/Compact', 'CompactionRequest', 'CompactionResponse', { revision, physical: false }, 10_000);
  }

  #leases = 0;

  async grantLeases(count: number, ttlSeconds: number): Promise<number[]> {
    const ids = Array.from({ length: count }, () => 1_000_000 + this.#leases++);
    await this.#all(ids.map((id) => ({ path: GRANT, message: grantMessage(id, ttlSeconds) })));
    return ids;
  }

  async revokeLeases(ids: readonly number[]): Promise<void> {
    await this.#all(ids.map((id) => ({ path: REVOKE, message: keepAliveMessage(id) })));
  }

  /** Each of these once, some at a time. */
  async #all(requests: Request[]): Promise<void> {
    let issued = 0;
    let done = 0;
    let failed = 0;
    await withConnections({ host: '127.0.0.1', port: this.leaderPort, connections: 4 }, async (all, fail) => {
      const issue = (at: number): void => {
        const request = requests[issued++];
        if (request) all[at]!.call(request.path, request.message, newCall());
      };
      for (const [at, connection] of all.entries()) {
        connection.onEnd = (call) => {
          done++;
          if (call.failed) failed++;
          issue(at);
        };
        for (let i = 0; i < 50; i++) issue(at);
      }
      while (done < requests.length) await Promise.race([sleep(2), fail]);
    });
    if (failed > 0) throw new Error(`${this.label} refused ${failed} of ${requests.length} requests`);
  }

  /** The store's revision, from the leader. */
  async revision(): Promise<number> {
    const leader = this.cluster.members.find((m) => m.clientPort === this.leaderPort)!;
    const status = await this.cluster.client(leader.name).status(10_000);
    if (!status.ok) throw new Error(`${this.label} does not answer: ${status.error.message}`);
    return status.value.revision;
  }

  async dispose(keep: boolean): Promise<void> {
    await this.cluster.dispose({ keep });
  }
}
