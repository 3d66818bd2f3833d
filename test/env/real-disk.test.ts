import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diskWorker } from '../../src/env/disk-worker.js';
import { RealDisk } from '../../src/env/real-disk.js';
import type { DiskFile } from '../../src/util/env.js';
import { Rng } from '../../src/util/rng.js';

let dir = '';
const disks: RealDisk[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-disk-'));
});
afterEach(async () => {
  for (const disk of disks.splice(0)) await new Promise<void>((done) => disk.stop(done));
  rmSync(dir, { recursive: true, force: true });
});

function makeDisk(lossy = false): RealDisk {
  const disk = new RealDisk({ lossy });
  disks.push(disk);
  return disk;
}
const synced = (file: DiskFile) =>
  new Promise<void>((done, fail) => file.sync((err) => (err === null ? done() : fail(err))));
const flushed = (file: DiskFile) =>
  new Promise<void>((done, fail) => file.flushed((err) => (err === null ? done() : fail(err))));
const closed = (file: DiskFile) =>
  new Promise<void>((done, fail) => file.close((err) => (err === null ? done() : fail(err))));

describe('synchronous calls', () => {
  test('names, sizes and reads', () => {
    const disk = makeDisk();
    disk.mkdirp(join(dir, 'a/b'));
    expect(disk.isDirectory(join(dir, 'a/b'))).toBe(true);
    expect(disk.isDirectory(join(dir, 'a/c'))).toBe(false);
    expect(disk.list(join(dir, 'none'))).toEqual([]);
    expect(disk.size(join(dir, 'none'))).toBe(-1);
    expect(() => disk.open(join(dir, 'none'), { create: false })).toThrow(/ENOENT/);
    const file = disk.open(join(dir, 'z'), { create: true });
    file.writeSync(2, Buffer.from('hello'));
    file.syncSync();
    expect(file.size).toBe(7);
    expect(statSync(join(dir, 'z')).mode & 0o777).toBe(0o600);
    expect(disk.read(join(dir, 'z'), 1, 100)).toEqual(Buffer.from('\0hello'));
    expect(disk.read(join(dir, 'z'), 9, 100).length).toBe(0);
    disk.rename(join(dir, 'z'), join(dir, 'y'));
    disk.fsyncDir(dir);
    expect(disk.list(dir)).toEqual(['a', 'y']);
    disk.unlink(join(dir, 'y'));
    disk.removeTree(join(dir, 'a'));
    expect(disk.list(dir)).toEqual([]);
    expect(disk.free(join(dir, 'not', 'there'))).toBeGreaterThan(0);
  });
});

describe('queued calls', () => {
  test('callbacks come later, in order, and the bytes are there', async () => {
    const disk = makeDisk();
    const file = disk.open(join(dir, 'f'), { create: true });
    const order: number[] = [];
    file.write(0, [Buffer.from('ab'), Buffer.from('cd')]);
    file.sync(() => order.push(1));
    file.write(4, [Buffer.from('ef')]);
    file.flushed(() => order.push(2));
    file.truncate(100);
    file.sync(() => order.push(3));
    expect(order).toEqual([]);
    expect(file.size).toBe(100);
    await synced(file);
    expect(order).toEqual([1, 2, 3]);
    expect(readFileSync(join(dir, 'f'))).toEqual(Buffer.concat([Buffer.from('abcdef'), Buffer.alloc(94)]));
    await closed(file);
    expect(() => file.write(0, [])).toThrow(/closed/);
  });

  test('rename and directory sync stand in the queue, and a note follows its sync', async () => {
    const disk = makeDisk();
    const mark = disk.open(join(dir, 'mark'), { create: true });
    const file = disk.open(join(dir, '0.tmp'), { create: true });
    file.write(0, [Buffer.from('x')]);
    file.rename(join(dir, 'final'));
    file.syncDir();
    const seen: string[] = [];
    file.sync(() => seen.push(readFileSync(join(dir, 'mark'), 'latin1')), {
      file: mark,
      offset: 3,
      bytes: Buffer.from('n1'),
    });
    file.write(1, [Buffer.from('y')]);
    await synced(file);
    expect(seen).toEqual(['\0\0\0n1']);
    expect(mark.size).toBe(5);
    expect(file.path).toBe(join(dir, 'final'));
    expect(disk.list(dir)).toEqual(['final', 'mark']);
    expect(readFileSync(join(dir, 'final'), 'latin1')).toBe('xy');
    await closed(file);
    await closed(mark);
  });

  test('more than the rings hold: many operations, and writes longer than the ring', async () => {
    const disk = makeDisk();
    const file = disk.open(join(dir, 'f'), { create: true });
    const rng = new Rng(7);
    const want = Buffer.alloc(12_000_000);
    rng.fill(want);
    let at = 0;
    let done = 0;
    let calls = 0;
    while (at < want.length) {
      const chunks: Buffer[] = [];
      // Mostly small ones, and now and then one that is longer than all shared memory.
      const sizes = rng.chance(1, 400) ? [rng.below(3_000_000)] : [rng.below(300), rng.below(300), rng.below(20_000)];
      let to = at;
      for (const size of sizes) {
        chunks.push(want.subarray(to, to + size));
        to = Math.min(want.length, to + size);
      }
      file.write(at, chunks);
      at = to;
      if (rng.chance(1, 3)) {
        const turn = calls++;
        file.sync((err) => {
          expect(err).toBeNull();
          expect(done++).toBe(turn);
        });
      }
    }
    await synced(file);
    expect(done).toBe(calls);
    expect(readFileSync(join(dir, 'f')).equals(want)).toBe(true);
    await closed(file);
  });

  test('a failed operation stops the file for good, and no other', async () => {
    const disk = makeDisk();
    const file = disk.open(join(dir, 'f'), { create: true });
    const other = disk.open(join(dir, 'g'), { create: true });
    file.write(0, [Buffer.from('x')]);
    file.rename(join(dir, 'f2'));
    await synced(file);
    file.rename(`${dir}/${'n'.repeat(300)}`);
    await expect(synced(file)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    file.write(0, [Buffer.from('never')]);
    await expect(synced(file)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    await expect(flushed(file)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    expect(readFileSync(join(dir, 'f2'), 'latin1')).toBe('x');
    other.write(0, [Buffer.from('y')]);
    await synced(other);
    await closed(other);
  });

  test('a file fails after another one that has failed', async () => {
    const disk = makeDisk();
    const file = disk.open(join(dir, 'f'), { create: true });
    const next = disk.open(join(dir, '1.tmp'), { create: true });
    next.after(file);
    await synced(next);
    file.rename(`${dir}/${'n'.repeat(300)}`);
    next.after(file);
    next.rename(join(dir, 'final'));
    await expect(synced(next)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    expect(disk.list(dir)).toEqual(['1.tmp', 'f']);
  });

  test('no note after a failed sync', async () => {
    const disk = makeDisk();
    const mark = disk.open(join(dir, 'mark'), { create: true });
    const file = disk.open(join(dir, 'f'), { create: true });
    file.rename(`${dir}/${'n'.repeat(300)}`);
    const err = await new Promise<Error | null>((done) =>
      file.sync(done, { file: mark, offset: 0, bytes: Buffer.from('n') }),
    );
    expect(err).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(readFileSync(join(dir, 'mark')).length).toBe(0);
    await closed(mark);
  });

  test('the worker uses nothing from outside its function', () => {
    // Its text is all that the thread gets. Names of this module would be undefined there.
    const text = diskWorker.toString();
    for (const name of ['OP_', 'SLOT_', 'TAIL', 'HEAD', 'WANT', '__vite', '__name', 'import'])
      expect(text).not.toContain(name);
  });
});

describe('lossy disk', () => {
  test('what has not been synced is held in memory', async () => {
    const disk = makeDisk(true);
    const path = join(dir, 'f');
    const file = disk.open(path, { create: true });
    file.write(0, [Buffer.from('abc')]);
    file.truncate(10);
    await flushed(file);
    expect(readFileSync(path).length).toBe(0);
    await synced(file);
    expect(readFileSync(path, 'latin1')).toBe('abc\0\0\0\0\0\0\0');
    file.write(0, [Buffer.from('xyz')]);
    await flushed(file);
    expect(readFileSync(path, 'latin1').slice(0, 3)).toBe('abc');
    await closed(file);
    expect(readFileSync(path, 'latin1').slice(0, 3)).toBe('xyz');
    const again = disk.open(path, { create: false });
    again.writeSync(0, Buffer.from('123'));
    again.truncateSync(5);
    expect(again.size).toBe(5);
    expect(readFileSync(path).length).toBe(10);
    again.syncSync();
    expect(readFileSync(path, 'latin1')).toBe('123\0\0');
    await closed(again);
  });
});

test('the thread does not keep an idle process alive, and a debt does', async () => {
  // Without Vitest there is no loader for .ts: the worker's text alone is tried, as dist/ runs it.
  const script = `
    const { Worker } = require('node:worker_threads');
    const fs = require('node:fs');
    const shared = {
      control: new Int32Array(new SharedArrayBuffer(64)),
      slots: new Float64Array(new SharedArrayBuffer(512 * 48)),
      data: new Uint8Array(new SharedArrayBuffer(1024)),
      lossy: false,
    };
    const worker = new Worker(${JSON.stringify(`(${diskWorker.toString()})(require);`)}, { eval: true, workerData: shared });
    const fd = fs.openSync(process.argv[1] + '/out', 'w+');
    shared.data.set(Buffer.from('hi'), 0);
    shared.slots.set([1, 1, fd, 0, 0, 0,  2, 1, 0, 0, 0, 2,  4, 1, 0, 0, 0, 0]);
    Atomics.store(shared.control, 0, 3);
    Atomics.notify(shared.control, 0);
    worker.on('message', (m) => { console.log('done ' + m); worker.unref(); });`;
  const path = join(dir, 'script.cjs');
  writeFileSync(path, script.replace('process.argv[1]', JSON.stringify(dir)));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((done) => child.on('exit', done));
  expect(code).toBe(0);
  expect(out).toBe('done 1\n');
  expect(readFileSync(join(dir, 'out'), 'latin1')).toBe('hi');
});
