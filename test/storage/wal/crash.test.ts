import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CrashMode, SimDisk, SimDiskOptions } from '../../../src/sim/disk.js';
import type { WalOptions, WalPoint } from '../../../src/storage/wal/index.js';
import { Wal, WalMutant } from '../../../src/storage/wal/index.js';
import type { Disk } from '../../../src/util/env.js';
import { Rng } from '../../../src/util/rng.js';
import { check } from '../../support/fc.js';
import type { Written } from './harness.js';
import { DIR, entry, expected, IDENTITY, saveNow, show, simDisk } from './harness.js';

/**
 * A log under crashes, against the list of the records it was given. After each crash it must give back what some
 * prefix of that list adds up to, and the prefix must contain every record whose callback said that it is durable.
 */
class Scenario {
  readonly time;
  readonly disk: SimDisk;
  readonly options: WalOptions;
  wal: Wal;
  records: Written[] = [];
  /** records[0, acked) are durable by the log's word. */
  acked = 0;
  term = 1;
  index = 0;
  from: WalPoint = { index: 0, term: 0 };

  constructor(seed: number, options: WalOptions, faults: Partial<SimDiskOptions> = {}) {
    const { time, disk } = simDisk(seed, faults);
    this.time = time;
    this.disk = disk;
    this.options = options;
    this.wal =
      this.#start(() => (Wal.exists(disk, DIR) ? null : Wal.create(disk, DIR, IDENTITY, options))) ?? this.#open().wal;
  }

  #open() {
    return this.#start(() => Wal.open(this.disk, DIR, this.from, this.options));
  }

  /** A member that cannot start for an error of the disk is started again. */
  #start<T>(attempt: () => T): T {
    for (;;) {
      try {
        return attempt();
      } catch (err) {
        if ((err as { code?: string }).code !== 'EIO') throw err;
        this.disk.crash('process');
      }
    }
  }

  save(count: number, overwrite: number, state: boolean, sync: boolean): void {
    if (overwrite > 0 && count > 0 && this.index > this.from.index) {
      this.index = Math.max(this.from.index, this.index - overwrite);
      this.term++;
    }
    const entries = Array.from({ length: count }, () =>
      entry(++this.index, this.term, (this.index * 137) % 1500, this.term),
    );
    const hs = state ? { term: this.term, vote: 7n, commit: Math.max(0, this.index - 2) } : null;
    for (const e of entries) this.records.push({ kind: 'entry', entry: e });
    if (hs !== null) this.records.push({ kind: 'state', state: hs });
    const end = this.records.length;
    this.wal.save(hs, entries, sync, (err) => {
      if (err === null && sync) this.acked = Math.max(this.acked, end);
    });
  }

  /** The state has been flushed elsewhere up to some acked entry: reading begins there from now on. */
  advance(rng: Rng): void {
    const acked = expected(this.records.slice(0, this.acked), this.from).entries;
    if (acked.length === 0) return;
    const e = acked[rng.below(acked.length)]!;
    // What is applied is committed, and is never overwritten: as a leader's log would, ours keeps it.
    if (expected(this.records, this.from).entries[e.index - this.from.index - 1] !== e) return;
    this.from = { index: e.index, term: e.term };
    const snapshot = { index: e.index, term: e.term, confState: null };
    this.records.push({ kind: 'snapshot', snapshot });
    const end = this.records.length;
    this.wal.saveSnapshot(snapshot, (err) => {
      if (err === null) this.acked = Math.max(this.acked, end);
    });
    this.wal.release(e.index);
  }

  crash(mode: CrashMode): void {
    this.disk.crash(mode);
    this.reopen();
  }

  reopen(): void {
    const opened = this.#open();
    expect(opened.uncertain).toBe(false);
    if (opened.cut !== null) cuts++;
    expect(opened.metadata).toEqual(IDENTITY);
    const got = show(opened);
    let survived = -1;
    for (let n = this.records.length; n >= this.acked && survived < 0; n--) {
      if (show(expected(this.records.slice(0, n), this.from)) === got) survived = n;
    }
    if (survived < 0) {
      const want = show(expected(this.records.slice(0, this.acked), this.from));
      throw new Error(`acked is lost\n got  ${got}\n acked ${want}\n all  ${show(expected(this.records, this.from))}`);
    }
    this.wal = opened.wal;
    // What was given back counts as durable.
    this.records.length = survived;
    this.acked = survived;
    this.index = opened.entries.at(-1)?.index ?? this.from.index;
    this.term = Math.max(opened.hardState?.term ?? 1, opened.entries.at(-1)?.term ?? 1, this.from.term) + 1;
  }
}

/** Torn tails met so far. */
let cuts = 0;

const MODES: CrashMode[] = ['process', 'none', 'prefix', 'sectors', 'mixed'];
const save = fc.record({
  kind: fc.constant('save' as const),
  count: fc.nat(4),
  overwrite: fc.oneof(fc.constant(0), fc.nat(3)),
  state: fc.boolean(),
  sync: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const run = fc.record({
  kind: fc.constant('run' as const),
  events: fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.constant(1000) }),
});
const crash = fc.record({ kind: fc.constant('crash' as const), mode: fc.constantFrom(...MODES) });
const advance = fc.record({ kind: fc.constant('advance' as const) });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: save },
    { weight: 4, arbitrary: run },
    { weight: 2, arbitrary: crash },
    { weight: 1, arbitrary: advance },
  ),
  { maxLength: 40, size: 'max' },
);
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

function play(seed: number, options: WalOptions, list: readonly Step[], faults: Partial<SimDiskOptions> = {}): void {
  const s = new Scenario(seed, options, faults);
  const rng = new Rng(seed);
  for (const step of [...list, { kind: 'crash' as const, mode: rng.pick(MODES) }]) {
    if (step.kind === 'run') s.time.run(step.events);
    else if (step.kind === 'crash') s.crash(step.mode);
    else if (s.wal.failed !== null) s.crash('process');
    else if (step.kind === 'save') s.save(step.count, step.overwrite, step.state, step.sync);
    else s.advance(rng);
  }
}

const options = fc.record({ segmentBytes: fc.constantFrom(300, 700, 3000, 1 << 20), maxWals: fc.constantFrom(1, 3) });

describe('what a callback said is durable is read after any crash, and nothing that was not written', () => {
  test('property: power cuts and kills at any moment', () => {
    cuts = 0;
    check(
      fc.property(fc.nat(), options, steps, (seed, o, list) => play(seed, o, list)),
      { runs: 150 },
    );
    // Else the walks would prove little.
    if (process.env.KEEL_FC_PATH === undefined) expect(cuts).toBeGreaterThan(3);
  });

  test('property: with failing fsyncs, whose pages the system shows and has dropped', () => {
    const faults = { syncErrorPpm: 100_000 };
    check(
      fc.property(fc.nat(), options, steps, (seed, o, list) => play(seed, o, list, faults)),
      { runs: 100 },
    );
  });
});

describe('a crash at every step of what runs at once', () => {
  /** Passes calls through until the n-th that changes something, which it does not reach. */
  function dying(disk: SimDisk, calls: number): { disk: Disk; died: () => boolean } {
    let left = calls;
    const counted = new Set([
      'mkdirp',
      'rename',
      'unlink',
      'removeTree',
      'fsyncDir',
      'writeSync',
      'truncateSync',
      'syncSync',
    ]);
    const wrap = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(_, name) {
          const value = (target as any)[name];
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (counted.has(String(name)) && left-- <= 0) throw new Error('dies here');
            const result = value.apply(target, args);
            return name === 'open' ? wrap(result as object) : result;
          };
        },
      });
    return { disk: wrap(disk as Disk & object), died: () => left < 0 };
  }

  test('of create: afterwards there is a log, or one can be made', () => {
    for (let n = 0, done = false; !done; n++) {
      for (const [i, mode] of MODES.entries()) {
        for (let seed = 0; seed < 6; seed++) {
          const { time, disk } = simDisk(seed * 10 + i);
          const d = dying(disk, n);
          try {
            Wal.create(d.disk, DIR, IDENTITY, { segmentBytes: 600 });
          } catch (err) {
            expect((err as Error).message).toBe('dies here');
          }
          done = !d.died();
          disk.crash(mode);
          let wal: Wal;
          if (Wal.exists(disk, DIR)) {
            const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
            expect(opened.uncertain).toBe(false);
            wal = opened.wal;
          } else {
            expect(done).toBe(false);
            wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 600 });
          }
          expect(saveNow(time, wal, { term: 1, vote: 1n, commit: 0 }, [entry(1, 1)])).toBeNull();
          disk.crash('none');
          expect(Wal.open(disk, DIR, { index: 0, term: 0 }).entries.length).toBe(1);
        }
      }
    }
  });

  test('of open with a torn tail: a second open gives the same or less, and never less than the first gave', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (let n = 0, done = false; !done; n++) {
        const rng = new Rng(seed);
        const s = new Scenario(seed, { segmentBytes: 900 });
        for (let i = 0; i < 8; i++) {
          s.save(rng.below(4), 0, true, true);
          s.time.run(rng.below(9));
        }
        s.disk.crash('sectors');
        const d = dying(s.disk, n);
        let given = -1;
        try {
          given = Wal.open(d.disk, DIR, s.from, s.options).entries.length;
        } catch (err) {
          expect((err as Error).message).toBe('dies here');
        }
        done = !d.died();
        s.disk.crash(rng.pick(MODES));
        s.reopen();
        if (given >= 0) expect(s.index).toBe(given);
      }
    }
  });

  test('of open where the mark is gone as well: that something was cut is not forgotten', () => {
    for (let n = 0, done = false; !done; n++) {
      const { time, disk } = simDisk(n);
      const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 2000 });
      saveNow(time, wal, { term: 1, vote: 1n, commit: 0 }, [entry(1, 1), entry(2, 1)]);
      disk.crash('process');
      const file = `${DIR}/${disk.list(DIR)[0]}`;
      disk.overwrite(file, 300, Buffer.from('garbage'));
      disk.unlink(`${DIR}.synced`);
      disk.fsyncDir('/data/member');
      const d = dying(disk, n);
      try {
        expect(Wal.open(d.disk, DIR, { index: 0, term: 0 }).uncertain).toBe(true);
      } catch (err) {
        expect((err as Error).message).toBe('dies here');
      }
      done = !d.died();
      disk.crash('none');
      const again = Wal.open(disk, DIR, { index: 0, term: 0 });
      expect(again.uncertain).toBe(true);
      again.wal.settle();
      saveNow(time, again.wal, null, [entry(3, 1)]);
      again.wal.close(() => {});
      time.run();
      expect(Wal.open(disk, DIR, { index: 0, term: 0 }).uncertain).toBe(false);
    }
  });
});

describe('a failed fsync', () => {
  test('stops the log: every pending and later callback brings the error, in order', () => {
    const { time, disk } = simDisk(1);
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 700 });
    saveNow(time, wal, null, [entry(1, 1)]);
    disk.inject({ kind: 'sync-error', path: (p) => p.endsWith('.wal') });
    const said: string[] = [];
    // More than a segment, so that the cut is under way as well.
    for (let i = 2; i < 40; i++) {
      wal.save(null, [entry(i, 1, 60)], i % 3 > 0, (err) =>
        said.push(`${i} ${(err as { code?: string } | null)?.code}`),
      );
    }
    wal.saveSnapshot({ index: 1, term: 1, confState: null }, (err) =>
      said.push(`s ${(err as { code?: string } | null)?.code}`),
    );
    time.run();
    wal.save(null, [], false, (err) => said.push(`e ${(err as { code?: string } | null)?.code}`));
    time.run();
    expect(said).toEqual([...Array.from({ length: 38 }, (_, i) => i + 2), 's', 'e'].map((n) => `${n} ERR_WAL_IO`));
    expect(wal.failed).toMatchObject({ code: 'ERR_WAL_IO', cause: { code: 'EIO' } });
    let closed: Error | null = null;
    wal.close((err) => (closed = err));
    time.run();
    expect(closed).toBe(wal.failed);
    disk.crash('none');
    const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
    expect(opened.entries.map((e) => e.index)).toEqual([1]);
    expect(opened.uncertain).toBe(false);
  });

  test('a full disk as well', () => {
    const { time, disk } = simDisk(1, { capacityBytes: 32_768 });
    const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 100_000 });
    let index = 0;
    let err: Error | null = null;
    while (err === null) err = saveNow(time, wal, null, [entry(++index, 1, 2000)]);
    expect(err).toMatchObject({ code: 'ERR_WAL_IO', cause: { code: 'ENOSPC' } });
    disk.crash('process');
    const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
    expect(opened.entries.length).toBe(index - 1);
  });
});

describe('a disk that is full at any point', () => {
  test('nothing acked is lost, and the log opens again when there is room', () => {
    for (let pages = 0; pages < 24; pages++) {
      for (const [i, mode] of MODES.entries()) {
        const { time, disk } = simDisk(pages * 10 + i, { capacityBytes: pages * 4096 });
        let acked = 0;
        try {
          const wal = Wal.create(disk, DIR, IDENTITY, { segmentBytes: 9000 });
          for (let n = 1; wal.failed === null; n++) {
            wal.save(null, [entry(n, 1, 900)], true, (err) => {
              if (err === null) acked = n;
            });
            time.run(n % 4);
          }
        } catch (err) {
          expect((err as { code?: string }).code).toBe('ENOSPC');
        }
        disk.crash(mode);
        disk.configure({ capacityBytes: 2 ** 30 });
        if (!Wal.exists(disk, DIR)) {
          expect(acked).toBe(0);
          Wal.create(disk, DIR, IDENTITY);
          continue;
        }
        const opened = Wal.open(disk, DIR, { index: 0, term: 0 });
        expect(opened.entries.length).toBeGreaterThanOrEqual(acked);
        expect(opened.uncertain).toBe(false);
        expect(saveNow(time, opened.wal, null, [entry(opened.entries.length + 1, 1)])).toBeNull();
      }
    }
  });
});

describe('the bugs put back are found', () => {
  /** The first seed of `seeds` in which a random walk breaks, or -1. */
  function firstBroken(seeds: number, mutant: string, faults: Partial<SimDiskOptions>): number {
    const mutants = new Set([mutant]);
    for (let seed = 0; seed < seeds; seed++) {
      const rng = new Rng(seed);
      const list = fc.sample(steps, { numRuns: 1, seed })[0]!;
      try {
        play(seed, { segmentBytes: rng.pick([300, 700, 3000]), maxWals: 3, mutants }, list, faults);
      } catch {
        return seed;
      }
    }
    return -1;
  }

  test('without mutants the same walks hold', () => {
    expect(firstBroken(100, 'none', { syncErrorPpm: 100_000 })).toBe(-1);
  });
  test('row 25: no fsync of the directory', () => {
    expect(firstBroken(100, WalMutant.NO_DIR_SYNC, {})).toBeGreaterThanOrEqual(0);
  });
  test('row 26: a failed fsync that is taken for a good one', () => {
    expect(firstBroken(100, WalMutant.SYNC_RETRY, { syncErrorPpm: 100_000 })).toBeGreaterThanOrEqual(0);
  });
  test('row 23: a torn tail taken for rot', () => {
    expect(firstBroken(100, WalMutant.TORN_AS_ROT, {})).toBeGreaterThanOrEqual(0);
  });
});
