import { describe, expect, it } from 'vitest';
import { FINISHED_COMPACT, SCHEDULED_COMPACT } from '../../src/mvcc/compactor.js';
import { Bucket } from '../../src/storage/backend/index.js';
import { plainPut, plainRange, plainTxn } from './support/answers.js';
import { TestStore } from './support/harness.js';
import { compare, del, opDel, opPut, opRange, opTxn, put, range, txn } from './support/requests.js';
import type { TwinRange } from './support/twin.js';

function filled(...keys: string[]): TestStore {
  const subject = new TestStore();
  for (const key of keys) subject.apply((store) => store.applyPut(put(key, `v${key}`)));
  return subject;
}

const ALL = { key: '\0', rangeEnd: '\0' };

function keysOf(subject: TestStore, init: Parameters<typeof range>[0]): string[] {
  return (plainRange(subject.store.range(range(init))) as TwinRange).kvs.map((kv) => kv.key);
}

function rows(subject: TestStore): string[] {
  const found: string[] = [];
  subject.backend.scan(Bucket.key, Buffer.alloc(1), Buffer.alloc(20, 0xff)).next(1000, (_err, some) => {
    for (const [key] of some)
      found.push(`${key.readUIntBE(2, 6)}.${key.readUIntBE(11, 6)}${key.length > 17 ? 't' : ''}`);
  });
  subject.loop.run();
  return found;
}

describe('revisions (etcd semantics §2, §3)', () => {
  it('begin at 1, and the first write gives 2', () => {
    const subject = new TestStore();
    expect([subject.store.currentRev, subject.store.compactRev]).toEqual([1, -1]);
    expect(subject.apply((store) => store.applyPut(put('a'))).valueOf()).toEqual({ revision: 2, prevKv: null });
  });

  it('do not move for a delete of nothing or a transaction without a change', () => {
    const subject = filled('a');
    expect(subject.apply((store) => store.applyDeleteRange(del('x')))).toEqual({
      revision: 2,
      deleted: 0,
      prevKvs: [],
    });
    const result = subject.apply((store) => store.applyTxn(txn({ success: [opRange({ key: 'a' }), opDel('x')] })));
    expect(plainTxn(result)).toMatchObject({ revision: 2, parts: [{ op: 'range' }, { op: 'delete', revision: 2 }] });
  });

  it('are shared by all changes of a transaction, which sub-revisions number in rows', () => {
    const subject = new TestStore();
    subject.apply((store) =>
      store.applyTxn(txn({ success: [opPut('a'), opPut('b'), opTxn({ success: [opPut('c')] })] })),
    );
    subject.apply((store) => store.applyDeleteRange(del('a', '\0')));
    expect(rows(subject)).toEqual(['2.0', '2.1', '2.2', '3.0t', '3.1t', '3.2t']);
  });
});

describe('range (etcd semantics §3.2)', () => {
  it('gives count whatever the limit, and more', () => {
    const subject = filled('a', 'b', 'c');
    expect(plainRange(subject.store.range(range({ ...ALL, limit: 2 })))).toMatchObject({ count: 3, more: true });
    expect(plainRange(subject.store.range(range({ ...ALL, limit: 3 })))).toMatchObject({ count: 3, more: false });
    expect(plainRange(subject.store.range(range({ ...ALL, limit: 1, countOnly: true })))).toEqual({
      revision: 4,
      kvs: [],
      more: false,
      count: 3,
    });
  });

  it('limits before it sorts where no order is given, and after where one is', () => {
    const subject = filled('a', 'b', 'c');
    subject.apply((store) => store.applyPut(put('a', 'again')));
    // By mod revision: b 3, c 4, a 5.
    expect(keysOf(subject, { ...ALL, limit: 1, sortTarget: 3 })).toEqual(['b']);
    expect(keysOf(subject, { ...ALL, limit: 2, sortTarget: 3 })).toEqual(['b', 'c']);
    expect(keysOf(subject, { ...ALL, limit: 1, sortTarget: 3, sortOrder: 2 })).toEqual(['a']);
    expect(keysOf(subject, { ...ALL, limit: 1, sortOrder: 2 })).toEqual(['c']);
  });

  it('filters with inclusive bounds, before the limit and not in the count', () => {
    const subject = filled('a', 'b', 'c', 'd');
    expect(keysOf(subject, { ...ALL, minModRevision: 3, maxModRevision: 4 })).toEqual(['b', 'c']);
    expect(plainRange(subject.store.range(range({ ...ALL, minCreateRevision: 4, limit: 1 })))).toMatchObject({
      count: 4,
      more: true,
    });
  });

  it('clears the value and keeps the lease with keys_only', () => {
    const subject = new TestStore();
    subject.apply((_store, lessor) => lessor.grant(1n, 60));
    subject.apply((store) => store.applyPut(put('a', 'value', { lease: 1n })));
    expect(plainRange(subject.store.range(range({ key: 'a', keysOnly: true })))).toMatchObject({
      kvs: [{ key: 'a', value: '', lease: 1n, mod: 2 }],
    });
  });

  it('reads any revision from the compact one on, and negative ones as the current', () => {
    const subject = filled('a', 'a', 'a');
    subject.apply((store) => store.applyCompact(3));
    const at = (revision: number): unknown => {
      const result = plainRange(subject.store.range(range({ key: 'a', revision })));
      return typeof result === 'string' ? result : result.kvs[0]?.mod;
    };
    expect([-1, 0, 1, 2, 3, 4, 5].map(at)).toEqual([4, 4, 'compacted', 'compacted', 3, 4, 'future']);
  });

  it('is empty for an inverted range, and every key from one on with \\0', () => {
    const subject = filled('a', 'b', 'c');
    expect(keysOf(subject, { key: 'c', rangeEnd: 'a' })).toEqual([]);
    expect(keysOf(subject, { key: 'b', rangeEnd: 'b' })).toEqual([]);
    expect(keysOf(subject, { key: 'b', rangeEnd: '\0' })).toEqual(['b', 'c']);
  });

  it('without blocking says the same, from the store as from memory', () => {
    const subject = new TestStore({ valueCacheBytes: 0 });
    for (const key of ['a', 'b', 'c']) subject.apply((store) => store.applyPut(put(key, key)));
    subject.flush();
    const answers: unknown[] = [];
    subject.store.rangeLater(range(ALL), (err, result) => answers.push(err, plainRange(result!)));
    expect(answers).toEqual([]);
    // It is pinned: what comes after the call is not seen.
    subject.apply((store) => store.applyDeleteRange(del('a', '\0')));
    subject.loop.run();
    expect(answers[1]).toMatchObject({ revision: 4, count: 3, kvs: [{ key: 'a' }, { key: 'b' }, { key: 'c' }] });
  });
});

describe('a big range', () => {
  it.each([
    ['by key', {}],
    ['downwards', { sortOrder: 2 }],
    ['by revision', { sortTarget: 3, sortOrder: 2, limit: 4000 }],
    ['by value, which it must know for that', { sortTarget: 4, sortOrder: 1 }],
  ])('without values is the same in slices as at once: %s', (_, options) => {
    const subject = new TestStore({ valueCacheBytes: 0 });
    for (let i = 0; i < 5000; i++) subject.apply((store) => store.applyPut(put(`k${i}`, `v${(i * 7919) % 5000}`)));
    subject.loop.run();
    const asked = range({ ...ALL, keysOnly: true, ...options });
    let answer: TwinRange | undefined;
    subject.store.rangeLater(asked, (_err, result) => {
      answer = plainRange(result!) as TwinRange;
    });
    for (let i = 0; answer === undefined && i < 100; i++) {
      subject.store.step();
      subject.loop.run();
    }
    expect(answer?.kvs.every((kv) => kv.value === '')).toBe(true);
    expect(answer).toEqual(plainRange(subject.store.range(asked)));
    // What is cached, or read next, has its value still.
    expect(plainRange(subject.store.range(range({ key: 'k1' })))).toMatchObject({ kvs: [{ value: 'v2919' }] });
  });

  for (const valueCacheBytes of [0, 64 << 20]) {
    it(`is read in slices, at the revision of its beginning (cache of ${valueCacheBytes})`, () => {
      let wakes = 0;
      const subject = new TestStore({ valueCacheBytes, wake: () => wakes++ });
      const name = (i: number): string => `k${`${i}`.padStart(6, '0')}`;
      for (let i = 0; i < 10_000; i += 100) {
        const ops = Array.from({ length: 100 }, (_, k) => opPut(name(((i + k) * 7919) % 10_000), 'old'));
        subject.apply((store) => store.applyTxn(txn({ success: ops })));
      }
      subject.loop.run();
      const revision = subject.store.currentRev;
      let answer: TwinRange | undefined;
      let steps = 0;
      subject.store.rangeLater(range({ ...ALL, limit: 9000 }), (err, result) => {
        expect(err).toBe(null);
        answer = plainRange(result!) as TwinRange;
      });
      for (; answer === undefined && steps < 100; steps++) {
        // Meanwhile keys change, go and come, and a compaction wants to take what is being read.
        subject.apply((store) => store.applyPut(put(name(steps * 997), 'new')));
        subject.apply((store) => store.applyDeleteRange(del(name(9500 + steps))));
        subject.apply((store) => store.applyPut(put(`${name(steps)}x`, 'new')));
        subject.apply((store) => store.applyCompact(subject.store.currentRev));
        subject.loop.run();
        subject.store.step();
      }
      expect(steps).toBeGreaterThan(2);
      expect(answer).toMatchObject({ revision, count: 10_000, more: true });
      expect(answer!.kvs.map((kv) => kv.key)).toEqual(Array.from({ length: 9000 }, (_, i) => name(i)));
      expect(answer!.kvs.every((kv) => kv.value === 'old' && kv.mod <= revision)).toBe(true);
      expect(wakes).toBeGreaterThan(0);
      while (subject.store.step());
      expect(subject.store.compactRev).toBe(subject.store.currentRev);
    });
  }

  it('of a transaction is read in slices too, at the revision of its comparisons', () => {
    const subject = new TestStore({ valueCacheBytes: 0 });
    for (let i = 0; i < 50; i++) {
      const success = Array.from({ length: 100 }, (_, k) => opPut(`${i}-${k}`, 'old'));
      subject.apply((store) => store.applyTxn(txn({ success })));
    }
    subject.loop.run();
    const before = subject.store.currentRev;
    const req = txn({
      compare: [compare({ key: '0-0', target: 3, targetUnion: 7, value: Buffer.from('old') })],
      success: [
        opRange(ALL),
        opRange({ ...ALL, countOnly: true }),
        opRange({ key: '0-0' }),
        opRange({ key: 'a', revision: 2 }),
      ],
    });
    const wanted = plainTxn(subject.store.readTxn(req));
    const answers: unknown[] = [];
    subject.store.txnLater(req, (err, result) => answers.push(err, plainTxn(result!)));
    for (let i = 0; answers.length === 0 && i < 50; i++) {
      subject.store.step();
      subject.loop.run(1);
      subject.apply((store) => store.applyPut(put('0-0', 'new')));
      subject.apply((store) => store.applyDeleteRange(del(`${i}-1`)));
      if (i === 1) subject.apply((store) => store.applyCompact(subject.store.currentRev));
    }
    expect(subject.store.currentRev).toBeGreaterThan(before + 4);
    expect(answers).toEqual([null, wanted]);
  });

  it('of a transaction begins anew when a snapshot takes the rows from under it', () => {
    const subject = new TestStore({ valueCacheBytes: 0 });
    for (let i = 0; i < 3000; i++) subject.apply((store) => store.applyPut(put(`${i}`, 'old')));
    const snapshot = subject.snapshot(subject.loop);
    const answers: unknown[] = [];
    const req = txn({ success: [opRange({ key: '1' }), opRange({ ...ALL, countOnly: true })] });
    subject.store.txnLater(req, (_err, result) => answers.push(plainTxn(result!)));
    subject.apply((store) => store.applyPut(put('more')));
    subject.restore(snapshot, () => expect(answers).toEqual([]));
    for (let i = 0; i < 10; i++) subject.store.step();
    expect(answers).toEqual([plainTxn(subject.store.readTxn(req))]);
  });

  it('is given up between two slices when nobody waits for it any more, and a compaction may go on', () => {
    const subject = new TestStore();
    for (let i = 0; i < 50; i++) {
      const success = Array.from({ length: 100 }, (_, k) => opPut(`${i}-${k}`));
      subject.apply((store) => store.applyTxn(txn({ success })));
    }
    subject.loop.run();
    // All of it is in the cache, so that slices follow each other without the loop.
    subject.store.range(range(ALL));
    const answers: unknown[] = [];
    const caller = { isOver: false };
    subject.store.rangeLater(range(ALL), (_err, result) => answers.push(result), caller);
    subject.store.step();
    caller.isOver = true;
    subject.apply((store) => store.applyCompact(subject.store.currentRev));
    for (let i = 0; i < 20; i++) subject.store.step();
    expect(answers).toEqual(['abandoned']);
    let compacted = false;
    subject.store.onCompacted(() => {
      compacted = true;
    });
    subject.loop.run();
    expect(compacted).toBe(true);
  });

  it('with filters and in another order is the same in slices as at once', () => {
    const subject = new TestStore();
    for (let i = 0; i < 60; i++) {
      const success = Array.from({ length: 100 }, (_, k) =>
        opPut(`k${(i * 37 + k * 61) % 4500}-${k % 3}`, `v${k % 7}`),
      );
      subject.apply((store) => store.applyTxn(txn({ success: distinct(success) })));
    }
    subject.loop.run();
    const targets = [0, 1, 2, 3, 4];
    for (const sortTarget of targets) {
      for (const sortOrder of [0, 1, 2]) {
        for (const more of [{}, { minModRevision: 20 }, { maxCreateRevision: 30, limit: 700 }, { limit: 2500 }]) {
          const asked = range({ ...ALL, sortTarget, sortOrder, ...more });
          let answer: TwinRange | undefined;
          subject.store.rangeLater(asked, (_err, result) => {
            answer = plainRange(result!) as TwinRange;
          });
          for (let i = 0; answer === undefined && i < 100; i++) go(subject);
          expect(answer).toEqual(plainRange(subject.store.range(asked)));
        }
      }
    }
  });

  it('beside others takes turns, and where they keep too much the oldest goes on alone', () => {
    const subject = new TestStore({ rangeBytes: 200_000 });
    for (let i = 0; i < 100; i++) {
      const success = Array.from({ length: 100 }, (_, k) => opPut(`${i}-${k}`, 'x'.repeat(50)));
      subject.apply((store) => store.applyTxn(txn({ success })));
    }
    subject.loop.run();
    subject.store.range(range(ALL));
    const ended: number[] = [];
    for (let n = 0; n < 12; n++) subject.store.rangeLater(range(ALL), () => ended.push(n));
    let steps = 0;
    while (ended.length < 12 && steps < 1000) {
      const before = ended.length;
      subject.store.step();
      expect(ended.length - before).toBeLessThanOrEqual(1);
      steps++;
    }
    // All have a first slice and more than is allowed by it, so that each comes to its end before the next goes on.
    expect(ended).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(steps).toBeGreaterThan(12 * 4);
  });

  it('waits for a client that takes nothing, and has to go where memory is wanted', () => {
    const subject = new TestStore({ rangeBytes: 100_000 });
    for (let i = 0; i < 100; i++) {
      const success = Array.from({ length: 100 }, (_, k) => opPut(`${i}-${k}`, 'x'.repeat(50)));
      subject.apply((store) => store.applyTxn(txn({ success })));
    }
    subject.loop.run();
    const answers: unknown[] = [];
    const slow = { isHeld: true };
    subject.store.rangeLater(range(ALL), (_err, result) => answers.push(plainRange(result!)), slow);
    for (let i = 0; i < 20; i++) go(subject);
    expect(answers).toEqual([]);
    slow.isHeld = false;
    subject.store.tick();
    for (let i = 0; i < 20; i++) go(subject);
    expect(answers).toHaveLength(1);
    slow.isHeld = true;
    for (let n = 0; n < 3; n++) subject.store.rangeLater(range(ALL), (_err, result) => answers.push(result), slow);
    for (let i = 0; i < 20; i++) go(subject);
    // The third was not begun.
    expect(answers.slice(1)).toEqual(['crowded-out']);
  });

  it('begins anew when a snapshot takes the rows from under it', () => {
    const subject = new TestStore({ valueCacheBytes: 0 });
    for (let i = 0; i < 3000; i++) subject.apply((store) => store.applyPut(put(`${i}`, 'old')));
    const leader = new TestStore();
    for (let i = 0; i < 3005; i++) leader.apply((store) => store.applyPut(put('only', `${i}`)));
    const snapshot = leader.snapshot(subject.loop);
    let answer: unknown;
    subject.store.rangeLater(range(ALL), (_err, result) => {
      answer = plainRange(result!);
    });
    expect(answer).toBe(undefined);
    subject.restore(snapshot);
    expect(answer).toMatchObject({ revision: 3006, count: 1, kvs: [{ key: 'only', value: '3004' }] });
  });
});

describe('put (etcd semantics §3.4)', () => {
  it('keeps what it is told to, and refuses that on a missing key', () => {
    const subject = new TestStore();
    subject.apply((_store, lessor) => lessor.grant(1n, 60));
    subject.apply((store) => store.applyPut(put('a', '1', { lease: 1n })));
    subject.apply((store) => store.applyPut(put('a', '2', { ignoreLease: true })));
    const second = plainPut(
      subject.apply((store) => store.applyPut(put('a', '', { ignoreValue: true, prevKv: true }))),
    );
    expect(second).toMatchObject({ revision: 4, prev: { value: '2', lease: 1n, version: 2 } });
    expect(plainRange(subject.store.range(range({ key: 'a' })))).toMatchObject({
      kvs: [{ value: '2', lease: 0n, version: 3 }],
    });
    expect(subject.lessor.keysOf(1n)).toEqual([]);
    expect(subject.apply((store) => store.applyPut(put('x', '', { ignoreValue: true })))).toBe('key-not-found');
    expect(subject.apply((store) => store.applyPut(put('x', '', { lease: 9n, ignoreValue: true })))).toBe(
      'lease-not-found',
    );
    expect(subject.store.currentRev).toBe(4);
  });

  it('starts version and create revision anew after a delete', () => {
    const subject = filled('a', 'a');
    subject.apply((store) => store.applyDeleteRange(del('a')));
    subject.apply((store) => store.applyPut(put('a')));
    expect(plainRange(subject.store.range(range({ key: 'a' })))).toMatchObject({
      kvs: [{ create: 5, mod: 5, version: 1 }],
    });
  });
});

describe('transactions (etcd semantics §3.6)', () => {
  it('compare a missing key as zeros, but never its value', () => {
    const subject = new TestStore();
    const holds = (init: Parameters<typeof compare>[0]): boolean => {
      const result = subject.store.applyTxn(txn({ compare: [compare({ key: 'x', ...init })] }));
      return typeof result !== 'string' && result.succeeded;
    };
    for (const target of [0, 1, 2, 4]) {
      expect(holds({ target, result: 0 })).toBe(true);
      expect(holds({ target, result: 3 })).toBe(false);
    }
    for (const result of [0, 1, 2, 3]) expect(holds({ target: 3, result, targetUnion: 7 })).toBe(false);
    expect(holds({ rangeEnd: '\0', target: 2, result: 2, targetUnion: 6, modRevision: 1 })).toBe(true);
  });

  it('compare every key of a range', () => {
    const subject = filled('a', 'b');
    const created = (revision: number): boolean => {
      const all = compare({ key: 'a', rangeEnd: 'c', target: 1, result: 1, targetUnion: 5, createRevision: revision });
      const result = subject.store.applyTxn(txn({ compare: [all] }));
      return typeof result !== 'string' && result.succeeded;
    };
    expect([created(1), created(2)]).toEqual([true, false]);
  });

  it('change all or nothing (museum 36)', () => {
    const subject = filled('a');
    for (const [last, refusal] of [
      [opPut('c', '1', { lease: 5n }), 'lease-not-found'],
      [opPut('c', '', { ignoreValue: true }), 'key-not-found'],
      [opRange({ key: 'a', revision: 99 }), 'future'],
      [opTxn({ success: [opTxn({ success: [opPut('c', '', { ignoreLease: true })] })] }), 'key-not-found'],
    ] as const) {
      expect(subject.apply((store) => store.applyTxn(txn({ success: [opPut('b', '1'), last] })))).toBe(refusal);
    }
    expect(subject.store.currentRev).toBe(2);
    expect(keysOf(subject, ALL)).toEqual(['a']);
  });

  it('do not look at a branch that is not taken', () => {
    const subject = filled('a');
    const result = subject.apply((store) => store.applyTxn(txn({ failure: [opPut('c', '1', { lease: 5n })] })));
    expect(result).toMatchObject({ succeeded: true, parts: [] });
  });

  it('decide all branches on the state before, and read what they have written', () => {
    const subject = new TestStore();
    const missing = compare({ key: 'a', target: 0, result: 0 });
    const result = subject.apply((store) =>
      store.applyTxn(
        txn({
          success: [
            opPut('a', '1'),
            opTxn({ compare: [missing], success: [opRange({ key: 'a' })] }),
            opRange({ key: 'a', revision: 1 }),
          ],
        }),
      ),
    );
    expect(plainTxn(result)).toMatchObject({
      revision: 2,
      parts: [
        { revision: 2 },
        { succeeded: true, parts: [{ result: { revision: 2, kvs: [{ key: 'a', mod: 2 }] } }] },
        { result: { revision: 2, count: 0 } },
      ],
    });
  });

  it('take a negative revision for a compacted one, unlike a range alone', () => {
    const subject = filled('a');
    subject.apply((store) => store.applyCompact(1));
    expect(subject.store.readTxn(txn({ success: [opRange({ key: 'a', revision: -1 })] }))).toBe('compacted');
    expect(plainRange(subject.store.range(range({ key: 'a', revision: -1 })))).toMatchObject({ count: 1 });
  });

  it('refuse a compacted revision before a single row of it is gone (museum 35)', () => {
    const subject = filled('a', 'a', 'a');
    subject.apply((store) => store.applyCompact(4));
    expect(subject.store.applyTxn(txn({ success: [opRange({ key: 'a', revision: 3 })] }))).toBe('compacted');
    subject.loop.run();
    expect(subject.store.applyTxn(txn({ success: [opRange({ key: 'a', revision: 3 })] }))).toBe('compacted');
  });

  it('survive a put that keeps the value of a key which the same transaction deletes', () => {
    const subject = filled('a');
    const ops = [opDel('a', '\0'), opPut('a', '', { ignoreValue: true })];
    expect(plainTxn(subject.apply((store) => store.applyTxn(txn({ success: ops }))))).toMatchObject({ revision: 3 });
    expect(plainRange(subject.store.range(range({ key: 'a' })))).toMatchObject({
      kvs: [{ value: '', create: 3, version: 1 }],
    });
  });
});

describe('compaction (etcd semantics §3.7)', () => {
  it('refuses what is behind it and what is ahead; 0 is taken once', () => {
    const subject = filled('a', 'b');
    const at = (revision: number): unknown => subject.apply((store) => store.applyCompact(revision));
    expect([at(-1), at(0), at(0), at(4), at(3), at(3), at(2)]).toEqual([
      'compacted',
      { revision: 3 },
      'compacted',
      'future',
      { revision: 3 },
      'compacted',
      'compacted',
    ]);
  });

  it('keeps of each key the newest version, and a tombstone only at the revision itself', () => {
    const subject = filled('a', 'a', 'b'); // 2, 3, 4
    subject.apply((store) => store.applyDeleteRange(del('b'))); // 5
    subject.apply((store) => store.applyDeleteRange(del('a'))); // 6
    subject.apply((store) => store.applyPut(put('a'))); // 7
    subject.apply((store) => store.applyCompact(5));
    subject.loop.run();
    expect(rows(subject)).toEqual(['3.0', '5.0t', '6.0t', '7.0']);
    subject.apply((store) => store.applyCompact(6));
    subject.loop.run();
    expect(rows(subject)).toEqual(['6.0t', '7.0']);
    subject.apply((store) => store.applyCompact(7));
    subject.loop.run();
    expect(rows(subject)).toEqual(['7.0']);
    expect(subject.store.keyCount).toBe(1);
  });

  it('works in bounded steps, and tells who waits when it is done', () => {
    const subject = new TestStore({ compactionSliceRows: 10, wake: () => {} });
    for (let i = 0; i < 100; i++) subject.apply((store) => store.applyPut(put('hot', `${i}`)));
    subject.apply((store) => store.applyCompact(101));
    let done = false;
    subject.store.onCompacted(() => {
      done = true;
    });
    let steps = 0;
    for (let before = 100; subject.store.step(); before = rows(subject).length) {
      expect(before - rows(subject).length).toBeLessThanOrEqual(10);
      expect(done).toBe(false);
      steps++;
    }
    expect(steps).toBeGreaterThanOrEqual(9);
    expect(done).toBe(true);
    expect(rows(subject)).toEqual(['101.0']);
    let again = false;
    subject.store.onCompacted(() => {
      again = true;
    });
    expect(again).toBe(true);
  });

  it('goes on after a crash in the middle, and brings no deleted key back', () => {
    for (let steps = 0; steps < 12; steps++) {
      const subject = new TestStore({ compactionSliceRows: 1, wake: () => {} });
      for (const key of ['a', 'a', 'b', 'a']) subject.apply((store) => store.applyPut(put(key)));
      subject.apply((store) => store.applyDeleteRange(del('a')));
      subject.apply((store) => store.applyPut(put('c')));
      subject.apply((store) => store.applyCompact(7));
      for (let i = 0; i < steps; i++) subject.store.step();
      subject.flush();
      subject.crash();
      expect(subject.store.compactRev).toBe(7);
      expect(keysOf(subject, ALL)).toEqual(['b', 'c']);
      while (subject.store.step());
      expect(rows(subject)).toEqual(['4.0', '7.0']);
    }
  });

  it('does not let the revision fall back after a restart (museum 33)', () => {
    const subject = filled('a');
    subject.apply((store) => store.applyDeleteRange(del('a')));
    subject.apply((store) => store.applyCompact(3));
    subject.loop.run();
    subject.flush();
    subject.crash();
    expect(subject.store.currentRev).toBe(3);
    expect(subject.apply((store) => store.applyPut(put('b')))).toMatchObject({ revision: 4 });
  });

  it('stores the scheduled revision with the apply, and the finished one when it is', () => {
    const subject = filled('a', 'a');
    subject.apply((store) => store.applyCompact(3));
    const meta = (key: Buffer): string | undefined => subject.backend.get(Bucket.meta, key)?.toString('hex');
    const three = '0000000000000003' + '5f' + '0000000000000000';
    expect([meta(SCHEDULED_COMPACT), meta(FINISHED_COMPACT)]).toEqual([three, undefined]);
    subject.loop.run();
    expect([meta(SCHEDULED_COMPACT), meta(FINISHED_COMPACT)]).toEqual([three, three]);
  });

  it('ends for a later one that comes meanwhile', () => {
    const subject = new TestStore({ compactionSliceRows: 1 });
    for (let i = 0; i < 20; i++) subject.apply((store) => store.applyPut(put(`${i % 3}`, `${i}`)));
    const done: string[] = [];
    subject.apply((store) => store.applyCompact(10));
    subject.store.onCompacted(() => done.push('10'));
    subject.loop.run(3);
    subject.apply((store) => store.applyCompact(21));
    subject.store.onCompacted(() => done.push('21'));
    subject.loop.run();
    expect(done).toEqual(['10', '21']);
    expect(rows(subject)).toEqual(['19.0', '20.0', '21.0']);
  });
});

describe('HashKV (etcd semantics §7)', () => {
  const hash = (subject: TestStore, revision: number): unknown => {
    let answer: unknown;
    subject.store.hashKv(revision, (_err, result) => {
      answer = result;
    });
    for (let i = 0; answer === undefined && i < 1000; i++) subject.loop.run(1);
    return answer;
  };

  it('of an empty store is that of the bucket’s name', () => {
    expect(hash(new TestStore(), 0)).toEqual({ hash: 1084519789, compactRevision: -1, hashRevision: 1, revision: 1 });
    // No row is of a negative revision, and a negative one is not the current one: etcd hashes nothing.
    const store = new TestStore();
    store.apply((s) => s.applyPut(put('a')));
    expect(hash(store, -3)).toEqual({ hash: 1084519789, compactRevision: -1, hashRevision: -3, revision: 2 });
  });

  it('does not depend on how far a compaction has come', () => {
    const subject = new TestStore({ compactionSliceRows: 1, wake: () => {} });
    for (let i = 0; i < 10; i++) subject.apply((store) => store.applyPut(put(`${i % 4}`, `${i}`)));
    subject.apply((store) => store.applyDeleteRange(del('1', '3')));
    subject.apply((store) => store.applyCompact(12));
    const first = hash(subject, 12);
    while (subject.store.step()) expect(hash(subject, 12)).toEqual(first);
    expect(hash(subject, 12)).toEqual(first);
  });

  it('is of its revision, whatever is written meanwhile; and compaction waits', () => {
    const subject = new TestStore({ sliceRows: 2 });
    for (let i = 0; i < 10; i++) subject.apply((store) => store.applyPut(put('a', `${i}`)));
    const wanted = hash(subject, 0);
    let got: unknown;
    subject.store.hashKv(0, (_err, result) => {
      got = result;
    });
    subject.loop.run(2);
    subject.apply((store) => store.applyPut(put('a', 'later')));
    subject.apply((store) => store.applyCompact(12));
    expect(got).toBe(undefined);
    subject.loop.run();
    expect(got).toEqual(wanted);
    expect(rows(subject)).toEqual(['12.0']);
  });

  it('refuses what is compacted and what is to come', () => {
    const subject = filled('a', 'a', 'a');
    subject.apply((store) => store.applyCompact(3));
    expect([hash(subject, 2), hash(subject, 5)]).toEqual(['compacted', 'future']);
    expect(hash(subject, 3)).toMatchObject({ hashRevision: 3, compactRevision: 3, revision: 4 });
  });
});

/** A transaction puts no key twice. */
function distinct<T extends { request: unknown }>(ops: T[]): T[] {
  const seen = new Set<string>();
  return ops.filter((op) => {
    const { key } = op.request as { key: string };
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** A turn of the store's, and what the rows' reader has to tell. */
function go(subject: TestStore): void {
  subject.store.step();
  subject.loop.run();
}
