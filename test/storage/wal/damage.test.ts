import { describe, expect, test } from 'vitest';
import type { SimDisk } from '../../../src/sim/disk.js';
import type { WalOpened } from '../../../src/storage/wal/index.js';
import { Wal, WalError, WalMutant } from '../../../src/storage/wal/index.js';
import { SLOT_STRIDE } from '../../../src/storage/wal/mark.js';
import { readLog } from '../../../src/storage/wal/open.js';
import { Rng } from '../../../src/util/rng.js';
import {
  DIR,
  diskWith,
  entry,
  expected,
  IDENTITY,
  MARK,
  saveNow,
  show,
  simDisk,
  smallLog,
  snapshotOf,
} from './harness.js';

const FROM = { index: 0, term: 0 };

function attempt(disk: SimDisk, from = FROM): WalOpened<Wal> | WalError {
  try {
    return Wal.open(disk, DIR, from);
  } catch (err) {
    if (err instanceof WalError) return err;
    throw err;
  }
}

/** A copy of the files with one changed. */
function changed(
  files: ReadonlyMap<string, Buffer>,
  path: string,
  change: (bytes: Buffer) => Buffer | undefined,
): Map<string, Buffer> {
  const copy = new Map(files);
  const bytes = Buffer.from(files.get(path)!);
  copy.set(path, change(bytes) ?? bytes);
  return copy;
}

describe('rot before the mark', () => {
  const { disk, records } = smallLog({ segmentBytes: 350 }, 8);
  const files = snapshotOf(disk);
  const want = show(expected(records, FROM));
  const segments = [...files.keys()].filter((p) => p.endsWith('.wal'));

  test('the log is whole to begin with, and has several segments', () => {
    expect(segments.length).toBeGreaterThanOrEqual(3);
    const opened = attempt(diskWith(files).disk);
    expect(opened instanceof WalError ? opened : show(opened)).toBe(want);
  });

  /** Damages one byte of a disk that is used again and again, judges what open would, and heals it. */
  const judge = (d: SimDisk, path: string, at: number, value: number): void => {
    const byte = files.get(path)![at]!;
    const where = `${path} byte ${at}: ${byte} to ${value}`;
    d.overwrite(path, at, Buffer.from([value]));
    let found: ReturnType<typeof readLog> | null = null;
    try {
      found = readLog(d, DIR, FROM, new Set());
    } catch (err) {
      if (!(err instanceof WalError)) throw err;
      if (err.code !== 'ERR_WAL_ROT' || !err.file.startsWith(DIR) || err.reason === '') expect.unreachable(where);
    }
    d.overwrite(path, at, Buffer.from([byte]));
    // In what is preallocated behind the last record nothing had been synced: cut, and all records are there.
    if (found === null) return;
    expect(found.cut, where).not.toBeNull();
    expect(show({ entries: found.replay.entries, hardState: found.replay.hardState }), where).toBe(want);
    expect(path, where).toBe(segments.at(-1));
    expect(at, where).toBeGreaterThanOrEqual(found.offset);
    expect(found.uncertain, where).toBe(false);
  };

  test('every flipped bit of every byte is found, and named', () => {
    const d = diskWith(files).disk;
    for (const path of segments) {
      files.get(path)!.forEach((byte, at) => {
        for (let bit = 0; bit < 8; bit++) judge(d, path, at, byte ^ (1 << bit));
      });
    }
  });

  test('every byte set to 0, 0xff or its neighbour is found', () => {
    const d = diskWith(files).disk;
    for (const path of segments) {
      files.get(path)!.forEach((byte, at, bytes) => {
        for (const value of [0, 0xff, bytes[at + 1] ?? 0]) if (value !== byte) judge(d, path, at, value);
      });
    }
  });

  test('every zeroed 64-byte piece, and every length the file may be cut to', () => {
    for (const path of segments) {
      const original = files.get(path)!;
      for (let at = 0; at < original.length; at += 8) {
        for (const damage of [
          (b: Buffer) => void b.fill(0, at, Math.min(b.length, at + 64)),
          (b: Buffer) => b.subarray(0, at),
          (b: Buffer) => b.subarray(0, at + 3),
        ]) {
          const got = attempt(diskWith(changed(files, path, damage)).disk);
          if (got instanceof WalError) expect(got.code).toBe('ERR_WAL_ROT');
          else expect(show(got), `${path} at ${at}`).toBe(want);
        }
      }
    }
  });

  test('a missing segment, one of another log, two exchanged', () => {
    for (const path of segments) {
      const copy = new Map(files);
      copy.delete(path);
      const got = attempt(diskWith(copy).disk);
      expect(got).toBeInstanceOf(WalError);
      expect((got as WalError).code).toMatch(path === segments[0] ? /ERR_WAL_MISSING/ : /ERR_WAL_ROT/);
    }
    const other = simDisk(9);
    const wal = Wal.create(other.disk, DIR, { ...IDENTITY, nodeId: 1n }, { segmentBytes: 350 });
    for (let i = 1; i <= 8; i++) saveNow(other.time, wal, { term: 1, vote: 1n, commit: i - 1 }, [entry(i, 1, i * 3)]);
    const theirs = [...snapshotOf(other.disk).entries()][1]!;
    expect(attempt(diskWith(changed(files, segments[1]!, () => theirs[1])).disk)).toMatchObject({
      code: 'ERR_WAL_ROT',
    });
    const exchanged = new Map(files);
    exchanged.set(segments[1]!, files.get(segments[2]!)!).set(segments[2]!, files.get(segments[1]!)!);
    expect(attempt(diskWith(exchanged).disk)).toMatchObject({ code: 'ERR_WAL_ROT' });
  });

  test('the whole member/wal of an earlier day', () => {
    // A backup put back over a newer log: what was acked since is gone, and the mark knows.
    const earlier = smallLog({ segmentBytes: 350 }, 6);
    const old = snapshotOf(earlier.disk);
    old.set(MARK, files.get(MARK)!);
    expect(attempt(diskWith(old).disk)).toMatchObject({ code: 'ERR_WAL_ROT' });
  });

  test('damage in the mark itself costs nothing while one slot is readable', () => {
    for (const slot of [0, SLOT_STRIDE]) {
      for (let at = 0; at < 48; at++) {
        const got = attempt(diskWith(changed(files, MARK, (b) => void (b[slot + at]! ^= 0x10))).disk);
        expect(got instanceof WalError ? got.message : show(got)).toBe(want);
      }
    }
  });

  test('mutant: with the mark not asked, synced entries vanish without a word', () => {
    const last = segments.at(-1)!;
    const flipped = changed(files, last, (b) => void (b[90]! ^= 4));
    const opened = Wal.open(diskWith(flipped).disk, DIR, FROM, { mutants: new Set([WalMutant.ROT_AS_TORN]) });
    expect(opened.entries.length).toBeLessThan(8);
  });
});

describe('a torn tail', () => {
  /** A synced log and the bytes of one more write to its last segment, which was not synced. */
  function withTail(dataBytes: number[]) {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 16_384 });
    for (let i = 1; i <= 3; i++) saveNow(time, wal, { term: 1, vote: 1n, commit: i - 1 }, [entry(i, 1, 100)]);
    const before = snapshotOf(disk);
    const entries = dataBytes.map((n, i) => entry(4 + i, 1, n, 0xc0 + i));
    saveNow(time, wal, { term: 1, vote: 1n, commit: 3 }, entries);
    const path = [...before.keys()][0]!;
    return { path, before, after: disk.read(path, 0, 16_384) };
  }

  test('all subsets of its sectors: what is read is a prefix, the rest is cut, and the log goes on', () => {
    // About 3,300 bytes over eight sectors: 256 subsets.
    const { path, before, after } = withTail([200, 700, 30, 900, 400, 1, 800]);
    const old = before.get(path)!;
    let first = 0;
    while (old[first] === after[first]) first++;
    let last = after.length - 1;
    while (old[last] === after[last]) last--;
    const sectors: number[] = [];
    for (let s = Math.floor(first / 512); s * 512 <= last; s++) sectors.push(s);
    expect(sectors.length).toBeGreaterThanOrEqual(7);
    const lengths = new Set<number>();
    for (let subset = 0; subset < 1 << sectors.length; subset++) {
      const bytes = Buffer.from(old);
      sectors.forEach((s, i) => {
        if (subset & (1 << i)) after.copy(bytes, s * 512, s * 512, (s + 1) * 512);
      });
      const { disk, time } = diskWith(new Map([...before, [path, bytes]]));
      const opened = Wal.open(disk, DIR, FROM, { segmentBytes: 16_384 });
      const n = opened.entries.length;
      lengths.add(n);
      expect(opened.entries.map((e) => e.index)).toEqual(Array.from({ length: n }, (_, i) => i + 1));
      expect(n).toBeGreaterThanOrEqual(3);
      expect(opened.cut === null).toBe(subset === 0 || subset === (1 << sectors.length) - 1);
      expect(opened.uncertain).toBe(false);
      // It is repaired: shorter entries go over the place, and nothing of the old tail comes up again.
      expect(saveNow(time, opened.wal, null, [entry(n + 1, 2, 5)])).toBeNull();
      disk.crash('none');
      const again = Wal.open(disk, DIR, FROM, { segmentBytes: 16_384 });
      expect(again.cut).toBeNull();
      expect(again.entries.map((e) => e.term)).toEqual([...Array.from({ length: n }, () => 1), 2]);
    }
    expect(lengths.size).toBeGreaterThan(3);
  });

  test('cut at every byte', () => {
    const { path, before, after } = withTail([40, 9]);
    for (let at = 0; at < after.length; at++) {
      if (before.get(path)![at] === after[at]) continue;
      const { disk } = diskWith(new Map([...before, [path, after.subarray(0, at)]]));
      const opened = Wal.open(disk, DIR, FROM);
      expect(opened.entries.length).toBeGreaterThanOrEqual(3);
      expect(opened.entries.length).toBeLessThanOrEqual(5);
    }
  });

  test('without a readable mark it is uncertain, until a leader has caught it up', () => {
    const { path, before, after } = withTail([600, 600]);
    const torn = Buffer.from(after);
    torn.fill(0, 1024, 1536);
    for (const mark of [null, Buffer.alloc(0), Buffer.alloc(8192, 1)]) {
      const files = new Map(before);
      files.set(path, torn);
      if (mark === null) files.delete(MARK);
      else files.set(MARK, mark);
      const { disk, time } = diskWith(files);
      const opened = Wal.open(disk, DIR, FROM);
      expect(opened.cut).not.toBeNull();
      expect(opened.uncertain).toBe(true);
      saveNow(time, opened.wal, null, [entry(opened.entries.length + 1, 2)]);
      disk.crash('none');
      const again = Wal.open(disk, DIR, FROM);
      expect(again.cut).toBeNull();
      expect(again.uncertain).toBe(true);
      again.wal.settle();
      saveNow(time, again.wal, null, [entry(again.entries.length + 1, 2)]);
      again.wal.close(() => {});
      time.run();
      expect(Wal.open(disk, DIR, FROM).uncertain).toBe(false);
    }
  });

  test('a whole log without a mark is certain: it came from an etcd, or the mark was lost', () => {
    const { before } = withTail([10]);
    const files = new Map(before);
    files.delete(MARK);
    const opened = Wal.open(diskWith(files).disk, DIR, FROM);
    expect([opened.cut, opened.uncertain]).toEqual([null, false]);
  });

  test('hostile lengths allocate nothing and end in a cut', () => {
    const { path, before } = withTail([10]);
    const end = 8 * Math.ceil((before.get(path)!.findLastIndex((b) => b !== 0) + 1) / 8);
    const rng = new Rng(3);
    const words: Buffer[] = [
      'ffffffffffffffff',
      'ffffffffffffff00',
      'ffffffffffffff87',
      '0000000000000080',
      '0000000000000087',
      '0100000000000000',
      '00ffffff00000000',
    ].map((h) => Buffer.from(h, 'hex'));
    for (let i = 0; i < 200; i++) {
      const word = Buffer.alloc(8);
      rng.fill(word);
      words.push(word);
    }
    for (const word of words) {
      const files = changed(before, path, (b) => void word.copy(b, end));
      const memory = process.memoryUsage().arrayBuffers;
      const opened = Wal.open(diskWith(files).disk, DIR, FROM);
      expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(64 << 20);
      expect(opened.cut).toMatchObject({ file: path, offset: end });
      expect(opened.entries.length).toBe(3);
    }
  });

  test('random bytes of any length', () => {
    const { path, before } = withTail([10]);
    const end = 8 * Math.ceil((before.get(path)!.findLastIndex((b) => b !== 0) + 1) / 8);
    const rng = new Rng(4);
    for (let i = 0; i < 300; i++) {
      const noise = Buffer.alloc(1 + rng.below(3000));
      rng.fill(noise);
      // Half of the time it begins like a record, so that it is the inside that is wrong.
      if (rng.chance(1, 2))
        noise.write(`${(16 + 8 * rng.below(6)).toString(16).padStart(2, '0')}000000000000000802`, 'hex');
      noise[noise.length - 1] = 1;
      const opened = Wal.open(diskWith(changed(before, path, (b) => void noise.copy(b, end))).disk, DIR, FROM);
      expect(opened.entries.length).toBe(3);
      expect(opened.cut!.offset).toBe(end);
    }
  });
});

describe('errors of the disk while it is read', () => {
  test('a failing read is told, and nothing is changed', () => {
    const { disk } = smallLog();
    const before = snapshotOf(disk);
    for (const path of before.keys()) {
      disk.inject({ kind: 'read-error', path: (p) => p === path });
      expect(() => Wal.open(disk, DIR, FROM)).toThrow(/EIO/);
      expect(snapshotOf(disk)).toEqual(before);
    }
  });

  test('a write that never reached the platter, and one that went elsewhere, are rot', () => {
    for (const kind of ['lost-write', 'misdirected-write'] as const) {
      const { disk, time } = simDisk(1);
      const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 16_384 });
      saveNow(time, wal, null, [entry(1, 1, 100)]);
      disk.inject({ kind, path: (p) => p.endsWith('.wal'), shift: 1024 });
      saveNow(time, wal, null, [entry(2, 1, 100)]);
      // What the cache shows is right where the write was lost: only after a crash is it missed.
      expect(saveNow(time, wal, null, [entry(3, 1, 100)])).toBeNull();
      wal.close(() => {});
      time.run();
      disk.crash('none');
      expect(attempt(disk)).toMatchObject({ code: 'ERR_WAL_ROT' });
    }
  });
});
