import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABSENT, KeyEntry, NEWEST } from '../../src/mvcc/key-entry.js';
import { KeyIndex, Leaf } from '../../src/mvcc/key-index.js';
import { check } from '../support/fc.js';

describe('a key entry', () => {
  /** The history drawn in key-entry.ts. */
  function entry(): KeyEntry {
    const a = new KeyEntry('a', new Leaf([]), 3, 0, 1, 3, 10);
    a.supersede(5, 0, 2, 3, 11);
    a.supersede(6, 2, 0, 0, 0);
    a.supersede(9, 0, 1, 9, 12);
    return a;
  }

  it('knows what existed at which revision', () => {
    const a = entry();
    const at = (revision: number): string => {
      const position = a.at(revision);
      return position === ABSENT ? '-' : `${a.mainAt(position)}.${a.subAt(position)} ${a.sizeAt(position)}`;
    };
    expect([2, 3, 4, 5, 6, 7, 8, 9, 99].map(at)).toEqual([
      '-',
      '3.0 10',
      '3.0 10',
      '5.0 11',
      '-',
      '-',
      '-',
      '9.0 12',
      '9.0 12',
    ]);
    expect(a.at(9)).toBe(NEWEST);
  });

  it('finds the last revision up to another among many', () => {
    const a = new KeyEntry('a', new Leaf([]), 2, 0, 1, 2, 0);
    for (let main = 4; main <= 200; main += 2) a.supersede(main, 1, main, 2, 0);
    for (let revision = 2; revision < 200; revision++) {
      expect(a.mainAt(a.at(revision))).toBe(revision - (revision % 2));
    }
    expect(a.at(1)).toBe(ABSENT);
  });
});

describe('the key index', () => {
  const anyKey = fc.integer({ min: 0, max: 3000 }).map((n) => `k${n.toString(36)}`);

  it('keeps leaves, order and counts right while keys come and go', () => {
    const anyBatch = fc.record({
      insert: fc.boolean(),
      from: fc.nat(3000),
      count: fc.nat(600),
      step: fc.integer({ min: 1, max: 7 }),
    });
    check(
      fc.property(fc.array(anyBatch, { maxLength: 12 }), anyKey, anyKey, (batches, low, high) => {
        const index = new KeyIndex();
        /** When it came to be. */
        const twin = new Map<string, number>();
        let main = 1;
        for (const { insert, from, count, step } of batches) {
          for (let i = 0; i < count; i++) {
            const key = `k${((from + i * step) % 3001).toString(36)}`;
            const known = index.get(key);
            if (insert) {
              index.put(key, known, ++main, 0, 1, main, 0);
              twin.set(key, twin.get(key) ?? main);
            } else if (known !== undefined) {
              index.remove(known);
              twin.delete(key);
            }
          }
          index.check();
        }
        const keys = [...twin.keys()].filter((key) => key >= low && key < high).sort();
        expect(index.size).toBe(twin.size);
        expect(index.range(low, high, main, 0).entries.map((entry) => entry.key)).toEqual(keys);
        expect(index.count(low, high, main)).toBe(keys.length);
        const limited = index.range(low, high, main, 3);
        expect(limited.count).toBe(keys.length);
        expect(limited.entries.map((entry) => entry.key)).toEqual(keys.slice(0, 3));
        expect(index.count('', '', main)).toBe(twin.size);
        const half = [...twin].filter(([, at]) => at <= main / 2).length;
        expect(index.count('', '', main / 2)).toBe(half);
        expect(index.someAt(main / 2)).toBe(half > 0);
      }),
      { runs: 60 },
    );
  });

  it('walks leaf by leaf over all keys', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 2000; i++) index.put(`${(i * 7919) % 2000}`, undefined, i + 2, 0, 1, i + 2, 0);
    const seen: string[] = [];
    for (let leaf = index.leafAfter(''); leaf !== undefined; leaf = index.leafAfter(seen[seen.length - 1]!)) {
      for (const entry of leaf.entries) seen.push(entry.key);
    }
    expect(seen).toEqual([...seen].sort());
    expect(seen).toHaveLength(2000);
  });

  it('takes no revision of a key below its newest', () => {
    const index = new KeyIndex();
    const entry = index.put('a', undefined, 5, 1, 1, 5, 0);
    expect(() => index.put('a', entry, 5, 1, 2, 5, 0)).toThrow(/goes back/);
    expect(() => index.put('a', entry, 4, 9, 2, 5, 0)).toThrow(/goes back/);
  });
});
