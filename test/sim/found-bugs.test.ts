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
