import { describe, expect, test } from 'vitest';
import { refusal } from '../../src/server/errors.js';
import { Proposals } from '../../src/server/proposals.js';

function outcome(into: string[], name: string) {
  return {
    ok: () => into.push(`${name} ok`),
    fail: (err: { code: string }) => into.push(`${name} ${err.code}`),
  } as never;
}
const cause = () => refusal('ERR_TIMEOUT_CONNECTION_LOST');

describe('proposals', () => {
  test('leave in order, in batches of bytes, at least one', () => {
    const p = new Proposals();
    const log: string[] = [];
    for (let i = 0; i < 4; i++) p.add(i, Buffer.alloc(10, i), outcome(log, String(i)), 0);
    expect(p.take(25, 0).map((q) => q.id)).toEqual([0, 1]);
    expect(p.take(5, 0).map((q) => q.id)).toEqual([2]);
    expect(p.queuedBytes).toBe(10);
    expect(p.take(25, 0).map((q) => q.id)).toEqual([3]);
    expect(p.take(25, 0)).toEqual([]);
  });

  test('what was not accepted stands in front again, and may still miss its deadline plainly', () => {
    const p = new Proposals();
    const log: string[] = [];
    for (let i = 0; i < 3; i++) p.add(i, Buffer.from('x'), outcome(log, String(i)), 0);
    const taken = p.take(2, 0);
    p.putBack(taken);
    expect(p.take(10, 0).map((q) => q.id)).toEqual([0, 1, 2]);
  });

  test('expire in the order they were made: queued ones missed a deadline, submitted ones have a cause', () => {
    const p = new Proposals();
    const log: string[] = [];
    p.add(1, Buffer.from('x'), outcome(log, 'sent'), 0);
    p.take(10, 0);
    p.add(2, Buffer.from('x'), outcome(log, 'queued'), 10);
    p.add(3, Buffer.from('x'), outcome(log, 'young'), 500);
    p.expire(1010, 1000, cause);
    expect(log).toEqual(['sent ERR_TIMEOUT_CONNECTION_LOST', 'queued ERR_DEADLINE']);
    expect(p.queuedCount).toBe(1);
    expect(p.applied(1)).toBeUndefined(); // a late apply finds nobody
    expect(p.take(10, 1010).map((q) => q.id)).toEqual([3]);
  });

  test('leave the table when nobody waits for them any more, and are not proposed then', () => {
    const p = new Proposals();
    const log: string[] = [];
    const call = { deadline: 0, isOver: false };
    p.add(1, Buffer.from('x'), outcome(log, 'sent'), 0, { deadline: 100 });
    p.take(1, 0);
    p.add(2, Buffer.from('x'), outcome(log, 'old'), 0);
    p.add(3, Buffer.from('x'), outcome(log, 'short'), 0, { deadline: 50 });
    p.add(4, Buffer.from('x'), outcome(log, 'canceled'), 0, call);
    call.isOver = true;
    expect(p.take(100, 60).map((q) => q.id)).toEqual([2]);
    expect(log).toEqual(['short ERR_DEADLINE', 'canceled ERR_CANCELED']);
    p.expire(99, 1000, cause);
    expect(p.pendingCount).toBe(2);
    p.expire(100, 1000, cause);
    expect(log.slice(2)).toEqual(['sent ERR_DEADLINE']);
    expect(p.applied(1)).toBeUndefined();
    expect(p.pendingCount).toBe(1);
  });

  test("another member's proposal waits in the queue until its time and has no one to answer here", () => {
    const p = new Proposals();
    p.addForeign(Buffer.from('old'), 100);
    p.addForeign(Buffer.from('new'), 300);
    expect(p.pendingCount).toBe(0);
    expect(p.take(10, 200).map((q) => q.data.toString())).toEqual(['new']);
  });

  test('a stop fails all of them once', () => {
    const p = new Proposals();
    const log: string[] = [];
    p.add(1, Buffer.from('x'), outcome(log, 'a'), 0);
    p.failAll(refusal('ERR_STOPPED'));
    p.expire(10_000, 1000, cause);
    expect(log).toEqual(['a ERR_STOPPED']);
    expect(p.queuedCount).toBe(0);
  });

  test('those that are urgent leave first, and stand in front again', () => {
    const p = new Proposals();
    const log: string[] = [];
    for (let i = 0; i < 3; i++) p.add(i, Buffer.from('x'), outcome(log, String(i)), 0);
    p.add(9, Buffer.from('x'), outcome(log, '9'), 0, null, true);
    const taken = p.take(2, 0);
    expect(taken.map((q) => q.id)).toEqual([9, 0]);
    p.putBack(taken);
    expect(p.queuedCount).toBe(4);
    expect(p.take(10, 0).map((q) => q.id)).toEqual([9, 0, 1, 2]);
    expect(p.queuedBytes).toBe(0);
  });

  test('have a bound in number and in bytes until they are applied, and urgent ones some room above it', () => {
    const log: string[] = [];
    const few = new Proposals({ maxPendingProposals: 4, maxPendingBytes: 1000 });
    for (let i = 0; i < 4; i++) {
      expect(few.isFull(false)).toBe(false);
      few.add(i, Buffer.from('x'), outcome(log, String(i)), 0);
    }
    few.take(100, 0);
    expect([few.isFull(false), few.isFull(true)]).toEqual([true, false]);
    few.add(4, Buffer.from('x'), outcome(log, '4'), 0, null, true);
    few.add(5, Buffer.from('x'), outcome(log, '5'), 0, null, true);
    expect(few.isFull(true)).toBe(true);
    few.applied(0);
    few.applied(1);
    few.expire(10_000, 7000, cause);
    expect([few.isFull(false), few.pendingBytes, few.pendingCount]).toEqual([false, 0, 0]);

    const small = new Proposals({ maxPendingProposals: 100, maxPendingBytes: 10 });
    small.add(1, Buffer.alloc(10), outcome(log, 'bytes'), 0);
    expect([small.isFull(false), small.isFull(true)]).toEqual([true, false]);
    small.failAll(refusal('ERR_STOPPED'));
    expect(small.isFull(false)).toBe(false);
  });
});
