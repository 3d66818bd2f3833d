import { describe, expect, test } from 'vitest';
import { refusal } from '../../src/server/errors.js';
import { ReadIndexer } from '../../src/server/read-index.js';

function setup() {
  const asked: number[] = [];
  const log: string[] = [];
  const indexer = new ReadIndexer((ctx) => asked.push(ctx));
  const add = (name: string, now: number) =>
    indexer.add(
      { ready: (at) => log.push(`${name} ready ${at}`), fail: (err) => log.push(`${name} ${err.code}`) },
      now,
    );
  return { asked, log, indexer, add };
}

describe('rounds of ReadIndex', () => {
  test('leave out who waits no longer, before the round and while it is under way', () => {
    const { asked, log, indexer, add } = setup();
    const call = { deadline: 0, isOver: false };
    const of = (name: string, ctx: { deadline: number; isOver?: boolean }) =>
      indexer.add({ ctx, ready: () => log.push(`${name} ready`), fail: (err) => log.push(`${name} ${err.code}`) }, 0);
    of('short', { deadline: 5 });
    indexer.startRound(10);
    expect(asked).toEqual([]);
    of('canceled', call);
    of('late', { deadline: 300 });
    add('patient', 0);
    indexer.startRound(20);
    call.isOver = true;
    indexer.tick(100, 500, 7000);
    indexer.tick(400, 500, 7000);
    indexer.confirmed(1, 3);
    indexer.applied(3);
    expect(log).toEqual(['short ERR_DEADLINE', 'canceled ERR_CANCELED', 'late ERR_DEADLINE', 'patient ready 20']);
  });

  test('one is under way at a time, and who asks meanwhile shares the next', () => {
    const { asked, log, indexer, add } = setup();
    add('a', 1);
    add('b', 1);
    indexer.startRound(2);
    add('c', 3);
    indexer.startRound(3);
    expect(asked).toEqual([1]);
    indexer.confirmed(1, 10);
    indexer.startRound(4);
    expect(asked).toEqual([1, 2]);
    indexer.applied(9);
    expect(log).toEqual([]);
    indexer.applied(10);
    expect(log).toEqual(['a ready 2', 'b ready 2']);
    indexer.confirmed(2, 10);
    indexer.applied(10);
    expect(log[2]).toBe('c ready 4');
  });

  test('mutant 5: a late answer to an attempt before confirms who asked behind it', () => {
    const log: string[] = [];
    const indexer = new ReadIndexer(() => {}, true);
    const add = (name: string) => indexer.add({ ready: () => log.push(name), fail: () => {} }, 0);
    add('a');
    indexer.startRound(0);
    indexer.leaderChanged(1);
    indexer.confirmed(2, 10);
    add('b');
    indexer.startRound(2);
    indexer.confirmed(1, 5);
    indexer.applied(10);
    expect(log).toEqual(['a', 'b']);
  });

  test('a retry has a new number, and a late answer to the old one confirms nothing (museum 4)', () => {
    const { asked, log, indexer, add } = setup();
    add('a', 0);
    indexer.startRound(0);
    indexer.tick(500, 500, 7000);
    expect(asked).toEqual([1, 2]);
    indexer.confirmed(1, 5);
    indexer.applied(5);
    expect(log).toEqual([]);
    indexer.confirmed(2, 6);
    indexer.applied(6);
    expect(log).toEqual(['a ready 0']);
  });

  test('another leader is asked anew, under a new number', () => {
    const { asked, indexer, add } = setup();
    add('a', 0);
    indexer.startRound(0);
    indexer.leaderChanged(10);
    expect(asked).toEqual([1, 2]);
  });

  test('who waited too long fails: waiting, asking, or confirmed and not applied', () => {
    const { log, indexer, add } = setup();
    add('confirmed', 0);
    indexer.startRound(0);
    indexer.confirmed(1, 99);
    add('asking', 10);
    indexer.startRound(10);
    add('waiting', 20);
    indexer.tick(1020, 500, 1000);
    expect(log.sort()).toEqual(['asking ERR_TIMEOUT', 'confirmed ERR_TIMEOUT', 'waiting ERR_TIMEOUT']);
    indexer.applied(99);
    expect(log).toHaveLength(3);
  });

  test('a stop fails all of them once', () => {
    const { log, indexer, add } = setup();
    add('a', 0);
    indexer.startRound(0);
    add('b', 0);
    indexer.failAll(refusal('ERR_STOPPED'));
    indexer.confirmed(1, 1);
    indexer.applied(1);
    expect(log).toEqual(['b ERR_STOPPED', 'a ERR_STOPPED']);
  });
});
