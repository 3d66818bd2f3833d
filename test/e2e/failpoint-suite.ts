import { expect } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import { freePorts } from '../support/ports.js';
import type { RawClient } from '../support/raw-client.js';

const SNAPSHOT_COUNT = 20;
const CATCH_UP = 5;

interface Place {
  /** Who is to reach the place. */
  readonly at: 'leader' | 'follower';
  /**
   * What makes it be reached; writes are made in any case. `snapshot`: the member is down until it can be caught up by
   * a snapshot only, and the failpoint is set from its start. `birth`: it is reached when a new cluster begins.
   */
  readonly by?: 'snapshot' | 'birth' | ((cluster: Cluster, target: string) => unknown);
}

const compact = async (cluster: Cluster, target: string): Promise<void> => {
  const status = await cluster.client(target).status();
  if (!status.ok) return;
  const revision = status.value.revision;
  void cluster.client(target).call('KV/Compact', 'CompactionRequest', 'CompactionResponse', { revision }, 3000);
};

const watch = (cluster: Cluster, target: string): void => {
  const options = { key: '\0', rangeEnd: '\0', startRevision: 0 };
  cluster.client(target).watch(options, { batch: () => {}, end: () => {} });
};

/** Asks of a lease: at the leader itself, or by way of a follower. */
const lease =
  (question: (client: RawClient, id: string) => unknown, forwarded: boolean) =>
  async (cluster: Cluster, target: string): Promise<void> => {
    const client = cluster.client(forwarded ? cluster.names.find((name) => name !== target)! : target);
    // It may be there already.
    await client.run({ kind: 'grant', lease: '77', ttl: 600e6 });
    question(client, '77');
  };

const renew = (client: RawClient, id: string): unknown => client.keepAlive(id, 3000);
const remaining = (client: RawClient, ID: string): unknown =>
  client.call('Lease/LeaseTimeToLive', 'LeaseTimeToLiveRequest', 'LeaseTimeToLiveResponse', { ID }, 3000);

/** Every failpoint that a member lists, and how to get there. */
export const PLACES: Record<string, Place> = {
  raftBeforeLeaderSend: { at: 'leader' },
  raftBeforeFollowerSend: { at: 'follower' },
  raftBeforeSave: { at: 'leader' },
  raftAfterSave: { at: 'follower' },
  beforeApplyOneEntryNormal: { at: 'leader' },
  beforeApplyOneConfChange: { at: 'follower', by: 'birth' },
  beforeStartDBTxn: { at: 'leader' },
  afterStartDBTxn: { at: 'follower' },
  commitBeforePreCommitHook: { at: 'leader' },
  commitAfterPreCommitHook: { at: 'follower' },
  beforeCommit: { at: 'leader' },
  afterCommit: { at: 'leader' },
  compactBeforeCommitScheduledCompact: { at: 'leader', by: compact },
  compactAfterCommitScheduledCompact: { at: 'follower', by: compact },
  compactBeforeCommitBatch: { at: 'leader', by: compact },
  compactAfterCommitBatch: { at: 'follower', by: compact },
  compactBeforeSetFinishedCompact: { at: 'leader', by: compact },
  compactAfterSetFinishedCompact: { at: 'follower', by: compact },
  beforeSendWatchResponse: { at: 'follower', by: watch },
  beforeLookupWhenLeaseTimeToLive: { at: 'leader', by: lease(remaining, false) },
  beforeLookupWhenForwardLeaseTimeToLive: { at: 'leader', by: lease(remaining, true) },
  beforeCheckpointInLeaseRenew: { at: 'leader', by: lease(renew, false) },
  beforeServeHTTPLeaseRenew: { at: 'leader', by: lease(renew, true) },
  raftBeforeSaveSnap: { at: 'follower', by: 'snapshot' },
  applyBeforeOpenSnapshot: { at: 'follower', by: 'snapshot' },
  raftAfterSaveSnap: { at: 'follower', by: 'snapshot' },
  raftBeforeApplySnap: { at: 'follower', by: 'snapshot' },
  raftAfterApplySnap: { at: 'follower', by: 'snapshot' },
  raftAfterWALRelease: { at: 'follower', by: 'snapshot' },
};

/** A cluster whose members can be made to panic, and what was written to it. */
export class FailpointCluster {
  readonly cluster: Cluster;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #acknowledged = new Map<string, string>();
  #serial = 0;

  private constructor(cluster: Cluster, ports: ReadonlyMap<string, number>) {
    this.cluster = cluster;
    this.#ports = ports;
  }

  /** @param fatal of the first member: panics at this place at its birth, and is started again */
  static async start(fatal?: string): Promise<FailpointCluster> {
    const cluster = await Cluster.create({
      kind: 'keel',
      heartbeatMs: 30,
      electionMs: 300,
      snapshotCount: SNAPSHOT_COUNT,
      flags: ['--snapshot-catchup-entries', String(CATCH_UP)],
    });
    const ports = await freePorts(cluster.members.length);
    for (const [i, { process }] of cluster.members.entries()) {
      process.spec.env = { ...process.spec.env, GOFAIL_HTTP: `127.0.0.1:${ports[i]}` };
      if (fatal && i === 0) process.spec.env.GOFAIL_FAILPOINTS = `${fatal}=panic`;
      process.start();
    }
    if (fatal) {
      const { process } = cluster.members[0]!;
      expect(await process.exited()).toBe('exited with code 2');
      expect(process.log()).toContain(`failpoint ${fatal}\n`);
      delete process.spec.env!.GOFAIL_FAILPOINTS;
      process.start();
    }
    await cluster.allReady();
    return new FailpointCluster(cluster, new Map(cluster.names.map((name, i) => [name, ports[i]!])));
  }

  gofail(name: string, method: string, path: string, body?: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#ports.get(name)}/${path}`, { method, ...(body ? { body } : {}) });
  }

  /** Has a member die at this place while clients write, and come back; then nothing that was acknowledged is missing. */
  async panicAt(failpoint: string): Promise<void> {
    const { at, by } = PLACES[failpoint]!;
    const { cluster } = this;
    const leader = await cluster.leader();
    const target = at === 'leader' ? leader : cluster.names.find((name) => name !== leader)!;
    const { process } = cluster.member(target);
    let over = false;
    const how = process.exited().then((text) => {
      over = true;
      return text;
    });
    if (by === 'snapshot') {
      await this.#restartBehind(target, `${failpoint}=panic`);
    } else {
      expect((await this.gofail(target, 'PUT', failpoint, 'panic')).status).toBe(204);
      if (typeof by === 'function') await by(cluster, target);
    }
    const exited = by === 'snapshot' ? process.exited() : how;
    if (by === 'snapshot') {
      over = false;
      void exited.then(() => {
        over = true;
      });
    }
    const until = Date.now() + 15_000;
    while (!over && Date.now() < until) await this.write(target);
    expect(over, `${failpoint} was not reached at ${target}, logs in ${cluster.dir}`).toBe(true);
    expect(await exited).toBe('exited with code 2');
    expect(process.log()).toMatch(new RegExp(`panic: failpoint panic: \\{\\}\\n\\nfailpoint ${failpoint}\\n$`));
    for (let i = 0; i < 5; i++) await this.write(target);
    await cluster.restart(target);
    await this.check();
  }

  /** One write, somewhere. What has no answer is forgotten: its key is never used again. */
  async write(except: string): Promise<void> {
    const serial = ++this.#serial;
    const names = this.cluster.names.filter((name) => name !== except);
    // Mostly at the others, so that it goes on when the member is gone.
    const name =
      serial % 4 === 0 && this.cluster.member(except).process.running ? except : names[serial % names.length]!;
    const key = `w/${serial}`;
    const op = { kind: 'put' as const, key, value: `v${serial}`, lease: '0', prev: false };
    const result = await this.cluster.client(name).run(op, 1000);
    if (result.ok) this.#acknowledged.set(key, op.value);
    else await sleep(30);
  }

  /** Every member has everything, and the same. */
  async check(): Promise<void> {
    const revision = await this.cluster.converged();
    const hashes = new Set<number>();
    for (const name of this.cluster.names) {
      const client = this.cluster.client(name);
      const all = { kind: 'range' as const, key: 'w/', rangeEnd: 'w0', revision: 0, serializable: false };
      const read = await client.run(all, 5000);
      if (!read.ok || read.value.kind !== 'range') throw new Error(`no read of ${name}: ${JSON.stringify(read)}`);
      const has = new Map(read.value.kvs.map((kv) => [kv.key, kv.value]));
      const lost = [...this.#acknowledged].filter(([key, value]) => has.get(key) !== value);
      expect(lost, `lost at ${name}`).toEqual([]);
      const hash = await client.hashKv(revision);
      hashes.add(hash.ok ? hash.value.hash : -1);
    }
    expect(hashes.size).toBe(1);
    expect(hashes.has(-1)).toBe(false);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Kills a member, writes until its log cannot be continued, and starts it with these settings. */
  async #restartBehind(target: string, settings: string): Promise<void> {
    const { process } = this.cluster.member(target);
    await process.kill9();
    for (let i = 0; i < SNAPSHOT_COUNT + 4 * CATCH_UP; i++) await this.write(target);
    const { env } = process.spec;
    process.spec.env = { ...env, GOFAIL_FAILPOINTS: settings };
    process.start();
    process.spec.env = { ...env };
  }
}
