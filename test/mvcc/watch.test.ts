import { describe, expect, it } from 'vitest';
import type { MvccOptions, WatchPart, WatchStream } from '../../src/mvcc/index.js';
import type { WatchCreateRequest } from '../../src/wire/index.js';
import { TestStore } from './support/harness.js';
import { del, opDel, opPut, put, txn, watch } from './support/requests.js';
import { plainEvent, RecordingSink } from './support/watch-log.js';

/** A store, one stream on it, and what the stream said in short. */
class Bench extends TestStore {
  readonly sink = new RecordingSink();
  readonly stream: WatchStream;

  constructor(options: MvccOptions = {}) {
    super(options);
    this.stream = this.store.watch.openStream(this.sink, { progressIntervalMs: 1000 });
  }

  put(key: string, value = key): void {
    this.apply((store) => store.applyPut(put(key, value)));
  }

  del(key: string, rangeEnd = ''): void {
    this.apply((store) => store.applyDeleteRange(del(key, rangeEnd)));
  }

  compact(revision: number): void {
    this.apply((store) => store.applyCompact(revision));
    this.loop.run();
  }

  create(init: Partial<WatchCreateRequest>): void {
    this.stream.create(watch(init));
  }

  /** What came since the last call, once everything is at rest. */
  said(): string[] {
    this.loop.run();
    return this.sink.take().map(show);
  }
}

function show(part: WatchPart): string {
  const words = [`${part.watchId}`, `@${part.revision}`];
  if (part.created) words.push('created');
  if (part.canceled) words.push('canceled');
  if (part.compactRevision !== 0) words.push(`compacted ${part.compactRevision}`);
  if (part.cancelReason !== '') words.push(`(${part.cancelReason})`);
  for (const bytes of part.events) {
    const { type, key, mod, value, prev } = plainEvent(bytes);
    words.push(`${type} ${key}=${value}@${mod}${prev === null ? '' : `<${prev}`}`);
  }
  if (part.fragment) words.push('...');
  return words.join(' ');
}

describe('W1: create', () => {
  it('is answered at the current revision, before any event', () => {
    const bench = new Bench();
    bench.put('a');
    bench.create({ key: 'a', startRevision: 1 });
    expect(bench.said()).toEqual(['0 @2 created', '0 @2 put a=a@2']);
  });

  it('is refused for a negative start, an empty range and an id in use; the stream lives on', () => {
    const bench = new Bench();
    bench.create({ key: 'a', startRevision: -1 });
    bench.create({ key: 'b', rangeEnd: 'a' });
    bench.create({ key: 'b', rangeEnd: 'b' });
    bench.create({ key: 'a', watchId: 7 });
    bench.create({ key: 'a', watchId: 7 });
    bench.stream.refuse('rpc error: code = PermissionDenied desc = etcdserver: permission denied');
    bench.put('a');
    expect(bench.said()).toEqual([
      '-1 @1 created canceled (etcdserver: mvcc: required revision has been compacted)',
      '-1 @1 created canceled (mvcc: watcher range is empty)',
      '-1 @1 created canceled (mvcc: watcher range is empty)',
      '7 @1 created',
      '-1 @1 created canceled (mvcc: duplicate watch ID provided on the WatchStream)',
      '-1 @1 created canceled (rpc error: code = PermissionDenied desc = etcdserver: permission denied)',
      '7 @2 put a=a@2',
    ]);
  });

  it('takes an empty key for the smallest one, and \\0 as an end for none', () => {
    const bench = new Bench();
    bench.create({ key: '', rangeEnd: '\0' });
    bench.create({ key: '' });
    bench.create({ key: 'b', rangeEnd: '\0' });
    bench.put('\0');
    bench.put('a');
    bench.put('\xff');
    expect(bench.said().slice(3)).toEqual([
      '1 @2 put \0=\0@2',
      '0 @2 put \0=\0@2',
      '0 @3 put a=a@3',
      '0 @4 put \xff=\xff@4',
      '2 @4 put \xff=\xff@4',
    ]);
  });
});

describe('W2: ids', () => {
  it('are counted from 0 past those in use', () => {
    const bench = new Bench();
    for (const watchId of [0, 2, 0, 0, -9]) bench.create({ key: 'a', watchId });
    bench.stream.cancel(1);
    bench.create({ key: 'a' });
    expect(bench.said()).toEqual([
      '0 @1 created',
      '2 @1 created',
      '1 @1 created',
      '3 @1 created',
      '-9 @1 created',
      '1 @1 canceled',
      '4 @1 created',
    ]);
    expect(bench.stream.watcherCount).toBe(5);
  });
});

describe('W3: the start', () => {
  it('0 means from the next revision, one ahead means from there (museum 47)', () => {
    const bench = new Bench();
    bench.put('a', '1');
    bench.create({ key: 'a' });
    bench.create({ key: 'a', startRevision: 4 });
    for (const value of ['2', '3', '4']) bench.put('a', value);
    expect(bench.said().slice(2)).toEqual([
      '0 @3 put a=2@3',
      '0 @4 put a=3@4',
      '1 @4 put a=3@4',
      '0 @5 put a=4@5',
      '1 @5 put a=4@5',
    ]);
  });

  it('at the compact revision sees the put or delete of that revision (museum 46)', () => {
    const bench = new Bench({ eventLogRevisions: 0 });
    bench.put('a');
    bench.put('b');
    bench.del('a');
    bench.compact(4);
    bench.create({ key: 'a', rangeEnd: 'z', startRevision: 4, prevKv: true });
    expect(bench.said()).toEqual(['0 @4 created', '0 @4 delete a=@4']);
  });

  it('right at the current revision neither loses nor repeats it (museum 48)', () => {
    const bench = new Bench();
    bench.put('a', '1');
    bench.create({ key: 'a', startRevision: 2 });
    bench.put('a', '2');
    expect(bench.said()).toEqual(['0 @2 created', '0 @3 put a=1@2 put a=2@3']);
    bench.put('a', '3');
    expect(bench.said()).toEqual(['0 @4 put a=3@4']);
  });
});

describe('W4: a revision', () => {
  it('is one response a watcher, in the order of its changes', () => {
    const bench = new Bench();
    bench.create({ key: 'a', rangeEnd: 'c' });
    bench.create({ key: 'c' });
    bench.apply((store) => store.applyTxn(txn({ success: [opPut('c', '1'), opPut('b', '2'), opPut('a', '3')] })));
    bench.del('a', 'z');
    expect(bench.said().slice(2)).toEqual([
      '1 @2 put c=1@2',
      '0 @2 put b=2@2 put a=3@2',
      '0 @3 delete a=@3 delete b=@3',
      '1 @3 delete c=@3',
    ]);
  });

  it('is sent in the turn that applies it', () => {
    const bench = new Bench();
    bench.create({ key: 'a' });
    bench.sink.take();
    bench.put('a');
    expect(bench.sink.take().map(show)).toEqual(['0 @2 put a=a@2']);
  });

  it('of a lease’s end has the keys in order', () => {
    const bench = new Bench();
    bench.apply((_store, lessor) => lessor.grant(1n, 60));
    for (const key of ['b', 'a', 'c']) bench.apply((store) => store.applyPut(put(key, '', { lease: 1n })));
    bench.create({ key: 'a', rangeEnd: 'z' });
    bench.apply((store, lessor) => lessor.revoke(1n, (keys) => store.deleteKeys(keys)));
    expect(bench.said().slice(1)).toEqual(['0 @5 delete a=@5 delete b=@5 delete c=@5']);
  });
});

describe('W5: a replay', () => {
  for (const eventLogRevisions of [0, 100_000]) {
    it(`holds at most 1000 revisions a response (${eventLogRevisions ? 'from the log' : 'from the rows'})`, () => {
      const bench = new Bench({ eventLogRevisions, sliceRows: 5000 });
      for (let i = 0; i < 2100; i++) bench.put('a', '');
      bench.create({ key: 'a', startRevision: 2 });
      bench.loop.run();
      const parts = bench.sink.take().slice(1);
      expect(parts.map((part) => part.events.length)).toEqual([1000, 1000, 100]);
      expect(parts.map((part) => part.revision)).toEqual([2101, 2101, 2101]);
    });
  }

  it('keeps a revision together though its rows come in several slices', () => {
    const bench = new Bench({ eventLogRevisions: 0, sliceRows: 2 });
    bench.apply((store) => store.applyTxn(txn({ success: ['a', 'b', 'c', 'd', 'e'].map((key) => opPut(key, '')) })));
    bench.put('a', '2');
    bench.put('a', '3');
    bench.put('a', '4');
    bench.create({ key: 'a', rangeEnd: 'z', startRevision: 1 });
    expect(bench.said().slice(1)).toEqual([
      '0 @5 put a=@2 put b=@2 put c=@2 put d=@2 put e=@2',
      '0 @5 put a=2@3 put a=3@4 put a=4@5',
    ]);
  });

  it('serves many watchers with one pass', () => {
    const bench = new Bench({ eventLogRevisions: 0 });
    for (let i = 0; i < 20; i++) bench.put(`k${i % 4}`, `${i}`);
    for (let k = 0; k < 4; k++) bench.create({ key: `k${k}`, startRevision: 2 + k });
    const events = bench.said().slice(4);
    expect(events).toHaveLength(4);
    for (let k = 0; k < 4; k++) expect(events[k]).toMatch(new RegExp(`^${k} @21 (put k${k}=\\d+@\\d+ ?){5}$`));
  });
});

describe('W6: compaction', () => {
  it('cancels a watch that starts below it, after the created response, and keeps its id', () => {
    const bench = new Bench();
    for (const value of ['1', '2', '3']) bench.put('a', value);
    bench.compact(3);
    bench.create({ key: 'a', startRevision: 2 });
    bench.create({ key: 'b' });
    bench.stream.progress();
    bench.put('a', '4');
    expect(bench.said()).toEqual(['0 @4 created', '0 @0 canceled compacted 3', '1 @4 created']);
    bench.create({ key: 'a', watchId: 0 });
    bench.stream.cancel(0);
    bench.stream.progress();
    expect(bench.said()).toEqual(['2 @5 created', '0 @5 canceled', '-1 @5']);
  });

  it('cancels one that lags behind it, and no other', () => {
    const bench = new Bench();
    const other = new RecordingSink();
    bench.store.watch.openStream(other).create(watch({ key: 'a' }));
    bench.create({ key: 'a' });
    bench.sink.open = false;
    for (const value of ['1', '2', '3']) bench.put('a', value);
    bench.compact(4);
    bench.sink.open = true;
    bench.stream.resume();
    // The response that filled it was taken; revisions 3 and 4 are lost to it.
    expect(bench.said()).toEqual(['0 @1 created', '0 @2 put a=1@2', '0 @0 canceled compacted 4']);
    expect(other.take().map(show)).toEqual(['0 @1 created', '0 @2 put a=1@2', '0 @3 put a=2@3', '0 @4 put a=3@4']);
  });

  it('overtakes a pass over the rows', () => {
    const bench = new Bench({ eventLogRevisions: 0, sliceRows: 1 });
    for (let i = 0; i < 10; i++) bench.put('a', `${i}`);
    bench.create({ key: 'a', startRevision: 2 });
    bench.loop.run(4);
    const before = bench.sink.take().map(show);
    bench.compact(10);
    expect(bench.said()).toEqual(['0 @0 canceled compacted 10']);
    expect(before.length).toBeGreaterThan(1);
    expect(before.length).toBeLessThan(9);
  });
});

describe('W7: a progress request', () => {
  it('is answered when all watchers are synced, and not without a watcher', () => {
    const bench = new Bench();
    bench.stream.progress();
    bench.create({ key: 'a' });
    bench.put('b');
    bench.stream.progress();
    expect(bench.said()).toEqual(['0 @1 created', '-1 @2']);
  });

  it('is not answered while one of them is behind (museum 43)', () => {
    const bench = new Bench();
    bench.put('a', '1');
    bench.create({ key: 'b' });
    bench.create({ key: 'a', startRevision: 1 });
    bench.stream.progress();
    expect(bench.said()).toEqual(['0 @2 created', '1 @2 created', '1 @2 put a=1@2']);
    bench.stream.progress();
    expect(bench.said()).toEqual(['-1 @2']);
  });

  it('is not answered below a start revision', () => {
    const bench = new Bench();
    bench.create({ key: 'a', startRevision: 3 });
    bench.stream.progress();
    bench.put('a');
    bench.stream.progress();
    expect(bench.said()).toEqual(['0 @1 created']);
    bench.put('b');
    bench.stream.progress();
    expect(bench.said()).toEqual(['-1 @3']);
  });
});

describe('W8: progress_notify', () => {
  it('comes each interval, unless events did', () => {
    const bench = new Bench();
    bench.store.watch.tick(0);
    bench.create({ key: 'a', progressNotify: true });
    bench.create({ key: 'a' });
    bench.store.watch.tick(999);
    expect(bench.said()).toEqual(['0 @1 created', '1 @1 created']);
    bench.store.watch.tick(1000);
    expect(bench.said()).toEqual(['0 @1']);
    bench.put('a');
    expect(bench.said()).toEqual(['0 @2 put a=a@2', '1 @2 put a=a@2']);
    bench.store.watch.tick(2000);
    bench.put('b');
    bench.store.watch.tick(2999);
    expect(bench.said()).toEqual([]);
    bench.store.watch.tick(3000);
    expect(bench.said()).toEqual(['0 @3']);
  });

  it('comes not while the watcher is behind', () => {
    const bench = new Bench();
    bench.create({ key: 'a', progressNotify: true });
    bench.sink.open = false;
    bench.put('a', '1');
    bench.put('a', '2');
    bench.sink.take();
    bench.store.watch.tick(5000);
    bench.store.watch.tick(9000);
    expect(bench.said()).toEqual([]);
  });
});

describe('W9: a snapshot', () => {
  const leaderOf = (writes: number): TestStore => {
    const leader = new TestStore();
    for (let i = 1; i <= writes; i++) leader.apply((store) => store.applyPut(put('a', `${i}`)));
    return leader;
  };

  it('is followed from the last revision heard of (museum 44)', () => {
    const bench = new Bench();
    bench.create({ key: 'a', startRevision: 1 });
    bench.put('a', '1');
    bench.put('a', '2');
    bench.said();
    bench.restore(leaderOf(5).snapshot(bench.loop));
    bench.stream.progress();
    expect(bench.said()).toEqual(['0 @6 put a=3@4 put a=4@5 put a=5@6', '-1 @6']);
    bench.put('a', '6');
    expect(bench.said()).toEqual(['0 @7 put a=6@7']);
  });

  it('leaves those behind, those ahead and the slow ones in their place (museum 47, 49)', () => {
    const bench = new Bench({ eventLogRevisions: 0 });
    const snapshot = leaderOf(5).snapshot(bench.loop);
    const slow = new RecordingSink();
    const slowStream = bench.store.watch.openStream(slow);
    slowStream.create(watch({ key: 'a' }));
    slow.open = false;
    bench.put('a', '1');
    bench.put('a', '2');
    bench.create({ key: 'a', startRevision: 6 });
    bench.create({ key: 'a', startRevision: 1 });
    // The second has not been served yet.
    bench.restore(snapshot);
    expect(bench.said().slice(2)).toEqual(
      expect.arrayContaining(['1 @6 put a=1@2 put a=2@3 put a=3@4 put a=4@5 put a=5@6', '0 @6 put a=5@6']),
    );
    slow.open = true;
    slowStream.resume();
    bench.loop.run();
    expect(slow.take().map(show)).toEqual([
      '0 @1 created',
      '0 @2 put a=1@2',
      '0 @6 put a=2@3 put a=3@4 put a=4@5 put a=5@6',
    ]);
  });

  it('that is compacted above a watcher cancels it', () => {
    const bench = new Bench();
    bench.create({ key: 'a' });
    const leader = leaderOf(5);
    leader.apply((store) => store.applyCompact(4));
    bench.restore(leader.snapshot(bench.loop));
    expect(bench.said()).toEqual(['0 @1 created', '0 @0 canceled compacted 4']);
  });

  it('holds reads until it is in', () => {
    const bench = new Bench();
    bench.put('a', 'old');
    bench.store.suspend();
    let answered = '';
    bench.store.whenReadable(() => {
      answered = `read at ${bench.store.currentRev}`;
    });
    bench.restore(leaderOf(5).snapshot(bench.loop), () => expect(answered).toBe(''));
    expect(answered).toBe('read at 6');
  });
});

describe('W10: a full sink', () => {
  it('gets no events but answers, and after that everything, once (museum 45)', () => {
    const bench = new Bench();
    bench.create({ key: 'a' });
    bench.create({ key: 'b' });
    bench.sink.open = false;
    for (const value of ['1', '2', '3']) bench.put('a', value);
    bench.create({ key: 'a', startRevision: 3 });
    bench.stream.cancel(1);
    expect(bench.said()).toEqual(['0 @1 created', '1 @1 created', '0 @2 put a=1@2', '2 @4 created', '1 @4 canceled']);
    bench.sink.open = true;
    bench.stream.resume();
    expect(bench.said()).toEqual(['0 @4 put a=2@3 put a=3@4', '2 @4 put a=2@3 put a=3@4']);
  });

  it('goes on from the rows when the log does not reach back', () => {
    const bench = new Bench({ eventLogRevisions: 1 });
    bench.create({ key: 'a', prevKv: true });
    bench.sink.open = false;
    for (const value of ['1', '2', '3', '4']) bench.put('a', value);
    bench.said();
    bench.sink.open = true;
    bench.stream.resume();
    expect(bench.said()).toEqual(['0 @5 put a=2@3<1 put a=3@4<2 put a=4@5<3']);
  });
});

describe('W11: fragments', () => {
  it('split between events, in order, all but the last marked', () => {
    const bench = new Bench({ watchFragmentBytes: 150 });
    bench.create({ key: 'a', rangeEnd: 'z', fragment: true });
    bench.create({ key: 'a', rangeEnd: 'z' });
    const ops = ['a', 'b', 'c'].map((key) => opPut(key, key.repeat(30)));
    bench.apply((store) => store.applyTxn(txn({ success: ops })));
    const parts = bench.sink.parts.slice(2);
    expect(parts.map((part) => [part.watchId, part.revision, part.events.length, part.fragment])).toEqual([
      [0, 2, 1, true],
      [0, 2, 1, true],
      [0, 2, 1, false],
      [1, 2, 3, false],
    ]);
  });

  it('leave one big event alone', () => {
    const bench = new Bench({ watchFragmentBytes: 150 });
    bench.create({ key: 'a', fragment: true });
    bench.put('a', 'x'.repeat(1000));
    expect(bench.sink.parts.slice(1).map((part) => part.fragment)).toEqual([false]);
  });
});

describe('W12: prev_kv', () => {
  for (const eventLogRevisions of [0, 100]) {
    it(`is the state before, absent on creation and below the compact revision (log of ${eventLogRevisions})`, () => {
      const bench = new Bench({ eventLogRevisions });
      bench.create({ key: 'a', prevKv: true });
      bench.put('a', '1');
      bench.put('a', '2');
      bench.del('a');
      expect(bench.said()).toEqual(['0 @1 created', '0 @2 put a=1@2', '0 @3 put a=2@3<1', '0 @4 delete a=@4<2']);
      bench.compact(3);
      bench.create({ key: 'a', prevKv: true, startRevision: 3 });
      expect(bench.said()).toEqual(['1 @4 created', '1 @4 put a=2@3 delete a=@4<2']);
    });
  }
});

describe('W12: prev_kv of what is created anew', () => {
  for (const eventLogRevisions of [0, 100]) {
    it(`is absent, though the same transaction deleted the key before (log of ${eventLogRevisions})`, () => {
      const bench = new Bench({ eventLogRevisions });
      bench.create({ key: 'a', prevKv: true });
      bench.put('a', '1');
      // A delete from-key is not held against a put behind it (etcd semantics §3.6).
      bench.apply((store) => store.applyTxn(txn({ success: [opDel('a', '\0'), opPut('a', '2')] })));
      expect(bench.said()).toEqual(['0 @1 created', '0 @2 put a=1@2', '0 @3 delete a=@3<1 put a=2@3']);
      bench.create({ key: 'a', prevKv: true, startRevision: 3 });
      expect(bench.said()).toEqual(['1 @3 created', '1 @3 delete a=@3<1 put a=2@3']);
    });
  }
});

describe('W13: filters', () => {
  it('drop what they name, and empty responses are not sent', () => {
    const bench = new Bench();
    bench.create({ key: 'a', filters: [0] });
    bench.create({ key: 'a', filters: [1] });
    bench.create({ key: 'a', filters: [0, 1] });
    bench.put('a', '1');
    bench.del('a');
    bench.create({ key: 'a', filters: [0], startRevision: 1 });
    expect(bench.said().filter((line) => !line.endsWith('created'))).toEqual([
      '1 @2 put a=1@2',
      '0 @3 delete a=@3',
      '3 @3 delete a=@3',
    ]);
  });
});

describe('W14: cancel and close', () => {
  it('end events at once, and an unknown id is not answered', () => {
    const bench = new Bench();
    bench.create({ key: 'a' });
    bench.put('a', '1');
    bench.stream.cancel(0);
    bench.stream.cancel(0);
    bench.stream.cancel(5);
    bench.put('a', '2');
    expect(bench.said()).toEqual(['0 @1 created', '0 @2 put a=1@2', '0 @2 canceled']);
    bench.create({ key: 'a', startRevision: 1 });
    bench.stream.close();
    bench.stream.create(watch({ key: 'a' }));
    bench.put('a', '3');
    expect(bench.said()).toEqual(['1 @3 created']);
    expect(bench.store.watch.streamCount).toBe(0);
  });

  it('may come in the middle of a send', () => {
    const bench = new Bench();
    bench.create({ key: 'a' });
    bench.create({ key: 'a' });
    bench.sink.onPart = (part) => {
      if (part.events.length > 0) bench.stream.close();
    };
    bench.put('a', '1');
    bench.put('a', '2');
    expect(bench.said()).toEqual(['0 @1 created', '1 @1 created', '0 @2 put a=1@2']);
  });
});

it('events are encoded once and shared by all watchers', () => {
  const bench = new Bench();
  bench.create({ key: 'a' });
  bench.create({ key: 'a', rangeEnd: 'b' });
  bench.create({ key: 'a', prevKv: true });
  bench.put('a');
  const [first, second, third] = bench.sink.parts.slice(3);
  expect(second?.events[0]).toBe(first?.events[0]);
  expect(third?.events[0]).toBe(first?.events[0]);
});
