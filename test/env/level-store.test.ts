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
import type { IoError, KvRow, KvScan, KvStore } from '../../src/util/env.js';

const b = (text: string): Buffer => Buffer.from(text);
const stores = new LevelStores({ writeBufferSize: 1 << 20, cacheSize: 1 << 20, scanBytesMax: 1000 });

let dir: string;
let opened: KvStore[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-level-'));
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await wait((cb) => store.close(cb)).catch(() => {});
  rmSync(dir, { recursive: true, force: true });
});

function wait<T>(call: (cb: (err: Error | null, value?: T | null) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let returned = false;
    call((err, value) => {
      if (!returned) reject(new Error('called back before the call returned'));
      else if (err === null) resolve(value as T);
      else reject(err);
    });
    returned = true;
  });
}

async function open(path = `${dir}/db`, create = true): Promise<KvStore> {
  const store = await wait<KvStore>((cb) => stores.open(path, { create }, cb));
  opened.push(store);
  return store;
}

async function close(store: KvStore): Promise<void> {
  opened = opened.filter((s) => s !== store);
  await wait((cb) => store.close(cb));
}

async function put(store: KvStore, rows: Record<string, string>, sync = true): Promise<void> {
  const batch = store.newBatch();
  for (const [key, value] of Object.entries(rows)) batch.put(b(key), b(value));
  await wait((cb) => batch.write({ sync }, cb));
}

async function all(scan: KvScan, n = 2): Promise<string[]> {
  const out: string[] = [];
  for (;;) {
    const rows = await wait<KvRow[]>((cb) => scan.next(n, cb));
    if (rows.length === 0) break;
    expect(rows.length).toBeLessThanOrEqual(n);
    out.push(...rows.map(([k, v]) => `${k}=${v}`));
  }
  return out;
}

const EVERYTHING = { gte: b(''), lt: Buffer.from([255]) };

async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (err: IoError) => err.code,
  );
}

test('rows are read back: getSync, getMany, scan', async () => {
  const store = await open();
  await put(store, { a: '1', b: '2', c: '3' });
  expect(store.getSync(b('b'))?.toString()).toBe('2');
  expect(store.getSync(b('x'))).toBeUndefined();
  const many = await wait<(Buffer | undefined)[]>((cb) => store.getMany([b('c'), b('x'), b('a')], cb));
  expect(many.map((v) => v?.toString())).toEqual(['3', undefined, '1']);
  const scan = store.scan({ gte: b('a'), lt: b('c') });
  expect(await all(scan, 1)).toEqual(['a=1', 'b=2']);
  scan.close();
  scan.close();
});

test('a batch is filled over many turns, copies what it is given, and is seen only when written', async () => {
  const store = await open();
  const batch = store.newBatch();
  const key = b('a');
  batch.put(key, b('1'));
  key[0] = 0x62;
  await new Promise((resolve) => setImmediate(resolve));
  batch.put(key, b('2'));
  batch.put(b('gone'), b('x'));
  batch.del(b('gone'));
  expect(store.getSync(b('a'))).toBeUndefined();
  await wait((cb) => batch.write({ sync: false }, cb));
  const scan = store.scan(EVERYTHING);
  expect(await all(scan)).toEqual(['a=1', 'b=2']);
  scan.close();
});

test('getMany, scans and snapshots see the moment they were made', async () => {
  const store = await open();
  await put(store, { a: '1', b: '1', c: '1' });
  const scan = store.scan(EVERYTHING);
  const snapshot = store.snapshot();
  const many = wait<(Buffer | undefined)[]>((cb) => store.getMany([b('a')], cb));
  await put(store, { a: '2', d: '2' });
  expect((await many).map(String)).toEqual(['1']);
  expect(await all(scan)).toEqual(['a=1', 'b=1', 'c=1']);
  scan.close();
  const pinned = snapshot.scan({ gte: b('a'), lt: b('b') });
  expect(await all(pinned)).toEqual(['a=1']);
  pinned.close();
  snapshot.close();
  expect(store.getSync(b('a'))?.toString()).toBe('2');
});

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

test('what is written is there after close and open; a missing store is not made without being told to', async () => {
  const store = await open();
  await put(store, { a: '1' }, false);
  await close(store);
  const again = await open(`${dir}/db`, false);
  expect(again.getSync(b('a'))?.toString()).toBe('1');
  expect(await code(open(`${dir}/none`, false))).toBe('ERR_MISSING');
});

test('close waits for open scans and snapshots, and refuses what comes later', async () => {
  const store = await open();
  await put(store, { a: '1', b: '2' });
  const scan = store.scan(EVERYTHING);
  const snapshot = store.snapshot();
  let closed = false;
  opened = [];
  const closing = wait((cb) => store.close(cb)).then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(closed).toBe(false);
  expect(await all(scan)).toEqual(['a=1', 'b=2']);
  scan.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(closed).toBe(false);
  snapshot.close();
  await closing;
  expect(await code((async () => store.getSync(b('a')))())).toBe('ERR_CLOSED');
});

test('close waits for a write under way', async () => {
  const store = await open();
  opened = [];
  const batch = store.newBatch();
  for (let i = 0; i < 1000; i++) batch.put(b(`k${i}`), Buffer.alloc(500));
  const written = wait((cb) => batch.write({ sync: true }, cb));
  const closed = wait((cb) => store.close(cb));
  await written;
  await closed;
  const again = await open(`${dir}/db`, false);
  expect(again.getSync(b('k999'))?.length).toBe(500);
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
