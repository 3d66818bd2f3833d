import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend, BackendCursor } from '../../../src/storage/backend/index.js';
import { Bucket } from '../../../src/storage/backend/index.js';
import { done } from '../support/real-env.js';

/** How a kind of backend is made. One fixture a test. */
export interface Fixture {
  open(): Promise<Backend>;
  /** What is found after a crash (nothing is closed before). */
  crash(backend: Backend): Promise<Backend>;
  /** Removes what open left behind. */
  end(): Promise<void>;
}

const b = (text: string): Buffer => Buffer.from(text, 'latin1');
const ALL = [b('\x00'), b('\xff\xff')] as const;

export async function rows(cursor: BackendCursor, n = 3): Promise<[string, string][]> {
  const out: [string, string][] = [];
  for (;;) {
    const some = await done<(readonly [Buffer, Buffer])[]>((cb) => cursor.next(n, cb));
    if (some.length === 0) break;
    for (const [key, value] of some) out.push([key.toString('latin1'), value.toString('latin1')]);
  }
  cursor.close();
  return out;
}

export const flush = (backend: Backend): Promise<void> => done((cb) => backend.flush(cb));

/** Every kind of backend passes this. */
export function backendSuite(name: string, fixture: () => Fixture): void {
  describe(name, () => {
    let f: Fixture;
    let backend: Backend;
    let index = 0;
    beforeEach(async () => {
      f = fixture();
      index = 0;
      backend = await f.open();
    });
    afterEach(async () => {
      await done((cb) => backend.close(cb));
      await f.end();
    });

    /** One apply. */
    const apply = (change: () => void): void => {
      change();
      backend.setApplied(++index, 1);
    };

    test('a new backend is empty and has the size of an empty etcd database', async () => {
      expect(backend.appliedIndex).toBe(0);
      expect(backend.flushedIndex).toBe(0);
      expect(backend.rowCount).toBe(0);
      expect(backend.sizeInUse).toBe(20480);
      expect(backend.size).toBe(20480);
      expect(backend.confState).toBeUndefined();
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([]);
    });

    test('a row is readable at once, while it is flushed, and from the store', async () => {
      apply(() => backend.put(Bucket.key, b('a'), b('1')));
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
      expect(backend.peek(Bucket.key, b('a'))).toEqual(b('1'));
      const flushed = flush(backend);
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
      apply(() => backend.put(Bucket.key, b('b'), b('2')));
      expect(backend.get(Bucket.key, b('b'))).toEqual(b('2'));
      await flushed;
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
      expect(backend.get(Bucket.key, b('b'))).toEqual(b('2'));
      expect(backend.get(Bucket.key, b('c'))).toBeUndefined();
      expect(backend.get(Bucket.lease, b('a'))).toBeUndefined();
    });

    test('an empty value is a value', async () => {
      apply(() => backend.put(Bucket.alarm, b('a'), b('')));
      await flush(backend);
      expect(backend.get(Bucket.alarm, b('a'))).toEqual(b(''));
    });

    test('deletion hides a row of the overlay, of the flush under way and of the store', async () => {
      apply(() => {
        backend.put(Bucket.key, b('a'), b('1'));
        backend.put(Bucket.key, b('b'), b('2'));
      });
      await flush(backend);
      apply(() => backend.del(Bucket.key, b('a')));
      expect(backend.get(Bucket.key, b('a'))).toBeUndefined();
      expect(backend.peek(Bucket.key, b('a'))).toBeNull();
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([['b', '2']]);
      const flushed = flush(backend);
      expect(backend.get(Bucket.key, b('a'))).toBeUndefined();
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([['b', '2']]);
      await flushed;
      expect(backend.get(Bucket.key, b('a'))).toBeUndefined();
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([['b', '2']]);
      apply(() => backend.put(Bucket.key, b('a'), b('3')));
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([
        ['a', '3'],
        ['b', '2'],
      ]);
    });

    test('getMany gives values in the order asked for, from memory and store', async () => {
      apply(() => {
        backend.put(Bucket.key, b('a'), b('1'));
        backend.put(Bucket.key, b('b'), b('2'));
        backend.put(Bucket.key, b('x'), b('9'));
      });
      await flush(backend);
      apply(() => {
        backend.put(Bucket.key, b('c'), b('3'));
        backend.del(Bucket.key, b('x'));
      });
      const keys = ['c', 'nothing', 'a', 'x', 'b'].map(b);
      const values = await done<(Buffer | undefined)[]>((cb) => backend.getMany(Bucket.key, keys, cb));
      expect(values.map((v) => v?.toString())).toEqual(['3', undefined, '1', undefined, '2']);
      expect(await done((cb) => backend.getMany(Bucket.key, [b('c')], cb))).toEqual([b('3')]);
    });

    test('getMany and scan see the moment of their call', async () => {
      apply(() => {
        for (const k of 'abcdef') backend.put(Bucket.key, b(k), b('old'));
      });
      await flush(backend);
      apply(() => backend.put(Bucket.key, b('g'), b('old')));
      const cursor = backend.scan(Bucket.key, b('b'), b('h'));
      const many = done<(Buffer | undefined)[]>((cb) => backend.getMany(Bucket.key, [b('a'), b('c')], cb));
      apply(() => {
        backend.del(Bucket.key, b('a'));
        backend.put(Bucket.key, b('c'), b('new'));
        backend.del(Bucket.key, b('d'));
        backend.del(Bucket.key, b('g'));
        backend.put(Bucket.key, b('bb'), b('new'));
      });
      await flush(backend);
      expect((await many).map((v) => v?.toString())).toEqual(['old', 'old']);
      expect(await rows(cursor, 2)).toEqual(['b', 'c', 'd', 'e', 'f', 'g'].map((k) => [k, 'old']));
      expect((await rows(backend.scan(Bucket.key, b('b'), b('h')))).map((r) => r[0])).toEqual([
        'b',
        'bb',
        'c',
        'e',
        'f',
      ]);
    });

    test('a scan takes rows of its own bucket, gte to below lt, in byte order', async () => {
      apply(() => {
        backend.put(Bucket.key, b('\xff'), b('last'));
        backend.put(Bucket.key, b('b\x00'), b('2'));
        backend.put(Bucket.key, b('b'), b('1'));
        backend.put(Bucket.key, b('\x01'), b('first'));
        backend.put(Bucket.meta, b('b'), b('other'));
      });
      const ranges: [string, string, string[]][] = [
        ['\x01', '\xff', ['\x01', 'b', 'b\x00']],
        ['b', 'c', ['b', 'b\x00']],
        ['b', 'b\x00', ['b']],
        ['c', 'c', []],
        ['b', '\xff\xff', ['b', 'b\x00', '\xff']],
      ];
      for (const flushed of [false, true]) {
        if (flushed) await flush(backend);
        for (const [gte, lt, keys] of ranges) {
          expect((await rows(backend.scan(Bucket.key, b(gte), b(lt)))).map((r) => r[0])).toEqual(keys);
        }
      }
    });

    test('sizes count rows as etcd does; the high-water mark falls at defragment', async () => {
      apply(() => backend.put(Bucket.key, b('12345678_12345678x'), Buffer.alloc(1000), true));
      const meta = 16 + 8 + 16 + (4 + 8 + 16);
      expect(backend.sizeInUse).toBe(20480 + meta + 18 + 1000 + 16);
      expect(backend.rowCount).toBe(3);
      await flush(backend);
      expect(backend.sizeInUse).toBe(20480 + meta + 18 + 1000 + 16);
      const high = backend.sizeInUse;
      apply(() => backend.put(Bucket.key, b('12345678_12345678x'), Buffer.alloc(10)));
      expect(backend.sizeInUse).toBe(high - 990);
      apply(() => backend.del(Bucket.key, b('12345678_12345678x'), 10));
      apply(() => backend.del(Bucket.key, b('12345678_12345678x')));
      apply(() => backend.del(Bucket.key, b('never there')));
      expect(backend.sizeInUse).toBe(20480 + meta);
      expect(backend.size).toBe(high);
      expect(backend.rowCount).toBe(2);
      backend.defragment();
      expect(backend.size).toBe(20480 + meta);
      await flush(backend);
      backend = await f.crash(backend);
      expect(backend.size).toBe(20480 + meta);
      expect(backend.sizeInUse).toBe(20480 + meta);
      expect(backend.rowCount).toBe(2);
    });

    test('a crash leaves what was flushed: data, index, term, confState, sizes', async () => {
      apply(() => {
        backend.put(Bucket.key, b('a'), b('1'));
        backend.setConfState(b('{"voters":[1]}'));
      });
      const { sizeInUse, size, rowCount } = backend;
      await flush(backend);
      expect(backend.flushedIndex).toBe(1);
      expect(backend.flushedTerm).toBe(1);
      backend = await f.crash(backend);
      expect(backend.appliedIndex).toBe(1);
      expect(backend.appliedTerm).toBe(1);
      expect(backend.confState?.toString()).toBe('{"voters":[1]}');
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
      expect(backend).toMatchObject({ sizeInUse, size, rowCount });
      expect(await rows(backend.scan(Bucket.meta, ...ALL))).toEqual([
        ['confState', '{"voters":[1]}'],
        ['consistent_index', '\0\0\0\0\0\0\0\x01'],
        ['term', '\0\0\0\0\0\0\0\x01'],
      ]);
    });

    test('a flush waits for the apply that is open', async () => {
      backend.put(Bucket.key, b('a'), b('1'));
      let flushed = false;
      backend.flush(() => {
        flushed = true;
      });
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(flushed).toBe(false);
      backend.put(Bucket.key, b('b'), b('2'));
      apply(() => {});
      await flush(backend);
      expect(flushed).toBe(true);
      backend = await f.crash(backend);
      expect(backend.get(Bucket.key, b('b'))).toEqual(b('2'));
    });

    test('local work is flushed under the index it was done at', async () => {
      apply(() => backend.put(Bucket.key, b('a'), b('1')));
      await flush(backend);
      backend.del(Bucket.key, b('a'), 1);
      backend.endLocal();
      await flush(backend);
      backend = await f.crash(backend);
      expect(backend.get(Bucket.key, b('a'))).toBeUndefined();
      expect(backend.appliedIndex).toBe(1);
    });

    test('flush calls back at once, but later, when there is nothing to do; onFlushed tells the index', async () => {
      const seen: number[] = [];
      backend.onFlushed = (i) => seen.push(i);
      let called = false;
      const flushed = done((cb) =>
        backend.flush((err) => {
          called = true;
          cb(err);
        }),
      );
      expect(called).toBe(false);
      await flushed;
      apply(() => backend.put(Bucket.key, b('a'), b('1')));
      apply(() => {});
      await flush(backend);
      expect(seen.at(-1)).toBe(2);
    });

    test('the applied index does not go back', () => {
      backend.setApplied(5, 2);
      expect(() => backend.setApplied(4, 2)).toThrow(/applied 4/);
      expect(() => backend.setApplied(6, 1)).toThrow(/applied 6/);
    });

    test('a pin stays at its index while flushes go on', async () => {
      apply(() => {
        backend.put(Bucket.key, b('a'), b('1'));
        backend.setConfState(b('{}'));
      });
      await flush(backend);
      const pin = await done<import('../../../src/storage/backend/index.js').BackendPin>((cb) => backend.pin(cb));
      apply(() => backend.put(Bucket.key, b('a'), b('2')));
      await flush(backend);
      expect(pin.index).toBe(1);
      expect(pin.confState?.toString()).toBe('{}');
      expect(await rows(pin.scan(Bucket.key, ...ALL))).toEqual([['a', '1']]);
      pin.close();
      expect(await rows(backend.scan(Bucket.key, ...ALL))).toEqual([['a', '2']]);
    });

    test('close flushes what is applied, twice does no harm, and later use is refused', async () => {
      apply(() => backend.put(Bucket.key, b('a'), b('1')));
      await Promise.all([done((cb) => backend.close(cb)), done((cb) => backend.close(cb))]);
      await done((cb) => backend.close(cb));
      expect(() => backend.put(Bucket.key, b('b'), b('1'))).toThrow(/after close/);
      expect(() => backend.get(Bucket.key, b('b'))).toThrow(/closed/);
      expect(() => backend.scan(Bucket.key, ...ALL)).toThrow(/closed/);
      backend = await f.crash(backend);
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
    });

    test('an apply that is open at close does not reach the store', async () => {
      apply(() => backend.put(Bucket.key, b('a'), b('1')));
      await flush(backend);
      backend.put(Bucket.key, b('half'), b('1'));
      await done((cb) => backend.close(cb));
      backend = await f.crash(backend);
      expect(backend.get(Bucket.key, b('half'))).toBeUndefined();
      expect(backend.get(Bucket.key, b('a'))).toEqual(b('1'));
    });

    test('a cursor gives an error after it is closed', async () => {
      const cursor = backend.scan(Bucket.key, ...ALL);
      cursor.close();
      await expect(done((cb) => cursor.next(1, cb))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    });
  });
}
