import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentName, segmentsAmong } from '../../../src/storage/wal/format.js';
import { Wal, WalError } from '../../../src/storage/wal/index.js';
import { SegmentReader } from '../../../src/storage/wal/segment-reader.js';
import type { Entry } from '../../../src/wire/index.js';
import { decodeEntry, WalRecordType, WalSnapshot } from '../../../src/wire/index.js';
import { check } from '../../support/fc.js';
import type { Written } from './harness.js';
import { DIR, diskWith, entry, expected, IDENTITY, MARK, saveNow, show, simDisk } from './harness.js';

const FIXTURE = readFileSync(new URL('../../testdata/wal/etcd-3.5.16.wal', import.meta.url));
const FIRST = `${DIR}/${segmentName(0, 0)}`;

describe("etcd's own log", () => {
  test('is read', () => {
    const { disk } = diskWith(new Map([[FIRST, FIXTURE]]));
    const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
    expect(opened.metadata).toEqual(IDENTITY);
    expect(opened.hardState).toEqual({ term: 2, vote: IDENTITY.nodeId, commit: 9 });
    expect(opened.entries.map((e) => [e.index, e.term, e.type])).toEqual([
      [1, 1, 1],
      ...[2, 3, 4, 5, 6, 7, 8, 9].map((i) => [i, 2, 0]),
    ]);
    expect(opened.entries[4]!.data.toString('latin1')).toContain('k1\u0012\u0002v1');
    expect(opened.snapshots).toEqual([{ index: 0, term: 0, confState: null }]);
    expect(opened.cut).toBeNull();
    expect(opened.uncertain).toBe(false);
  });

  test('is what we write, byte for byte, from the same records', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 8192 });
    const source = diskWith(new Map([[FIRST, FIXTURE]])).disk;
    const reader = new SegmentReader(source, FIRST);
    for (let i = 0; reader.next() === 'record'; i++, reader.accept()) {
      if (i < 3) continue;
      const data = Buffer.from(reader.data);
      if (reader.type === WalRecordType.ENTRY) saveNow(time, wal, null, [decodeEntry(data)]);
      else {
        expect(reader.type).toBe(WalRecordType.STATE);
        const hs = Wal.open(diskWith(new Map([[FIRST, FIXTURE.subarray(0, endOf(reader))]])).disk, DIR, {
          index: 0,
          term: 0,
        });
        saveNow(time, wal, hs.hardState, []);
      }
    }
    const written = disk.read(FIRST, 0, 8192);
    expect(written.subarray(0, FIXTURE.length).equals(FIXTURE)).toBe(true);
    expect(written.subarray(FIXTURE.length).every((b) => b === 0)).toBe(true);
  });
});

function endOf(reader: SegmentReader): number {
  const length = FIXTURE.readUInt32LE(reader.offset);
  return reader.offset + 8 + Math.ceil(length / 8) * 8;
}

describe('names', () => {
  test('of segments; others are ignored', () => {
    expect(segmentName(3, 100_001)).toBe('0000000000000003-00000000000186a1.wal');
    const names = [
      '0.tmp',
      '0000000000000010-00000000000000ff.wal',
      '0000000000000002-0000000000000001.wal',
      'x.wal',
      '2-1.wal',
    ];
    expect(segmentsAmong(names).map((s) => [s.sequence, s.index])).toEqual([
      [2, 1],
      [16, 255],
    ]);
  });
});

describe('what is saved is read', () => {
  test('property: any sizes, in any batches, over segments; big data is spliced', () => {
    const size = fc.oneof(fc.nat(40), fc.nat(600), fc.integer({ min: 8000, max: 8400 }), fc.constant(70_000));
    const batch = fc.record({ sizes: fc.array(size, { maxLength: 5 }), state: fc.boolean(), sync: fc.boolean() });
    check(
      fc.property(
        fc.array(batch, { maxLength: 10 }),
        fc.constantFrom(300, 4096, 1 << 20),
        fc.nat(20),
        (batches, segmentBytes, skip) => {
          const { disk, time } = simDisk(1);
          const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes });
          const records: Written[] = [];
          let index = 0;
          for (const b of batches) {
            const entries = b.sizes.map((s) => entry(++index, 1, s));
            const state = b.state ? { term: 1 + index, vote: 2n ** 64n - 1n, commit: index } : null;
            expect(saveNow(time, wal, state, entries, b.sync)).toBeNull();
            for (const e of entries) records.push({ kind: 'entry', entry: e });
            if (state !== null) records.push({ kind: 'state', state });
          }
          wal.close((err) => expect(err).toBeNull());
          time.run();
          const from = { index: Math.min(skip, index), term: 1 };
          const opened = Wal.open(disk, DIR, from);
          expect(show(opened)).toBe(show(expected(records, from)));
          expect(opened.cut).toBeNull();
        },
      ),
      { runs: 60 },
    );
  });

  test('wide numbers', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY);
    const term = 2 ** 51 + 12345;
    saveNow(time, wal, { term, vote: 1n << 63n, commit: 1 }, [entry(1, term)]);
    saveNow(time, wal, { term, vote: 127n, commit: 1 }, []);
    saveNow(time, wal, { term, vote: 128n, commit: 1 }, []);
    wal.close(() => {});
    time.run();
    const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
    expect(opened.hardState).toEqual({ term, vote: 128n, commit: 1 });
    expect(opened.entries[0]!.term).toBe(term);
  });

  test('a later entry of the same index replaces it and all behind it', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 400 });
    saveNow(
      time,
      wal,
      { term: 1, vote: 0n, commit: 1 },
      [1, 2, 3, 4, 5].map((i) => entry(i, 1)),
    );
    saveNow(time, wal, { term: 2, vote: 0n, commit: 2 }, [entry(3, 2)]);
    saveNow(time, wal, null, [entry(4, 2), entry(5, 2), entry(3, 3)]);
    wal.close(() => {});
    time.run();
    const ids = (index: number) =>
      Wal.open(disk, DIR, { index, term: 0 })
        .entries.map((e) => `${e.index}:${e.term}`)
        .join(' ');
    expect(ids(0)).toBe('1:1 2:1 3:3');
    expect(ids(2)).toBe('3:3');
    expect(ids(3)).toBe('');
  });

  test('commit stays between the applied index and the last', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY);
    saveNow(
      time,
      wal,
      { term: 1, vote: 0n, commit: 2 },
      [1, 2, 3, 4, 5].map((i) => entry(i, 1)),
    );
    wal.close(() => {});
    time.run();
    expect(Wal.open(disk, DIR, { index: 0, term: 0 }).hardState!.commit).toBe(2);
    expect(Wal.open(disk, DIR, { index: 4, term: 1 }).hardState!.commit).toBe(4);
  });
});

describe('segments', () => {
  const options = { segmentBytes: 512, maxWals: 3 };
  function manySegments() {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, options);
    for (let i = 1; i <= 60; i++) saveNow(time, wal, { term: 1, vote: 1n, commit: i - 1 }, [entry(i, 1, 30)]);
    return { disk, time, wal };
  }
  const walNames = (names: string[]) => names.filter((n) => n.endsWith('.wal'));

  test('are released whole, and never more than leaves maxWals', () => {
    const { disk, time, wal } = manySegments();
    const before = segmentsAmong(disk.list(DIR));
    expect(before.length).toBeGreaterThan(6);
    wal.release(before[2]!.index - 1);
    expect(segmentsAmong(disk.list(DIR))[0]).toEqual(before[1]);
    wal.release(before[2]!.index);
    expect(segmentsAmong(disk.list(DIR))[0]).toEqual(before[2]);
    wal.release(1000);
    expect(walNames(disk.list(DIR)).length).toBe(3);
    wal.close(() => {});
    time.run();
    expect(() => Wal.open(disk, DIR, { index: 0, term: 0 }, options)).toThrow(/begins at entry/);
    // Names that were deleted may come back; they are below what matters.
    disk.crash('none');
    const from = { index: 55, term: 1 };
    expect(Wal.open(disk, DIR, from, options).entries.map((e) => e.index)).toEqual([56, 57, 58, 59, 60]);
  });

  test('released ones that come back after a crash do no harm, with holes between them', () => {
    const { disk, time, wal } = manySegments();
    const before = segmentsAmong(disk.list(DIR));
    disk.unlink(`${DIR}/${before[1]!.name}`);
    wal.close(() => {});
    time.run();
    expect(Wal.open(disk, DIR, { index: before[2]!.index, term: 1 }, options).entries.length).toBe(
      60 - before[2]!.index,
    );
    expect(() => Wal.open(disk, DIR, { index: 1, term: 1 }, options)).toThrow(/segment 1 is gone/);
  });

  test('the default segment is preallocated as etcd does, and its rest is zeros', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY);
    saveNow(time, wal, { term: 1, vote: 1n, commit: 0 }, [entry(1, 1)]);
    expect(disk.list(DIR)).toEqual([segmentName(0, 0), '1.tmp']);
    expect(disk.size(FIRST)).toBe(64_000_000);
    expect(disk.size(`${DIR}/1.tmp`)).toBe(64_000_000);
    wal.close(() => {});
    time.run();
    expect(disk.list(DIR)).toEqual([segmentName(0, 0)]);
  });

  test('many cuts while the disk stands still', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, options);
    let done = 0;
    for (let i = 1; i <= 200; i++)
      wal.save({ term: 1, vote: 1n, commit: i - 1 }, [entry(i, 1, 50)], true, (err) => {
        expect(err).toBeNull();
        expect(++done).toBe(i);
      });
    wal.close((err) => expect(err).toBeNull());
    time.run();
    expect(done).toBe(200);
    expect(Wal.open(disk, DIR, { index: 0, term: 0 }, options).entries.length).toBe(200);
  });
});

describe('snapshot records', () => {
  const conf = { voters: [1n, 2n], learners: [3n], votersOutgoing: [], learnersNext: [], autoLeave: false };
  function log(
    build: (save: (state: number | null, entries: Entry[]) => void, wal: Wal, time: { run(): void }) => void,
  ) {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 600 });
    build(
      (term, entries) => saveNow(time, wal, term === null ? null : { term, vote: 0n, commit: 0 }, entries),
      wal,
      time,
    );
    wal.close((err) => expect(err).toBeNull());
    time.run();
    return { disk, time };
  }
  const snap = (wal: Wal, time: { run(): void }, index: number, term: number, replaces = false) => {
    let result: Error | null | undefined;
    wal.saveSnapshot(WalSnapshot.make({ index, term, confState: conf }), (err) => (result = err), replaces);
    time.run();
    expect(result).toBeNull();
  };
  const read = ({ disk, time }: ReturnType<typeof log>, index: number, term: number) => {
    const opened = Wal.open(disk, DIR, { index, term });
    opened.wal.close(() => {});
    time.run();
    return opened.entries.map((e) => `${e.index}:${e.term}`).join(' ');
  };

  test('within the log keep it', () => {
    const disk = log((save, wal, time) => {
      save(1, [entry(1, 1), entry(2, 1), entry(3, 1)]);
      snap(wal, time, 2, 1);
      save(null, [entry(4, 1)]);
    });
    expect(read(disk, 0, 0)).toBe('1:1 2:1 3:1 4:1');
    const opened = Wal.open(disk.disk, DIR, { index: 2, term: 1 });
    expect(opened.entries.map((e) => e.index)).toEqual([3, 4]);
    expect(opened.snapshots.at(-1)).toEqual({ index: 2, term: 1, confState: conf });
  });

  test('behind the log go on there', () => {
    const disk = log((save, wal, time) => {
      save(1, [entry(1, 1), entry(2, 1)]);
      snap(wal, time, 50, 4);
      save(4, [entry(51, 4), entry(52, 5)]);
    });
    expect(read(disk, 50, 4)).toBe('51:4 52:5');
    expect(read(disk, 51, 4)).toBe('52:5');
    expect(() => read(disk, 1, 1)).toThrow(expect.objectContaining({ code: 'ERR_WAL_GAP' }));
  });

  test("of another history than the log's end drop that end", () => {
    const disk = log((save, wal, time) => {
      save(1, [entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)]);
      snap(wal, time, 3, 2, true);
    });
    expect(read(disk, 3, 2)).toBe('');
    const after = log((save, wal, time) => {
      save(1, [entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)]);
      snap(wal, time, 3, 2, true);
      save(2, [entry(4, 2)]);
    });
    expect(read(after, 3, 2)).toBe('4:2');
  });

  test('a state that was swapped just before a crash: the log goes on from it, and reads without a gap ever after', () => {
    for (const [index, term] of [
      [50, 4],
      [3, 2],
    ] as const) {
      const disk = log((save) => save(1, [entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)]));
      const opened = Wal.open(disk.disk, DIR, { index, term });
      expect(opened.entries).toEqual([]);
      expect(opened.hardState!.commit).toBe(index);
      opened.wal.save({ term: 4, vote: 0n, commit: index }, [entry(index + 1, 4)], true, () => {});
      opened.wal.close(() => {});
      disk.time.run();
      expect(read(disk, index, term)).toBe(`${index + 1}:4`);
    }
  });
});

describe('refusals', () => {
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (err) {
      if (err instanceof WalError) return err.code;
      throw err;
    }
    return 'none';
  };

  test('create over a log, or where one was', () => {
    const { disk, time } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY);
    saveNow(time, wal, null, [entry(1, 1)]);
    wal.close(() => {});
    time.run();
    expect(code(() => Wal.create(disk, DIR, IDENTITY))).toBe('ERR_WAL_EXISTS');
    disk.removeTree(DIR);
    expect(Wal.exists(disk, DIR)).toBe(false);
    expect(code(() => Wal.create(disk, DIR, IDENTITY))).toBe('ERR_WAL_EXISTS');
    disk.unlink(MARK);
    expect(code(() => Wal.create(disk, DIR, IDENTITY))).toBe('none');
  });

  test('open where there is none', () => {
    const { disk } = simDisk(1);
    expect(Wal.exists(disk, DIR)).toBe(false);
    expect(code(() => Wal.open(disk, DIR, { index: 0, term: 0 }))).toBe('ERR_WAL_MISSING');
  });

  test('an entry that leaves a gap is a bug of the caller', () => {
    const { disk } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY);
    expect(() => wal.save(null, [entry(2, 1)], true, () => {})).toThrow(/entry 2 behind 0/);
  });
});
