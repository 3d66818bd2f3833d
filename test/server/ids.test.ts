import { describe, expect, test } from 'vitest';
import { clusterIdOf, memberIdOf, RequestIds } from '../../src/server/ids.js';

describe('identities (etcd wire 6.1)', () => {
  test("etcd's own vector", () => {
    const id = memberIdOf(['http://localhost:2380'], 'etcd-cluster');
    expect(id.toString(16)).toBe('8e9e05c52164694d');
    expect(clusterIdOf([id]).toString(16)).toBe('cdf818194e3a8c32');
  });

  test('neither depends on an order', () => {
    expect(memberIdOf(['b', 'a'], 't')).toBe(memberIdOf(['a', 'b'], 't'));
    expect(clusterIdOf([2n, 1n, 3n])).toBe(clusterIdOf([3n, 2n, 1n]));
  });

  test('a member added later has the time in place of the token', () => {
    expect(memberIdOf(['a'], '', 17)).toBe(memberIdOf(['a'], '17'));
  });
});

describe('ids of proposals', () => {
  test('ascend, and hold the member and the start', () => {
    const ids = new RequestIds(0xabcd_1234n, 1_700_000_000_000);
    const [first, second] = [ids.next(), ids.next()];
    expect(second).toBe(first + 1);
    expect(ids.full(first) >> 48n).toBe(0x1234n);
    expect(Number.isSafeInteger(first)).toBe(true);
  });

  test('a process that starts a millisecond later has others, for its first 256 of that millisecond', () => {
    const early = new RequestIds(1n, 1000);
    const late = new RequestIds(1n, 1001);
    for (let i = 0; i < 255; i++) early.next();
    expect(early.next()).toBeLessThan(late.next());
  });
});
