import { describe, expect, test } from 'vitest';
import type { MvccStore } from '../../src/mvcc/index.js';
import type { HashPoint } from '../../src/server/hash-trail.js';
import { HashTrail, judge } from '../../src/server/hash-trail.js';
import type { SimNode } from '../../src/sim/node.js';
import { DiskLab } from '../sim/support/disk-lab.js';

describe('the trail of hashes', () => {
  test('is close where it is recent, and reaches far back', () => {
    const trail = new HashTrail(10);
    for (let index = 1; index <= 100_000; index++) if (trail.wants(index)) trail.note(index, index * 2);
    const points = trail.points();
    expect(points.slice(-3)).toEqual([
      [99_980, 199_960],
      [99_990, 199_980],
      [100_000, 200_000],
    ]);
    expect(points[0]?.[0]).toBeLessThan(60_000);
    expect(points.length).toBeLessThan(3 * 64);
    expect(trail.at(99_990)).toBe(199_980);
    expect(trail.at(99_995)).toBeUndefined();
    trail.clear();
    expect(trail.points()).toEqual([]);
  });
});

describe('the verdict', () => {
  const trails = (...all: HashPoint[][]) => new Map(all.map((points, i) => [BigInt(i + 1), points]));
  const voters = [1n, 2n, 3n];

  test.each<[string, HashPoint[][], unknown]>([
    [
      'all are equal where they can be compared',
      [
        [
          [10, 1],
          [20, 2],
        ],
        [[10, 1]],
        [[20, 2]],
      ],
      null,
    ],
    ['nothing in common', [[[10, 1]], [[20, 1]], [[30, 1]]], null],
    [
      'one of three differs',
      [
        [
          [10, 1],
          [20, 2],
        ],
        [
          [10, 1],
          [20, 2],
        ],
        [
          [10, 1],
          [20, 9],
        ],
      ],
      { index: 20, diverged: [3n], undecided: false },
    ],
    ['two differ and the third has not been heard', [[[10, 1]], [[10, 2]], []], null],
    [
      'it shows at an older index, where a majority is known',
      [
        [
          [10, 1],
          [20, 2],
        ],
        [[10, 1]],
        [
          [10, 5],
          [20, 6],
        ],
      ],
      { index: 10, diverged: [3n], undecided: false },
    ],
    ['three states', [[[10, 1]], [[10, 2]], [[10, 3]]], { index: 10, diverged: [], undecided: true }],
    ['a learner differs', [[[10, 1]], [[10, 1]], [], [[10, 3]]], { index: 10, diverged: [4n], undecided: false }],
    ['a learner makes no majority', [[[10, 1]], [[10, 2]], [], [[10, 2]]], null],
  ])('%s', (_, points, expected) => {
    expect(judge(trails(...points), voters)).toEqual(expected);
  });

  test('two voters that differ: nobody knows who is right', () => {
    expect(judge(trails([[10, 1]], [[10, 2]]), [1n, 2n])).toEqual({ index: 10, diverged: [], undecided: true });
  });
});

/** From now on until it is restarted, this member applies its next put twice. */
function skew(node: SimNode): void {
  // biome-ignore lint/complexity/useLiteralKeys: what only its own class may see otherwise
  const mvcc = node.member?.['parts'].mvcc as MvccStore;
  const applyPut = mvcc.applyPut.bind(mvcc);
  mvcc.applyPut = (req) => {
    mvcc.applyPut = applyPut;
    applyPut(req);
    return applyPut(req);
  };
}

const QUICK = { stateHashEvery: 4, stateHashCheckMs: 200 };

/** Writes by way of members whose answers can be relied upon. */
function writes(lab: DiskLab, ms: number, not: SimNode): void {
  const end = lab.cluster.engine.now + ms * 1000;
  while (lab.cluster.engine.now < end) {
    lab.put(lab.cluster.rng.pick(lab.nodes.filter((node) => node !== not)));
    lab.cluster.run(15);
  }
}

const alarmsOf = (node: SimNode) => node.member?.alarms().map(({ memberId, alarm }) => [memberId, alarm]);
const idOf = (node: SimNode) => node.member?.memberId as bigint;

describe('a member whose state differs from a majority', () => {
  test.each([
    ['a follower, whose log does not reach back', 1, false, {}],
    ['a follower, rebuilt from its own log', 2, false, { snapshotCount: 10_000 }],
    ['the leader', 3, true, {}],
  ])('%s: it ends, is rebuilt at its next start, and is as the others are', (_, seed, leads, config) => {
    const lab = new DiskLab({ seed, tuning: QUICK, config });
    lab.start();
    lab.load(1000);
    // What is under way is answered by a sound member.
    lab.cluster.run(500);
    const node = leads ? (lab.leader as SimNode) : lab.follower();
    skew(node);
    const started = lab.cluster.engine.now;
    writes(lab, 2500, node);
    expect(lab.failures.map(({ node: name, err }) => [name, err.code])).toEqual([[node.name, 'ERR_DIVERGED']]);
    expect(lab.cluster.engine.now - started).toBeLessThan(3_000_000);
    if (leads) expect(lab.leader?.name).not.toBe(node.name);
    node.start();
    lab.until(30_000, 'it serves again', () => node.ready);
    expect(lab.asides(node)).toHaveLength(1);
    expect(String(lab.asides(node)[0]?.fields.reason)).toMatch(/^diverged: at entry \d+/);
    lab.load(1000);
    lab.settle();
    expect(alarmsOf(node)).toEqual([]);
  });

  test('a second time within an hour it is not rebuilt: the alarm CORRUPT is raised for it', () => {
    const lab = new DiskLab({ seed: 4, tuning: QUICK });
    lab.start();
    lab.load(500);
    const node = lab.follower();
    for (let round = 0; round < 2; round++) {
      skew(node);
      writes(lab, 2500, node);
      if (round === 0) {
        expect(lab.failures).toHaveLength(1);
        node.start();
        lab.until(30_000, 'it serves again', () => node.ready);
      }
    }
    expect(lab.failures).toHaveLength(1);
    expect(alarmsOf(lab.nodes[0] as SimNode)).toEqual([[idOf(node), 2]]);
  });

  test('--on-disk-damage=stop: nothing is set aside, the alarm is raised', () => {
    const lab = new DiskLab({ seed: 5, tuning: QUICK, config: { onDiskDamage: 'stop' } });
    lab.start();
    const node = lab.follower();
    skew(node);
    writes(lab, 2500, node);
    expect(lab.failures).toEqual([]);
    expect(alarmsOf(lab.nodes[0] as SimNode)).toEqual([[idOf(node), 2]]);
  });

  test('of two members that differ nobody knows whose state is right: CORRUPT for no member', () => {
    const lab = new DiskLab({ seed: 6, size: 2, tuning: QUICK });
    lab.start();
    lab.load(300);
    skew(lab.follower());
    lab.load(2500);
    expect(lab.failures).toEqual([]);
    expect(alarmsOf(lab.leader as SimNode)).toEqual([[0n, 2]]);
  });

  test('mutant 28: nobody looks, and it goes on', () => {
    const lab = new DiskLab({ seed: 1, tuning: { ...QUICK, mutants: new Set(['28']) } });
    lab.start();
    const node = lab.follower();
    skew(node);
    writes(lab, 2500, node);
    expect(lab.failures).toEqual([]);
    expect(() => lab.settle()).toThrow(/HashKV/);
  });
});

test('members that restart, lag and are sent snapshots are never taken for diverged', { timeout: 60_000 }, () => {
  for (let seed = 20; seed < 23; seed++) {
    const lab = new DiskLab({ seed, tuning: { ...QUICK, stateHashEvery: 1 } });
    lab.start();
    for (let round = 0; round < 2; round++) {
      lab.load(500);
      const node = lab.cluster.rng.pick(lab.nodes);
      node.crash(lab.cluster.rng.pick(['process', 'none', 'mixed']));
      lab.load(lab.cluster.rng.pick([100, 1500]));
      node.start();
    }
    lab.load(500);
    lab.settle();
    expect(lab.failures).toEqual([]);
    expect(lab.lines.filter((line) => line.level === 'error').map((line) => line.msg)).toEqual([]);
  }
});
