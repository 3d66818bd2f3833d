import { describe, expect, test } from 'vitest';
import type { BackendOptions, StoredBackend } from '../../../src/storage/backend/index.js';
import { Bucket, openBackend } from '../../../src/storage/backend/index.js';
import { crc32c } from '../../../src/util/crc32c.js';
import { CrashPoint } from '../support/mem-disk.js';
import { SimWorld } from '../support/sim-world.js';

const DIR = '/m/keel';
const ME = { memberId: 0x8e9e05c52164694dn, clusterId: 0xcdf818194e3a8c32n };
const b = (text: string): Buffer => Buffer.from(text);

function open(world: SimWorld, options: Partial<BackendOptions> = {}): StoredBackend {
  return world.wait<StoredBackend>((cb) => openBackend(world.env, DIR, options, cb));
}

function close(world: SimWorld, backend: StoredBackend): void {
  world.wait<void>((cb) => backend.close(cb));
}

function put(world: SimWorld, backend: StoredBackend, text: string): void {
  backend.put(Bucket.key, b(text), b(text));
  backend.setApplied(backend.appliedIndex + 1, Math.max(1, backend.appliedTerm));
  world.wait<void>((cb) => backend.flush(cb));
}

/** Everything on the disk, to show that a refusal changed nothing. */
function image(world: SimWorld): string[] {
  return world.disk.list(DIR).map((name) => `${name}:${world.disk.size(`${DIR}/${name}`)}`);
}

describe('the folder', () => {
  test('names its format, store and owner', () => {
    const world = new SimWorld(1);
    close(world, open(world, { owner: ME }));
    expect(world.disk.read(`${DIR}/KEEL`, 0, 1000).toString()).toBe(
      '{"keel":1,"store":"db-1","member":"8e9e05c52164694d","cluster":"cdf818194e3a8c32"} eccb6c5b\n',
    );
    expect(open(world).owner).toEqual(ME);
  });

  test('of a newer format is refused, and stays as it is', () => {
    const world = new SimWorld(1);
    close(world, open(world));
    const file = world.disk.open(`${DIR}/KEEL`, { create: false });
    file.truncateSync(0);
    const text = '{"keel":2,"store":"db-1"}';
    file.writeSync(0, b(`${text} ${crc32c(b(text)).toString(16).padStart(8, '0')}\n`));
    const before = image(world);
    const changes = world.disk.changes;
    expect(() => open(world)).toThrow(/written in format 2; this version of keel reads up to format 1/);
    expect(image(world)).toEqual(before);
    expect(world.disk.changes).toBe(changes);
  });

  test('of another member or another cluster is refused, and stays as it is', () => {
    const world = new SimWorld(1);
    close(world, open(world, { owner: ME }));
    const changes = world.disk.changes;
    expect(() => open(world, { owner: { ...ME, memberId: 1n } })).toThrow(/belongs to member 8e9e05c52164694d, not 1/);
    expect(() => open(world, { owner: { ...ME, clusterId: 2n } })).toThrow(/belongs to cluster cdf8.*, not 2/);
    expect(world.disk.changes).toBe(changes);
    expect(open(world, { owner: ME }).owner).toEqual(ME);
  });

  test('without an owner is adopted once', () => {
    const world = new SimWorld(1);
    let backend = open(world);
    expect(backend.owner).toBeUndefined();
    backend.adopt(ME);
    backend.adopt(ME);
    expect(() => backend.adopt({ ...ME, memberId: 3n })).toThrow(/belongs to member/);
    world.crash();
    backend = open(world);
    expect(backend.owner).toEqual(ME);
    close(world, backend);
    expect(() => open(world, { owner: { ...ME, memberId: 1n } })).toThrow(/belongs to member/);
  });

  test('whose KEEL file is damaged, or missing beside a store with data, is refused', () => {
    for (const text of ['', '{', '[]', 'null', '{"keel":1}', '{"keel":1,"store":"../../etc"}', '{"keel":"1"}']) {
      const world = new SimWorld(1);
      close(world, open(world));
      const file = world.disk.open(`${DIR}/KEEL`, { create: false });
      file.truncateSync(0);
      file.writeSync(0, b(text));
      expect(() => open(world), text).toThrow(/KEEL is damaged/);
    }
    const world = new SimWorld(1);
    const backend = open(world);
    put(world, backend, 'a');
    close(world, backend);
    world.disk.unlink(`${DIR}/KEEL`);
    expect(() => open(world)).toThrow(/KEEL is missing/);
  });

  test('whose KEEL file has any one bit flipped is refused as damaged: no bit makes another name of it', () => {
    const world = new SimWorld(1);
    close(world, open(world, { owner: ME }));
    const path = `${DIR}/KEEL`;
    const bytes = world.disk.read(path, 0, 1000);
    for (let bit = 0; bit < 8 * bytes.length; bit += 3) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      world.disk.open(path, { create: false }).writeSync(0, flipped);
      expect(() => open(world), `bit ${bit}`).toThrow(/KEEL is damaged/);
    }
    world.disk.open(path, { create: false }).writeSync(0, bytes);
    expect(open(world).owner).toEqual(ME);
  });

  test('that is open is refused', () => {
    const world = new SimWorld(1);
    const backend = open(world);
    let code: string | undefined;
    try {
      open(world);
    } catch (err) {
      code = (err as { code: string }).code;
    }
    expect(code).toBe('ERR_LOCKED');
    put(world, backend, 'a');
  });

  test('whose store is gone is refused, not begun anew', () => {
    const world = new SimWorld(1);
    const backend = open(world);
    put(world, backend, 'a');
    close(world, backend);
    world.disk.removeTree(`${DIR}/db-1`);
    expect(() => open(world)).toThrow(/no store/);
  });

  test('is whole after a crash at any point of the first start', () => {
    let points = 0;
    for (let at = 0; ; at++) {
      const world = new SimWorld(at + 1);
      world.disk.crashAt = at;
      let crashed = false;
      try {
        const backend = open(world, { owner: ME });
        put(world, backend, 'a');
      } catch (err) {
        expect(rootCause(err)).toBeInstanceOf(CrashPoint);
        crashed = true;
      }
      world.crash();
      const backend = open(world, { owner: ME });
      expect(backend.owner).toEqual(ME);
      if (!crashed) {
        expect(backend.get(Bucket.key, b('a'))).toEqual(b('a'));
        break;
      }
      expect(backend.appliedIndex).toBe(0);
      put(world, backend, 'b');
      world.crash();
      expect(open(world).get(Bucket.key, b('b'))).toEqual(b('b'));
      points++;
    }
    expect(points).toBeGreaterThan(8);
  });
});

describe('a snapshot is swapped in', () => {
  /** A complete store in a side folder, made from a second backend's. */
  function sideStore(world: SimWorld, backend: StoredBackend, rows: string[], index: number): string {
    const other = new SimWorld(99);
    const donor = open(other);
    for (const row of rows) donor.put(Bucket.key, b(row), b(row));
    donor.setConfState(b('{"voters":[1,2]}'));
    donor.setApplied(index, 3);
    other.wait<void>((cb) => donor.flush(cb));
    const path = backend.sidePath();
    // Copied raw, row by row, counters included: what an importer does in its own way.
    const store = world.wait<import('../../../src/util/env.js').KvStore>((cb) =>
      world.stores.open(path, { create: true }, cb),
    );
    const from = other.wait<import('../../../src/util/env.js').KvStore>((cb) => {
      donor.close(() => other.stores.open(`${DIR}/db-1`, { create: false }, cb));
    });
    const batch = store.newBatch();
    const all = other.wait<[Buffer, Buffer][]>((cb) =>
      from.scan({ gte: Buffer.alloc(1), lt: Buffer.from([255]) }).next(1000, cb as never),
    );
    for (const [key, value] of all) batch.put(key, value);
    world.wait<void>((cb) => batch.write({ sync: true }, cb));
    world.wait<void>((cb) => store.close(cb));
    return path;
  }

  const replace = (world: SimWorld, backend: StoredBackend, path: string): void =>
    world.wait<void>((cb) => backend.replaceWith(path, cb));

  test('and everything is the snapshot: rows, index, term, confState, sizes', () => {
    const world = new SimWorld(1);
    let backend = open(world, { owner: ME });
    put(world, backend, 'old');
    backend.put(Bucket.key, b('unflushed'), b('x'));
    backend.setApplied(2, 1);
    const old = backend.scan(Bucket.key, Buffer.alloc(1), Buffer.from([255]));
    const path = sideStore(world, backend, ['new1', 'new2'], 10);
    const seen: number[] = [];
    backend.onFlushed = (index) => seen.push(index);
    replace(world, backend, path);
    for (let restarted = 0; restarted < 2; restarted++) {
      expect(backend.appliedIndex).toBe(10);
      expect(backend.appliedTerm).toBe(3);
      expect(backend.flushedIndex).toBe(10);
      expect(backend.confState?.toString()).toBe('{"voters":[1,2]}');
      expect(backend.get(Bucket.key, b('new1'))).toEqual(b('new1'));
      expect(backend.get(Bucket.key, b('old'))).toBeUndefined();
      expect(backend.get(Bucket.key, b('unflushed'))).toBeUndefined();
      expect(backend.rowCount).toBe(5);
      expect(backend.owner).toEqual(ME);
      if (restarted === 0) {
        // A cursor from before stays with the state it saw, and the old store goes when it is closed.
        const seenBefore = [1, 2].map(() => world.wait<[Buffer, Buffer][]>((cb) => old.next(10, cb as never)));
        expect(seenBefore.flat().map((r) => r[0].toString())).toEqual(['old', 'unflushed']);
        expect(world.disk.list(DIR)).toEqual(['KEEL', 'db-1', 'db-2']);
        old.close();
        world.runFor(1e6);
        expect(world.disk.list(DIR)).toEqual(['KEEL', 'db-2']);
        expect(seen).toContain(10);
        world.crash();
        backend = open(world, { owner: ME });
      }
    }
    put(world, backend, 'after');
    expect(backend.flushedIndex).toBe(11);
  });

  test('or refused, if it is older than what is applied or not complete; the old state stays', () => {
    const world = new SimWorld(1);
    const backend = open(world);
    for (const row of ['a', 'b', 'c']) put(world, backend, row);
    const path = sideStore(world, backend, ['x'], 2);
    expect(() => replace(world, backend, path)).toThrow(/behind the applied 3/);
    const half = backend.sidePath();
    const store = world.wait<import('../../../src/util/env.js').KvStore>((cb) =>
      world.stores.open(half, { create: true }, cb),
    );
    world.wait<void>((cb) => store.close(cb));
    expect(() => replace(world, backend, half)).toThrow(/not a complete store/);
    expect(() => replace(world, backend, `${DIR}/db-77`)).toThrow(/no store/);
    put(world, backend, 'd');
    world.crash();
    expect(open(world).appliedIndex).toBe(4);
    expect(world.disk.list(DIR)).toEqual(['KEEL', 'db-1']);
  });

  test('also when a close comes in between: the swap ends first', () => {
    const world = new SimWorld(4);
    const backend = open(world);
    put(world, backend, 'old');
    const path = sideStore(world, backend, ['new'], 10);
    const told: string[] = [];
    backend.replaceWith(path, (err) => told.push(`replaced ${err}`));
    // Readers are served from the old state until the swap.
    expect(backend.get(Bucket.key, b('old'))).toEqual(b('old'));
    backend.close((err) => told.push(`closed ${err}`));
    world.runFor(1e6);
    expect(told).toEqual(['replaced null', 'closed null']);
    expect(open(world).appliedIndex).toBe(10);
  });

  test('so that a crash at any point leaves the old store or the new one', () => {
    let olds = 0;
    let news = 0;
    for (let at = 0; ; at++) {
      const world = new SimWorld(at + 1);
      let backend = open(world, { owner: ME });
      put(world, backend, 'old');
      const path = sideStore(world, backend, ['new'], 10);
      world.disk.changes = 0;
      world.disk.crashAt = at;
      let crashed = false;
      try {
        replace(world, backend, path);
        world.runFor(1e6);
      } catch (err) {
        expect(rootCause(err)).toBeInstanceOf(CrashPoint);
        crashed = true;
      }
      world.crash();
      backend = open(world, { owner: ME });
      const index = backend.appliedIndex;
      expect([1, 10]).toContain(index);
      expect(backend.get(Bucket.key, b('old'))).toEqual(index === 1 ? b('old') : undefined);
      expect(backend.get(Bucket.key, b('new'))).toEqual(index === 1 ? undefined : b('new'));
      expect(backend.owner).toEqual(ME);
      expect(world.disk.list(DIR).length).toBe(2);
      if (index === 1) olds++;
      else news++;
      if (!crashed) break;
    }
    expect(olds).toBeGreaterThan(3);
    expect(news).toBeGreaterThan(0);
  });
});

function rootCause(err: unknown): unknown {
  let e = err as Error;
  while (e.cause instanceof Error) e = e.cause;
  return e;
}
