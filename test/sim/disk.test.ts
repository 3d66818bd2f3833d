import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CrashMode, SimDiskOptions } from '../../src/sim/disk.js';
import { SimDisk } from '../../src/sim/disk.js';
import type { DiskFile } from '../../src/util/env.js';
import { Rng } from '../../src/util/rng.js';
import { check } from '../support/fc.js';
import { VirtualTime } from '../support/virtual-time.js';

function make(seed = 1, options: Partial<SimDiskOptions> = {}) {
  const time = new VirtualTime();
  const disk = new SimDisk({ schedule: time.schedule, rng: new Rng(seed), options });
  disk.mkdirp('/d');
  disk.fsyncDir('/');
  return { time, disk };
}
function durableFile(disk: SimDisk, path: string, text: string): DiskFile {
  const file = disk.open(path, { create: true });
  file.writeSync(0, Buffer.from(text));
  file.syncSync();
  disk.fsyncDir(path.slice(0, path.lastIndexOf('/')));
  return file;
}
const text = (disk: SimDisk, path: string) => disk.read(path, 0, 1 << 20).toString('latin1');
const POWER: CrashMode[] = ['none', 'prefix', 'sectors', 'mixed'];

describe('the queue', () => {
  test('callbacks come later and in order, also between files', () => {
    const { time, disk } = make();
    const a = disk.open('/d/a', { create: true });
    const b = disk.open('/d/b', { create: true });
    const order: string[] = [];
    a.write(0, [Buffer.from('x'), Buffer.from('y')]);
    a.sync(() => order.push('a1'));
    b.write(0, [Buffer.from('z')]);
    b.sync(() => order.push(`b1 ${text(disk, '/d/n')}`), {
      file: disk.open('/d/n', { create: true }),
      offset: 1,
      bytes: Buffer.from('N'),
    });
    a.sync(() => order.push('a2'));
    b.flushed(() => order.push('b2'));
    expect(order).toEqual([]);
    expect(a.size).toBe(2);
    expect(disk.size('/d/a')).toBe(0);
    time.run();
    expect(order).toEqual(['a1', 'b1 \0N', 'a2', 'b2']);
    expect(disk.readDurable('/d/a', 0, 9).toString()).toBe('xy');
    expect(disk.readDurable('/d/n', 0, 9).length).toBe(0);
  });

  test('one fdatasync serves the syncs that wait on the same file', () => {
    const { time, disk } = make();
    const a = disk.open('/d/a', { create: true });
    let done = 0;
    for (let i = 0; i < 10; i++) {
      a.write(i, [Buffer.from('x')]);
      a.sync(() => done++);
    }
    time.run();
    expect(done).toBe(10);
    expect(disk.stats.syncs).toBe(1);
  });

  test('after a failed sync the file takes nothing, and files told to follow neither', () => {
    const { time, disk } = make();
    const a = disk.open('/d/a', { create: true });
    const b = disk.open('/d/b.tmp', { create: true });
    disk.inject({ kind: 'sync-error', path: (p) => p === '/d/a' });
    const errors: string[] = [];
    const say = (err: Error | null) => errors.push(err === null ? 'ok' : (err as { code?: string }).code!);
    b.sync(say);
    a.write(0, [Buffer.from('lost')]);
    a.sync(say);
    b.after(a);
    b.rename('/d/b');
    b.sync(say);
    a.write(0, [Buffer.from('more')]);
    a.sync(say);
    time.run();
    expect(errors).toEqual(['ok', 'EIO', 'EIO', 'EIO']);
    expect(disk.list('/d')).toEqual(['a', 'b.tmp']);
    // The cache still shows what the platter has not.
    expect(text(disk, '/d/a')).toBe('lost');
    disk.fsyncDir('/d');
    disk.crash('none');
    expect(text(disk, '/d/a')).toBe('');
  });

  test('a crash ends every callback and every file', () => {
    const { time, disk } = make();
    const a = disk.open('/d/a', { create: true });
    a.sync(() => expect.unreachable());
    disk.crash('process');
    a.sync(() => expect.unreachable());
    time.run();
    expect(() => a.syncSync()).toThrow(/crashed/);
  });
});

describe('what a power cut leaves', () => {
  test('synced bytes and synced names, in every mode', () => {
    for (const mode of POWER) {
      const { disk } = make(3);
      durableFile(disk, '/d/a', 'kept');
      disk.crash(mode);
      expect(text(disk, '/d/a')).toBe('kept');
    }
  });

  test('none: nothing else', () => {
    const { disk } = make();
    const a = durableFile(disk, '/d/a', 'kept');
    a.writeSync(0, Buffer.from('KEPT and more'));
    disk.open('/d/b', { create: true }).syncSync();
    disk.rename('/d/a', '/d/c');
    disk.crash('none');
    expect(disk.list('/d')).toEqual(['a']);
    expect(text(disk, '/d/a')).toBe('kept');
  });

  test('process: all that the system had', () => {
    const { disk } = make();
    const a = durableFile(disk, '/d/a', 'kept');
    a.writeSync(4, Buffer.from(' too'));
    disk.rename('/d/a', '/d/c');
    disk.crash('process');
    expect(text(disk, '/d/c')).toBe('kept too');
    disk.crash('none');
    expect(text(disk, '/d/a')).toBe('kept');
  });

  test('prefix: writes in their order, the last one perhaps torn at a sector', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const { disk } = make(seed);
      const a = durableFile(disk, '/d/a', '');
      a.writeSync(0, Buffer.alloc(600, 'a'));
      a.writeSync(600, Buffer.alloc(600, 'b'));
      disk.crash('prefix');
      const got = text(disk, '/d/a');
      expect('a'.repeat(600) + 'b'.repeat(600)).toContain(got);
      expect([0, 512, 600, 1024, 1200]).toContain(got.length);
      seen.add(got.length);
    }
    expect(seen.size).toBe(5);
  });

  test('sectors: any of them, and a length from another moment', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const { disk } = make(seed);
      const a = durableFile(disk, '/d/a', 'o'.repeat(1024));
      a.writeSync(0, Buffer.alloc(1536, 'n'));
      disk.crash('sectors');
      const got = text(disk, '/d/a');
      seen.add([0, 512, 1024].map((at) => got[at] ?? '-').join(''));
      expect([...got].every((c, at) => c === got[at - (at % 512)])).toBe(true);
    }
    // The third sector: not there, there with zeros, there with its bytes.
    for (const end of ['-', '\0', 'n'])
      for (const start of ['oo', 'on', 'no', 'nn']) expect(seen).toContain(start + end);
  });

  test('names are lost or kept one by one, a rename as one', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { disk } = make(seed);
      durableFile(disk, '/d/a', 'a');
      durableFile(disk, '/d/b', 'b');
      disk.rename('/d/a', '/d/A');
      disk.unlink('/d/b');
      disk.open('/d/c', { create: true });
      disk.crash('sectors');
      seen.add(disk.list('/d').join(''));
    }
    expect([...seen].sort()).toEqual(['A', 'Ab', 'Abc', 'Ac', 'a', 'ab', 'abc', 'ac']);
  });

  test('a file whose directory has no durable name is gone with it', () => {
    const { disk } = make();
    disk.mkdirp('/d/e/f');
    durableFile(disk, '/d/e/f/x', 'x');
    disk.fsyncDir('/d/e');
    disk.crash('none');
    expect(disk.list('/d')).toEqual([]);
  });

  test('property: every surviving sector is one that was written there, and synced ones are the synced', () => {
    const op = fc.record({ at: fc.nat(3000), length: fc.integer({ min: 1, max: 1500 }), sync: fc.boolean() });
    check(
      fc.property(fc.nat(), fc.array(op, { maxLength: 12 }), fc.constantFrom(...POWER), (seed, ops, mode) => {
        const { disk } = make(seed);
        const a = durableFile(disk, '/d/a', '');
        // Every state a byte has been in since the last sync.
        let states: Set<number>[] = Array.from({ length: 4600 }, () => new Set([0]));
        ops.forEach((o, i) => {
          a.writeSync(o.at, Buffer.alloc(o.length, i + 1));
          for (let p = o.at; p < o.at + o.length; p++) states[p]!.add(i + 1);
          if (o.sync) {
            a.syncSync();
            const now = disk.read('/d/a', 0, 4600);
            states = states.map((_, p) => new Set([now[p] ?? 0]));
          }
        });
        disk.crash(mode);
        const got = disk.read('/d/a', 0, 4600);
        for (let p = 0; p < 4600; p++) if (!states[p]!.has(got[p] ?? 0)) return false;
        return true;
      }),
    );
  });
});

describe('faults', () => {
  test('a full disk', () => {
    const { time, disk } = make(1, { capacityBytes: 8192 });
    const a = disk.open('/d/a', { create: true });
    a.write(0, [Buffer.alloc(8192)]);
    let err: Error | null = null;
    a.sync((e) => (err = e));
    time.run();
    expect(err).toBeNull();
    expect(disk.free('/d')).toBe(0);
    a.write(8192, [Buffer.alloc(1)]);
    a.sync((e) => (err = e));
    time.run();
    expect(err).toMatchObject({ code: 'ENOSPC' });
    disk.unlink('/d/a');
    expect(disk.free('/d')).toBe(8192);
  });

  test('damage at rest, misdirected and lost writes, failing reads', () => {
    const { disk } = make();
    const a = durableFile(disk, '/d/a', 'a'.repeat(2048));
    disk.flipBit('/d/a', 3, 1);
    disk.zeroSector('/d/a', 512);
    expect(text(disk, '/d/a').slice(0, 5)).toBe('aaaca');
    expect(text(disk, '/d/a').slice(511, 1025)).toBe(`a${'\0'.repeat(512)}a`);
    disk.inject({ kind: 'misdirected-write', path: () => true, shift: 1024 });
    a.writeSync(0, Buffer.from('x'));
    expect(text(disk, '/d/a')[1024]).toBe('x');
    disk.inject({ kind: 'lost-write', path: () => true });
    a.writeSync(0, Buffer.from('y'));
    a.syncSync();
    expect(text(disk, '/d/a')[0]).toBe('y');
    disk.crash('process');
    disk.crash('mixed');
    expect(text(disk, '/d/a')[0]).toBe('a');
    disk.inject({ kind: 'read-error', path: (p) => p.endsWith('/a') });
    expect(() => disk.read('/d/a', 0, 1)).toThrow(/EIO/);
    expect(disk.read('/d/a', 0, 1).length).toBe(1);
  });

  test('a stall holds everything behind it', () => {
    const { time, disk } = make();
    const a = disk.open('/d/a', { create: true });
    const b = disk.open('/d/b', { create: true });
    disk.inject({ kind: 'stall', path: (p) => p === '/d/a', us: 5_000_000 });
    a.sync(() => {});
    let at = 0;
    b.sync(() => (at = time.nowUs));
    time.run();
    expect(at).toBeGreaterThan(5_000_000);
  });

  test('the same seed gives the same disk', () => {
    const run = (seed: number): string => {
      const { time, disk } = make(seed, { syncErrorPpm: 100_000, stallPpm: 100_000 });
      const rng = new Rng(seed);
      let log = '';
      for (let i = 0; i < 60; i++) {
        const file = disk.open(`/d/${rng.below(3)}`, { create: true });
        file.write(rng.below(4000), [Buffer.alloc(rng.below(2000) + 1, i)]);
        file.sync((err) => (log += err === null ? '.' : 'e'));
        time.run(rng.below(3));
        if (rng.chance(1, 10)) disk.crash(rng.pick(POWER));
      }
      time.run();
      return `${log} ${time.nowUs} ${disk.list('/d').map((n) => disk.read(`/d/${n}`, 0, 9999).toString('base64'))}`;
    };
    expect(run(5)).toBe(run(5));
    expect(run(5)).not.toBe(run(6));
  });
});
