import { expect, test } from 'vitest';
import { diskTimes, growing } from '../../src/util/histogram.js';

test('a bound belongs to its bucket', () => {
  const histogram = growing(1, 2, 3);
  expect([...histogram.bounds]).toEqual([1, 2, 4]);
  for (const value of [0, 1, 1.5, 2, 4, 4.001, 1e9]) histogram.observe(value);
  expect([...histogram.counts]).toEqual([2, 2, 1, 2]);
  expect(histogram.count).toBe(7);
  expect(histogram.sum).toBeCloseTo(1e9 + 12.501);
});

test('the disk: 1 ms to 8 s, as etcd has them', () => {
  const { bounds } = diskTimes();
  expect(bounds.length).toBe(14);
  expect([bounds[0], bounds[13]]).toEqual([0.001, 8.192]);
});
