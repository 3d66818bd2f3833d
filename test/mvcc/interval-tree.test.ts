import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalTree } from '../../src/mvcc/interval-tree.js';
import { check } from '../support/fc.js';

const anyPoint = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\0', '\xff'), maxLength: 3 });
const anyStep = fc.record({ add: fc.boolean(), begin: anyPoint, end: anyPoint, value: fc.nat(5) });

describe('the interval tree', () => {
  it('finds what a linear search finds', () => {
    check(
      fc.property(fc.array(anyStep, { maxLength: 60 }), fc.array(anyPoint, { maxLength: 10 }), (steps, points) => {
        const tree = new IntervalTree<number>();
        const twin = new Map<string, { begin: string; end: string; value: number }>();
        for (const { add, begin, end, value } of steps) {
          const name = JSON.stringify([begin, end, value]);
          if (add) {
            tree.add(begin, end, value);
            twin.set(name, { begin, end, value });
          } else {
            tree.delete(begin, end, value);
            twin.delete(name);
          }
        }
        expect(tree.size).toBe(twin.size);
        for (const point of points) {
          const found: number[] = [];
          tree.stab(point, found);
          const wanted = [...twin.values()].filter(({ begin, end }) => begin <= point && (end === '' || point < end));
          expect(found.sort()).toEqual(wanted.map(({ value }) => value).sort());
        }
      }),
      { runs: 150 },
    );
  });

  it('stays shallow when intervals come in order', () => {
    const tree = new IntervalTree<number>();
    const name = (i: number): string => `${i}`.padStart(6, '0');
    for (let i = 0; i < 5_000; i++) tree.add(name(i), name(i + 1), i);
    const found: number[] = [];
    for (let i = 0; i < 5_000; i += 100) tree.stab(`${name(i)}x`, found);
    expect(found).toHaveLength(50);
    for (let i = 0; i < 5_000; i++) tree.delete(name(i), name(i + 1), i);
    expect(tree.size).toBe(0);
  });
});
