import { describe, expect, it } from 'vitest';
import { KeyEntry } from '../../src/mvcc/key-entry.js';
import { Leaf } from '../../src/mvcc/key-index.js';
import { ValueCache } from '../../src/mvcc/value-cache.js';

const ROW = Buffer.alloc(872); // 1000 bytes with what a Buffer costs
const entry = (key: string): KeyEntry => new KeyEntry(key, new Leaf([]), 2, 0, 1, 2, 0);

describe('the value cache', () => {
  it('stays within its bytes and lets the oldest go', () => {
    const cache = new ValueCache(3000);
    const entries = ['a', 'b', 'c', 'd'].map(entry);
    for (const one of entries) cache.set(one, ROW);
    expect(entries.map((one) => one.value !== null)).toEqual([false, true, true, true]);
    expect(cache.bytes).toBe(3000);
  });

  it('gives what was read a second chance', () => {
    const cache = new ValueCache(3000);
    const entries = ['a', 'b', 'c', 'd'].map(entry);
    for (const one of entries.slice(0, 3)) cache.set(one, ROW);
    cache.get(entries[0]!);
    cache.set(entries[3]!, ROW);
    expect(entries.map((one) => one.value !== null)).toEqual([true, false, true, true]);
  });

  it('does not grow with keys that come and go', () => {
    const cache = new ValueCache(1 << 20);
    for (let i = 0; i < 100_000; i++) {
      const one = entry(`${i}`);
      cache.set(one, ROW);
      cache.drop(one);
      cache.drop(one);
    }
    expect(cache.bytes).toBe(0);
    const kept = entry('kept');
    cache.set(kept, ROW);
    cache.drop(kept);
    cache.set(kept, ROW);
    expect(cache.bytes).toBe(1000);
  });

  it('keeps nothing that is larger than all of it', () => {
    const cache = new ValueCache(500);
    const one = entry('a');
    cache.set(one, ROW);
    expect(one.value).toBe(null);
    expect(cache.bytes).toBe(0);
  });
});
