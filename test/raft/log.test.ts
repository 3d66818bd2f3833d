import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entry, EntryType } from '../../src/raft/index.js';
import { entryBytes, RaftLog } from '../../src/raft/log.js';
import { AssertionError } from '../../src/util/assert.js';
import { check } from '../support/fc.js';
import { entries } from './support/solo.js';

const conf = { voters: [1n], learners: [] };
const log = (terms: number[], committed = 0, applied = 0) => new RaftLog(0, 0, entries(terms), committed, applied);
const terms = (l: RaftLog) =>
  Array.from({ length: l.lastIndex - l.firstIndex + 1 }, (_, i) => l.term(l.firstIndex + i));

describe('RaftLog', () => {
  it.each([
    ['nothing new', 2, 2, [], 2, [1, 2, 3]],
    ['all there already', 1, 1, [2, 3], 3, [1, 2, 3]],
    ['a part there already', 1, 1, [2], 2, [1, 2, 3]],
    ['one behind the end', 3, 3, [3], 4, [1, 2, 3, 3]],
    ['another instead of the last', 2, 2, [4], 3, [1, 2, 4]],
    ['others instead of the last two', 1, 1, [4, 4, 4], 4, [1, 4, 4, 4]],
    ['from the start', 0, 0, [1, 2, 3, 4], 4, [1, 2, 3, 4]],
    ['refused: other term', 3, 2, [4], -1, [1, 2, 3]],
    ['refused: a gap', 4, 4, [4], -1, [1, 2, 3]],
  ])('appends: %s', (_, index, term, add, last, result) => {
    const l = log([1, 2, 3]);
    expect(l.maybeAppend(index, term, entries(add, index + 1))).toBe(last);
    expect(terms(l)).toEqual(result);
  });

  it('never replaces what is committed', () => {
    expect(() => log([1, 2, 3], 3).maybeAppend(1, 1, entries([4], 2))).toThrow(AssertionError);
  });

  it('never commits what it does not have, nor takes a commit back', () => {
    const l = log([1, 1]);
    expect(() => l.commitTo(3)).toThrow(/was the log lost/);
    expect(l.commitTo(2)).toBe(true);
    expect(l.commitTo(1)).toBe(false);
    expect(l.committed).toBe(2);
  });

  it('refuses gaps and falling terms', () => {
    expect(() => log([1, 2]).append(entries([2], 4))).toThrow(AssertionError);
    expect(() => log([1, 2]).append(entries([1], 3))).toThrow(AssertionError);
  });

  it.each([
    [10, 9, 3],
    [3, 2, 2],
    [3, 1, 1],
    [2, 0, 0],
    [3, 3, 3],
  ])('looking back from %i for a term of at most %i gives %i', (index, term, found) => {
    expect(log([1, 2, 3]).findConflictByTerm(Math.min(index, 3), term)).toBe(found);
  });

  it('hands each entry to the disk once, and what replaced it again', () => {
    const l = log([]);
    l.maybeAppend(0, 0, entries([1, 1]));
    expect(l.offer(1, 0).entries.map((e) => e.index)).toEqual([1, 2]);
    expect(l.hasUnoffered).toBe(false);
    l.maybeAppend(1, 1, entries([2, 2], 2));
    expect(l.offer(2, 0).entries.map((e) => [e.index, e.term])).toEqual([
      [2, 2],
      [3, 2],
    ]);
    l.maybePersisted(1);
    expect(l.stable).toBe(1);
    l.maybePersisted(2);
    expect(l.stable).toBe(3);
  });

  // A term comes back: the old write must not make the new entries durable, though index and term are the same.
  it('does not mistake an old write for a new one', () => {
    const l = log([]);
    l.maybeAppend(0, 0, entries([1, 2]));
    l.offer(1, 0);
    l.maybeAppend(1, 1, entries([3], 2));
    l.offer(2, 0);
    l.maybeAppend(1, 1, entries([2, 2], 2));
    l.offer(3, 0);
    l.maybePersisted(1);
    expect(l.stable).toBe(1);
    l.maybePersisted(2);
    expect(l.stable).toBe(1);
    l.maybePersisted(3);
    expect(l.stable).toBe(3);
  });

  it('compacts up to what is applied, and keeps the term there', () => {
    const l = log([1, 2, 2, 3], 3, 2);
    const before = l.bytes;
    expect(() => l.compact(3)).toThrow(AssertionError);
    l.compact(2);
    expect([l.firstIndex, l.lastIndex, l.term(1), l.term(2), l.term(3)]).toEqual([3, 4, -1, 2, 2]);
    expect(l.bytes).toBe(before / 2);
    l.compact(1);
    expect(l.firstIndex).toBe(3);
    expect(() => l.slice(2, 100)).toThrow(AssertionError);
  });

  it('is empty behind a snapshot, and applies nothing until it is installed', () => {
    const l = log([1, 1, 1], 1);
    l.maybeAppend(3, 1, entries([1], 4));
    l.offer(1, 0);
    l.restore({ index: 10, term: 4, confState: conf });
    expect([l.firstIndex, l.lastIndex, l.lastTerm, l.committed, l.bytes]).toEqual([11, 10, 4, 10, 0]);
    l.maybeAppend(10, 4, entries([4], 11));
    l.commitTo(11);
    const write = l.offer(2, 0);
    expect([write.snapshot?.index, write.entries]).toEqual([10, []]);
    const behind = l.offer(3, 0);
    expect([behind.snapshot, behind.entries.map((e) => e.index)]).toEqual([null, [11]]);
    l.maybePersisted(1);
    expect(l.hasUnapplied).toBe(false);
    l.maybePersisted(2);
    expect(l.hasUnapplied).toBe(false);
    l.maybePersisted(3);
    expect([l.stable, l.applied]).toEqual([11, 10]);
    expect(l.takeCommitted(false).map((e) => e.index)).toEqual([11]);
  });

  it('books bytes as a dumb count does, whatever happens (museum row 11)', () => {
    const op = fc.oneof(
      fc.record({ what: fc.constant('append' as const), sizes: fc.array(fc.nat(50), { maxLength: 4 }) }),
      fc.record({
        what: fc.constant('replace' as const),
        back: fc.nat(5),
        sizes: fc.array(fc.nat(50), { maxLength: 4 }),
      }),
      fc.record({ what: fc.constantFrom('commit' as const, 'apply' as const, 'compact' as const), n: fc.nat(4) }),
    );
    check(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        const l = log([]);
        let term = 1;
        let token = 0;
        const make = (from: number, sizes: number[]) =>
          sizes.map((size, i) => new Entry(EntryType.NORMAL, term, from + i, Buffer.alloc(size)));
        const all: Entry[] = [];
        for (const o of ops) {
          switch (o.what) {
            case 'append':
            case 'replace': {
              const from = o.what === 'append' ? l.lastIndex : Math.max(l.committed, l.lastIndex - o.back);
              if (from < l.lastIndex) term++;
              const add = make(from + 1, o.sizes);
              l.maybeAppend(from, l.term(from), add);
              if (add.length > 0) all.length = from;
              all.push(...add);
              break;
            }
            case 'commit':
              l.commitTo(Math.min(l.committed + o.n, l.lastIndex));
              break;
            case 'apply': {
              l.offer(++token, 0);
              l.maybePersisted(token);
              const last = l.takeCommitted(false).at(-1);
              if (last !== undefined) l.appliedTo(last.index);
              break;
            }
            case 'compact':
              l.compact(Math.max(0, l.applied - o.n));
              break;
          }
          const sum = (list: Entry[]) => list.reduce((n, e) => n + entryBytes(e), 0);
          expect(l.bytes).toBe(sum(all.slice(l.firstIndex - 1)));
          expect(l.uncommittedBytes).toBe(sum(all.slice(l.committed)));
        }
      }),
      { runs: 200 },
    );
  });
});
