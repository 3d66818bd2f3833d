import { describe, expect, test } from 'vitest';
import type { SimLevelOptions } from '../../src/sim/store.js';
import type { KvStore } from '../../src/util/env.js';
import { b, storeSuite } from '../env/store-suite.js';
import { SimWorld } from '../storage/support/sim-world.js';

storeSuite('SimLevel', () => {
  const world = new SimWorld(Math.floor(Math.random() * 1e9), {}, true);
  return { stores: world.stores, dir: '/m', end: () => {} };
});

const PATH = '/m/db';

function open(world: SimWorld): KvStore {
  return world.wait<KvStore>((cb) => world.stores.open(PATH, { create: true }, cb));
}

function write(world: SimWorld, store: KvStore, n: number, sync: boolean): void {
  const batch = store.newBatch();
  batch.put(b(`row${n}`), Buffer.alloc(100));
  batch.put(b(`row${n}+`), Buffer.alloc(100));
  world.wait<void>((cb) => batch.write({ sync }, cb));
}

/** Which of batches 0..n-1 are there after a power cut: '1' whole, '0' not at all, '?' torn. */
function survivors(world: SimWorld, n: number): string {
  world.crash();
  const store = open(world);
  let out = '';
  for (let i = 0; i < n; i++) {
    const halves = [store.getSync(b(`row${i}`)), store.getSync(b(`row${i}+`))].filter((v) => v !== undefined).length;
    out += halves === 2 ? '1' : halves === 0 ? '0' : '?';
  }
  return out;
}

/** The outcomes of a story over many seeds. */
function outcomes(options: Partial<SimLevelOptions>, story: (world: SimWorld, store: KvStore) => string): Set<string> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 300; seed++) {
    const world = new SimWorld(seed, options);
    seen.add(story(world, open(world)));
  }
  return seen;
}

describe('after a power cut', () => {
  test('synced batches are there; of others some may be, each whole or not at all', () => {
    const seen = outcomes({}, (world, store) => {
      for (let i = 0; i < 6; i++) write(world, store, i, i === 2);
      return survivors(world, 6);
    });
    for (const s of seen) expect(s).toMatch(/^111[01]{3}$/);
    expect(seen).toContain('111000');
    expect(seen).toContain('111100');
    expect(seen).toContain('111111');
  });

  test('museum 32: across a switch of logs a hole may be left, whatever is synced behind it', () => {
    const seen = outcomes({ writeBufferBytes: 500, compactUs: [1e6, 1e6] }, (world, store) => {
      for (let i = 0; i < 6; i++) write(world, store, i, i === 5);
      return survivors(world, 6);
    });
    expect([...seen].some((s) => /^1*0+1+$/.test(s))).toBe(true);
    for (const s of seen) expect(s).toMatch(/^[01]{5}1$/);
  });

  test('nothing is lost where every batch is synced, with the folder', () => {
    const seen = outcomes({ writeBufferBytes: 500, compactUs: [1e5, 1e6] }, (world, store) => {
      for (let i = 0; i < 8; i++) write(world, store, i, true);
      return survivors(world, 8);
    });
    expect([...seen]).toEqual(['11111111']);
  });

  test('museum 25: without an fsync of the folder a whole log may vanish, synced or not', () => {
    const options = { writeBufferBytes: 500, compactUs: [1e6, 1e6] as const, dirSync: false };
    const seen = outcomes(options, (world, store) => {
      for (let i = 0; i < 6; i++) write(world, store, i, true);
      return survivors(world, 6);
    });
    expect(seen).toContain('111111');
    expect(seen).toContain('111000');
  });

  test('what has left the log for a table is safe', () => {
    const seen = outcomes({ dirSync: false }, (world, store) => {
      for (let i = 0; i < 4; i++) write(world, store, i, false);
      world.wait<void>((cb) => store.compactRange(Buffer.from([255]), Buffer.from([255, 255]), cb));
      return survivors(world, 4);
    });
    expect([...seen]).toEqual(['1111']);
  });
});

test('a killed process loses nothing that was written', () => {
  const world = new SimWorld(1, { writeBufferBytes: 500 });
  const store = open(world);
  for (let i = 0; i < 8; i++) write(world, store, i, false);
  world.kill();
  const again = open(world);
  for (let i = 0; i < 8; i++) expect(again.getSync(b(`row${i}+`))).toBeDefined();
  expect(() => store.getSync(b('row0'))).toThrow(/closed/);
});

test('nothing that was under way calls back after a crash', () => {
  const world = new SimWorld(1);
  const store = open(world);
  let called = 0;
  const count = (): void => {
    called++;
  };
  const batch = store.newBatch();
  batch.put(b('a'), b('1'));
  batch.write({ sync: true }, count);
  store.getMany([b('a')], count);
  store.scan({ gte: b(''), lt: b('z') }).next(1, count);
  store.compactRange(b('a'), b('b'), count);
  world.stores.open('/m/other', { create: true }, count);
  world.crash();
  world.runFor(1e7);
  expect(called).toBe(0);
  open(world);
});

test('after a failed sync every later write fails, though reads go on', () => {
  const world = new SimWorld(1);
  const store = open(world);
  world.stores.failNext('sync', 'EIO', 1);
  write(world, store, 0, true);
  expect(() => write(world, store, 1, true)).toThrow(/injected failure of sync/);
  expect(() => write(world, store, 2, false)).toThrow(/injected failure of sync/);
  expect(store.getSync(b('row0'))).toBeDefined();
});

test('rot is served as it is, and stays', () => {
  const world = new SimWorld(1);
  const store = open(world);
  write(world, store, 0, true);
  const key = world.stores.rot(PATH)!;
  expect(store.getSync(key)?.equals(Buffer.alloc(100))).toBe(false);
  world.crash();
  expect(open(world).getSync(key)?.equals(Buffer.alloc(100))).toBe(false);
  expect(world.stores.rot('/m/none')).toBeUndefined();
});

test('the same seed gives the same story', () => {
  const story = (): string => {
    const world = new SimWorld(77, { writeBufferBytes: 500 });
    const store = open(world);
    for (let i = 0; i < 12; i++) write(world, store, i, i % 4 === 0);
    return `${survivors(world, 12)} at ${world.now}`;
  };
  expect(story()).toBe(story());
});
