import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IoError, KvRow, KvScan, KvStore, KvStores } from '../../src/util/env.js';

export const b = (text: string): Buffer => Buffer.from(text);
export const EVERYTHING = { gte: b(''), lt: Buffer.from([255]) };

/** Waits for a callback, which must not come before the call has returned. */
export function wait<T>(call: (cb: (err: Error | null, value?: T | null) => void) => void): Promise<T> {
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

export async function put(store: KvStore, rows: Record<string, string>, sync = true): Promise<void> {
  const batch = store.newBatch();
  for (const [key, value] of Object.entries(rows)) batch.put(b(key), b(value));
  await wait((cb) => batch.write({ sync }, cb));
}

export async function all(scan: KvScan, n = 2): Promise<string[]> {
  const out: string[] = [];
  for (;;) {
    const rows = await wait<KvRow[]>((cb) => scan.next(n, cb));
    if (rows.length === 0) break;
    expect(rows.length).toBeLessThanOrEqual(n);
    out.push(...rows.map(([k, v]) => `${k}=${v}`));
  }
  return out;
}

export async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (err: IoError) => err.code,
  );
}

/** What every kind of KvStores does. */
export function storeSuite(name: string, fixture: () => { stores: KvStores; dir: string; end: () => void }): void {
  describe(name, () => {
    let stores: KvStores;
    let dir: string;
    let end: () => void;
    let opened: KvStore[];
    beforeEach(() => {
      ({ stores, dir, end } = fixture());
      opened = [];
    });
    afterEach(async () => {
      for (const store of opened) await close(store);
      end();
    });

    async function open(create = true): Promise<KvStore> {
      const store = await wait<KvStore>((cb) => stores.open(`${dir}/db`, { create }, cb));
      opened.push(store);
      return store;
    }

    async function close(store: KvStore): Promise<void> {
      opened = opened.filter((s) => s !== store);
      await wait((cb) => store.close(cb));
    }

    test('rows are read back: getSync, getMany, scan', async () => {
      const store = await open();
      await put(store, { a: '1', b: '2', c: '3', d: '' });
      expect(store.getSync(b('b'))?.toString()).toBe('2');
      expect(store.getSync(b('d'))?.length).toBe(0);
      expect(store.getSync(b('x'))).toBeUndefined();
      const many = await wait<(Buffer | undefined)[]>((cb) => store.getMany([b('c'), b('x'), b('a')], cb));
      expect(many.map((v) => v?.toString())).toEqual(['3', undefined, '1']);
      const scan = store.scan({ gte: b('a'), lt: b('c') });
      expect(await all(scan, 1)).toEqual(['a=1', 'b=2']);
      scan.close();
      scan.close();
    });

    test('keys are in byte order', async () => {
      const store = await open();
      const batch = store.newBatch();
      const keys = ['ff', '00', '7f', '80', '8000', '6161', '61', 'c3a4', '0000'].map((hex) => Buffer.from(hex, 'hex'));
      for (const key of keys) batch.put(key, key);
      await wait((cb) => batch.write({ sync: false }, cb));
      const scan = store.scan({ gte: b(''), lt: Buffer.from([255, 255]) });
      const rows = await wait<KvRow[]>((cb) => scan.next(100, cb));
      scan.close();
      expect(rows.map(([k]) => k.toString('hex'))).toEqual(keys.map((k) => k.toString('hex')).sort());
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

    test('batches take effect in the order of their writes', async () => {
      const store = await open();
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        const batch = store.newBatch();
        batch.put(b('a'), b(`${i}`));
        batch.put(b(`row${i}`), b(''));
        if (i > 0) batch.del(b(`row${i - 1}`));
        writes.push(wait((cb) => batch.write({ sync: i % 5 === 0 }, cb)));
      }
      await Promise.all(writes);
      const scan = store.scan(EVERYTHING);
      expect(await all(scan)).toEqual(['a=19', 'row19=']);
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

    test('what is written is there after close and open; a missing store is not made without being told to', async () => {
      expect(await code(open(false))).toBe('ERR_MISSING');
      const store = await open();
      await put(store, { a: '1' }, false);
      await close(store);
      const again = await open(false);
      expect(again.getSync(b('a'))?.toString()).toBe('1');
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
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(closed).toBe(false);
      expect(await all(scan)).toEqual(['a=1', 'b=2']);
      scan.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(closed).toBe(false);
      snapshot.close();
      await closing;
      expect(await code((async () => store.getSync(b('a')))())).toBe('ERR_CLOSED');
    });

    test('close waits for a write and a read under way', async () => {
      const store = await open();
      opened = [];
      const batch = store.newBatch();
      for (let i = 0; i < 1000; i++) batch.put(b(`k${i}`), Buffer.alloc(500));
      const written = wait((cb) => batch.write({ sync: true }, cb));
      const read = wait((cb) => store.getMany([b('k1')], cb as never));
      const closed = wait((cb) => store.close(cb));
      await Promise.all([written, read]);
      await closed;
      const again = await open(false);
      expect(again.getSync(b('k999'))?.length).toBe(500);
    });

    test('a store that is open is locked', async () => {
      const store = await open();
      expect(await code(open())).toBe('ERR_LOCKED');
      await close(store);
      await open();
    });

    test('compacting changes no rows', async () => {
      const store = await open();
      await put(store, { a: '1', b: '2' });
      await wait((cb) => store.compactRange(b('a'), b('z'), cb));
      await wait((cb) => store.compactRange(Buffer.from([255]), Buffer.from([255, 255]), cb));
      const scan = store.scan(EVERYTHING);
      expect(await all(scan)).toEqual(['a=1', 'b=2']);
      scan.close();
    });
  });
}
