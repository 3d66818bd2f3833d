import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../support/binaries.js';
import { FailpointCluster, PLACES } from './failpoint-suite.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED failpoints: ${reason}`);

// A handful of them; failpoints.long.test.ts has them all.
describe.skipIf(reason)('members that panic at a failpoint', () => {
  let all: FailpointCluster;
  let failed = true;

  beforeAll(async () => {
    all = await FailpointCluster.start();
  }, 60_000);

  afterAll(async () => {
    await all?.cluster.dispose({ keep: failed });
  });

  it('are listed by each member, and all are tried', async () => {
    const answer = await all.gofail('m1', 'GET', '');
    const names = (await answer.text()).trim().split('\n');
    expect(names).toEqual(names.toSorted());
    expect(names.map((line) => line.split('=')[0]).sort()).toEqual(Object.keys(PLACES).sort());
  });

  it.each(['raftBeforeSave', 'beforeCommit', 'compactBeforeSetFinishedCompact', 'raftAfterSaveSnap'])(
    '%s',
    (name) => all.panicAt(name),
    60_000,
  );

  it('lost nothing', async () => {
    await all.check();
    expect(all.acknowledged).toBeGreaterThan(50);
    failed = false;
  });
});
