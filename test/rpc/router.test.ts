import { describe, expect, test } from 'vitest';
import type { WatchPart, WatchSink } from '../../src/mvcc/index.js';
import type { StreamRoute, UnaryRoute } from '../../src/rpc/index.js';
import type { Completion, MemberApi, ServerError } from '../../src/server/index.js';
import { refusal } from '../../src/server/index.js';
import {
  encodeTxnRequest,
  encodeWatchRequest,
  Health,
  KV,
  Lease,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  makePutRequest,
  makeTxnRequest,
  makeWatchRequest,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RPCS,
  Watch,
  WatchCreateRequest,
  WatchKind,
  WatchResponse,
} from '../../src/wire/index.js';
import { FakeStream, FakeUnary, fakeMember, fakeRouter } from './support/fake.js';

const rangeOf = (init: object) => RangeRequest.encode({ key: 'a', ...init });

function callUnary(router: ReturnType<typeof fakeRouter>['router'], path: string, call: FakeUnary): FakeUnary {
  router.unary(router.at(path) as UnaryRoute, call);
  return call;
}

function openStream(router: ReturnType<typeof fakeRouter>['router'], path: string, call: FakeStream): FakeStream {
  router.stream(router.at(path) as StreamRoute, call);
  return call;
}

/** A member whose ranges find nothing. */
function reader(over: Partial<MemberApi> = {}): MemberApi {
  return fakeMember({
    range: (_req, _ctx, done) => done.ok({ revision: 9, kvs: [], more: false, count: 0 }),
    ...over,
  });
}

describe('before a unary handler', () => {
  test('an answer carries ids, revision and term', () => {
    const call = callUnary(fakeRouter(reader()).router, KV.Range.path, new FakeUnary(rangeOf({})));
    expect(RangeResponse.decode(call.response!).header).toEqual({
      clusterId: 1n,
      memberId: 2n,
      revision: 9,
      raftTerm: 3,
    });
    expect(call.answers).toBe(1);
  });

  test('bytes that are no message come before everything else', () => {
    const { router, fatal } = fakeRouter(reader({ isLearner: true, hasLeader: false }));
    const call = callUnary(router, KV.Put.path, new FakeUnary(Buffer.from('0a05ab', 'hex'), { hasleader: 'true' }));
    expect(call.status).toEqual({ code: 13, message: 'grpc: error unmarshalling request: unexpected EOF' });
    expect(fatal).toEqual([]);
  });

  test('a learner serves serializable ranges and Status alone', () => {
    const { router } = fakeRouter(reader({ isLearner: true, status: () => ({ errors: [] }) as never }));
    const refused = { code: 9, message: 'etcdserver: rpc not supported for learner' };
    expect(callUnary(router, KV.Range.path, new FakeUnary(rangeOf({}))).status).toEqual(refused);
    expect(callUnary(router, KV.Range.path, new FakeUnary(rangeOf({ serializable: true }))).response).not.toBeNull();
    expect(callUnary(router, Health.Check.path, new FakeUnary(Buffer.alloc(0))).status).toEqual(refused);
    expect(
      callUnary(router, '/etcdserverpb.Maintenance/Status', new FakeUnary(Buffer.alloc(0))).response,
    ).not.toBeNull();
    expect(openStream(router, Watch.Watch.path, new FakeStream()).status).toEqual(refused);
  });

  test('the order is learner, client-api-version, leader, validation', () => {
    const bad = { 'client-api-version': '\xff', hasleader: 'true' };
    const over = { hasLeader: false };
    const status = (member: MemberApi, metadata: Record<string, string>, key = '') =>
      callUnary(fakeRouter(member).router, KV.Range.path, new FakeUnary(rangeOf({ key }), metadata)).status?.message;
    expect(status(reader({ ...over, isLearner: true }), bad)).toBe('etcdserver: rpc not supported for learner');
    expect(status(reader(over), bad)).toBe('etcdserver: invalid client api version');
    expect(status(reader(over), { hasleader: 'true' })).toBe('etcdserver: no leader');
    expect(status(reader(over), { hasleader: 'yes' })).toBe('etcdserver: key is not provided');
    expect(status(reader(), { ...bad, 'client-api-version': '\xc3\xa4' })).toBe('etcdserver: key is not provided');
  });

  test("the limit of operations is the member's", () => {
    const op = { kind: 1 as const, request: RangeRequest.make({ key: 'a' }) };
    const txn = { ...makeTxnRequest(), success: [op, op, op, op, op] };
    const call = callUnary(fakeRouter(reader()).router, KV.Txn.path, new FakeUnary(encodeTxnRequest(txn)));
    expect(call.status?.message).toBe('etcdserver: too many operations in txn request');
  });

  test('a handler that throws is a bug of ours and ends the member', () => {
    const { router, fatal } = fakeRouter(
      reader({
        put: () => {
          throw new TypeError('oops');
        },
      }),
    );
    callUnary(router, KV.Put.path, new FakeUnary(PutRequest.encode({ key: 'a' })));
    expect(fatal.map((err) => err.message)).toEqual(['oops']);
  });

  test("a member's refusal gets its status, and its answer the request's own bytes", () => {
    let raw: Buffer | null = null;
    let answer: Completion<{ revision: number; prevKv: null }> | null = null;
    const member = reader({
      put: (_req, bytes, _ctx, done) => {
        raw = bytes;
        answer = done as never;
      },
    });
    const bytes = PutRequest.encode(makePutRequest());
    const first = callUnary(fakeRouter(member).router, KV.Put.path, new FakeUnary(PutRequest.encode({ key: 'a' })));
    expect(first.answers).toBe(0);
    expect(raw).toBe(first.request);
    expect(bytes.length).toBe(0);
    answer!.ok({ revision: 12, prevKv: null });
    expect(PutResponse.decode(first.response!).header?.revision).toBe(12);
    const second = callUnary(fakeRouter(member).router, KV.Put.path, new FakeUnary(PutRequest.encode({ key: 'a' })));
    answer!.fail(refusal('ERR_LEASE_NOT_FOUND'));
    expect(second.status).toEqual({ code: 5, message: 'etcdserver: requested lease not found' });
  });
});

describe('routes', () => {
  test('every rpc of the contract is served, or says that it is not there yet', () => {
    const { router } = fakeRouter(reader());
    for (const rpc of RPCS) {
      if (rpc.path === '/etcdserverpb.KV/RangeStream') continue;
      const route = router.at(rpc.path);
      expect(route, rpc.path).toBeDefined();
      if (route?.kind === 'missing') {
        expect(route.status).toEqual({ code: 12, message: expect.stringContaining(`.${rpc.name} yet`) });
      }
    }
    expect(router.at('/etcdserverpb.KV/RangeStream')).toBeUndefined();
    expect(router.unknown('/etcdserverpb.KV/RangeStream').message).toBe(
      'unknown method RangeStream for service etcdserverpb.KV',
    );
  });
});

describe('streams that require a leader', () => {
  test('end after three checks without one, and only they', () => {
    const member = { ...watcher().member, hasLeader: true };
    const { router, timers } = fakeRouter(member);
    const bound = openStream(router, Watch.Watch.path, new FakeStream({ hasleader: 'true' }));
    const free = openStream(router, Watch.Watch.path, new FakeStream());
    member.hasLeader = false;
    timers.advance(2999);
    expect(bound.status).toBeNull();
    timers.advance(1);
    expect(bound.status).toEqual({ code: 14, message: 'etcdserver: no leader' });
    expect(free.status).toBeNull();
    expect(timers.waiting).toBe(0);
  });

  test('a leader in between starts the count anew', () => {
    const member = { ...watcher().member, hasLeader: true };
    const { router, timers } = fakeRouter(member);
    const call = openStream(router, Watch.Watch.path, new FakeStream({ hasleader: 'true' }));
    member.hasLeader = false;
    timers.advance(2000);
    member.hasLeader = true;
    timers.advance(1000);
    member.hasLeader = false;
    timers.advance(2000);
    expect(call.status).toBeNull();
    timers.advance(1000);
    expect(call.status?.message).toBe('etcdserver: no leader');
  });

  test('are refused at once where there is none', () => {
    const { router } = fakeRouter({ ...watcher().member, hasLeader: false });
    const call = openStream(router, Watch.Watch.path, new FakeStream({ hasleader: 'true' }));
    expect(call.status?.message).toBe('etcdserver: no leader');
  });
});

describe('stop', () => {
  test('ends open streams and refuses new ones, and serves what was on its way', () => {
    const { member, streams } = watcher();
    const { router } = fakeRouter(member);
    const call = openStream(router, Watch.Watch.path, new FakeStream());
    router.stop();
    const stopped = { code: 14, message: 'etcdserver: server stopped' };
    expect(call.status).toEqual(stopped);
    expect(streams[0]?.closed).toBe(true);
    expect(callUnary(router, KV.Range.path, new FakeUnary(rangeOf({}))).status).not.toEqual(stopped);
    expect(openStream(router, Watch.Watch.path, new FakeStream()).status).toEqual(stopped);
  });
});

interface FakeWatchStream {
  sink: WatchSink;
  created: WatchCreateRequest[];
  canceled: number[];
  progressed: number;
  resumed: number;
  closed: boolean;
}

function watcher(): { member: MemberApi; streams: FakeWatchStream[] } {
  const streams: FakeWatchStream[] = [];
  const openWatch = (sink: WatchSink) => {
    const stream = { sink, created: [], canceled: [], progressed: 0, resumed: 0, closed: false } as FakeWatchStream;
    streams.push(stream);
    return {
      watcherCount: 0,
      create: (req: WatchCreateRequest) => void stream.created.push(req),
      refuse: () => {},
      cancel: (id: number) => void stream.canceled.push(id),
      progress: () => void stream.progressed++,
      resume: () => void stream.resumed++,
      close: () => {
        stream.closed = true;
      },
    };
  };
  const watch = { openStream: openWatch, tick: () => {} };
  return { member: reader({ watch } as unknown as Partial<MemberApi>), streams };
}

const part = (over: Partial<WatchPart>): WatchPart => ({
  watchId: 0,
  revision: 7,
  created: false,
  canceled: false,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
  events: [],
  ...over,
});

describe('Watch', () => {
  const create = encodeWatchRequest(makeWatchRequest(WatchKind.CREATE, WatchCreateRequest.make({ key: 'a' })));
  const cancel = encodeWatchRequest(makeWatchRequest(WatchKind.CANCEL, { watchId: 4 }));
  const progress = encodeWatchRequest(makeWatchRequest(WatchKind.PROGRESS, {}));

  function open() {
    const { member, streams } = watcher();
    const call = openStream(fakeRouter(member).router, Watch.Watch.path, new FakeStream());
    return { call, stream: streams[0]! };
  }

  test('hands requests to the store, ignores an unset union, stays open when half-closed', () => {
    const { call, stream } = open();
    for (const message of [create, Buffer.alloc(0), cancel, progress, null]) call.push(message);
    expect(stream.created.map((req) => req.key)).toEqual(['a']);
    expect([stream.canceled, stream.progressed]).toEqual([[4], 1]);
    expect(call.status).toBeNull();
    expect(stream.closed).toBe(false);
    call.disconnect();
    expect(stream.closed).toBe(true);
  });

  test("gives the store's parts their header", () => {
    const { call, stream } = open();
    stream.sink.send(part({ watchId: -1, created: true, canceled: true, cancelReason: 'because' }));
    stream.sink.send(part({ watchId: 3, revision: 0, canceled: true, compactRevision: 6 }));
    const [first, second] = call.sent.map((bytes) => WatchResponse.decode(bytes));
    expect(first).toMatchObject({ watchId: -1, created: true, canceled: true, cancelReason: 'because' });
    expect(first?.header).toEqual({ clusterId: 1n, memberId: 2n, revision: 7, raftTerm: 3 });
    expect(second).toMatchObject({ watchId: 3, canceled: true, compactRevision: 6 });
    expect(second?.header).toEqual({ clusterId: 1n, memberId: 2n, revision: 0, raftTerm: 3 });
  });

  test('reads no request while the transport is full, and goes on when it has drained', () => {
    const { call, stream } = open();
    call.full = true;
    expect(stream.sink.send(part({}))).toBe(false);
    call.push(create);
    call.push(cancel);
    expect(stream.created).toHaveLength(1);
    expect(stream.canceled).toEqual([]);
    call.drain();
    expect(stream.resumed).toBe(1);
    expect(stream.canceled).toEqual([4]);
  });

  test('an undecodable request ends the stream', () => {
    const { call, stream } = open();
    call.push(Buffer.from('0a05ab', 'hex'));
    expect(call.status).toEqual({
      code: 13,
      message: 'grpc: failed to unmarshal the received message: unexpected EOF',
    });
    expect(stream.closed).toBe(true);
  });

  test('progress intervals have up to a tenth of jitter, and a least', () => {
    const { router } = fakeRouter(reader(), { watchProgressMs: 1000 });
    const drawn = Array.from({ length: 200 }, () => router.watchProgressMs());
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...drawn)).toBeLessThan(1100);
    expect(new Set(drawn).size).toBeGreaterThan(20);
    expect(fakeRouter(reader(), { watchProgressMs: 1 }).router.watchProgressMs()).toBeGreaterThanOrEqual(100);
  });
});

describe('LeaseKeepAlive', () => {
  function open() {
    const asked: { id: bigint; done: Completion<{ ttl: number }> }[] = [];
    const member = reader({
      leaseRenew: (id: bigint, _ctx: unknown, done: Completion<{ ttl: number }>) => void asked.push({ id, done }),
    } as Partial<MemberApi>);
    return { call: openStream(fakeRouter(member).router, Lease.LeaseKeepAlive.path, new FakeStream()), asked };
  }
  const renew = (id: bigint) => LeaseKeepAliveRequest.encode({ id });
  const answers = (call: FakeStream) =>
    call.sent.map((bytes) => LeaseKeepAliveResponse.decode(bytes)).map(({ id, ttl }) => [id, ttl]);

  test('answers in order, one at a time', () => {
    const { call, asked } = open();
    for (const id of [5n, 6n, 7n]) call.push(renew(id));
    call.push(null);
    expect(asked.map(({ id }) => id)).toEqual([5n]);
    asked[0]!.done.ok({ ttl: 60 });
    asked[1]!.done.fail(refusal('ERR_LEASE_NOT_FOUND'));
    expect(call.status).toBeNull();
    asked[2]!.done.ok({ ttl: 0 });
    expect(answers(call)).toEqual([
      [5n, 60],
      [6n, 0],
      [7n, 0],
    ]);
    expect(call.status?.code).toBe(0);
  });

  test.each<[ServerError['code'], number, string]>([
    ['ERR_NO_LEADER', 14, 'etcdserver: no leader'],
    ['ERR_NOT_PRIMARY_LESSOR', 2, 'not a primary lessor'],
    ['ERR_TIMEOUT', 14, 'etcdserver: request timed out'],
  ])('%s ends the stream', (code, grpc, message) => {
    const { call, asked } = open();
    call.push(renew(5n));
    asked[0]!.done.fail(refusal(code));
    expect(call.status).toEqual({ code: grpc, message });
  });

  test('waits for a client that does not listen', () => {
    const { call, asked } = open();
    call.full = true;
    call.push(renew(5n));
    call.push(renew(6n));
    asked[0]!.done.ok({ ttl: 60 });
    expect(asked).toHaveLength(1);
    call.drain();
    expect(asked.map(({ id }) => id)).toEqual([5n, 6n]);
  });
});
