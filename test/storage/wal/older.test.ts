import { describe, expect, test } from 'vitest';
import { SimDisk } from '../../../src/sim/disk.js';
import { Wal } from '../../../src/storage/wal/index.js';
import { Rng } from '../../../src/util/rng.js';
import { Entry, entryWire } from '../../../src/wire/index.js';
import { VirtualTime } from '../../support/virtual-time.js';

const DIR = '/m/wal';

function entry(term: number, index: number): Entry {
  const e = new Entry(0, term, index, Buffer.from(`${term}.${index}`));
  entryWire(e);
  return e;
}

/** A log of these entries, saved one by one, in segments of a few entries. */
function written(entries: Entry[]): SimDisk {
  const time = new VirtualTime();
  const disk = new SimDisk({ schedule: time.schedule, rng: new Rng(1) });
  const wal = Wal.create(disk, DIR, { nodeId: 1n, clusterId: 2n }, { segmentBytes: 2048 });
  for (const e of entries) wal.save({ term: e.term, vote: 0n, commit: 0 }, [e], true, (err) => expect(err).toBeNull());
  wal.close((err) => expect(err).toBeNull());
  time.run();
  return disk;
}

const open = (disk: SimDisk, index: number, term: number, keepEntries: number) =>
  Wal.open(disk, DIR, { index, term }, { segmentBytes: 2048, keepEntries });
const names = (entries: Entry[]) => entries.map((e) => `${e.term}.${e.index}`);

describe('entries behind the point that a log is opened from', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => entry(1, i + 1));

  test.each([0, 1, 5, 40])('the newest %i come back, across segments', (keep) => {
    const { older, entries } = open(written(hundred), 60, 1, keep);
    expect(names(older)).toEqual(names(hundred.slice(60 - keep, 60)));
    expect(names(entries)).toEqual(names(hundred.slice(60)));
  });

  test('as many as there are', () => {
    expect(open(written(hundred), 3, 1, 50).older).toHaveLength(3);
    expect(open(written(hundred), 0, 0, 50).older).toHaveLength(0);
  });

  test('of the history that holds, not of one that was overwritten', () => {
    const log = [entry(1, 1), entry(1, 2), entry(1, 3), entry(2, 2), entry(2, 3), entry(2, 4)];
    expect(names(open(written(log), 3, 2, 10).older)).toEqual(['1.1', '2.2', '2.3']);
  });

  test('none where the state is of another history than the log', () => {
    const { older, entries } = open(written([entry(1, 1), entry(1, 2), entry(1, 3)]), 2, 5, 10);
    expect(older).toEqual([]);
    expect(entries).toEqual([]);
  });
});
