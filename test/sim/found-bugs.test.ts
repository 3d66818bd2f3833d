import { describe, expect, test } from 'vitest';
import { SimCluster } from '../../src/sim/cluster.js';
import type { SimNode } from '../../src/sim/node.js';
import { encodePutRequest, makePutRequest } from '../../src/wire/index.js';

/** Scripts that pin what seeds of the simulator have found; docs/found-bugs.md tells the causes. */

function put(node: SimNode, key: string): void {
  const req = { ...makePutRequest(), key, value: Buffer.from(key) };
  node.enter((member) => member.put(req, encodePutRequest(req), { deadline: 0 }, { ok: () => {}, fail: () => {} }));
}

describe('a member whose folder was set aside', () => {
  test.each([0, 1, 2])('m%# + 1 comes back, whoever leads, though it hears of the members one by one', (victim) => {
    // One entry a message: after the first of them it knows a single other member, which need not be the leader.
    const tuning = { maxAppendBytes: 1, walSegmentBytes: 64 * 1024 };
    const cluster = new SimCluster({ seed: 5, tuning });
    cluster.startAll();
    cluster.run(20_000, () => cluster.nodes.every((node) => node.ready));
    const node = cluster.nodes[victim] as SimNode;
    for (let i = 0; i < 20; i++) {
      put(cluster.leader() as SimNode, `k${i}`);
      cluster.run(50);
    }
    node.crash('process');
    const dir = `/${node.name}/member`;
    const log = node.disk.list(`${dir}/wal`).find((name) => name.endsWith('.wal'));
    node.disk.flipBit(`${dir}/wal/${log}`, 33, 3);
    const db = node.disk.list(`${dir}/keel`).find((name) => name.startsWith('db-'));
    // Row after row, until it must be seen.
    for (let i = 0; i < 200; i++) node.stores.rot(`${dir}/keel/${db}`);
    cluster.run(5000);
    node.start();
    cluster.run(30_000, () => node.ready);
    expect(node.failure).toBeNull();
    expect(node.ready).toBe(true);
    const leader = cluster.leader();
    expect(node.member?.revision).toBe(leader?.member?.revision);
  });
});

describe('a member whose row of the cluster version rotted', () => {
  test('is repaired when it is started again, and does not stop at every start', () => {
    const cluster = new SimCluster({ seed: 5 });
    cluster.startAll();
    cluster.run(20_000, () => cluster.nodes.every((node) => node.ready));
    put(cluster.leader() as SimNode, 'k');
    cluster.run(5000);
    const node = cluster.nodes[0] as SimNode;
    node.crash('process');
    const dir = `/${node.name}/member/keel`;
    const db = node.disk.list(dir).find((name) => name.startsWith('db-'));
    const row = node.stores.rot(`${dir}/${db}`, Buffer.from('\nclusterVersion'));
    expect(row?.toString('latin1')).toContain('clusterVersion');
    node.start();
    cluster.run(30_000, () => node.ready);
    expect(node.failure).toBeNull();
    expect(node.ready).toBe(true);
  });
});

describe('a short lease, where members have election timeouts of their own', () => {
  test('is as long on every member as its client was told', () => {
    const timeouts = [500, 1000, 4000];
    let made = 0;
    const configOf = () => ({ electionMs: timeouts[made++ % timeouts.length] as number });
    const cluster = new SimCluster({ seed: 9, configOf });
    cluster.startAll();
    cluster.run(30_000, () => cluster.nodes.every((node) => node.ready) && cluster.leader() !== null);
    const told: number[] = [];
    cluster.nodes.forEach((node, i) => {
      const done = { ok: ({ ttl }: { ttl: number }) => void told.push(ttl), fail: () => {} };
      node.enter((member) => member.leaseGrant({ id: BigInt(i + 1), ttl: 1 }, { deadline: 0 }, done));
      cluster.run(300);
    });
    // Each raises it to its own minimum, ceil(1.5 x election timeout), and that is what all of them store.
    expect(told).toEqual([1, 2, 6]);
    const hashes = new Set<number>();
    for (const node of cluster.nodes) node.enter((member) => member.hash({ ok: (h) => hashes.add(h), fail: () => {} }));
    cluster.run(1000);
    expect(hashes.size).toBe(1);
  });
});
