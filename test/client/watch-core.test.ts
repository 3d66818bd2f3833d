import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientCore } from '../../src/client/core/client-core.js';
import type { WatchBatch, WatchEnd, Watcher, WatchSpec } from '../../src/client/core/watcher.js';
import type { Event } from '../../src/wire/index.js';
import {
  AuthenticateResponse,
  decodeWatchRequest,
  makeKeyValue,
  makeResponseHeader,
  makeWatchResponse,
  WatchKind,
  WatchResponse,
} from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import type { FakeStream } from './fake.js';
import { FakeNetwork, VirtualTime } from './fake.js';

const SPEC: WatchSpec = {
  key: 'k',
  rangeEnd: '',
  startRevision: 0,
  prevKv: false,
  progressNotify: false,
  fragment: true,
  filters: [],
};

function event(modRevision: number, value = ''): Event {
  return { type: 0, kv: { ...makeKeyValue(), key: 'k', modRevision, value: Buffer.from(value) }, prevKv: null };
}

interface Answer {
  revision?: number;
  watchId?: number;
  created?: boolean;
  canceled?: boolean;
  compactRevision?: number;
  cancelReason?: string;
  fragment?: boolean;
  events?: Event[];
}

function answer({ revision = 0, ...rest }: Answer): Buffer {
  return WatchResponse.encode({ ...makeWatchResponse(), header: makeResponseHeader(1n, 2n, revision, 3), ...rest });
}

/** What was asked for on a stream: `create k@5`, `cancel 0`, `progress`. */
function asked(stream: FakeStream): string[] {
  return stream.sent.map((bytes) => {
    const r = decodeWatchRequest(bytes);
    if (r.kind === WatchKind.CREATE) return `create ${r.request.key}@${r.request.startRevision}`;
    if (r.kind === WatchKind.CANCEL) return `cancel ${r.request.watchId}`;
    return r.kind === WatchKind.PROGRESS ? 'progress' : 'nothing';
  });
}

function setUp(options: { urls?: string[]; auth?: boolean; progressRequestMs?: number } = {}) {
  const time = new VirtualTime();
  const network = new FakeNetwork(time.env());
  const core = new ClientCore(time.env(), network, {
    endpoints: options.urls ?? ['a', 'b', 'c'],
    balance: 'pinned',
    credentials: options.auth ? { name: 'root', password: 'secret' } : null,
    authTimeoutMs: 5000,
    progressRequestMs: options.progressRequestMs ?? 0,
  });
  const mux = core.watches(true);
  const log: string[] = [];
  const watch = (spec: Partial<WatchSpec> = {}, name = ''): Watcher =>
    mux.watch(
      { ...SPEC, ...spec },
      {
        created: (revision) => void log.push(`${name}created ${revision}`),
        batch: (b: WatchBatch) =>
          void log.push(
            b.events.length === 0
              ? `${name}progress ${b.revision}`
              : `${name}events ${b.events.map((e) => e.kv?.modRevision).join(' ')}`,
          ),
        interrupted: (next) => void log.push(`${name}interrupted ${next}`),
        ended: (end: WatchEnd) => void log.push(`${name}ended ${end.code} ${end.message} ${end.compactRevision}`),
      },
    );
  return { time, network, core, mux, log, watch };
}

describe('a watch', () => {
  it('is created, gets its events, and carries hasleader', () => {
    const { time, network, log, watch } = setUp();
    watch();
    time.run(0);
    expect(network.last.metadata).toEqual({ hasleader: 'true' });
    expect(asked(network.last)).toEqual(['create k@0']);
    network.last.push(answer({ created: true, revision: 5 }));
    network.last.push(answer({ revision: 7, events: [event(6), event(7)] }));
    time.run(0);
    expect(log).toEqual(['created 5', 'events 6 7']);
  });

  it('goes on at the last seen revision + 1, on the next member', () => {
    const { time, network, log, watch } = setUp();
    watch();
    time.run(0);
    network.last.push(answer({ created: true, revision: 5 }));
    network.last.push(answer({ revision: 9, events: [event(8), event(9)] }));
    network.last.end(14, 'Connection dropped');
    time.run(100);
    expect(network.streams.map((s) => s.url)).toEqual(['a', 'b']);
    expect(asked(network.last)).toEqual(['create k@10']);
    network.last.push(answer({ created: true, revision: 12 }));
    network.last.push(answer({ revision: 12, events: [event(11), event(12)] }));
    time.run(0);
    expect(log).toEqual(['created 5', 'events 8 9', 'interrupted 10', 'events 11 12']);
  });

  it('from "now" means from the first creation on, whatever happened to that member', () => {
    const { time, network, watch } = setUp();
    watch();
    time.run(0);
    network.last.push(answer({ created: true, revision: 5 }));
    network.last.end(14, 'etcdserver: no leader');
    time.run(100);
    expect(asked(network.last)).toEqual(['create k@6']);
  });

  it('that was never created starts as it was asked for', () => {
    const { time, network, log, watch } = setUp();
    watch({ startRevision: 3 });
    watch();
    time.run(0);
    network.last.end(14, 'ECONNREFUSED', false);
    time.run(100);
    expect(asked(network.last)).toEqual(['create k@3', 'create k@0']);
    expect(log).toEqual([]);
  });

  it('gives no event twice, even if the new member does', () => {
    const { time, network, log, watch } = setUp();
    watch();
    time.run(0);
    network.last.push(answer({ created: true, revision: 1 }));
    network.last.push(answer({ revision: 4, events: [event(3), event(4)] }));
    network.last.end(14, 'gone');
    time.run(100);
    network.last.push(answer({ created: true, revision: 6 }));
    network.last.push(answer({ revision: 6, events: [event(3), event(4), event(5)] }));
    network.last.push(answer({ revision: 6, events: [event(5)] }));
    time.run(0);
    expect(log.filter((l) => l.startsWith('events'))).toEqual(['events 3 4', 'events 5']);
  });

  it('ends with the compact revision when it fell behind', () => {
    const { time, network, log, watch } = setUp();
    watch({ startRevision: 2 });
    time.run(0);
    network.last.push(answer({ created: true, revision: 50 }));
    network.last.push(answer({ canceled: true, compactRevision: 40 }));
    time.run(0);
    expect(log).toEqual(['created 50', 'ended 11 etcdserver: mvcc: required revision has been compacted 40']);
    expect(network.last.canceled).toBe(true);
  });

  it('is refused for its start, its range, or its rights', () => {
    const { time, network, log, watch } = setUp();
    watch({ startRevision: -1 }, '1 ');
    watch({ key: 'z', rangeEnd: 'a' }, '2 ');
    watch({}, '3 ');
    watch({}, '4 ');
    time.run(0);
    const refused = { created: true, canceled: true, watchId: -1 };
    network.last.push(answer({ ...refused, cancelReason: 'etcdserver: mvcc: required revision has been compacted' }));
    network.last.push(answer({ ...refused, cancelReason: 'mvcc: watcher range is empty' }));
    network.last.push(
      answer({ ...refused, cancelReason: 'rpc error: code = PermissionDenied desc = etcdserver: permission denied' }),
    );
    network.last.push(answer({ created: true, revision: 9, watchId: 0 }));
    time.run(0);
    expect(log).toEqual([
      '1 ended 11 etcdserver: mvcc: required revision has been compacted 0',
      '2 ended 2 mvcc: watcher range is empty 0',
      '3 ended 7 etcdserver: permission denied 0',
      '4 created 9',
    ]);
  });

  it('puts fragments together, and counts none of them before the last', () => {
    const { time, network, log, watch } = setUp();
    watch();
    time.run(0);
    network.last.push(answer({ created: true, revision: 1 }));
    network.last.push(answer({ revision: 2, fragment: true, events: [event(2, 'x'), event(2, 'y')] }));
    network.last.push(answer({ revision: 2, events: [event(2, 'z')] }));
    network.last.push(answer({ revision: 4, fragment: true, events: [event(3)] }));
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create k@3']);
    network.last.push(answer({ created: true, revision: 4 }));
    network.last.push(answer({ revision: 4, events: [event(3), event(4)] }));
    time.run(0);
    expect(log.filter((l) => l.startsWith('events'))).toEqual(['events 2 2 2', 'events 3 4']);
  });

  it('many share a stream, and the order of creation tells whose answer it is', () => {
    const { time, network, log, watch } = setUp();
    for (const name of ['x', 'y', 'z']) watch({ key: name }, `${name} `);
    time.run(0);
    expect(network.streams.length).toBe(1);
    for (const [i, revision] of [5, 6, 7].entries()) network.last.push(answer({ created: true, revision, watchId: i }));
    network.last.push(answer({ watchId: 2, revision: 8, events: [event(8)] }));
    network.last.push(answer({ watchId: 0, revision: 9, events: [event(9)] }));
    time.run(0);
    expect(log).toEqual(['x created 5', 'y created 6', 'z created 7', 'z events 8', 'x events 9']);
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create x@10', 'create y@7', 'create z@9']);
  });
});

describe('cancel', () => {
  it('takes a watch off the stream, whatever state it is in', () => {
    const { time, network, mux, log, watch } = setUp();
    const early = watch({}, 'early ');
    mux.cancel(early);
    time.run(0);
    expect(network.streams.length).toBe(0);
    const pending = watch({}, 'pending ');
    const other = watch({}, 'other ');
    time.run(0);
    mux.cancel(pending);
    network.last.push(answer({ created: true, revision: 1, watchId: 0 }));
    network.last.push(answer({ created: true, revision: 1, watchId: 1 }));
    network.last.push(answer({ watchId: 0, revision: 2, events: [event(2)] }));
    network.last.push(answer({ watchId: 1, revision: 2, events: [event(2)] }));
    time.run(0);
    expect(asked(network.last).slice(2)).toEqual(['cancel 0']);
    expect(log).toEqual(['other created 1', 'other events 2']);
    mux.cancel(other);
    mux.cancel(other);
    expect(network.last.canceled).toBe(true);
    watch({}, 'new ');
    time.run(0);
    expect(network.streams.length).toBe(2);
    expect(log.length).toBe(2);
  });
});

describe('a consumer that is full', () => {
  it('has its watch parked, and taken up where it stopped', () => {
    const { time, network, mux, log, watch } = setUp();
    const watcher = watch();
    watch({}, 'other ');
    time.run(0);
    network.last.push(answer({ created: true, revision: 1, watchId: 0 }));
    network.last.push(answer({ created: true, revision: 1, watchId: 1 }));
    network.last.push(answer({ watchId: 0, revision: 4, events: [event(3), event(4)] }));
    time.run(0);
    mux.park(watcher);
    network.last.push(answer({ watchId: 0, revision: 5, events: [event(5)] }));
    network.last.push(answer({ watchId: 0, canceled: true }));
    time.run(0);
    mux.unpark(watcher);
    expect(asked(network.last).slice(2)).toEqual(['cancel 0', 'create k@5']);
    network.last.push(answer({ created: true, revision: 6, watchId: 2 }));
    network.last.push(answer({ watchId: 2, revision: 6, events: [event(5), event(6)] }));
    time.run(0);
    expect(log).toEqual(['created 1', 'other created 1', 'events 3 4', 'events 5 6']);
  });

  it('stays parked over the loss of the stream', () => {
    const { time, network, mux, watch } = setUp();
    const watcher = watch();
    watch({ key: 'o' });
    time.run(0);
    network.last.push(answer({ created: true, revision: 1, watchId: 0 }));
    network.last.push(answer({ created: true, revision: 1, watchId: 1 }));
    time.run(0);
    mux.park(watcher);
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create o@2']);
    mux.unpark(watcher);
    expect(asked(network.last)).toEqual(['create o@2', 'create k@2']);
  });
});

describe('progress', () => {
  it('moves the point to go on from', () => {
    const { time, network, log, watch } = setUp();
    watch({ startRevision: 2, progressNotify: true });
    time.run(0);
    network.last.push(answer({ created: true, revision: 5 }));
    network.last.push(answer({ revision: 90 }));
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create k@91']);
    expect(log).toEqual(['created 5', 'progress 90', 'interrupted 91']);
  });

  it('asked for by hand, is meant for all watches of the stream', () => {
    const { time, network, mux, log, watch } = setUp();
    watch({ startRevision: 2 }, 'x ');
    watch({}, 'y ');
    time.run(0);
    mux.requestProgress();
    network.last.push(answer({ created: true, revision: 5, watchId: 0 }));
    network.last.push(answer({ created: true, revision: 5, watchId: 1 }));
    time.run(0);
    mux.requestProgress();
    expect(asked(network.last).slice(2)).toEqual(['progress']);
    network.last.push(answer({ revision: 5, watchId: -1 }));
    time.run(0);
    expect(log.slice(2)).toEqual(['x progress 5', 'y progress 5']);
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create k@6', 'create k@6']);
  });

  it('asked for before a watch was created, says nothing of it', () => {
    const { time, network, mux, watch } = setUp();
    watch({ key: 'old' });
    time.run(0);
    network.last.push(answer({ created: true, revision: 50, watchId: 0 }));
    time.run(0);
    mux.requestProgress();
    watch({ key: 'new', startRevision: 10 });
    // The member answers the request first and creates then; the answers cross.
    network.last.push(answer({ created: true, revision: 50, watchId: 1 }));
    network.last.push(answer({ revision: 50, watchId: -1 }));
    network.last.end(14, 'gone');
    time.run(100);
    expect(asked(network.last)).toEqual(['create old@51', 'create new@10']);
  });

  it('is trusted again behind the answers to what was asked before, though the revision stands still', () => {
    const { time, network, mux, log, watch } = setUp();
    watch({}, 'old ');
    time.run(0);
    network.last.push(answer({ created: true, revision: 50, watchId: 0 }));
    time.run(0);
    mux.requestProgress();
    watch({ startRevision: 10 }, 'new ');
    network.last.push(answer({ created: true, revision: 50, watchId: 1 }));
    network.last.push(answer({ revision: 50, watchId: -1 }));
    time.run(0);
    mux.requestProgress();
    network.last.push(answer({ revision: 50, watchId: -1 }));
    time.run(0);
    expect(log.slice(2)).toEqual(['old progress 50', 'old progress 50', 'new progress 50']);
  });

  it('is not withheld for a watch that ended behind a compaction: the member is told to forget it', () => {
    const { time, network, log, watch } = setUp();
    watch({ key: 'x' });
    watch({ key: 'y', startRevision: 3 });
    time.run(0);
    network.last.push(answer({ created: true, revision: 50, watchId: 0 }));
    network.last.push(answer({ created: true, revision: 50, watchId: 1 }));
    network.last.push(answer({ canceled: true, compactRevision: 40, watchId: 1 }));
    time.run(0);
    expect(asked(network.last)).toEqual(['create x@0', 'create y@3', 'cancel 1']);
    network.last.push(answer({ canceled: true, revision: 50, watchId: 1 }));
    time.run(0);
    expect(log.at(-1)).toMatch(/^ended 11/);
  });

  it('is asked for now and then, if the client is told to', () => {
    const { time, network, watch, mux } = setUp({ progressRequestMs: 1000 });
    const watcher = watch();
    time.run(0);
    network.last.push(answer({ created: true, revision: 5 }));
    time.run(3500);
    expect(asked(network.last)).toEqual(['create k@0', 'progress', 'progress', 'progress']);
    mux.cancel(watcher);
    time.run(5000);
    expect(time.pending).toBe(0);
  });
});

describe('a stream', () => {
  it('that nobody gives is tried round and round, slower and slower', () => {
    const { time, network, watch } = setUp();
    watch();
    const attempts: number[] = [];
    for (let t = 0; t < 20_000; t += 5) {
      time.run(5);
      const { last } = network;
      if (last && !last.ended && network.streams.length > attempts.length) {
        attempts.push(time.now);
        last.end(14, 'etcdserver: no leader');
      }
    }
    expect(attempts.slice(0, 3).every((at) => at < 50)).toBe(true);
    expect(attempts.length).toBeGreaterThan(15);
    expect(attempts.length).toBeLessThan(60);
    expect(new Set(network.streams.map((s) => s.url))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('does not stay with a learner that refuses it, when all others were unwell a moment ago', () => {
    const { time, network, watch } = setUp();
    watch();
    time.run(0);
    network.last.end(14, 'etcdserver: no leader');
    time.run(100);
    network.last.end(14, 'etcdserver: no leader');
    for (let i = 0; i < 8; i++) {
      time.run(1500);
      if (network.last.url === 'c') network.last.end(9, 'etcdserver: rpc not supported for learner');
    }
    expect(network.streams.slice(0, 3).map((s) => s.url)).toEqual(['a', 'b', 'c']);
    expect(network.last.url).not.toBe('c');
    expect(network.streams.filter((s) => s.url === 'c').length).toBe(1);
  });

  it('that is refused for good ends its watches', () => {
    const { time, network, log, watch } = setUp();
    watch({}, 'x ');
    watch({}, 'y ');
    time.run(0);
    network.last.end(12, 'unknown service etcdserverpb.Watch');
    time.run(10_000);
    expect(log).toEqual([
      'x ended 12 unknown service etcdserverpb.Watch 0',
      'y ended 12 unknown service etcdserverpb.Watch 0',
    ]);
    expect(network.streams.length).toBe(1);
  });

  it('is opened anew with a new token when a create is refused for an old one', () => {
    const { time, network, log, watch } = setUp({ auth: true });
    let issued = 0;
    network.answer.set('a', (c) => c.ok(AuthenticateResponse.encode({ token: `t${++issued}` })));
    watch();
    time.run(0);
    expect(network.last.metadata).toEqual({ hasleader: 'true', token: 't1' });
    const reason = 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token';
    network.last.push(answer({ created: true, canceled: true, watchId: -1, cancelReason: reason }));
    time.run(100);
    expect(network.last.metadata).toEqual({ hasleader: 'true', token: 't2' });
    network.last.push(answer({ created: true, revision: 4 }));
    time.run(0);
    expect(log).toEqual(['created 4']);
  });

  it('closes with the client, and its watches end', () => {
    const { time, network, core, log, watch } = setUp();
    watch();
    time.run(0);
    core.close();
    watch({}, 'late ');
    time.run(0);
    expect(network.last.canceled).toBe(true);
    expect(log.map((l) => l.slice(0, 12))).toEqual(['ended 1 grpc', 'late ended 1']);
    expect(time.pending).toBe(0);
  });
});

/**
 * A member that behaves: it serves the watches of one history of revisions, in batches, with progress, and breaks
 * streams at any moment. Whatever it does, the consumer sees each revision once, in order, without a gap.
 */
describe('any sequence of breaks, batches and parking', () => {
  it('gives each revision once and in order', () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('serve' as const), n: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), n: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), n: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('progress' as const), n: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('park' as const), n: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('unpark' as const), n: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('fragment' as const), n: fc.constant(0) }) },
    );
    check(
      fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (actions, start) => {
        const time = new VirtualTime();
        const network = new FakeNetwork(time.env());
        const core = new ClientCore(time.env(), network, {
          endpoints: ['a', 'b'],
          balance: 'pinned',
          credentials: null,
          authTimeoutMs: 1000,
          progressRequestMs: 0,
        });
        const mux = core.watches(true);
        const seen: number[] = [];
        const watcher = mux.watch(
          { ...SPEC, startRevision: start },
          {
            created() {},
            batch: (b) => void seen.push(...b.events.map((e) => e.kv?.modRevision ?? 0)),
            interrupted() {},
            ended: () => {
              throw new Error('it ended');
            },
          },
        );
        let store = 5;
        let at = 0;
        let id = -1;
        let reads = 0;
        let stream: FakeStream | undefined;
        const member = () => {
          time.run(2000);
          if (network.streams.length === 0) return;
          if (stream !== network.last) {
            stream = network.last;
            reads = 0;
            id = -1;
          }
          for (; reads < stream.sent.length; reads++) {
            const r = decodeWatchRequest(stream.sent[reads]!);
            if (r.kind === WatchKind.CREATE) {
              at = r.request.startRevision;
              id++;
              stream.push(answer({ created: true, revision: store, watchId: id }));
            }
          }
          time.run(0);
        };
        member();
        for (const { do: what, n } of actions) {
          if (what === 'write') store += n;
          else if (what === 'break') stream?.end(14, 'gone');
          else if (what === 'park') mux.park(watcher);
          else if (what === 'unpark') mux.unpark(watcher);
          else if (stream && !stream.ended && id >= 0 && watcher.state === 'live') {
            if (what === 'progress' && at > store) stream.push(answer({ revision: store, watchId: id }));
            if (what === 'serve' || what === 'fragment') {
              const to = what === 'fragment' ? Math.min(at, store) : Math.min(at + n - 1, store);
              const events = [];
              for (let r = at; r <= to; r++) events.push(event(r));
              if (events.length > 0) {
                // A fragment alone counts for nothing: the rest of it is lost with the stream.
                stream.push(answer({ revision: store, watchId: id, events, fragment: what === 'fragment' }));
                if (what === 'fragment') stream.end(14, 'gone');
                else at = to + 1;
              }
            }
          }
          member();
        }
        const expected = Array.from({ length: seen.length }, (_, i) => start + i);
        expect(seen).toEqual(expected);
        // Then the member behaves, and everything arrives.
        mux.unpark(watcher);
        member();
        for (let r = at; r <= store; r++) stream?.push(answer({ revision: store, watchId: id, events: [event(r)] }));
        time.run(0);
        expect(seen).toEqual(Array.from({ length: Math.max(0, store - start + 1) }, (_, i) => start + i));
      }),
    );
  });
});
