/**
 * As failover.test.ts, with the cases that wait for time-outs and leases.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { KeelError } from '../../src/client/index.js';
import { KeelClient } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';
import { sleep } from '../support/member-process.js';
import { describeStores } from '../support/stores.js';

describeStores('client, three members, at length', (kind) => {
  let cluster: Cluster;
  const clients: KeelClient[] = [];

  const connect = (options: Partial<ConstructorParameters<typeof KeelClient>[0]> = {}): KeelClient => {
    const client = new KeelClient({ endpoints: cluster.endpoints, ...options });
    clients.push(client);
    return client;
  };

  /** Brings back whoever was killed or stopped. */
  const heal = async () => {
    for (const m of cluster.members) if (m.process.paused) cluster.resume(m.name);
    await cluster.restart(...cluster.members.filter((m) => !m.process.running).map((m) => m.name));
    await cluster.converged();
  };

  beforeAll(async () => {
    cluster = await Cluster.start({ kind, size: 3 });
    await cluster.leader();
  }, 60_000);

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((c) => c.close()));
    await heal();
  }, 60_000);

  afterAll(async () => {
    await cluster?.dispose();
  });

  it('reads go past a stopped member without an error', async () => {
    const client = connect({ requestTimeoutMs: 3000 });
    await client.put('stopped', 'v');
    const leader = await cluster.leader();
    const stopped = cluster.members.find((m) => m.name !== leader)!;
    // Every connection is up before the stop: what follows is silence, not refusal.
    for (let i = 0; i < 6; i++) await client.get('stopped');
    cluster.pause(stopped.name);
    const times: number[] = [];
    for (let i = 0; i < 9; i++) {
      const start = performance.now();
      expect((await client.get('stopped')).kvs[0]?.value.toString()).toBe('v');
      times.push(performance.now() - start);
    }
    // It was asked once, for a third of the time; then it is known.
    expect(times.filter((t) => t > 900).length).toBeLessThanOrEqual(1);
    await client.put('stopped', 'w');
  }, 30_000);

  it('a stopped leader costs one time-out, and the client goes on with the next', async () => {
    const client = connect({ requestTimeoutMs: 4000 });
    await client.put('paused', '0');
    cluster.pause(await cluster.leader());
    const start = performance.now();
    let tries = 0;
    for (;;) {
      tries++;
      const outcome = await client.put('paused', String(tries)).then(
        () => true,
        () => false,
      );
      if (outcome) break;
    }
    expect(tries).toBeLessThanOrEqual(3);
    expect(performance.now() - start).toBeLessThan(12_000);
  }, 40_000);

  it('a lease is kept alive over the death of the leader', async () => {
    const client = connect();
    const { id, ttl } = await client.lease.grant(3);
    await client.put('kept', 'v', { lease: id });
    const kept = client.lease.keepAlive(id, { ttl });
    let lost: KeelError | null = null;
    void kept.lost.then((err) => {
      lost = err;
    });
    await sleep(500);
    await cluster.kill9(await cluster.leader());
    await sleep(6000);
    expect(lost).toBeNull();
    expect((await client.get('kept')).count).toBe(1);
    kept.stop();
    await expect.poll(async () => (await client.get('kept')).count, { timeout: 10_000, interval: 200 }).toBe(0);
  }, 40_000);

  it('without a quorum: what is there can be read, and the rest fails in time', async () => {
    const client = connect({ requestTimeoutMs: 2000 });
    await client.put('quorum', 'v');
    const alive = cluster.members[1]!;
    await Promise.all(cluster.members.filter((m) => m !== alive).map((m) => cluster.kill9(m.name)));
    expect((await client.get('quorum', { serializable: true })).kvs[0]?.value.toString()).toBe('v');
    const start = performance.now();
    await expect(client.put('quorum', 'w')).rejects.toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED' });
    await expect(client.get('quorum', { requireLeader: true })).rejects.toMatchObject({ grpcCode: 4 });
    expect(performance.now() - start).toBeLessThan(5000);
  }, 30_000);
});
