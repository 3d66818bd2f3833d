import { describe, expect, test } from 'vitest';
import type { MemberConfig } from '../../src/server/index.js';
import type { SimNode } from '../../src/sim/node.js';
import type { StoredBackend } from '../../src/storage/backend/index.js';
import { Bucket } from '../../src/storage/backend/index.js';
import { CompactionRequest } from '../../src/wire/index.js';
import { DiskLab } from '../sim/support/disk-lab.js';

const NO_DEADLINE = { deadline: 0 };

/** Changes a row behind the member's back: its own checksum is right, and so is what the member logs. */
function tamper(lab: DiskLab, node: SimNode): void {
  // biome-ignore lint/complexity/useLiteralKeys: what only its own class may see otherwise
  const backend = node.member?.['parts'].backend as StoredBackend;
  let done = false;
  backend.getMany(Bucket.key, [rowAt(3)], (_err, [row]) => {
    const changed = Buffer.from(row as Buffer);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    backend.put(Bucket.key, rowAt(3), changed);
    backend.endLocal();
    backend.flush(() => {
      done = true;
    });
  });
  lab.until(5000, 'the row is changed', () => done);
}

/** Key of the row at a main revision. */
function rowAt(revision: number): Buffer {
  const key = Buffer.alloc(17);
  key.writeBigUInt64BE(BigInt(revision), 0);
  key[8] = 0x5f;
  return key;
}

function writes(lab: DiskLab, count: number): void {
  for (let i = 0; i < count; i++) {
    lab.put(lab.leader as SimNode);
    lab.cluster.run(20);
  }
  lab.cluster.run(300);
}

function compact(lab: DiskLab, revision: number): void {
  const req = { revision, physical: false };
  lab.leader?.enter((member) =>
    member.compact(req, CompactionRequest.encode(req), NO_DEADLINE, { ok: () => {}, fail: () => {} }),
  );
  lab.cluster.run(300);
}

const corrupt = (lab: DiskLab) =>
  (lab.nodes.find((node) => node.ready)?.member?.alarms() ?? [])
    .filter(({ alarm }) => alarm === 2)
    .map(({ memberId }) => memberId);
const idOf = (node: SimNode) => node.member?.memberId as bigint;

function started(config: Partial<MemberConfig>, size = 3): DiskLab {
  const lab = new DiskLab({ seed: 11, size, config });
  lab.start();
  writes(lab, 10);
  return lab;
}

describe('--corrupt-check-time', () => {
  test('finds a follower whose keys differ from the leader', () => {
    const lab = started({ corruptCheckMs: 500 });
    lab.cluster.run(3000);
    expect(corrupt(lab)).toEqual([]);
    const node = lab.follower();
    tamper(lab, node);
    lab.until(5000, 'the alarm', () => corrupt(lab).length > 0);
    expect(corrupt(lab)).toEqual([idOf(node)]);
    const refusals: string[] = [];
    const value = Buffer.from('x');
    lab.nodes[0]?.enter((member) =>
      member.put({ key: 'k', value } as never, Buffer.from('0a016b120178', 'hex'), NO_DEADLINE, {
        ok: () => refusals.push('ok'),
        fail: (err) => refusals.push(err.code),
      }),
    );
    lab.until(5000, 'an answer', () => refusals.length > 0);
    expect(refusals).toEqual(['ERR_CORRUPT']);
  });

  test('finds nothing while members write, compact and lag', () => {
    const lab = started({ corruptCheckMs: 100 });
    for (let i = 0; i < 5; i++) {
      const node = lab.follower();
      node.pause();
      writes(lab, 10);
      compact(lab, 5 + i * 8);
      node.resume();
      lab.load(300);
    }
    lab.cluster.run(3000);
    expect(corrupt(lab)).toEqual([]);
    expect(lab.lines.some((line) => line.msg === 'finished peer corruption check')).toBe(true);
  });
});

describe('the feature gate CompactHashCheck', () => {
  const config = { compactHashCheck: true, compactHashCheckMs: 500 };

  test.each([
    ['a follower', false],
    ['the leader', true],
  ])('finds the minority: %s', (_, leads) => {
    const lab = started(config);
    const node = leads ? (lab.leader as SimNode) : lab.follower();
    tamper(lab, node);
    lab.cluster.run(2000);
    expect(corrupt(lab)).toEqual([]);
    compact(lab, 9);
    lab.until(5000, 'the alarm', () => corrupt(lab).length > 0);
    expect(corrupt(lab)).toEqual([idOf(node)]);
  });

  test('of two members that differ it cannot say which: member 0', () => {
    const lab = started(config, 2);
    tamper(lab, lab.follower());
    compact(lab, 9);
    lab.until(5000, 'the alarm', () => corrupt(lab).length > 0);
    expect(corrupt(lab)).toEqual([0n]);
  });

  test('checks each compaction until all members agreed once', () => {
    const lab = started(config);
    compact(lab, 9);
    lab.cluster.run(4000);
    const checks = lab.lines.filter((line) => line.msg === 'finished compaction hash check');
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.length).toBeLessThan(3);
    expect(corrupt(lab)).toEqual([]);
  });
});

describe('the feature gate InitialCorruptCheck', () => {
  test('a member whose keys differ does not serve; one whose keys are equal does', () => {
    const lab = started({ initialCorruptCheck: true });
    const [sound, node] = [lab.follower(), lab.follower()];
    sound.crash('process');
    sound.start();
    lab.until(20_000, 'it serves', () => sound.ready);
    expect(lab.linesOf(sound).some((line) => line.msg.startsWith('initial corruption checking passed'))).toBe(true);
    tamper(lab, node);
    node.crash('process');
    node.start();
    lab.until(20_000, 'it ends', () => lab.failures.length > 0);
    expect(lab.failures[0]?.node).toBe(node.name);
    expect(lab.failures[0]?.err.message).toMatch(/^[0-9a-f]+ found data inconsistency with peers$/);
    expect(node.ready).toBe(false);
  });
});
