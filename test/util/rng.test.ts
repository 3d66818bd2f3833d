import { describe, expect, test } from 'vitest';
import { Rng } from '../../src/util/rng.js';

const draw = (rng: Rng, n: number) => Array.from({ length: n }, () => rng.u32());

describe('Rng', () => {
  test('the numbers of a seed never change', () => {
    // Written down once: a seed in a bug report must replay on every later version.
    expect(draw(new Rng(0), 4)).toEqual([3799989776, 4097805877, 3598092660, 2247338123]);
    expect(draw(new Rng(0x1f2e), 4)).toEqual([1733298526, 3553051645, 1674915189, 3679826739]);
    expect(draw(new Rng(Number.MAX_SAFE_INTEGER), 2)).toEqual([3386071573, 2515117266]);
    expect(draw(new Rng(7).split('disk').split(3), 2)).toEqual([3698615824, 4011653340]);
  });

  test('all 53 bits of the seed count', () => {
    const first = new Set([0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1].map((seed) => new Rng(seed).u32()));
    expect(first.size).toBe(7);
    expect(() => new Rng(-1)).toThrow(RangeError);
    expect(() => new Rng(0.5)).toThrow(RangeError);
  });

  test('a split stream does not depend on what was drawn', () => {
    const early = new Rng(9).split('net');
    const parent = new Rng(9);
    draw(parent, 100);
    expect(draw(parent.split('net'), 10)).toEqual(draw(early, 10));
  });

  test('split streams differ from each other and from their parent', () => {
    const parent = new Rng(5);
    const streams = [
      parent,
      parent.split(''),
      parent.split('a'),
      parent.split('b'),
      parent.split('ab'),
      parent.split('ba'),
      parent.split(0),
      parent.split(1),
      parent.split('a').split('a'),
      new Rng(6).split('a'),
    ];
    const all = streams.flatMap((stream) => draw(stream, 50));
    expect(new Set(all).size).toBe(all.length);
  });

  test('below is even and stays in its bounds', () => {
    const rng = new Rng(11);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) counts[rng.below(10)]!++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250);
    for (let i = 0; i < 1000; i++) expect(rng.below(0xc000_0001)).toBeLessThan(0xc000_0001);
    expect(rng.below(1)).toBe(0);
    expect(rng.below(2 ** 32)).toBeLessThan(2 ** 32);
    for (const n of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) expect(() => rng.below(n)).toThrow(RangeError);
  });

  test('every bit is set half of the time', () => {
    const rng = new Rng(3);
    const set = new Array<number>(32).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const x = rng.u32();
      for (let bit = 0; bit < 32; bit++) set[bit]! += (x >>> bit) & 1;
    }
    for (const count of set) expect(Math.abs(count - 5000)).toBeLessThan(300);
  });

  test('chance, between, pick, shuffle, fill', () => {
    const rng = new Rng(1);
    let hits = 0;
    for (let i = 0; i < 10_000; i++) if (rng.chance(1, 4)) hits++;
    expect(Math.abs(hits - 2500)).toBeLessThan(250);
    expect(rng.chance(0, 5)).toBe(false);
    expect(rng.chance(5, 5)).toBe(true);
    for (let i = 0; i < 100; i++) expect([3, 4, 5]).toContain(rng.between(3, 5));
    expect(new Set(Array.from({ length: 100 }, () => rng.pick(['a', 'b', 'c'])))).toEqual(new Set(['a', 'b', 'c']));
    const shuffled = rng.shuffle(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffled).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const bytes = new Uint8Array(1001);
    rng.fill(bytes);
    expect(new Set(bytes).size).toBeGreaterThan(200);
  });
});
