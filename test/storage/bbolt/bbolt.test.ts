import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKET_NAMES, Bucket } from '../../../src/storage/backend/index.js';
import { metaPage, parseMeta } from '../../../src/storage/bbolt/format.js';
import { BboltError, BboltExport } from '../../../src/storage/bbolt/index.js';
import { checkAsync } from '../../support/fc.js';
import type { Row } from './support.js';
import { backendOf, digest, readAll, readerOf, sorted, timers, write } from './support.js';

const NAMES = BUCKET_NAMES.slice(1);

/** Rows without two of one key, values of every size class that a page meets. */
const rowsArb = fc
  .array(
    fc.tuple(
      fc.constantFrom(...NAMES),
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.oneof(fc.nat(40), fc.nat(40), fc.nat(5000), fc.constantFrom(4096 - 48, 4063, 4064, 20_000)),
    ),
    { maxLength: 120 },
  )
  .map((list) => {
    const rows = new Map<string, Row>();
    for (const [bucket, key, size] of list) {
      // A key of etcd's does not begin with the bytes that end every scan.
      const k = Buffer.from(key[0] === 0xff ? [0xfe, ...key] : key);
      rows.set(`${bucket}/${k.toString('hex')}`, [bucket, k, Buffer.alloc(size, k[0]!)]);
    }
    return [...rows.values()];
  });

describe('a bbolt file', () => {
  it('has the rows that were written, whatever their number and size', async () => {
    await checkAsync(
      fc.asyncProperty(rowsArb, async (rows) => {
        const file = await write(rows);
        expect(file.length % 4096).toBe(0);
        expect(readAll(file)).toEqual(sorted(rows));
      }),
      { runs: 40 },
    );
  });

  it('has branches of branches: 20,000 rows, and long keys', async () => {
    const rows: Row[] = [];
    for (let i = 0; i < 20_000; i++) {
      const key = Buffer.alloc(17);
      key.writeUInt32BE(i, 4);
      key[8] = 0x5f;
      rows.push(['key', key, Buffer.from(`value ${i}`)]);
    }
    for (let i = 0; i < 200; i++)
      rows.push(['authUsers', Buffer.from(`${String(i).padStart(3, '0')}${'u'.repeat(9000)}`), Buffer.alloc(1)]);
    const file = await write(rows);
    expect(digest(readAll(file))).toBe(digest(sorted(rows)));
    expect(readerOf(file).size).toBe(file.length);
  });

  it('has all ten buckets when there is nothing in them', async () => {
    const file = await write([]);
    expect(
      readerOf(file)
        .buckets()
        .map((b) => b.name),
    ).toEqual([...NAMES].sort());
    expect(readAll(file)).toEqual([]);
    expect(file.length).toBe(3 * 4096);
  });

  it('has edits in place of rows, between them and behind them', async () => {
    const rows: Row[] = ['b', 'd', 'f'].map((k) => ['meta', Buffer.from(k), Buffer.from('old')]);
    const edit = (key: string, value: string | null) => ({
      bucket: Bucket.meta,
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    });
    const edits = [edit('z', '1'), edit('d', 'new'), edit('a', '1'), edit('f', null), edit('q', null), edit('c', '2')];
    const found = readAll(await write(rows, edits)).map(([, k, v]) => `${k}=${v}`);
    expect(found).toEqual(['a=1', 'b=old', 'c=2', 'd=new', 'z=1']);
  });

  it('is written in slices between which the loop breathes', async () => {
    const rows: Row[] = [];
    for (let i = 0; i < 400; i++) rows.push(['key', Buffer.from(String(i).padStart(17, '0')), Buffer.alloc(20_000, i)]);
    const backend = await backendOf(rows);
    const file = await new Promise<BboltExport>((resolve) =>
      backend.pin((_, pin) => resolve(new BboltExport(pin!, timers))),
    );
    await new Promise((resolve) => file.measure(resolve));
    let largest = 0;
    let slices = 0;
    for (;;) {
      const pages = await new Promise<Buffer[] | null>((resolve) => file.next((_, got) => resolve(got)));
      if (pages === null) break;
      slices++;
      largest = Math.max(
        largest,
        pages.reduce((sum, page) => sum + page.length, 0),
      );
    }
    expect(slices).toBeGreaterThan(15);
    expect(largest).toBeLessThan(1 << 20);
  });

  it('gives up its pin when it is closed, and says so to who still asks', async () => {
    const backend = await backendOf([['key', Buffer.from('k'), Buffer.from('v')]]);
    const file = await new Promise<BboltExport>((resolve) =>
      backend.pin((_, pin) => resolve(new BboltExport(pin!, timers))),
    );
    await new Promise((resolve) => file.measure(resolve));
    file.close();
    file.close();
    const err = await new Promise((resolve) => file.next(resolve));
    expect((err as BboltError).code).toBe('ERR_CLOSED');
  });
});

describe('a freelist that is stored', () => {
  /** A file with pages behind its end: a freelist, and the free pages that it names. */
  const withFreelist = (file: Buffer, ids: readonly number[], count = ids.length): Buffer => {
    const pages = file.length / 4096;
    const list = Buffer.alloc(4096);
    list.writeBigUInt64LE(BigInt(pages), 0);
    list.writeUInt16LE(0x10, 8);
    list.writeUInt16LE(count, 10);
    let at = 16;
    if (count === 0xffff) at = 16 + list.writeBigUInt64LE(BigInt(ids.length), at) - 16;
    for (const id of ids) at = list.writeBigUInt64LE(BigInt(id), at);
    const meta = parseMeta(file.subarray(4096));
    const newer = { ...meta, freelist: BigInt(pages), highWater: pages + 3, txid: meta.txid + 1n };
    return Buffer.concat([metaPage(0, newer), file.subarray(4096), list, Buffer.alloc(2 * 4096)]);
  };

  it('is taken in both forms, and refused where it contradicts the trees', async () => {
    const rows: Row[] = [['key', Buffer.alloc(17, 1), Buffer.alloc(3000)]];
    const file = await write(rows);
    const pages = file.length / 4096;
    const free = [pages + 1, pages + 2];
    expect(readAll(withFreelist(file, free))).toEqual(rows);
    expect(readAll(withFreelist(file, free, 0xffff))).toEqual(rows);
    expect(readAll(withFreelist(file, []))).toEqual(rows);
    expect(() => readAll(withFreelist(file, [2]))).toThrow('free, and in use');
    expect(() => readAll(withFreelist(file, [pages + 1, pages + 1]))).toThrow('free twice');
    expect(() => readAll(withFreelist(file, [pages + 3]))).toThrow('out of bounds');
    expect(() => readAll(withFreelist(file, free, 600))).toThrow('the freelist is cut');
  });
});

describe('a bbolt file that is not as it was written', () => {
  const MASKS = [0x01, 0x80, 0xff, 0x10];
  const rows: Row[] = [];
  for (let i = 1; i < 70; i++)
    rows.push(['key', Buffer.from(String(i).padStart(17, '0')), Buffer.alloc(i === 7 ? 5000 : 40, i)]);
  rows.push(
    ['meta', Buffer.from('consistent_index'), Buffer.alloc(8)],
    ['members', Buffer.from('8e9e'), Buffer.from('{}')],
  );

  const outcome = (bytes: Buffer): string => {
    try {
      return digest(readAll(bytes));
    } catch (err) {
      if (err instanceof BboltError) return err.code;
      throw err;
    }
  };

  it('is refused or read, and never trusted, when any byte is another', async () => {
    const good = await write(rows);
    const whole = outcome(good);
    let refused = 0;
    const bad = Buffer.from(good);
    for (let at = 0; at < good.length; at++) {
      // All of the structures; of padding and of the long value a sample.
      if (good[at] === good[at - 1] && at % 61 !== 0) continue;
      const old = good[at]!;
      bad[at] = old ^ MASKS[at % MASKS.length]!;
      const got = outcome(bad);
      bad[at] = old;
      if (got.startsWith('ERR_')) refused++;
      else if (at < 2 * 4096) expect(got).toBe(whole);
    }
    expect(refused).toBeGreaterThan(500);
  });

  it('is refused when it is cut anywhere', async () => {
    const good = await write(rows);
    for (let length = 0; length < good.length; length += 509)
      expect(outcome(good.subarray(0, length))).toMatch(/^ERR_/);
  });

  it('is read by its other meta when one is damaged, and refused when both are', async () => {
    const good = await write(rows);
    for (const meta of [0, 1]) {
      const bad = Buffer.from(good);
      bad.fill(0x55, meta * 4096, (meta + 1) * 4096);
      expect(outcome(bad)).toBe(outcome(good));
    }
    const bad = Buffer.from(good);
    bad.fill(0x55, 0, 2 * 4096);
    expect(() => readerOf(bad)).toThrow('invalid database');
  });

  it('is refused in bounded time when pages lead in a circle', async () => {
    const many: Row[] = [];
    for (let i = 0; i < 2000; i++) many.push(['key', Buffer.from(String(i).padStart(17, '0')), Buffer.alloc(50)]);
    const bad = await write(many);
    for (let id = 2; id < bad.length / 4096; id++) {
      const page = bad.subarray(id * 4096, (id + 1) * 4096);
      // The last child of each branch is the branch itself.
      if (page.readUInt16LE(8) === 0x01) page.writeBigUInt64LE(BigInt(id), 16 * page.readUInt16LE(10) + 8);
    }
    expect(() => readAll(bad)).toThrow('multiple references');
  });

  it('is refused when it is something else', () => {
    expect(outcome(Buffer.alloc(0))).toBe('ERR_FORMAT');
    expect(outcome(Buffer.alloc(100_000, 0x61))).toBe('ERR_FORMAT');
  });
});
