import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StoredBackend } from '../../../src/storage/backend/index.js';
import { Bucket, openBackend } from '../../../src/storage/backend/index.js';
import type { Env } from '../../../src/util/env.js';
import { done, realEnv, tempDir } from '../support/real-env.js';

const b = (text: string): Buffer => Buffer.from(text);
const open = (env: Env, dir: string): Promise<StoredBackend> =>
  done((cb) => openBackend(env, dir, { flushMs: 1e6 }, cb));
const flush = (backend: StoredBackend): Promise<void> => done((cb) => backend.flush(cb));

test('damage anywhere in the log of a real LevelDB is noticed, or leaves the state at an earlier index', async () => {
  const temp = tempDir();
  const env = realEnv();
  const backend = await open(env, `${temp.dir}/keel`);
  // Each flush says in every row which it was; together they cross several of the log's 32 KiB blocks.
  const FLUSHES = 30;
  for (let i = 1; i <= FLUSHES; i++) {
    for (const key of ['a', 'b', 'c']) backend.put(Bucket.key, b(key), Buffer.alloc(2000, String.fromCharCode(64 + i)));
    backend.put(Bucket.key, b(`row${i}`), b(`${i}`), true);
    backend.setApplied(i, 1);
    await flush(backend);
  }
  // What a power cut would leave, taken while the store is open.
  cpSync(`${temp.dir}/keel`, `${temp.dir}/image`, { recursive: true });
  await done((cb) => backend.close(cb));
  const log = readdirSync(`${temp.dir}/image/db-1`).filter((name) => name.endsWith('.log'));
  expect(log.length).toBe(1);
  const whole = readFileSync(`${temp.dir}/image/db-1/${log[0]}`);
  expect(whole.length).toBeGreaterThan(150_000);

  const outcomes = new Map<string, number>();
  for (let i = 0; i < 24; i++) {
    const dir = `${temp.dir}/damaged${i}`;
    cpSync(`${temp.dir}/image`, dir, { recursive: true });
    const path = `${dir}/db-1/${log[0]}`;
    const at = Math.floor((whole.length * (i + 0.3)) / 24);
    if (i % 3 === 2) {
      writeFileSync(path, whole.subarray(0, at));
    } else {
      const damaged = Buffer.from(whole);
      if (i % 3 === 0) damaged[at]! ^= 0x10;
      else damaged.fill(0, at, at + 4096);
      writeFileSync(path, damaged);
    }
    let outcome: string;
    try {
      const found = await open(env, dir);
      const index = found.appliedIndex;
      outcome = index === FLUSHES ? 'whole' : 'earlier';
      for (const key of ['a', 'b', 'c']) {
        expect(found.get(Bucket.key, b(key))?.[0]).toBe(index === 0 ? undefined : 64 + index);
      }
      for (let r = 1; r <= FLUSHES; r++) {
        expect(found.get(Bucket.key, b(`row${r}`))?.toString()).toBe(r <= index ? `${r}` : undefined);
      }
      await done((cb) => found.close(cb));
    } catch (err) {
      outcome = (err as { code?: string }).code ?? String(err);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // LevelDB itself never complains about its log.
  expect([...outcomes.keys()].filter((o) => !['earlier', 'ERR_HOLE', 'whole'].includes(o))).toEqual([]);
  expect(outcomes.get('ERR_HOLE')).toBeGreaterThan(3);
  expect(outcomes.get('earlier')).toBeGreaterThan(3);
  temp.remove();
});

test('a folder that is in use is refused', async () => {
  const temp = tempDir();
  const env = realEnv();
  const backend = await open(env, `${temp.dir}/keel`);
  await expect(open(env, `${temp.dir}/keel`)).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  await done((cb) => backend.close(cb));
  await done((cb) => open(env, `${temp.dir}/keel`).then((again) => again.close(cb)));
  temp.remove();
});

test('rows per second, for the eye', async () => {
  const temp = tempDir();
  const env = realEnv();
  const backend = await done<StoredBackend>((cb) => openBackend(env, `${temp.dir}/keel`, {}, cb));
  const N = 60_000;
  const value = Buffer.alloc(256, 1);
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < N; i++) {
    const key = Buffer.allocUnsafe(17);
    key.writeUInt32BE(0, 0);
    key.writeUInt32BE(i + 1, 4);
    key[8] = 0x5f;
    key.fill(0, 9);
    backend.put(Bucket.key, key, value, true);
    backend.setApplied(i + 1, 1);
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    while (backend.full) await new Promise((resolve) => setImmediate(resolve));
  }
  const applied = performance.now() - start;
  await flush(backend);
  const flushed = performance.now() - start;
  clearInterval(timer);
  const used = process.cpuUsage(cpu);
  const cursor = backend.scan(Bucket.key, Buffer.alloc(1), Buffer.alloc(20, 255));
  const scanStart = performance.now();
  let rows = 0;
  for (;;) {
    const some = await done<unknown[]>((cb) => cursor.next(1000, cb));
    if (some.length === 0) break;
    rows += some.length;
  }
  cursor.close();
  const scanned = performance.now() - scanStart;
  expect(rows).toBe(N);
  console.log(
    `backend: ${N} rows of 256 B applied in ${applied.toFixed(0)} ms, flushed in ${flushed.toFixed(0)} ms ` +
      `(${((used.user + used.system) / N).toFixed(1)} CPU-us a row, all threads), ` +
      `scanned in ${scanned.toFixed(0)} ms (${((scanned * 1000) / N).toFixed(1)} us a row); longest turn ${worst.toFixed(0)} ms`,
  );
  await done((cb) => backend.close(cb));
  temp.remove();
});
