import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreKind } from './binaries.js';
import { MemberProcess, sleep } from './member-process.js';
import { PeerNet } from './peer-net.js';
import { freePorts } from './ports.js';
import type { Status } from './raw-client.js';
import { RawClient } from './raw-client.js';

export interface ClusterOptions {
  kind: StoreKind;
  /** Members, named m1, m2, ... Default 3. */
  size?: number;
  /** Milliseconds; etcd's defaults are 100 and 1000. Tests use shorter ones unless they say so. */
  heartbeatMs?: number;
  electionMs?: number;
  /** Log entries between snapshots; default: the server's own. */
  snapshotCount?: number;
  flags?: string[];
  /** Flags for our own server only. */
  keelFlags?: string[];
  env?: Record<string, string>;
  nodeArgs?: string[];
  /** Holds unsynced WAL bytes in memory, so that `kill -9` is a power cut (our own server only). */
  lossyDisk?: boolean;
  /** Puts a TCP proxy in front of each member's peer port (our own server only): see `Cluster.net`. */
  peerProxies?: boolean;
  /** Where the temporary folder goes. Default: the system's. */
  baseDir?: string;
  /** Default 20,000. */
  readyTimeoutMs?: number;
}

export interface Member {
  name: string;
  clientPort: number;
  peerPort: number;
  /** host:port of the client listener. */
  endpoint: string;
  dataDir: string;
  process: MemberProcess;
}

/** A local cluster of child processes in a temporary folder, of either kind. */
export class Cluster {
  readonly kind: StoreKind;
  readonly dir: string;
  readonly members: Member[];
  /** The network between the members, where it was asked for. */
  readonly net: PeerNet | undefined;
  readonly #readyTimeoutMs: number;
  readonly #clients = new Map<string, RawClient>();

  private constructor(
    kind: StoreKind,
    dir: string,
    members: Member[],
    net: PeerNet | undefined,
    readyTimeoutMs: number,
  ) {
    this.kind = kind;
    this.dir = dir;
    this.members = members;
    this.net = net;
    this.#readyTimeoutMs = readyTimeoutMs;
  }

  /** Starts all members and waits until each serves. On failure nothing is left running and the folder is kept. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await Cluster.create(options);
    try {
      for (const member of cluster.members) member.process.start();
      await cluster.allReady();
    } catch (err) {
      await cluster.dispose({ keep: true });
      throw new Error(`cluster did not start, logs in ${cluster.dir}: ${(err as Error).message}`, { cause: err });
    }
    return cluster;
  }

  /** Lays out folders, ports and flags; starts nothing. */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const size = options.size ?? 3;
    const dir = mkdtempSync(join(options.baseDir ?? tmpdir(), `keel-test-${options.kind}-`));
    mkdirSync(join(dir, 'logs'));
    const ports = await freePorts(size * 2);
    const names = Array.from({ length: size }, (_, i) => `m${i + 1}`);
    const peerUrl = (i: number) => `http://127.0.0.1:${ports[i * 2 + 1]}`;
    const net = options.peerProxies
      ? await PeerNet.start(new Map(names.map((name, i) => [name, ports[i * 2 + 1]!])))
      : undefined;
    const advertised = (i: number) => (net ? `http://127.0.0.1:${net.port(names[i]!)}` : peerUrl(i));
    const initialCluster = names.map((name, i) => `${name}=${advertised(i)}`).join(',');
    const members = names.map((name, i): Member => {
      const endpoint = `127.0.0.1:${ports[i * 2]}`;
      const dataDir = join(dir, `${name}.data`);
      const flags = [
        ...['--name', name, '--data-dir', dataDir],
        ...['--listen-client-urls', `http://${endpoint}`, '--advertise-client-urls', `http://${endpoint}`],
        ...['--listen-peer-urls', peerUrl(i), '--initial-advertise-peer-urls', advertised(i)],
        ...['--initial-cluster', initialCluster, '--initial-cluster-token', `test-${process.pid}-${ports[0]}`],
        ...['--initial-cluster-state', 'new'],
        ...['--heartbeat-interval', String(options.heartbeatMs ?? 50)],
        ...['--election-timeout', String(options.electionMs ?? 500)],
        ...(options.snapshotCount ? ['--snapshot-count', String(options.snapshotCount)] : []),
        ...(options.flags ?? []),
        ...(options.kind === 'keel' ? (options.keelFlags ?? []) : []),
      ];
      const env = { ...options.env, ...(options.lossyDisk ? { KEEL_TEST_LOSSY_DISK: '1' } : {}) };
      const logFile = join(dir, 'logs', `${name}.log`);
      const child = new MemberProcess({
        kind: options.kind,
        name,
        flags,
        logFile,
        env,
        ...(options.nodeArgs ? { nodeArgs: options.nodeArgs } : {}),
      });
      return { name, clientPort: ports[i * 2]!, peerPort: ports[i * 2 + 1]!, endpoint, dataDir, process: child };
    });
    return new Cluster(options.kind, dir, members, net, options.readyTimeoutMs ?? 20_000);
  }

  member(name: string): Member {
    const member = this.members.find((m) => m.name === name);
    if (!member) throw new Error(`no member ${name}`);
    return member;
  }

  get names(): string[] {
    return this.members.map((m) => m.name);
  }

  get endpoints(): string[] {
    return this.members.map((m) => m.endpoint);
  }

  async allReady(): Promise<void> {
    await Promise.all(this.members.filter((m) => m.process.running).map((m) => m.process.ready(this.#readyTimeoutMs)));
  }

  async kill9(name: string): Promise<void> {
    await this.member(name).process.kill9();
  }

  /** SIGTERM; the member is to shut down cleanly. */
  async stop(name: string): Promise<string> {
    return this.member(name).process.stop();
  }

  pause(name: string): void {
    this.member(name).process.pause();
  }

  resume(name: string): void {
    this.member(name).process.resume();
  }

  /** Starts members that were killed or stopped; waits until all of them serve. */
  async restart(...names: string[]): Promise<void> {
    for (const name of names) this.member(name).process.start();
    await Promise.all(names.map((name) => this.member(name).process.ready(this.#readyTimeoutMs)));
  }

  /** A connection to one member, made once and kept; it reconnects by itself after a restart. */
  client(name: string): RawClient {
    let client = this.#clients.get(name);
    if (!client) {
      client = new RawClient(this.member(name).endpoint);
      this.#clients.set(name, client);
    }
    return client;
  }

  /** What each running, not paused member says of itself; members that do not answer are left out. */
  async statuses(deadlineMs = 500): Promise<Map<string, Status>> {
    const answers = new Map<string, Status>();
    await Promise.all(
      this.members
        .filter((m) => m.process.running && !m.process.paused)
        .map(async (m) => {
          const result = await this.client(m.name).status(deadlineMs);
          if (result.ok) answers.set(m.name, result.value);
        }),
    );
    return answers;
  }

  /** The member that takes itself for the leader at the highest term; waits for one. */
  async leader(timeoutMs = 10_000): Promise<string> {
    const until = Date.now() + timeoutMs;
    while (Date.now() < until) {
      let best: { name: string; term: number } | undefined;
      for (const [name, status] of await this.statuses()) {
        if (status.leader !== '0' && status.leader === status.memberId && status.raftTerm >= (best?.term ?? 0)) {
          best = { name, term: status.raftTerm };
        }
      }
      if (best) return best.name;
      await sleep(30);
    }
    throw new Error(`no leader within ${timeoutMs} ms, logs in ${this.dir}`);
  }

  /** Waits until all members run, agree on the leader and stand at one revision. @returns that revision */
  async converged(timeoutMs = 20_000): Promise<number> {
    const until = Date.now() + timeoutMs;
    let seen = '';
    while (Date.now() < until) {
      const all = [...(await this.statuses()).values()];
      seen = all.map((s) => `${s.memberId}: revision ${s.revision}, leader ${s.leader}`).join('; ');
      const first = all[0];
      if (
        first &&
        all.length === this.members.length &&
        first.leader !== '0' &&
        all.every((s) => s.revision === first.revision && s.leader === first.leader)
      ) {
        return first.revision;
      }
      await sleep(50);
    }
    throw new Error(`members did not converge within ${timeoutMs} ms (${seen}), logs in ${this.dir}`);
  }

  /** Ends every member and removes the folder, unless it is to be kept for a look. */
  async dispose({ keep = false }: { keep?: boolean } = {}): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    await Promise.all(this.members.map((m) => m.process.kill9()));
    await this.net?.close();
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs `body` on a fresh cluster; when it throws (or KEEL_E2E_KEEP=1), the folder with the logs is kept and named. */
export async function withCluster(options: ClusterOptions, body: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start(options);
  let keep = true;
  try {
    await body(cluster);
    keep = process.env.KEEL_E2E_KEEP === '1';
  } finally {
    if (keep) console.error(`data and logs of the ${cluster.kind} cluster are kept in ${cluster.dir}`);
    await cluster.dispose({ keep });
  }
}
