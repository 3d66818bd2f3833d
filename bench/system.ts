import type { StoreKind } from '../test/support/binaries.js';
import { Cluster } from '../test/support/cluster.js';
import { cpuMicros, residentBytes } from './proc.js';

/** A three-member cluster under measurement. */
export class System {
  readonly label: string;
  readonly cluster: Cluster;
  leaderPort = 0;
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
      nodeArgs,
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
