import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../support/binaries.js';
import { sleep } from '../support/member-process.js';
import { FailpointCluster, PLACES } from './failpoint-suite.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED failpoints: ${reason}`);

describe.skipIf(reason)('every failpoint', () => {
  let all: FailpointCluster;
  let failed = true;

  beforeAll(async () => {
    all = await FailpointCluster.start();
  }, 60_000);

  afterAll(async () => {
    await all?.cluster.dispose({ keep: failed });
  });

  it.each(Object.keys(PLACES))('%s: a member dies there, and nothing is lost', (name) => all.panicAt(name), 90_000);

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
    failed = false;
  });
});
