import { describe, expect, test } from 'vitest';
import type { BackendError, BackendOptions, StoredBackend } from '../../../src/storage/backend/index.js';
import { BACKEND_MUTANTS, Bucket, openBackend } from '../../../src/storage/backend/index.js';
import type { KvStore } from '../../../src/util/env.js';
import { SimWorld } from '../support/sim-world.js';

const DIR = '/m/keel';
const b = (text: string): Buffer => Buffer.from(text);
const ALL = [Buffer.alloc(1), Buffer.alloc(8, 255)] as const;

function open(world: SimWorld, options: Partial<BackendOptions> = {}): StoredBackend {
  return world.wait<StoredBackend>((cb) => openBackend(world.env, DIR, options, cb));
}

function put(backend: StoredBackend, text: string, bytes = 10): void {
  backend.put(Bucket.key, b(text), Buffer.alloc(bytes, text));
  backend.setApplied(backend.appliedIndex + 1, Math.max(1, backend.appliedTerm));
}

const flush = (world: SimWorld, backend: StoredBackend): void => world.wait<void>((cb) => backend.flush(cb));

function codeOf(fn: () => unknown): string {
  try {
    fn();
  } catch (err) {
    return (err as { code?: string }).code ?? String(err);
  }
  return 'no error';
}

describe('rot is never served', () => {
  test('by get, getMany or scan: the error names bucket and key', () => {
    for (let seed = 1; seed < 60; seed++) {
      const world = new SimWorld(seed);
      let backend = open(world);
      for (const text of ['aa', 'bb', 'cc', 'dd']) put(backend, text);
      flush(world, backend);
      world.crash();
      const key = world.stores.rot(`${DIR}/db-1`, Buffer.from([Bucket.key]))!.subarray(1);
      backend = open(world);
      const told: string[] = [];
      backend.onError = (err) => told.push(err.code);
      expect(() => backend.get(Bucket.key, key)).toThrow(`row key/${key.toString('hex')} fails its checksum`);
      expect(told, 'the owner hears of it, once').toEqual(['ERR_CORRUPT']);
      expect(codeOf(() => backend.get(Bucket.key, key))).toBe('ERR_CORRUPT');
      expect(codeOf(() => world.wait((cb) => backend.getMany(Bucket.key, [b('aa'), key], cb as never)))).toBe(
        'ERR_CORRUPT',
      );
      const cursor = backend.scan(Bucket.key, ...ALL);
      expect(codeOf(() => world.wait((cb) => cursor.next(10, cb as never)))).toBe('ERR_CORRUPT');
      expect(told).toHaveLength(1);
      // Other rows are served.
      const other = key.toString() === 'aa' ? 'bb' : 'aa';
      expect(backend.get(Bucket.key, b(other))).toEqual(Buffer.alloc(10, other));
    }
  });

  test('nor is a row in the place of another, nor one that is cut', () => {
    const world = new SimWorld(1);
    let backend = open(world);
    put(backend, 'aa');
    put(backend, 'bb');
    flush(world, backend);
    world.wait<void>((cb) => backend.close(cb));
    const store = world.wait<KvStore>((cb) => world.stores.open(`${DIR}/db-1`, { create: false }, cb));
    const at = (text: string): Buffer => Buffer.concat([Buffer.from([Bucket.key]), b(text)]);
    const batch = store.newBatch();
    batch.put(at('bb'), store.getSync(at('aa'))!);
    batch.put(at('aa'), store.getSync(at('aa'))!.subarray(0, 3));
    world.wait<void>((cb) => batch.write({ sync: true }, cb));
    world.wait<void>((cb) => store.close(cb));
    backend = open(world);
    expect(() => backend.get(Bucket.key, b('bb'))).toThrow(/fails its checksum/);
    expect(() => backend.get(Bucket.key, b('aa'))).toThrow(/has 3 bytes/);
  });

  test('in the counters or flush numbers stops the open', () => {
    for (let seed = 1; seed < 40; seed++) {
      const world = new SimWorld(seed);
      const backend = open(world);
      for (let i = 0; i < 3; i++) {
        put(backend, `a${i}`);
        flush(world, backend);
      }
      world.crash();
      world.stores.rot(`${DIR}/db-1`, Buffer.from([0]));
      expect(codeOf(() => open(world))).toBe('ERR_CORRUPT');
    }
  });

  test('rows of a newer format are refused', () => {
    const world = new SimWorld(1);
    world.wait<void>((cb) => open(world).close(cb));
    const store = world.wait<KvStore>((cb) => world.stores.open(`${DIR}/db-1`, { create: false }, cb));
    const batch = store.newBatch();
    const key = Buffer.from([0, 0x63]);
    const text = store.getSync(key)!.subarray(0, -4).toString().replace('"format":1', '"format":2');
    sealInto(batch, key, Buffer.from(text));
    world.wait<void>((cb) => batch.write({ sync: true }, cb));
    world.wait<void>((cb) => store.close(cb));
    expect(codeOf(() => open(world))).toBe('ERR_FORMAT');
  });
});

function sealInto(batch: ReturnType<KvStore['newBatch']>, key: Buffer, value: Buffer): void {
  let crc = ~0;
  for (const byte of Buffer.concat([key, value])) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(~crc >>> 0);
  batch.put(key, Buffer.concat([value, tail]));
}

describe('a flush that fails', () => {
  for (const what of ['write', 'sync'] as const) {
    test(`at ${what} is told to everyone who waits, and is never tried again`, () => {
      const world = new SimWorld(3);
      let backend = open(world);
      put(backend, 'before');
      flush(world, backend);
      const errors: BackendError[] = [];
      const told: (string | null)[] = [];
      backend.onError = (err) => errors.push(err);
      backend.onFlushed = () => told.push('flushed');
      world.stores.failNext(what, 'ENOSPC');
      put(backend, 'a');
      backend.flush((err) => told.push(err?.code ?? null));
      put(backend, 'b');
      backend.flush((err) => told.push(err?.code ?? null));
      world.runFor(1e6);
      expect(told).toEqual(['ERR_IO', 'ERR_IO']);
      expect(errors.length).toBe(1);
      expect((errors[0]!.cause as { code: string }).code).toBe('ENOSPC');
      expect(backend.flushedIndex).toBe(1);
      // What is applied is still read, from memory.
      expect(backend.get(Bucket.key, b('a'))).toBeDefined();
      put(backend, 'c');
      expect(codeOf(() => flush(world, backend))).toBe('ERR_IO');
      expect(codeOf(() => world.wait((cb) => backend.pin(cb)))).toBe('ERR_IO');
      expect(codeOf(() => world.wait<void>((cb) => backend.close(cb)))).toBe('ERR_IO');
      expect(errors.length).toBe(1);
      world.crash();
      backend = open(world);
      // A write that failed at its sync may be there or not.
      expect([1, 2]).toContain(backend.appliedIndex);
    });
  }

  test('a failed read is an error, not a missing row', () => {
    const world = new SimWorld(3);
    const backend = open(world);
    put(backend, 'a');
    flush(world, backend);
    world.stores.failNext('read', 'EIO');
    expect(codeOf(() => backend.get(Bucket.key, b('a')))).toBe('ERR_IO');
    world.stores.failNext('read', 'EIO');
    expect(codeOf(() => world.wait((cb) => backend.getMany(Bucket.key, [b('a')], cb as never)))).toBe('ERR_IO');
    world.stores.failNext('read', 'EIO');
    const cursor = backend.scan(Bucket.key, ...ALL);
    expect(codeOf(() => world.wait((cb) => cursor.next(1, cb as never)))).toBe('ERR_IO');
  });

  test('an open that fails says how', () => {
    const world = new SimWorld(3);
    world.stores.failNext('open', 'EMFILE');
    expect(codeOf(() => open(world))).toBe('ERR_IO');
    open(world);
  });
});

describe('the flush policy', () => {
  test('flushes so many milliseconds after the first apply', () => {
    const world = new SimWorld(3);
    const backend = open(world, { flushMs: 50 });
    const start = world.now;
    let at = 0;
    backend.onFlushed = () => {
      at = world.now;
    };
    put(backend, 'a');
    world.runFor(30_000);
    put(backend, 'b');
    expect(at).toBe(0);
    world.runFor(60_000);
    expect(at - start).toBeGreaterThanOrEqual(50_000);
    expect(at - start).toBeLessThan(60_000);
    expect(backend.flushedIndex).toBe(2);
    // Nothing to do: nothing is written.
    at = 0;
    world.runFor(1e6);
    expect(at).toBe(0);
  });

  test('or when so many bytes wait', () => {
    const world = new SimWorld(3);
    const backend = open(world, { flushMs: 1e6, flushBytes: 5000 });
    for (let i = 0; i < 4; i++) put(backend, `a${i}`, 1000);
    world.runFor(100_000);
    expect(backend.flushedIndex).toBe(0);
    put(backend, 'b', 1000);
    world.runFor(100_000);
    expect(backend.flushedIndex).toBe(5);
    expect(backend.overlayBytes).toBe(0);
  });

  test('a full overlay asks for a pause, and says when it is over', () => {
    const world = new SimWorld(3, { syncUs: [10_000, 10_000] });
    const backend = open(world, { flushMs: 1e6, flushBytes: 3000, overlayBytesMax: 10_000 });
    let drained = 0;
    backend.onDrain = () => {
      drained++;
      expect(backend.full).toBe(false);
    };
    let n = 0;
    while (!backend.full) put(backend, `a${n++}`, 1000);
    expect(backend.overlayBytes).toBeGreaterThanOrEqual(10_000);
    expect(n).toBeLessThan(12);
    world.runFor(1e6);
    expect(drained).toBe(1);
    put(backend, 'z', 1000);
    expect(backend.full).toBe(false);
  });

  test('the next flush begins behind the one under way, with all that was applied meanwhile', () => {
    const world = new SimWorld(3, { syncUs: [10_000, 10_000] });
    const backend = open(world, { flushMs: 1e6 });
    const seen: number[] = [];
    backend.onFlushed = (index) => seen.push(index);
    put(backend, 'a');
    backend.flush();
    put(backend, 'b');
    backend.flush();
    put(backend, 'c');
    backend.flush();
    world.runFor(1e6);
    expect(seen).toEqual([1, 3]);
  });

  test('an index that the WAL has not made durable may not be flushed', () => {
    const world = new SimWorld(3);
    let durable = 1;
    const backend = open(world, { mayFlush: (index) => index <= durable });
    put(backend, 'a');
    flush(world, backend);
    put(backend, 'b');
    expect(() => flush(world, backend)).toThrow(/not in the WAL/);
    durable = 2;
  });

  test('wrong hints of the caller are found out where it is paranoid', () => {
    const world = new SimWorld(3);
    const backend = open(world, { paranoid: true });
    put(backend, 'a');
    flush(world, backend);
    expect(() => backend.put(Bucket.key, b('a'), b('x'), true)).toThrow(/not fresh/);
    expect(() => backend.del(Bucket.key, b('a'), 3)).toThrow(/size of/);
  });

  test('flush numbers do not gather without end', () => {
    const world = new SimWorld(3);
    let backend = open(world, { numbersMax: 10 });
    let most = 0;
    for (let i = 0; i < 200; i++) {
      put(backend, `a${i}`);
      flush(world, backend);
      world.runFor(20_000);
      most = Math.max(most, numbers(world, backend));
    }
    expect(most).toBeGreaterThanOrEqual(10);
    expect(most).toBeLessThan(15);
    world.crash();
    backend = open(world, { numbersMax: 10 });
    expect(backend.appliedIndex).toBe(200);
  });
});

/** Number rows in the store now, read behind the backend's back. */
function numbers(world: SimWorld, _backend: StoredBackend): number {
  return world.stores.peek(`${DIR}/db-1`).filter((key) => key[0] === 0 && key[1] === 0x66).length;
}

test('museum 21: a snapshot whose index is overwritten by the older one is noticed', () => {
  for (const mutants of [new Set<string>(), new Set([BACKEND_MUTANTS.staleIndex])]) {
    const world = new SimWorld(1);
    const backend = open(world, { mutants });
    put(backend, 'a');
    const other = new SimWorld(2);
    const donor = open(other);
    donor.setApplied(10, 2);
    other.wait<void>((cb) => donor.flush(cb));
    const path = backend.sidePath();
    const store = world.wait<KvStore>((cb) => world.stores.open(path, { create: true }, cb));
    const batch = store.newBatch();
    for (const key of other.stores.peek(`${DIR}/db-1`)) {
      batch.put(key, other.stores.value(`${DIR}/db-1`, key)!);
    }
    world.wait<void>((cb) => batch.write({ sync: true }, cb));
    world.wait<void>((cb) => store.close(cb));
    world.wait<void>((cb) => backend.replaceWith(path, cb));
    world.runFor(1e6);
    world.crash();
    expect(open(world).appliedIndex).toBe(mutants.size === 0 ? 10 : 1);
  }
});
