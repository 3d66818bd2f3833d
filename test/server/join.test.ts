import { expect, test } from 'vitest';
import { SimCluster } from '../../src/sim/cluster.js';

/** A cluster that serves, and a fourth member that was added to it while m3 could not hear of it. */
function added(seed: number): SimCluster {
  const cluster = new SimCluster({ seed, config: { strictReconfigCheck: false } });
  cluster.startAll();
  cluster.run(20_000, () => cluster.nodes.every((node) => node.ready));
  for (const other of ['m1', 'm2']) {
    cluster.net.cut(other, 'm3');
    cluster.net.cut('m3', other);
  }
  cluster.run(5000, () => ['m1', 'm2'].includes(cluster.leader()?.name ?? ''));
  let members = 0;
  cluster.node('m1').enter((member) => {
    const done = { ok: (answer: { members: unknown[] }) => (members = answer.members.length), fail: () => {} };
    member.memberAdd({ peerUrls: ['http://m4:2380'], isLearner: false }, { deadline: 0 }, done);
  });
  cluster.run(10_000, () => members > 0);
  expect(members).toBe(4);
  return cluster;
}

const others = (names: string[]) => names.map((name) => ({ name, peerUrls: [`http://${name}:2380`] }));

test('a member that joins asks on where the first that it asks has not heard of it', () => {
  const cluster = added(5);
  const node = cluster.addNode('m4', others(['m3', 'm1', 'm2']));
  node.start();
  cluster.run(20_000, () => node.ready);
  expect(node.failure).toBe(null);
  expect(node.ready).toBe(true);
});

test('it is refused where nobody has', () => {
  const cluster = added(6);
  const node = cluster.addNode('m4', others(['m3']));
  node.start();
  cluster.run(10_000);
  expect(node.failure?.message).toBe('the cluster has no member with the peer URLs http://m4:2380; add it first');
});
