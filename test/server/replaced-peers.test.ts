import { expect, test } from 'vitest';
import { SimCluster } from '../../src/sim/cluster.js';

const others = (names: string[]) => names.map((name) => ({ name, peerUrls: [`http://${name}:2380`] }));

test('a member that was down while all its peers were replaced comes back', () => {
  const cluster = new SimCluster({ seed: 3, config: { strictReconfigCheck: false } });
  cluster.startAll();
  cluster.run(20_000, () => cluster.nodes.every((node) => node.ready));
  const names = ['m1', 'm2', 'm3'];
  const late = cluster.node('m3');
  late.crash('process');

  const ask = (what: (done: { ok(): void; fail(err: Error): void }) => void): void => {
    // Who led may be the one that has just gone.
    cluster.run(5000);
    let outcome = 'none';
    const set = (text: string): void => void (outcome = text);
    what({ ok: () => set('ok'), fail: (err) => set(err.message) });
    cluster.run(15_000, () => outcome !== 'none');
    expect(outcome).toBe('ok');
  };
  const add = (name: string): void => {
    const at = cluster.nodes.find((node) => node.ready) as ReturnType<typeof cluster.node>;
    const req = { peerUrls: [`http://${name}:2380`], isLearner: false };
    ask((done) => at.enter((member) => member.memberAdd(req, { deadline: 0 }, done as never)));
    names.push(name);
    cluster.addNode(name, others(names)).start();
    cluster.run(20_000, () => cluster.node(name).ready);
    expect(cluster.node(name).ready).toBe(true);
  };
  const remove = (name: string): void => {
    const at = cluster.nodes.find((node) => node.ready && node.name !== name) as ReturnType<typeof cluster.node>;
    const id = cluster.node(name).member?.memberId ?? 0n;
    ask((done) => at.enter((member) => member.memberRemove(id, { deadline: 0 }, done as never)));
    cluster.run(5000, () => cluster.node(name).gone);
    names.splice(names.indexOf(name), 1);
    cluster.node(name).crash('process');
  };
  add('n1');
  remove('m1');
  add('n2');
  remove('m2');

  late.start();
  cluster.run(30_000, () => late.ready);
  expect(late.ready).toBe(true);
  expect(late.member?.members().map(({ name }) => name)).toEqual(expect.arrayContaining(['m3', 'n1', 'n2']));
  // It counts: without it there is no majority.
  cluster.node('n2').crash('process');
  cluster.run(20_000, () => cluster.leader() !== null);
  expect(cluster.leader()).not.toBeNull();
});
