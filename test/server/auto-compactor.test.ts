import { describe, expect, test } from 'vitest';
import { AutoCompactor } from '../../src/server/auto-compactor.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function run(mode: 'periodic' | 'revision', retention: number, untilMs: number, perMinute = 100): [number, number][] {
  const done: [number, number][] = [];
  let now = 0;
  const compactor = new AutoCompactor(mode, retention, 0, {
    isLeader: true,
    get revision() {
      return Math.floor((now / MINUTE) * perMinute);
    },
    compactTo: (revision) => done.push([now / MINUTE, revision]),
  });
  for (; now <= untilMs; now += 1000) compactor.tick(now);
  return done;
}

describe('automatic compaction (operations 4)', () => {
  test('by revision: every five minutes to what lies so many revisions back', () => {
    expect(run('revision', 700, 15 * MINUTE)).toEqual([
      [10, 300],
      [15, 800],
    ]);
  });

  test('by time: first after one period, then each period up to an hour, to the revision of a period ago', () => {
    const done = run('periodic', HOUR, 3 * HOUR);
    expect(done.map(([at]) => at)).toEqual([120, 180]);
    for (const [at, revision] of done) expect(Math.abs(revision - (at - 60) * 100)).toBeLessThanOrEqual(600);
  });

  test('off, and not on a member that does not lead', () => {
    expect(run('periodic', 0, HOUR)).toEqual([]);
    const compactor = new AutoCompactor('revision', 1, 0, {
      isLeader: false,
      revision: 100,
      compactTo: () => expect.unreachable(),
    });
    compactor.tick(HOUR);
  });
});
