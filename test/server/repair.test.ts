import { describe, expect, test } from 'vitest';
import type { SimNode } from '../../src/sim/node.js';
import { DiskLab } from '../sim/support/disk-lab.js';

const SEEDS = Number(process.env.KEEL_REPAIR_SEEDS ?? 15);
const KEY_ROWS = Buffer.from([1]);

/** A bit in the middle of what the newest segment holds: rot, as all of it had been synced. */
function rotLog(lab: DiskLab, node: SimNode): void {
  const { path, end } = lab.written(node);
  node.disk.flipBit(path, Math.floor(end / 2), 3);
}

function rotStore(lab: DiskLab, node: SimNode): void {
  expect(node.stores.rot(lab.store(node), KEY_ROWS)).toBeDefined();
}

describe('a damaged member of three', () => {
  test('whose log rotted sets it aside, keeps its store and its vote, and is caught up', () => {
    const lab = new DiskLab({ seed: 1 });
    lab.start();
    lab.load(1000);
    const node = lab.follower();
    node.crash('process');
    const applied = node.stores.peek(lab.store(node)).length;
    rotLog(lab, node);
    lab.load(300);
    node.start();
    lab.load(2000);
    lab.settle();
    const [aside] = lab.asides(node);
    expect(aside?.level).toBe('error');
    expect(aside?.fields).toMatchObject({ damaged: 'log', 'set-aside': 'log', to: `/${node.name}/member/damaged-1` });
    expect(String(aside?.fields.file)).toMatch(/\.wal$/);
    expect(aside?.fields.offset).toBeGreaterThan(0);
    expect(node.disk.list(`/${node.name}/member/damaged-1`)).toEqual(['REASON', 'wal', 'wal.synced']);
    expect(applied).toBeGreaterThan(10);
  });

  test('whose store rotted rebuilds it from its own log, where that is complete', () => {
    const lab = new DiskLab({ seed: 2, config: { snapshotCount: 10_000 } });
    lab.start();
    lab.load(1000);
    const node = lab.follower();
    node.crash('process');
    rotStore(lab, node);
    node.start();
    lab.until(20_000, 'it serves', () => node.ready);
    expect(lab.asides(node).map((line) => line.fields['set-aside'])).toEqual(['store']);
    expect(lab.withheld(node)).toBe(false);
    lab.settle();
  });

  test('whose store rotted, and whose log does not reach back, gets all of it from the leader', () => {
    const lab = new DiskLab({ seed: 3 });
    lab.start();
    lab.load(3000);
    const node = lab.follower();
    node.crash('process');
    rotStore(lab, node);
    lab.load(300);
    node.start();
    lab.load(1000);
    lab.settle();
    expect(lab.asides(node).map((line) => line.fields['set-aside'])).toEqual(['store and log']);
    expect(lab.linesOf(node).some((line) => line.msg === 'applied snapshot')).toBe(true);
  });

  test('that reads a rotten row while it serves stops, and is repaired at its next start', () => {
    const lab = new DiskLab({ seed: 4, tuning: { valueCacheBytes: 0 } });
    lab.start();
    lab.load(1000);
    const node = lab.follower();
    rotStore(lab, node);
    for (let i = 0; i < 200 && node.up; i++) {
      lab.readSome(node);
      lab.cluster.run(20);
    }
    expect(node.up, 'it stops').toBe(false);
    expect(lab.failures.map(({ err }) => err.code)).toEqual(['ERR_CORRUPT']);
    expect(node.disk.list(lab.folder(node))).toContain('store.damaged');
    lab.load(300);
    node.start();
    lab.load(1000);
    lab.settle();
    expect(lab.asides(node)).toHaveLength(1);
    expect(node.disk.list(lab.folder(node))).not.toContain('store.damaged');
  });

  test('may be the leader', () => {
    const lab = new DiskLab({ seed: 5 });
    lab.start();
    lab.load(1000);
    const node = lab.leader as SimNode;
    node.crash('process');
    rotLog(lab, node);
    node.start();
    lab.load(4000);
    lab.settle();
    expect(lab.asides(node)).toHaveLength(1);
  });

  test('whose log lost its end behind a mark that a power cut took back learns of it from the leader', () => {
    const lab = new DiskLab({ seed: 11, config: { snapshotCount: 10_000 } });
    lab.start();
    const node = lab.follower();
    // The mark as it is now, put back later: what a power cut may leave, as it is never synced.
    const path = `${lab.folder(node)}/wal.synced`;
    const mark = node.disk.read(path, 0, node.disk.size(path));
    lab.load(1000);
    node.crash('process');
    node.disk.overwrite(path, 0, mark);
    rotLog(lab, node);
    // Its store is behind the damage: it had not been flushed since either.
    node.disk.removeTree(`${lab.folder(node)}/keel`);
    node.start();
    lab.until(10_000, 'it stops', () => lab.failures.length > 0);
    expect(lab.linesOf(node).some((line) => line.msg.startsWith('cut a torn tail'))).toBe(true);
    expect(lab.failures[0]?.err.message).toMatch(
      /the log ends at entry \d+, and this member had acknowledged entry \d+/,
    );
    lab.load(300);
    lab.settle();
    expect(lab.asides(node).map((line) => line.fields['set-aside'])).toEqual(['log']);
  });

  test('may lose power at any moment of its repair', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const lab = new DiskLab({ seed: 100 + seed });
      lab.start();
      lab.load(800);
      const node = lab.follower();
      node.crash('process');
      // A start syncs the mark: a power cut and rot behind a mark that it took back would be two faults.
      node.start();
      lab.until(10_000, 'it serves again', () => node.ready);
      node.crash('process');
      if (seed % 3 !== 0) rotLog(lab, node);
      if (seed % 3 !== 1) rotStore(lab, node);
      for (let round = 0; round < 4; round++) {
        node.start();
        node.crashAfterEvents(1 + lab.cluster.rng.below(60), 'mixed');
        lab.load(300);
        node.crash('mixed');
      }
      node.start();
      lab.load(1500);
      lab.settle();
      expect(lab.asides(node).length, `seed ${seed}`).toBeGreaterThan(0);
    }
  });
});

describe('what is not repaired', () => {
  test('two of three: there is no quorum, and no write is lost', () => {
    const lab = new DiskLab({ seed: 6 });
    lab.start();
    lab.load(1000);
    for (const node of lab.nodes) node.crash('process');
    const [a, b, c] = lab.nodes as [SimNode, SimNode, SimNode];
    const intact = lab.acked.size;
    // Kept, so that it can be put back.
    const { path, end } = lab.written(a);
    const at = Math.floor(end / 2);
    a.disk.flipBit(path, at, 3);
    rotLog(lab, b);
    for (const node of lab.nodes) node.start();
    lab.load(60_000);
    expect(lab.leader, 'nobody leads').toBeNull();
    expect(lab.acked.size, 'nothing is acknowledged').toBe(intact);
    for (const node of [a, b]) {
      expect(lab.withheld(node)).toBe(true);
      expect(lab.linesOf(node).some((line) => /there is no leader to be caught up by/.test(line.msg))).toBe(true);
    }
    // The way out: one of the two has its log whole again.
    a.crash('process');
    const aside = `${lab.folder(a)}/damaged-1`;
    a.disk.removeTree(`${lab.folder(a)}/wal`);
    a.disk.rename(`${aside}/wal`, `${lab.folder(a)}/wal`);
    a.disk.unlink(`${lab.folder(a)}/wal.synced`);
    a.disk.rename(`${aside}/wal.synced`, `${lab.folder(a)}/wal.synced`);
    a.disk.flipBit(path, at, 3);
    a.start();
    lab.load(3000);
    lab.settle();
    expect(lab.acked.size).toBeGreaterThan(intact);
    expect(c.up).toBe(true);
  });

  test('the only member: it stops and names the way out; its data stay where they are', () => {
    const lab = new DiskLab({ seed: 7, size: 1 });
    lab.start();
    lab.load(1500);
    const node = lab.nodes[0] as SimNode;
    node.crash('process');
    rotLog(lab, node);
    node.start();
    lab.cluster.run(1000);
    expect(lab.failures.at(-1)?.err.message).toMatch(/^damaged log: .*\.wal at byte \d+: .*restore it from a snapshot/);
    expect(lab.failures.at(-1)?.err.code).toBe('ERR_DAMAGED');
    expect(node.disk.list(lab.folder(node)).filter((name) => name.startsWith('damaged'))).toEqual([]);
  });

  test('the only member whose log is complete rebuilds its store all the same', () => {
    const lab = new DiskLab({ seed: 8, size: 1, config: { snapshotCount: 10_000 } });
    lab.start();
    lab.load(1000);
    const node = lab.nodes[0] as SimNode;
    node.crash('process');
    rotStore(lab, node);
    node.start();
    lab.load(1000);
    lab.settle();
    expect(lab.asides(node)).toHaveLength(1);
  });

  test('with --on-disk-damage=stop: everything is left as it is', () => {
    const lab = new DiskLab({ seed: 9, config: { onDiskDamage: 'stop' } });
    lab.start();
    lab.load(1000);
    const node = lab.follower();
    node.crash('process');
    rotLog(lab, node);
    const before = node.disk.list(lab.folder(node));
    node.start();
    lab.cluster.run(1000);
    expect(lab.failures.at(-1)?.err.message).toMatch(/left as it is \(--on-disk-damage=stop\)/);
    expect(node.disk.list(lab.folder(node))).toEqual(before);
  });

  test('a log whose mark cannot be read either: nobody knows what it voted for', () => {
    const lab = new DiskLab({ seed: 10 });
    lab.start();
    lab.load(1000);
    const node = lab.follower();
    node.crash('process');
    const [oldest] = lab.segments(node);
    node.disk.zeroSector(oldest as string, 0);
    for (const at of [0, 4096]) node.disk.zeroSector(`${lab.folder(node)}/wal.synced`, at);
    node.start();
    lab.cluster.run(1000);
    expect(lab.failures.at(-1)?.err.message).toMatch(/nobody knows what this member has voted for: remove it/);
  });
});
