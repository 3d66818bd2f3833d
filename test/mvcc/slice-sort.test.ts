import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SliceSort } from '../../src/mvcc/slice-sort.js';
import { check } from '../support/fc.js';

interface Item {
  readonly by: number;
  readonly at: number;
}

function sliceSorted(items: readonly Item[], compare: (a: Item, b: Item) => number): { sorted: Item[]; steps: number } {
  const sort = new SliceSort([...items], compare);
  let steps = 1;
  while (!sort.step()) steps++;
  return { sorted: sort.sorted, steps };
}

test('sorts as an array does, equal ones in the order they had', () => {
  const lengths = fc.oneof(fc.nat(40), fc.constantFrom(1023, 1024, 1025, 2048, 2049, 3072, 5000, 8192, 8193, 20_000));
  check(
    fc.property(
      lengths,
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 1 << 30 }),
      (length, kinds, mix) => {
        const items = Array.from({ length }, (_, at) => ({ by: Math.imul(at + 1, mix | 1) % kinds, at }));
        for (const compare of [(a: Item, b: Item) => a.by - b.by, (a: Item, b: Item) => b.by - a.by]) {
          expect(sliceSorted(items, compare).sorted).toEqual([...items].sort(compare));
        }
      },
    ),
    { runs: 40 },
  );
});

test('in steps that move a bounded number of items', () => {
  let compared = 0;
  let most = 0;
  const items = Array.from({ length: 100_000 }, (_, at) => ({ by: (at * 7919) % 100_003, at }));
  const sort = new SliceSort(items, (a, b) => {
    compared++;
    return a.by - b.by;
  });
  for (let done = false; !done; most = Math.max(most, compared)) {
    compared = 0;
    done = sort.step();
  }
  expect(most).toBeLessThan(4096 * 12);
  expect(sort.sorted.every((item, i) => i === 0 || (sort.sorted[i - 1] as Item).by <= item.by)).toBe(true);
});
