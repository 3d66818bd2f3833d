import { describe, expect, test } from 'vitest';
import { leftBehind } from '../../../src/sim/checks/resources.js';

describe('I16 what members hold in the end', () => {
  const held = { name: 'm1', watchStreams: 1, watchers: 2 };

  test('no more than clients have', () => {
    expect(leftBehind([held, { ...held, name: 'm2' }], { streams: 2, watchers: 4 })).toBeNull();
  });

  test.each([
    [{ ...held, watchStreams: 3 }, /3 at m1: 2 clients/],
    [{ ...held, watchers: 5 }, /5 at m1: there are 4/],
  ])('%o is too much', (member, text) => {
    expect(leftBehind([member], { streams: 2, watchers: 4 })).toMatch(text);
  });
});
