import { describe, expect, test } from 'vitest';
import { Wal } from '../../../src/storage/wal/index.js';
import { readMark, SLOT_STRIDE } from '../../../src/storage/wal/mark.js';
import type { HardState } from '../../../src/wire/index.js';
import { DIR, entry, IDENTITY, MARK, simDisk } from './harness.js';

const OPTIONS = { segmentBytes: 8 * 1024 };

/** A log with entries 1 to `last` of term 3, voted for in between. */
function written(seed: number, last = 20) {
  const { disk, time } = simDisk(seed);
  const wal = Wal.create(disk, DIR, IDENTITY, OPTIONS);
  const save = (hs: HardState | null, entries = [] as ReturnType<typeof entry>[]): void => {
    let saved = false;
    wal.save(hs, entries, true, (err) => {
      expect(err).toBeNull();
      saved = true;
    });
    time.run();
    expect(saved).toBe(true);
  };
  save({ term: 2, vote: 0n, commit: 0 });
  for (let i = 1; i <= last; i++) save(null, [entry(i, 2)]);
  save({ term: 3, vote: 7n, commit: last });
  return { disk, time, wal, save };
}

describe('a log that is lost', () => {
  test('leaves its owner, its term and its vote in the mark, durable before the vote was acknowledged', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { disk } = written(seed);
      disk.crash('none');
      expect(Wal.promise(disk, DIR), `seed ${seed}`).toEqual({ metadata: IDENTITY, term: 3, vote: 7n });
    }
  });

  test('the same, whichever of the two slots is lost', () => {
    for (const at of [0, SLOT_STRIDE]) {
      const { disk } = written(1);
      disk.crash('none');
      disk.zeroSector(MARK, at);
      expect(Wal.promise(disk, DIR)).toEqual({ metadata: IDENTITY, term: 3, vote: 7n });
    }
  });

  test('is begun anew behind the state that is left, uncertain, and goes on', () => {
    const { disk, time } = written(1);
    disk.crash('process');
    disk.removeTree(DIR);
    const { wal, hardState, uncertain, entries } = Wal.replace(disk, DIR, { index: 12, term: 2 }, OPTIONS);
    expect({ hardState, uncertain, entries }).toEqual({
      hardState: { term: 3, vote: 7n, commit: 12 },
      uncertain: true,
      entries: [],
    });
    wal.save({ term: 3, vote: 7n, commit: 13 }, [entry(13, 3)], true, () => {});
    time.run();
    disk.crash('none');
    const again = Wal.open(disk, DIR, { index: 12, term: 2 }, OPTIONS);
    expect(again.hardState).toEqual({ term: 3, vote: 7n, commit: 13 });
    expect(again.entries.map((e) => e.index)).toEqual([13]);
    expect(again.uncertain, 'until a leader has caught it up').toBe(true);
    expect(again.metadata).toEqual(IDENTITY);
    expect(() => Wal.replace(disk, DIR, { index: 12, term: 2 }, OPTIONS)).toThrow(/there is a log already/);
  });

  test('power cuts while it is begun anew leave the promise, and no log without it', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { disk } = written(seed);
      disk.crash('process');
      disk.removeTree(DIR);
      disk.fsyncDir('/data/member');
      // The disk fails somewhere on the way, then loses power.
      let calls = 0;
      const stopAt = 1 + (seed % 8);
      const failing = new Proxy(disk, {
        get(target, name) {
          const value = Reflect.get(target, name, target) as unknown;
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            if (['rename', 'fsyncDir', 'open', 'mkdirp'].includes(String(name)) && ++calls > stopAt)
              throw new Error('cut');
            return (value as (...a: unknown[]) => unknown).apply(target, args);
          };
        },
      });
      try {
        Wal.replace(failing, DIR, { index: 5, term: 2 }, OPTIONS);
      } catch {
        // Where it was cut.
      }
      disk.crash('mixed');
      expect(Wal.promise(disk, DIR), `seed ${seed}`).toEqual({ metadata: IDENTITY, term: 3, vote: 7n });
      if (!Wal.exists(disk, DIR)) Wal.replace(disk, DIR, { index: 5, term: 2 }, OPTIONS);
      disk.crash('none');
      const opened = Wal.open(disk, DIR, { index: 5, term: 2 }, OPTIONS);
      expect(opened.hardState, `seed ${seed}`).toEqual({ term: 3, vote: 7n, commit: 5 });
      expect(opened.uncertain).toBe(true);
    }
  });

  test('and its mark too: nobody knows what it voted for, and it is not begun', () => {
    const { disk } = written(1);
    disk.crash('process');
    disk.removeTree(DIR);
    for (const at of [0, SLOT_STRIDE]) disk.zeroSector(MARK, at);
    expect(readMark(disk, DIR)).toBeNull();
    expect(Wal.promise(disk, DIR)).toBeNull();
    expect(() => Wal.replace(disk, DIR, { index: 0, term: 0 }, OPTIONS)).toThrow(/term and vote are not known/);
  });
});

describe('a complete log', () => {
  test('holds every entry since the first; one that was compacted, replaced or damaged is not', () => {
    const { disk } = written(1);
    disk.crash('process');
    expect(Wal.isComplete(disk, DIR)).toBe(true);
    const [name] = disk.list(DIR).filter((one) => one.endsWith('.wal'));
    disk.flipBit(`${DIR}/${name}`, 400, 2);
    expect(Wal.isComplete(disk, DIR)).toBe(false);
    disk.removeTree(DIR);
    expect(Wal.isComplete(disk, DIR)).toBe(false);
    Wal.replace(disk, DIR, { index: 12, term: 2 }, OPTIONS);
    expect(Wal.isComplete(disk, DIR)).toBe(false);
  });
});
