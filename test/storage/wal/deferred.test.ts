import { describe, expect, test } from 'vitest';
import { walSnapshot } from '../../../src/server/wal-snapshot.js';
import { Wal } from '../../../src/storage/wal/index.js';
import { DIR, entry, IDENTITY, simDisk } from './harness.js';

const state = (commit: number) => ({ term: 1, vote: 1n, commit });
const nothing = (err: Error | null) => expect(err).toBeNull();

function log() {
  const { time, disk } = simDisk(1);
  const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 4096 });
  wal.save(state(0), [entry(1, 1), entry(2, 1)], true, nothing);
  time.run();
  const reopened = (index = 0) => {
    const { wal: again, ...content } = Wal.open(disk, DIR, { index, term: index === 0 ? 0 : 1 });
    again.close(nothing);
    time.run();
    return content;
  };
  const commitNow = () => reopened().hardState?.commit;
  return { time, disk, wal, reopened, commitNow };
}

describe('a hard state whose commit index alone is new', () => {
  test('costs no operation of the disk', () => {
    const { time, wal } = log();
    wal.defer(state(1));
    expect(time.pending).toBe(0);
  });

  test('goes with the entries that come next, behind them', () => {
    const { time, wal, reopened } = log();
    wal.defer(state(1));
    wal.defer(state(2));
    wal.save(null, [entry(3, 1)], true, nothing);
    time.run();
    const { hardState, entries } = reopened();
    expect(hardState).toEqual(state(2));
    expect(entries.map((e) => e.index)).toEqual([1, 2, 3]);
  });

  test('is forgotten where a newer one is saved', () => {
    const { time, wal, commitNow } = log();
    wal.defer(state(1));
    wal.save(state(2), [], true, nothing);
    wal.saveDeferred(() => expect.unreachable());
    time.run();
    expect(commitNow()).toBe(2);
  });

  test('is written by itself when it is asked for, once', () => {
    const { time, wal, commitNow } = log();
    let saved = 0;
    wal.defer(state(2));
    wal.saveDeferred(() => saved++);
    wal.saveDeferred(() => saved++);
    time.run();
    expect(saved).toBe(1);
    expect(commitNow()).toBe(2);
  });

  test('stands in front of a snapshot, which a reader would else take for one that is ahead', () => {
    const { time, wal, reopened } = log();
    wal.defer(state(2));
    wal.saveSnapshot(walSnapshot({ index: 2, term: 1, confState: { voters: [1n], learners: [] } }), nothing);
    time.run();
    expect(reopened()).toMatchObject({ hardState: state(2), snapshots: [{ index: 0 }, { index: 2 }] });
  });

  test('is in the log that is closed', () => {
    const { time, wal, commitNow } = log();
    wal.defer(state(2));
    wal.close(nothing);
    time.run();
    expect(commitNow()).toBe(2);
  });

  test('keeps its place over a cut', () => {
    const { time, wal, reopened } = log();
    wal.defer(state(1));
    wal.save(null, [entry(3, 1, 5000)], true, nothing);
    wal.defer(state(3));
    wal.save(null, [entry(4, 1)], true, nothing);
    time.run();
    expect(reopened()).toMatchObject({ hardState: state(3), entries: [1, 2, 3, 4].map((index) => ({ index })) });
  });
});
