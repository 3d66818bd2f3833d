import { expect, test } from 'vitest';
import { DiskLab } from '../sim/support/disk-lab.js';

/** Museum 30: a defragmentation while a snapshot takes the store's place. */
test('a defragmentation that is asked for while a snapshot is installed waits for it', () => {
  let asked = 0;
  let answered = 0;
  for (let seed = 1; seed <= 2; seed++) {
    const lab = new DiskLab({ seed });
    lab.start();
    const node = lab.follower();
    node.crash('process');
    lab.load(2000);
    node.start();
    lab.until(20_000, 'it is open', () => node.member !== null);
    const member = node.member as NonNullable<typeof node.member>;
    const install = member.installSnapshot.bind(member);
    member.installSnapshot = (ready, done) => {
      install(ready, done);
      // At every step of it.
      for (let ms = 0; ms < 20; ms++) {
        lab.cluster.engine.schedule(ms * 100, () => {
          if (node.member !== member) return;
          asked++;
          node.enter((m) => m.defragment({ ok: () => answered++, fail: () => answered++ }));
        });
      }
    };
    lab.load(2000);
    lab.settle();
    expect(lab.failures.map(({ err }) => err.message)).toEqual([]);
  }
  expect(asked).toBeGreaterThan(10);
  expect(answered).toBe(asked);
});
