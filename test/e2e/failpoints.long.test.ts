import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../support/binaries.js';
import { sleep } from '../support/member-process.js';
import { FailpointCluster, PLACES } from './failpoint-suite.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED failpoints: ${reason}`);

describe.skipIf(reason)('every failpoint', () => {
  let all: FailpointCluster;
  let passed = 0;

  beforeAll(async () => {
    all = await FailpointCluster.start();
  }, 60_000);

  afterAll(async () => {
    await all?.cluster.dispose({ keep: passed <= inLife.length });
  });

  const inLife = Object.keys(PLACES).filter((name) => PLACES[name]!.by !== 'birth');
  const atBirth = Object.keys(PLACES).filter((name) => PLACES[name]!.by === 'birth');

  it.each(atBirth)(
    '%s: a new member dies there, and the cluster is born',
    async (name) => {
      const born = await FailpointCluster.start(name);
      try {
        for (let i = 0; i < 10; i++) await born.write('m1');
        await born.check();
        expect(born.acknowledged).toBeGreaterThan(0);
      } finally {
        await born.cluster.dispose();
      }
    },
    60_000,
  );

  it.each(inLife)(
    '%s: a member dies there, and nothing is lost',
    async (name) => {
      await all.panicAt(name);
      passed++;
    },
    90_000,
  );

  it('a sleep holds up a leader for as long as it is set; it can be ended over HTTP', async () => {
    const leader = await all.cluster.leader();
    expect((await all.gofail(leader, 'PUT', 'raftBeforeSave', 'sleep("1s")')).status).toBe(204);
    for (let i = 0; i < 10; i++) await all.write(leader);
    await sleep(500);
    const start = performance.now();
    expect((await all.gofail(leader, 'DELETE', 'raftBeforeSave')).status).toBe(204);
    expect(performance.now() - start).toBeLessThan(1500);
    await all.check();
  }, 60_000);

  it('lost nothing', async () => {
    await all.check();
    expect(all.acknowledged).toBeGreaterThan(500);
    passed++;
  });
});
