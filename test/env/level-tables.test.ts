import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LevelStores } from '../../src/env/level-store.js';
import { verifyTables } from '../../src/env/level-tables.js';
import { unsnappy } from '../../src/env/snappy.js';
import type { KvStore } from '../../src/util/env.js';
import { Rng } from '../../src/util/rng.js';

const ROWS = 4000;
const base = mkdtempSync(join(tmpdir(), 'keel-tables-'));
const whole = join(base, 'whole');
const key = (n: number): Buffer => Buffer.from(`key ${String(n).padStart(8, '0')}`);
let copies = 0;

function open(dir: string): Promise<KvStore> {
  return new Promise((resolve, reject) => {
    new LevelStores({ writeBufferSize: 64 << 10, blockSize: 1 << 10, maxFileSize: 64 << 10 }).open(
      dir,
      { create: true },
      (err, store) => (err === null ? resolve(store as KvStore) : reject(err)),
    );
  });
}

const close = (store: KvStore): Promise<void> => new Promise((resolve) => store.close(() => resolve()));

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'sound',
    (err: { code?: string }) => err.code ?? String(err),
  );
}

function copy(): string {
  const dir = join(base, `copy-${++copies}`);
  cpSync(whole, dir, { recursive: true });
  return dir;
}

const tablesOf = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.ldb'));

beforeAll(async () => {
  const store = await open(whole);
  for (let n = 0; n < ROWS; n += 100) {
    const batch = store.newBatch();
    for (let i = n; i < n + 100; i++) batch.put(key(i), Buffer.from(`value ${i} `.repeat(8)));
    await new Promise<void>((resolve) => batch.write({ sync: false }, () => resolve()));
  }
  // Compaction leaves files of several levels, and a MANIFEST with deletions.
  await new Promise<void>((resolve) => store.compactRange(key(0), key(ROWS / 2), () => resolve()));
  await close(store);
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('tables of a LevelDB store', () => {
  test('as LevelDB wrote them are sound, and remain so over starts', async () => {
    expect(tablesOf(whole).length).toBeGreaterThan(1);
    const dir = copy();
    for (let i = 0; i < 3; i++) {
      await verifyTables(dir);
      const store = await open(dir);
      expect(store.getSync(key(ROWS - 1))?.toString()).toMatch(/^value 3999 /);
      await close(store);
    }
  });

  test('with any one bit flipped are refused: LevelDB itself would serve some, and end the process over others', async () => {
    const rng = new Rng(1);
    const seen = { refused: 0, harmless: 0 };
    for (let i = 0; i < 300; i++) {
      const dir = copy();
      const path = join(dir, rng.pick(tablesOf(dir)));
      const bytes = readFileSync(path);
      // Every other one near the end, where index and footer are.
      const at = i % 2 ? rng.below(bytes.length) : bytes.length - 1 - rng.below(600);
      bytes[at]! ^= 1 << rng.below(8);
      writeFileSync(path, bytes);
      const code = await codeOf(verifyTables(dir));
      const padding = at >= bytes.length - 48 && at < bytes.length - 8;
      if (code === 'ERR_CORRUPT') seen.refused++;
      else {
        expect(code).toBe('sound');
        expect(padding, `byte ${at} of ${bytes.length}: only the footer has bytes that mean nothing`).toBe(true);
        seen.harmless++;
      }
      if (i % 10 === 0 && code !== 'sound') expect(await codeOf(open(dir)), 'nor is it opened').toBe('ERR_CORRUPT');
      rmSync(dir, { recursive: true });
    }
    expect(seen.refused).toBeGreaterThan(270);
  });

  test('that are cut, gone, or of a damaged MANIFEST are refused', async () => {
    const cut = copy();
    truncateSync(join(cut, tablesOf(cut)[0]!), 3000);
    expect(await codeOf(verifyTables(cut))).toBe('ERR_CORRUPT');
    const gone = copy();
    unlinkSync(join(gone, tablesOf(gone)[0]!));
    expect(await codeOf(verifyTables(gone))).toBe('ERR_CORRUPT');
    const manifest = copy();
    const name = readFileSync(join(manifest, 'CURRENT'), 'latin1').trim();
    const bytes = readFileSync(join(manifest, name));
    bytes[20]! ^= 4;
    writeFileSync(join(manifest, name), bytes);
    expect(await codeOf(verifyTables(manifest))).toBe('ERR_CORRUPT');
    // Cut to nothing it may look unfinished; then LevelDB has the say.
    writeFileSync(join(manifest, name), Buffer.alloc(200, 7));
    expect(await codeOf(open(manifest))).toBe('ERR_CORRUPT');
  });

  test('that a crash left unfinished, and that nothing refers to, are nobody’s business', async () => {
    const dir = copy();
    writeFileSync(join(dir, '999999.ldb'), Buffer.alloc(5000, 1));
    copyFileSync(join(dir, tablesOf(dir)[0]!), join(dir, '999998.ldb'));
    truncateSync(join(dir, '999998.ldb'), 100);
    expect(await codeOf(verifyTables(dir))).toBe('sound');
  });

  test('do not exist in a folder that is new or has lost its CURRENT: LevelDB decides', async () => {
    expect(await codeOf(verifyTables(join(base, 'nowhere')))).toBe('sound');
  });
});

describe('snappy', () => {
  test('literals, copies, and a copy that reaches into itself', () => {
    // "abcd", then 8 bytes from 4 back, then 5 from 1 back
    const input = Buffer.from([17, 3 << 2, 0x61, 0x62, 0x63, 0x64, (4 << 2) | 1, 4, (4 << 2) | 2, 1, 0]);
    expect(unsnappy(input)?.toString()).toBe('abcdabcdabcdddddd');
  });

  test('what is not snappy is refused, whatever it is', () => {
    const rng = new Rng(2);
    for (let i = 0; i < 3000; i++) {
      const input = Buffer.from(Array.from({ length: rng.below(40) }, () => rng.below(256)));
      const out = unsnappy(input);
      expect(out === null || out.length <= 64 * input.length).toBe(true);
    }
    expect(unsnappy(Buffer.from([4, 1 << 2, 0x61]))).toBeNull();
    expect(unsnappy(Buffer.from([4, 0x61 << 2]))).toBeNull();
  });
});
