import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LevelStores } from '../../src/env/level-store.js';
import type { IoError, KvRow, KvStore } from '../../src/util/env.js';
import { all, b, code, EVERYTHING, put, storeSuite, wait } from './store-suite.js';

const stores = new LevelStores({ writeBufferSize: 1 << 20, cacheSize: 1 << 20, scanBytesMax: 1000 });

storeSuite('LevelDB', () => {
  const temp = mkdtempSync(join(tmpdir(), 'keel-level-'));
  return { stores, dir: temp, end: () => rmSync(temp, { recursive: true, force: true }) };
});

let dir: string;
let opened: KvStore[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-level-'));
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await wait((cb) => store.close(cb));
  rmSync(dir, { recursive: true, force: true });
});

async function open(path = `${dir}/db`): Promise<KvStore> {
  const store = await wait<KvStore>((cb) => stores.open(path, { create: true }, cb));
  opened.push(store);
  return store;
}

async function close(store: KvStore): Promise<void> {
  opened = opened.filter((s) => s !== store);
  await wait((cb) => store.close(cb));
}

test('a scan stops at its bound of bytes and goes on', async () => {
  const store = await open();
  const rows: Record<string, string> = {};
  for (let i = 0; i < 50; i++) rows[`k${100 + i}`] = 'x'.repeat(200);
  await put(store, rows);
  const scan = store.scan(EVERYTHING);
  const first = await wait<KvRow[]>((cb) => scan.next(1000, cb));
  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(10);
  expect((await all(scan, 1000)).length).toBe(50 - first.length);
  scan.close();
});

test('compacting nowhere takes the rows out of the log', async () => {
  const store = await open();
  await put(store, { a: 'x'.repeat(5000) });
  const logs = (): number[] =>
    readdirSync(`${dir}/db`)
      .filter((name) => name.endsWith('.log'))
      .map((name) => statSync(`${dir}/db/${name}`).size);
  expect(Math.max(...logs())).toBeGreaterThan(1000);
  await wait((cb) => store.compactRange(Buffer.from([255]), Buffer.from([255, 255]), cb));
  expect(Math.max(...logs())).toBe(0);
  expect(store.getSync(b('a'))?.length).toBe(5000);
});

test('a store that is open is locked, in this process and for others', async () => {
  const store = await open();
  expect(await code(open())).toBe('ERR_LOCKED');
  await close(store);

  const script = `
    const { ClassicLevel } = require('classic-level');
    new ClassicLevel(${JSON.stringify(`${dir}/db`)}).open().then(() => process.stdout.write('open'));
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['-e', script], { cwd: process.cwd() });
  try {
    await new Promise((resolve) => other.stdout.once('data', resolve));
    const err = (await open().catch((e: unknown) => e)) as IoError;
    expect(err.code).toBe('ERR_LOCKED');
    expect(err.message).toMatch(/another process has it open/);
  } finally {
    const gone = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await gone;
  }
  await open();
});

test('errors have the code of what happened', async () => {
  writeFileSync(`${dir}/file`, '');
  expect(await code(open(`${dir}/file`))).toMatch(/^E(EXIST|NOTDIR)$/);
  const store = await open();
  await put(store, { a: '1' });
  await close(store);
  const manifest = readdirSync(`${dir}/db`).find((name) => name.startsWith('MANIFEST'))!;
  const bytes = readFileSync(`${dir}/db/${manifest}`);
  bytes.fill(0x55);
  writeFileSync(`${dir}/db/${manifest}`, bytes);
  expect(await code(open())).toBe('ERR_CORRUPT');
  mkdirSync(`${dir}/db2`);
  writeFileSync(`${dir}/db2/CURRENT`, 'MANIFEST-000077\n');
  expect(await code(open(`${dir}/db2`))).toMatch(/^(ENOENT|ERR_CORRUPT)$/);
  expect(existsSync(`${dir}/db2/CURRENT`)).toBe(true);
});

test('a range is compacted in pieces, and what was deleted in it gives its space back', async () => {
  const small = new LevelStores({ writeBufferSize: 1 << 20, maxFileSize: 1 << 20, compactBytesMax: 500_000 });
  const store = await wait<KvStore>((cb) => small.open(`${dir}/db`, { create: true }, cb));
  opened.push(store);
  const size = (): number =>
    readdirSync(`${dir}/db`).reduce((sum, name) => sum + statSync(`${dir}/db/${name}`).size, 0);
  const key = (i: number): Buffer => b(`k${String(i).padStart(6, '0')}`);
  for (const fill of [true, false]) {
    const batch = store.newBatch();
    for (let i = 0; i < 20_000; i++) {
      // Not to be compressed away.
      if (fill)
        batch.put(
          key(i),
          Buffer.from(Array.from({ length: 200 }, (_, n) => (i * 131 + n * n * 7 + (i >> (n % 9))) & 255)),
        );
      else if (i % 10 > 0) batch.del(key(i));
    }
    await wait((cb) => batch.write({ sync: true }, cb));
  }
  await wait((cb) => store.compactRange(Buffer.from([255]), Buffer.from([255, 255]), cb));
  const before = size();
  await wait((cb) => store.compactRange(key(0), key(99_999), cb));
  expect(before).toBeGreaterThan(1_500_000);
  expect(size()).toBeLessThan(before / 3);
  expect(store.getSync(key(10))?.length).toBe(200);
  expect(store.getSync(key(11))).toBeUndefined();
});

test('close stops a compaction between two pieces', async () => {
  const small = new LevelStores({ writeBufferSize: 1 << 20, maxFileSize: 1 << 20, compactBytesMax: 1 });
  const store = await wait<KvStore>((cb) => small.open(`${dir}/db`, { create: true }, cb));
  const rows: Record<string, string> = {};
  for (let i = 0; i < 3000; i++) rows[`k${100_000 + i}`] = `${i}`.repeat(100);
  await put(store, rows);
  await wait((cb) => store.compactRange(Buffer.from([255]), Buffer.from([255, 255]), cb));
  const compacted = code(wait((cb) => store.compactRange(b('k'), b('l'), cb)));
  await wait((cb) => store.close(cb));
  expect(await compacted).toBe('ERR_CLOSED');
});
