import { describe, expect, test } from 'vitest';
import type { SimNode } from '../../src/sim/node.js';
import { DiskLab } from '../sim/support/disk-lab.js';

const WROTE = 'wrote an index checkpoint';
const UNUSED = 'the index checkpoint is not used; every row is read';

function lab(seed: number): DiskLab {
  const it = new DiskLab({ seed, tuning: { checkpointRows: 5, checkpointIntervalMs: 200 } });
  it.start();
  return it;
}

function path(node: SimNode): string {
  return `/${node.name}/member/keel/index-db-1`;
}

function said(it: DiskLab, text: string): number {
  return it.lines.filter(({ msg }) => msg === text).length;
}

describe('an index checkpoint beside the store', () => {
  test('is written now and then, and what a restart finds is what was there', () => {
    const it = lab(1);
    it.load(1500);
    expect(said(it, WROTE)).toBeGreaterThan(3);
    for (const node of it.nodes) {
      expect(node.disk.size(path(node))).toBeGreaterThan(4096);
      node.crash('mixed');
      it.load(300);
      node.start();
      it.load(1000);
    }
    it.settle();
    expect(said(it, UNUSED)).toBe(0);
  });

  for (const [where, at] of [
    ['header', 20],
    ['blocks', 4096 + 60],
  ] as const) {
    test(`is not used where its ${where} rotted`, () => {
      const it = lab(2);
      it.load(2000);
      const node = it.follower();
      node.crash('process');
      node.disk.flipBit(path(node), at, 2);
      node.start();
      it.until(20_000, 'it serves', () => node.ready);
      expect(said(it, UNUSED)).toBe(1);
      it.load(1000);
      it.settle();
    });
  }

  test('goes with the store that it was of', () => {
    const it = lab(3);
    it.load(1000);
    const node = it.follower();
    node.crash('process');
    const before = node.disk.read(path(node), 0, 1 << 20);
    it.load(2500);
    node.start();
    it.load(2000);
    it.settle();
    node.crash('process');
    // An older one in its place: of this store still, or of one that a snapshot has replaced.
    const names = node.disk.list(`/${node.name}/member/keel`);
    const file = node.disk.open(
      `/${node.name}/member/keel/${names.find((n) => n.startsWith('index-')) ?? 'index-db-1'}`,
      {
        create: true,
      },
    );
    file.truncateSync(0);
    file.writeSync(0, before);
    file.syncSync();
    file.close();
    node.start();
    it.load(1000);
    it.settle();
  });
});
