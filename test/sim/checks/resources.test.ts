import { describe, expect, test } from 'vitest';
import { leftBehind } from '../../../src/sim/checks/resources.js';

describe('I16 what members hold in the end', () => {
  const held = { name: 'm1', watchStreams: 1, watchers: 2, proposalsPending: 0, events: 4, connections: 4 };
  const limits = { streams: 2, watchers: 4, connections: 6, events: 9 };

  test('no more than clients have', () => {
    expect(leftBehind([held, { ...held, name: 'm2' }], limits)).toBeNull();
  });

  test.each([
    [{ ...held, watchStreams: 3 }, /3 at m1: 2 clients/],
    [{ ...held, watchers: 5 }, /5 at m1: there are 4/],
    [{ ...held, proposalsPending: 1 }, /m1 holds 1 proposals/],
    [{ ...held, connections: 7 }, /m1 holds 7 connections, not 6/],
    [{ ...held, events: 10 }, /m1 waits for 10 timers/],
  ])('%o is too much', (member, text) => {
    expect(leftBehind([member], limits)).toMatch(text);
  });
});
