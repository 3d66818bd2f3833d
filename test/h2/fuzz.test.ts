import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../support/fc.js';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import type { Frame } from './support/wire.js';
import {
  block,
  call,
  data,
  F,
  frame,
  GRPC_HEADERS,
  headers,
  message,
  PREFACE,
  ping,
  request,
  reset,
  settings,
  settingsAck,
  T,
  windowUpdate,
} from './support/wire.js';

const PATHS = ['/t.T/Echo', '/t.T/Big', '/t.T/Hold', '/t.T/Fail', '/t.T/Stream', '/t.T/EchoStream', '/no'];
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((raw) => Buffer.from(raw));

/** A frame for a stream: a new one, one of those that were opened, or any number. */
interface Sent {
  on: 'new' | 'old' | 'any';
  which: number;
  make(id: number): Buffer;
}
const place = fc.tuple(
  fc.oneof({ weight: 30, arbitrary: fc.constant('old' as const) }, fc.constant('any' as const)),
  fc.nat(),
);
const opens = (make: fc.Arbitrary<(id: number) => Buffer>): fc.Arbitrary<Sent> =>
  make.map((fn) => ({ on: 'new', which: 0, make: fn }));
const goesTo = (make: fc.Arbitrary<(id: number) => Buffer>): fc.Arbitrary<Sent> =>
  fc.tuple(place, make).map(([[on, which], fn]) => ({ on, which, make: fn }));

const path = fc.constantFrom(...PATHS);
/** Frames that make sense alone, and may not where they stand. */
const sensible = fc.oneof(
  {
    weight: 6,
    arbitrary: opens(
      fc.tuple(path, fc.boolean()).map(
        ([to, end]) =>
          (id) =>
            headers(id, request({ ':path': to }), end),
      ),
    ),
  },
  { weight: 3, arbitrary: opens(path.map((to) => (id) => call(id, '70000', { ':path': to }))) },
  {
    weight: 6,
    arbitrary: goesTo(
      fc.tuple(bytes(40), fc.boolean()).map(
        ([body, end]) =>
          (id) =>
            data(id, message(body), end),
      ),
    ),
  },
  { weight: 3, arbitrary: goesTo(bytes(40).map((body) => (id) => data(id, body))) },
  {
    weight: 2,
    arbitrary: goesTo(fc.constant((id) => data(id, Buffer.concat([message(Buffer.alloc(15_000)), message('z')])))),
  },
  { weight: 2, arbitrary: goesTo(fc.constant((id) => reset(id))) },
  {
    weight: 4,
    arbitrary: goesTo(fc.integer({ min: 0, max: 200_000 }).map((by) => (id) => windowUpdate(id, by))),
  },
  { weight: 2, arbitrary: goesTo(fc.integer({ min: 1, max: 200_000 }).map((by) => () => windowUpdate(0, by))) },
  {
    weight: 2,
    arbitrary: goesTo(fc.integer({ min: 0, max: 70_000 }).map((size) => () => settings([4, size], [1, size]))),
  },
  goesTo(fc.constant(() => settingsAck)),
  goesTo(fc.constant(() => ping())),
  opens(
    fc.integer({ min: 0, max: 60 }).map((cut) => (id) => {
      const whole = block(GRPC_HEADERS);
      const first = frame(T.HEADERS, 0, id, whole.subarray(0, cut));
      return Buffer.concat([first, frame(T.CONTINUATION, F.END_HEADERS, id, whole.subarray(cut))]);
    }),
  ),
);
const wild = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), place, bytes(60))
  .map(([type, flags, [on, which], payload]): Sent => ({ on, which, make: (id) => frame(type, flags, id, payload) }));

type Step =
  | { kind: 'send'; sent: Sent }
  | { kind: 'raw'; bytes: Buffer }
  | { kind: 'turn' }
  | { kind: 'jam'; full: boolean }
  | { kind: 'sleep'; ms: number }
  | { kind: 'act'; which: number; what: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 60, arbitrary: sensible.map((sent): Step => ({ kind: 'send', sent })) },
  { weight: 2, arbitrary: wild.map((sent): Step => ({ kind: 'send', sent })) },
  { weight: 1, arbitrary: bytes(30).map((raw): Step => ({ kind: 'raw', bytes: raw })) },
  { weight: 15, arbitrary: fc.constant<Step>({ kind: 'turn' }) },
  { weight: 5, arbitrary: fc.boolean().map((full): Step => ({ kind: 'jam', full })) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 5_000 }).map((ms): Step => ({ kind: 'sleep', ms })) },
  {
    weight: 25,
    arbitrary: fc.tuple(fc.nat(20), fc.nat(4)).map(([which, what]): Step => ({ kind: 'act', which, what })),
  },
);

/** What a handler may do whenever it likes. */
function act(server: TestServer, which: number, what: number): void {
  const stream = server.streams[which % Math.max(server.streams.length, 1)];
  if (what === 0) server.held[which % Math.max(server.held.length, 1)]?.reply(Buffer.alloc(which * 50));
  if (stream === undefined) return;
  if (what === 1) stream.call.read();
  if (what === 2) stream.call.send(Buffer.alloc(which * 100));
  if (what === 3) stream.call.end({ code: which % 17, message: 'ende' });
  if (what === 4) for (let i = 0; i < 5; i++) stream.call.send(Buffer.alloc(20_000));
}

const lastIds = new WeakMap<TestClient, number>();

function idFor(client: TestClient, { on, which }: Sent): number {
  const last = lastIds.get(client) ?? -1;
  if (on === 'any') return which;
  if (on === 'old') return last < 0 ? 1 : 2 * (which % ((last + 1) / 2)) + 1;
  lastIds.set(client, last + 2);
  return last + 2;
}

function apply(server: TestServer, client: TestClient, one: Step): void {
  switch (one.kind) {
    case 'send':
      return client.sendOnly(one.sent.make(idFor(client, one.sent)));
    case 'raw':
      return client.sendOnly(one.bytes);
    case 'turn':
      return server.time.settle();
    case 'sleep':
      return server.time.advance(one.ms);
    case 'act':
      return act(server, one.which, one.what);
    case 'jam':
      client.socket.full = one.full;
      if (!one.full && !client.socket.destroyed) client.socket.listener.onDrain();
  }
}

const LIMITS = { messageBytesMax: 100_000, streamWindowBytes: 66_000, connectionWindowBytes: 200_000 };

interface Insides {
  pendingBytes: number;
  unreadBytes: number;
  partialBytes: number;
  recvWindow: number;
  streams: Map<number, unknown>;
}

/** The counters that bound memory are right: never below zero, and zero when no stream is left. */
function checkCounters(insides: Insides): void {
  const { pendingBytes, unreadBytes, partialBytes, recvWindow, streams } = insides;
  for (const counter of [pendingBytes, unreadBytes, partialBytes, recvWindow])
    expect(counter).toBeGreaterThanOrEqual(0);
  expect(unreadBytes).toBeLessThanOrEqual(200_000);
  if (streams.size === 0)
    expect({ pendingBytes, unreadBytes, partialBytes }).toEqual({ pendingBytes: 0, unreadBytes: 0, partialBytes: 0 });
}

test('frames in any order: it never throws, counters stay right, other connections live, streams are closed once', () => {
  check(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const server = new TestServer(LIMITS);
      const other = server.dial();
      const client = server.dial();
      const insides = client.socket.listener as unknown as Insides;
      for (const one of steps) {
        apply(server, client, one);
        checkCounters(insides);
      }
      other.send(call(1, 'other'));
      expect(other.answer(1).code).toBe('0');
      client.socket.full = false;
      if (!client.socket.destroyed) client.socket.listener.onDrain();
      server.time.settle();
      client.socket.destroy();
      server.time.advance(1_000);
      checkCounters(insides);
      expect(insides.streams.size).toBe(0);
      for (const { events } of server.streams) expect(events.filter((event) => event === 'close')).toHaveLength(1);
      for (const { events } of server.streams) expect(events.at(-1)).toBe('close');
    }),
    { runs: 250 },
  );
});

test('whatever the client does, frames that it gets keep to the windows and the states that it set', () => {
  check(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const server = new TestServer(LIMITS);
      const client = server.dial();
      for (const one of steps) apply(server, client, one);
      client.socket.full = false;
      if (!client.socket.destroyed) client.socket.listener.onDrain();
      server.time.settle();
      checkSent(client.log.all);
    }),
    { runs: 150 },
  );
});

function checkSent(frames: readonly Frame[]): void {
  const ended = new Set<number>();
  const begun = new Set<number>();
  for (const { type, flags, id: on, payload } of frames) {
    expect(payload.length).toBeLessThanOrEqual(16_384);
    if (type !== T.DATA && type !== T.HEADERS) continue;
    expect(ended.has(on)).toBe(false);
    if (type === T.DATA) expect(begun.has(on)).toBe(true);
    begun.add(on);
    if ((flags & F.END_STREAM) !== 0) ended.add(on);
  }
}

/** A session in which everything goes well. */
const session = Buffer.concat([
  PREFACE,
  settings([4, 100_000]),
  settingsAck,
  call(1, 'first'),
  headers(3, request({ ':path': '/t.T/EchoStream', 'grpc-timeout': '5S' })),
  data(3, message('a')),
  data(3, Buffer.concat([message('b'), message('c')]), true),
  windowUpdate(0, 1000),
  ping(),
  call(5, '3000', { ':path': '/t.T/Big' }),
]);

test('the borders of chunks change nothing', () => {
  const whole = new TestServer().dialRaw().send(session);
  const expected = whole.log.all.map(
    ({ type, flags, id: on, payload }) => `${type} ${flags} ${on} ${payload.toString('hex')}`,
  );
  check(
    fc.property(fc.array(fc.integer({ min: 1, max: session.length }), { maxLength: 40 }), (cuts) => {
      const client = new TestServer().dialRaw();
      let from = 0;
      for (const to of [...cuts, session.length].sort((a, b) => a - b)) {
        client.sendOnly(session.subarray(from, to));
        from = to;
      }
      client.send();
      expect(
        client.log.all.map(({ type, flags, id: on, payload }) => `${type} ${flags} ${on} ${payload.toString('hex')}`),
      ).toEqual(expected);
    }),
    { runs: 60 },
  );
});

test('a session with bytes changed, cut out or put in: it never throws', () => {
  const change = fc.tuple(
    fc.nat(session.length - 1),
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom('set', 'cut', 'put'),
  );
  check(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytesOf = [...session];
      for (const [at, value, how] of changes) {
        if (how === 'set') bytesOf[at] = value;
        else bytesOf.splice(at, how === 'cut' ? 1 : 0, ...(how === 'cut' ? [] : [value]));
      }
      const server = new TestServer(LIMITS);
      const client = server.dialRaw();
      client.send(Buffer.from(bytesOf));
      server.time.advance(20_000);
      checkSent(client.log.all);
      checkCounters(client.socket.listener as unknown as Insides);
    }),
    { runs: 300 },
  );
});
