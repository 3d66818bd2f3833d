import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Inflights } from '../../src/raft/inflights.js';
import { Progress } from '../../src/raft/progress.js';
import { ProgressState } from '../../src/raft/status.js';
import { check } from '../support/fc.js';

describe('Inflights', () => {
  it('is what a plain list is', () => {
    const op = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 3 }), bytes: fc.nat(100) }),
      fc.record({ free: fc.nat(60) }),
      fc.constant('reset' as const),
    );
    check(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(2000),
        fc.array(op, { maxLength: 200 }),
        (max, maxBytes, ops) => {
          const inflights = new Inflights(max, maxBytes + 1);
          let list: { last: number; bytes: number }[] = [];
          let last = 0;
          for (const o of ops) {
            if (o === 'reset') {
              inflights.reset();
              list = [];
            } else if ('free' in o) {
              inflights.freeTo(o.free);
              list = list.filter((f) => f.last > o.free);
            } else if (!inflights.full) {
              last += o.add;
              inflights.add(last, o.bytes);
              list.push({ last, bytes: o.bytes });
            }
            const bytes = list.reduce((n, f) => n + f.bytes, 0);
            expect([inflights.count, inflights.bytes]).toEqual([list.length, bytes]);
            expect(inflights.full).toBe(list.length >= max || bytes >= maxBytes + 1);
          }
        },
      ),
      { runs: 200 },
    );
  });

  it('refuses what does not fit', () => {
    const inflights = new Inflights(1, 100);
    inflights.add(1, 1);
    expect(() => inflights.add(2, 1)).toThrow(/window is full/);
  });
});

describe('Progress', () => {
  const make = (match: number, next: number, state: ProgressState) => {
    const p = new Progress(2n, false, 4, 1000);
    p.match = match;
    if (state === ProgressState.Replicate) p.becomeReplicate();
    if (state === ProgressState.Snapshot) p.becomeSnapshot(next - 1);
    p.next = next;
    return p;
  };
  const { Probe, Replicate, Snapshot } = ProgressState;

  it.each([
    // A late refusal, of something that is known to match by now.
    ['replicate, stale', Replicate, 5, 10, 5, 5, false, 10],
    ['replicate, real', Replicate, 5, 10, 9, 9, true, 6],
    ['probe, of another question', Probe, 0, 10, 7, 7, false, 10],
    ['probe, back by one', Probe, 0, 10, 9, 9, true, 9],
    ['probe, back to the hint', Probe, 0, 10, 9, 2, true, 3],
    // Museum row 13: next must stay above match.
    ['probe, never below match', Probe, 5, 10, 9, 2, true, 6],
    ['snapshot', Snapshot, 0, 10, 9, 2, false, 10],
  ])('refused: %s', (_, state, match, next, rejected, hint, moved, newNext) => {
    const p = make(match, next, state);
    expect(p.maybeDecrease(rejected, hint)).toBe(moved);
    expect(p.next).toBe(newNext);
    p.check();
  });

  it('moves forward only', () => {
    const p = make(5, 10, Replicate);
    expect(p.maybeUpdate(4)).toBe(false);
    expect(p.maybeUpdate(5)).toBe(false);
    expect(p.maybeUpdate(7)).toBe(true);
    expect([p.match, p.next]).toEqual([7, 10]);
    expect(p.maybeUpdate(12)).toBe(true);
    expect([p.match, p.next]).toEqual([12, 13]);
  });

  it('goes on behind a snapshot that was taken, and before one that was not', () => {
    const taken = make(3, 11, Snapshot);
    taken.becomeProbe();
    expect(taken.next).toBe(11);
    const lost = make(3, 11, Snapshot);
    lost.pendingSnapshot = 0;
    lost.becomeProbe();
    expect(lost.next).toBe(4);
  });

  it('notices that next does not exceed match', () => {
    const p = make(5, 6, Probe);
    p.next = 5;
    expect(() => p.check()).toThrow(/match 5, next 5/);
  });
});
