import { expect, test } from 'vitest';
import { SimCluster } from '../../src/sim/cluster.js';

test('a member whose disk was wiped does not start as a new one: it could vote a second time', () => {
  const cluster = new SimCluster({ seed: 3 });
  cluster.startAll();
  cluster.run(
    20_000,
    () => cluster.members().length === 3 && cluster.nodes.every((node) => published(cluster, node.name)),
  );
  const node = cluster.node('m2');
  const id = node.member?.memberId.toString(16);
  node.crash('none');
  node.disk.removeTree('/m2');
  node.start();
  cluster.run(5000);
  expect(node.failure?.message).toBe(`member ${id} has already been bootstrapped`);
  expect(node.disk.list('/m2/member/wal')).toEqual([]);
});

test('one that was never started is let in, and so is one whose peers are all away', () => {
  const cluster = new SimCluster({ seed: 4 });
  cluster.node('m1').start();
  cluster.node('m2').start();
  cluster.run(20_000, () => published(cluster, 'm1') && published(cluster, 'm2'));
  cluster.node('m3').start();
  cluster.run(10_000, () => published(cluster, 'm3'));
  expect(published(cluster, 'm3')).toBe(true);
});

/** A member has told the cluster its client URLs. */
function published(cluster: SimCluster, name: string): boolean {
  let found = false;
  for (const member of cluster.members()) {
    member.memberList(
      false,
      { deadline: 0 },
      {
        ok: (list) => {
          found ||= list.some((m) => m.name === name && m.clientUrls.length > 0);
        },
        fail: () => {},
      },
    );
  }
  return found;
}
