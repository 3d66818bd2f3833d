import { describe, expect, test } from 'vitest';
import type { BackendOptions, BackendPin, StoredBackend } from '../../../src/storage/backend/index.js';
import { Bucket, MemoryBackend, openBackend } from '../../../src/storage/backend/index.js';
import type { SnapshotHeader } from '../../../src/storage/snapshot/index.js';
import { exportSnapshot, SnapshotImport } from '../../../src/storage/snapshot/index.js';
import { done, realEnv, tempDir } from '../support/real-env.js';
import { SimWorld } from '../support/sim-world.js';

const DIR = '/m/keel';
const b = (text: string): Buffer => Buffer.from(text);

function open(world: SimWorld, options: Partial<BackendOptions> = {}): StoredBackend {
  return world.wait<StoredBackend>((cb) => openBackend(world.env, DIR, options, cb));
}

/** A backend with `n` rows in several buckets, flushed at index 7, term 3. */
function donor(world: SimWorld, n: number, bytes = 10): StoredBackend {
  const backend = open(world);
  for (let i = 0; i < n; i++) {
    const key = b(`k${String(i).padStart(6, '0')}`);
    backend.put(i % 3 === 0 ? Bucket.key : i % 3 === 1 ? Bucket.lease : Bucket.cluster, key, Buffer.alloc(bytes, i));
  }
  backend.setConfState(b('{"voters":[10276657743932975437]}'));
  backend.setApplied(7, 3);
  world.wait<void>((cb) => backend.flush(cb));
  return backend;
}

function chunksOf(world: SimWorld, backend: StoredBackend, chunkBytes?: number): Buffer[] {
  const pin = world.wait<BackendPin>((cb) => backend.pin(cb));
  const source = exportSnapshot(pin, world.env.timers, chunkBytes);
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = world.wait<Buffer | null>((cb) => source.next(cb));
    if (chunk === null) return chunks;
    chunks.push(chunk);
  }
}

/** Hands chunks over one by one, then ends. @returns the header. @throws what the import found */
function feed(world: SimWorld, rows: SnapshotImport, chunks: Buffer[]): SnapshotHeader {
  for (const chunk of chunks) world.wait<void>((cb) => rows.write(Buffer.from(chunk), cb));
  return world.wait<SnapshotHeader>((cb) => rows.end(cb));
}

/** Everything that can be read, by bucket. */
function contents(world: SimWorld, backend: StoredBackend): string[] {
  const out: string[] = [];
  for (let bucket = 1; bucket <= 10; bucket++) {
    const cursor = backend.scan(bucket as Bucket, Buffer.alloc(1), Buffer.alloc(40, 255));
    for (;;) {
      const rows = world.wait<[Buffer, Buffer][]>((cb) => cursor.next(100, cb as never));
      if (rows.length === 0) break;
      for (const [k, v] of rows) out.push(`${bucket}/${k.toString('latin1')}=${v.toString('hex')}`);
    }
    cursor.close();
  }
  return out;
}

describe('a snapshot', () => {
  for (const [n, chunkBytes] of [
    [0, 1000],
    [1, 1],
    [50, 1],
    [300, 500],
    [1500, undefined],
  ] as const) {
    test(`of ${n} rows in chunks of ${chunkBytes ?? 'the usual size'} arrives as it was sent`, () => {
      const from = new SimWorld(1);
      const source = donor(from, n);
      const to = new SimWorld(2);
      let target = open(to, { paranoid: true });
      target.put(Bucket.key, b('old'), b('old'));
      target.setApplied(2, 1);
      const rows = new SnapshotImport(to.env, target);
      const header = feed(to, rows, chunksOf(from, source, chunkBytes));
      expect(header).toMatchObject({ index: 7, term: 3, rowCount: n + 3 });
      expect(header.confState?.toString()).toBe('{"voters":[10276657743932975437]}');
      expect(target.get(Bucket.key, b('old'))).toEqual(b('old'));
      to.wait<void>((cb) => rows.install(cb));
      for (let restarted = 0; restarted < 2; restarted++) {
        expect(contents(to, target)).toEqual(contents(from, source));
        expect(target).toMatchObject({ appliedIndex: 7, appliedTerm: 3, flushedIndex: 7 });
        expect(target.sizeInUse).toBe(source.sizeInUse);
        expect(target.rowCount).toBe(source.rowCount);
        expect(target.confState).toEqual(source.confState);
        if (restarted > 0) break;
        to.crash();
        target = open(to);
      }
      // And it can be sent on.
      expect(chunksOf(to, target, chunkBytes).length).toBe(chunksOf(from, source, chunkBytes).length);
    });
  }

  test('is of the index it was pinned at, whatever is applied meanwhile', () => {
    const from = new SimWorld(1);
    const source = donor(from, 100);
    const expected = contents(from, source);
    const pin = from.wait<BackendPin>((cb) => source.pin(cb));
    const stream = exportSnapshot(pin, from.env.timers, 200);
    const chunks: Buffer[] = [];
    for (let i = 8; ; i++) {
      source.put(Bucket.key, b(`new${i}`), b('x'));
      source.del(Bucket.key, b('k000003'));
      source.setApplied(i, 3);
      from.wait<void>((cb) => source.flush(cb));
      const chunk = from.wait<Buffer | null>((cb) => stream.next(cb));
      if (chunk === null) break;
      chunks.push(chunk);
    }
    const to = new SimWorld(2);
    const target = open(to);
    const rows = new SnapshotImport(to.env, target);
    expect(feed(to, rows, chunks).index).toBe(7);
    to.wait<void>((cb) => rows.install(cb));
    expect(contents(to, target)).toEqual(expected);
  });

  test('may be handed over without waiting, and takes one turn a chunk', () => {
    const from = new SimWorld(1);
    const chunks = chunksOf(from, donor(from, 200), 100);
    const to = new SimWorld(2);
    const rows = new SnapshotImport(to.env, open(to));
    const order: number[] = [];
    chunks.forEach((chunk, i) => {
      rows.write(chunk, (err) => {
        expect(err).toBeNull();
        order.push(i);
      });
    });
    expect(order).toEqual([]);
    const header = to.wait<SnapshotHeader>((cb) => rows.end(cb));
    expect(header.index).toBe(7);
    expect(order).toEqual(chunks.map((_, i) => i));
  });

  test('with rows larger than a chunk and larger than a batch', () => {
    const from = new SimWorld(1);
    const source = donor(from, 9, 1_500_000);
    const to = new SimWorld(2);
    const target = open(to);
    const rows = new SnapshotImport(to.env, target);
    feed(to, rows, chunksOf(from, source));
    to.wait<void>((cb) => rows.install(cb));
    expect(target.get(Bucket.lease, b('k000004'))?.equals(Buffer.alloc(1_500_000, 4))).toBe(true);
  });

  test('of a backend in memory', async () => {
    const memory = new MemoryBackend(setImmediate);
    memory.put(Bucket.key, b('a'), b('1'));
    memory.setApplied(1, 1);
    await done((cb) => memory.flush(cb));
    const to = new SimWorld(2, {}, true);
    const target = await done<StoredBackend>((cb) => openBackend(to.env, DIR, {}, cb));
    const stream = exportSnapshot(await done<BackendPin>((cb) => memory.pin(cb)), to.env.timers);
    const rows = new SnapshotImport(to.env, target);
    for (;;) {
      const chunk = await done<Buffer | null>((cb) => stream.next(cb));
      if (chunk === null) break;
      await done((cb) => rows.write(chunk, cb));
    }
    await done((cb) => rows.end(cb));
    await done((cb) => rows.install(cb));
    expect(target.get(Bucket.key, b('a'))).toEqual(b('1'));
  });
});

describe('a damaged snapshot is refused', () => {
  const from = new SimWorld(1);
  const chunks = chunksOf(from, donor(from, 12), 120);
  const to = new SimWorld(2);
  const target = open(to);

  function refused(list: Buffer[]): string {
    const rows = new SnapshotImport(to.env, target);
    let code = 'taken';
    try {
      feed(to, rows, list);
    } catch (err) {
      code = (err as { code: string }).code;
    }
    to.wait<void>((cb) => rows.abort(() => cb(null)));
    return code;
  }

  test('whole, it is not', () => {
    expect(chunks.length).toBeGreaterThan(4);
    expect(refused(chunks)).toBe('taken');
  });

  test('at every byte of it', () => {
    for (let i = 0; i < chunks.length; i++) {
      for (let at = 0; at < chunks[i]!.length; at++) {
        for (const flip of [1, 0x80]) {
          const list = [...chunks];
          list[i] = Buffer.from(chunks[i]!);
          list[i]![at]! ^= flip;
          expect(refused(list), `chunk ${i} byte ${at}`).toBe('ERR_CORRUPT');
        }
      }
    }
  });

  test('cut within a chunk, anywhere', () => {
    for (let i = 0; i < chunks.length; i++) {
      for (let length = 0; length < chunks[i]!.length; length += 3) {
        const list = [...chunks];
        list[i] = chunks[i]!.subarray(0, length);
        expect(refused(list)).toBe('ERR_CORRUPT');
      }
    }
  });

  test('ended early', () => {
    for (let n = 0; n < chunks.length; n++) expect(refused(chunks.slice(0, n))).toBe('ERR_INCOMPLETE');
  });

  test('with chunks left out, doubled or exchanged, or with more behind its end', () => {
    for (let i = 0; i < chunks.length - 1; i++) {
      expect(refused([...chunks.slice(0, i), ...chunks.slice(i + 1)])).toBe('ERR_CORRUPT');
      expect(refused([...chunks.slice(0, i + 1), ...chunks.slice(i)])).toBe('ERR_CORRUPT');
      const exchanged = [...chunks];
      [exchanged[i], exchanged[i + 1]] = [chunks[i + 1]!, chunks[i]!];
      expect(refused(exchanged)).toBe('ERR_CORRUPT');
    }
    expect(refused([...chunks, chunks[1]!])).toBe('ERR_CORRUPT');
  });

  test('and nothing of it stays', () => {
    to.runFor(1e6);
    expect(to.disk.list(DIR)).toEqual(['KEEL', 'db-1']);
    expect(target.appliedIndex).toBe(0);
  });
});

describe('a donor that is damaged', () => {
  test('by rot does not send it', () => {
    const from = new SimWorld(1);
    const source = donor(from, 40);
    from.crash();
    const again = open(from);
    from.stores.rot(`${DIR}/db-1`, Buffer.from([Bucket.lease]));
    void source;
    expect(() => chunksOf(from, again)).toThrow(/fails its checksum/);
  });

  test('by lost rows does not hand the loss on', () => {
    const from = new SimWorld(1);
    const source = donor(from, 40);
    from.wait<void>((cb) => source.close(cb));
    const store = from.wait<import('../../../src/util/env.js').KvStore>((cb) =>
      from.stores.open(`${DIR}/db-1`, { create: false }, cb),
    );
    const batch = store.newBatch();
    batch.del(Buffer.concat([Buffer.from([Bucket.key]), b('k000003')]));
    from.wait<void>((cb) => batch.write({ sync: true }, cb));
    from.wait<void>((cb) => store.close(cb));
    expect(() => chunksOf(from, open(from))).toThrow(/counted 43/);
  });
});

describe('an import', () => {
  test('may be aborted at any moment, and leaves nothing', () => {
    const from = new SimWorld(1);
    const chunks = chunksOf(from, donor(from, 12), 120);
    for (let n = 0; n <= chunks.length + 1; n++) {
      for (const us of [0, 1, 50, 100_000]) {
        const to = new SimWorld(n + 1);
        const target = open(to);
        const rows = new SnapshotImport(to.env, target);
        const codes: (string | null)[] = [];
        const note = (err: Error | null): number =>
          codes.push(err === null ? null : (err as unknown as { code: string }).code);
        for (const chunk of chunks.slice(0, n)) rows.write(chunk, note);
        if (n > chunks.length) rows.end(note);
        to.runFor(us);
        rows.abort();
        rows.abort();
        rows.write(chunks[0]!, note);
        to.runFor(1e6);
        expect(codes.length).toBe(n + 1);
        expect(codes.at(-1)).toBe('ERR_ABORTED');
        expect(to.disk.list(DIR)).toEqual(['KEEL', 'db-1']);
      }
    }
  });

  test('that a crash interrupts is removed at the next open', () => {
    const from = new SimWorld(1);
    const chunks = chunksOf(from, donor(from, 12), 120);
    const to = new SimWorld(5);
    const rows = new SnapshotImport(to.env, open(to));
    for (const chunk of chunks.slice(0, 3)) to.wait<void>((cb) => rows.write(chunk, cb));
    expect(to.disk.list(DIR)).toEqual(['KEEL', 'db-1', 'db-2']);
    to.crash();
    open(to);
    expect(to.disk.list(DIR)).toEqual(['KEEL', 'db-1']);
  });

  test('of an older index than is applied is not installed; the backend goes on', () => {
    const from = new SimWorld(1);
    const chunks = chunksOf(from, donor(from, 3));
    const to = new SimWorld(5);
    const target = open(to);
    target.setApplied(9, 9);
    const rows = new SnapshotImport(to.env, target);
    feed(to, rows, chunks);
    expect(() => to.wait<void>((cb) => rows.install(cb))).toThrow(/behind the applied 9/);
    target.setApplied(10, 9);
    to.wait<void>((cb) => target.flush(cb));
    expect(to.disk.list(DIR)).toEqual(['KEEL', 'db-1']);
  });

  test('tells a failure of its store, and every later call does', () => {
    const from = new SimWorld(1);
    const chunks = chunksOf(from, donor(from, 3));
    const to = new SimWorld(5);
    const rows = new SnapshotImport(to.env, open(to));
    to.stores.failNext('write', 'ENOSPC');
    expect(() => feed(to, rows, chunks)).toThrow(/injected/);
    expect(() => to.wait<void>((cb) => rows.write(chunks[0]!, cb))).toThrow(/injected/);
  });
});

test('power cut at any moment of an import and its install: the old state at some applied index, or the snapshot', () => {
  const from = new SimWorld(1);
  const source = donor(from, 20);
  const expected = contents(from, source);
  const chunks = chunksOf(from, source, 150);
  let olds = 0;
  let news = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const to = new SimWorld(seed, { writeBufferBytes: 300 });
    const target = open(to, { flushMs: 2 });
    let applied = 0;
    let flushed = 0;
    const apply = (): void => {
      target.put(Bucket.meta, b('own'), b(`${++applied}`));
      target.setApplied(applied, 1);
    };
    target.onFlushed = (index) => {
      flushed = index;
    };
    apply();
    const rows = new SnapshotImport(to.env, target);
    let installing = false;
    let installed = false;
    for (const chunk of chunks) rows.write(chunk, () => {});
    rows.end((err) => {
      if (err !== null) throw err;
      installing = true;
      rows.install((installErr) => {
        if (installErr !== null) throw installErr;
        installed = true;
      });
    });
    // Applies go on until raft would hand the snapshot over; 6 is below its index.
    const cutAt = to.now + to.rng.below(12_000);
    while (to.now < cutAt && to.step()) if (!installing && applied < 6 && to.rng.chance(1, 9)) apply();
    to.crash();
    const again = open(to);
    if (again.appliedIndex === 7) {
      expect(contents(to, again)).toEqual(expected);
      news++;
    } else {
      expect(installed).toBe(false);
      expect(again.appliedIndex).toBeGreaterThanOrEqual(flushed);
      const own = again.get(Bucket.meta, b('own'))?.toString();
      expect(own).toBe(again.appliedIndex === 0 ? undefined : `${again.appliedIndex}`);
      olds++;
    }
    expect(to.disk.list(DIR).length).toBe(2);
  }
  expect(olds).toBeGreaterThan(40);
  expect(news).toBeGreaterThan(40);
});

test('a snapshot on LevelDB', async () => {
  const temp = tempDir();
  const env = realEnv();
  const source = await done<StoredBackend>((cb) => openBackend(env, `${temp.dir}/a`, {}, cb));
  const target = await done<StoredBackend>((cb) => openBackend(env, `${temp.dir}/b`, {}, cb));
  const value = Buffer.alloc(300, 7);
  for (let i = 0; i < 20_000; i++) source.put(Bucket.key, b(`k${String(i).padStart(9, '0')}`), value, true);
  source.setApplied(1, 1);
  await done((cb) => source.flush(cb));
  const stream = exportSnapshot(await done<BackendPin>((cb) => source.pin(cb)), env.timers);
  const rows = new SnapshotImport(env, target);
  for (;;) {
    const chunk = await done<Buffer | null>((cb) => stream.next(cb));
    if (chunk === null) break;
    await done((cb) => rows.write(chunk, cb));
  }
  await done((cb) => rows.end(cb));
  await done((cb) => rows.install(cb));
  expect(target.rowCount).toBe(20_002);
  expect(target.sizeInUse).toBe(source.sizeInUse);
  expect(target.get(Bucket.key, b('k000012345'))).toEqual(value);
  await done((cb) => source.close(cb));
  await done((cb) => target.close(cb));
  temp.remove();
});
