import { describe, expect, test } from 'vitest';
import type { Limits } from '../../src/h2/index.js';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import {
  block,
  call,
  data,
  E,
  F,
  frame,
  GRPC_HEADERS,
  headers,
  PREFACE,
  ping,
  request,
  reset,
  settings,
  settingsAck,
  T,
  windowUpdate,
} from './support/wire.js';

const STREAM = request({ ':path': '/t.T/Stream' });

function dial(limits: Partial<Limits> = {}): [TestClient, TestServer] {
  const server = new TestServer(limits);
  return [server.dial(), server];
}

describe('RFC 9113 10.5, floods: ENHANCE_YOUR_CALM', () => {
  const limits = { idleFramesMax: 50, idleFramesPerSecond: 10 };

  test.each([
    ['SETTINGS', settings()],
    ['SETTINGS ACK', settingsAck],
    ['PRIORITY', frame(T.PRIORITY, 0, 9, '0000000010')],
    ['unknown frames', frame(0x42, 0, 0, '00')],
    ['PING ACK', frame(T.PING, F.ACK, 0, '0000000000000000')],
    ['windows opened by a byte', windowUpdate(0, 1)],
    ['empty DATA', data(1, '')],
    ['RST_STREAM of closed streams', Buffer.concat([reset(3)])],
  ])('%s', (_, bytes) => {
    const [client] = dial(limits);
    client.send(headers(1, STREAM), headers(3, STREAM), reset(3));
    for (let i = 0; i < 45; i++) client.send(bytes);
    expect(client.goaway).toBe(null);
    for (let i = 0; i < 10; i++) client.send(bytes);
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('the same frames with time between them', () => {
    const [client, server] = dial(limits);
    for (let i = 0; i < 200; i++) {
      client.send(settings());
      server.time.advance(110);
    }
    expect(client.goaway).toBe(null);
  });

  test('CONTINUATION without end: bytes', () => {
    const [client] = dial({ headerBlockBytesMax: 30_000 });
    client.send(frame(T.HEADERS, 0, 1, block(GRPC_HEADERS)), frame(T.CONTINUATION, 0, 1, Buffer.alloc(16_000)));
    expect(client.goaway).toBe(null);
    expect(client.send(frame(T.CONTINUATION, 0, 1, Buffer.alloc(16_000))).goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('CONTINUATION without end: frames', () => {
    const [client] = dial();
    client.send(frame(T.HEADERS, 0, 1));
    for (let i = 0; i < 30; i++) client.send(frame(T.CONTINUATION, 0, 1));
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('CONTINUATION without end: time', () => {
    const [client, server] = dial();
    client.send(frame(T.HEADERS, 0, 1));
    server.time.advance(8_000);
    expect(client.goaway).toBe(null);
    server.time.advance(5_000);
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('a client that never begins', () => {
    const server = new TestServer();
    const client = server.dialRaw().send(PREFACE.subarray(0, 5));
    server.time.advance(15_000);
    expect(client.socket.ended).toBe(true);
    server.time.advance(3_000);
    expect(client.socket.destroyed).toBe(true);
    expect(server.server.connectionCount).toBe(0);
  });

  test('rapid reset: streams opened and cancelled', () => {
    const [client] = dial({ resetsMax: 20, resetsPerSecond: 1 });
    for (let id = 1; id < 100 && client.goaway === null; id += 2) client.send(headers(id, STREAM), reset(id));
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
    expect(client.log.of(T.GOAWAY)[0]!.payload.readUInt32BE(0)).toBe(41);
  });

  test('rapid reset by offences: streams that the server must reset', () => {
    const [client] = dial({ resetsMax: 20, resetsPerSecond: 1 });
    for (let id = 1; id < 100 && client.goaway === null; id += 2) client.send(headers(id, STREAM), windowUpdate(id, 0));
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('a client that cancels one call in two may go on', () => {
    const [client] = dial({ resetsMax: 20, resetsPerSecond: 0 });
    for (let id = 1; id < 1000; id += 4) client.send(headers(id, STREAM), reset(id), call(id + 2));
    expect(client.goaway).toBe(null);
  });

  test('streams beyond the limit, again and again', () => {
    const [client] = dial({ concurrentStreamsMax: 1, resetsMax: 20, resetsPerSecond: 1 });
    for (let id = 1; id < 100 && client.goaway === null; id += 2) client.send(headers(id, STREAM));
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('pings that are answered and never read', () => {
    const [client, server] = dial({ pingMinIdleMs: 0, idleFramesMax: 1e9, controlBytesMax: 1_000 });
    client.socket.full = true;
    for (let i = 0; i < 50; i++) client.send(ping());
    expect(client.goaway).toBe(null);
    for (let i = 0; i < 20; i++) client.send(ping());
    server.time.settle();
    expect(client.socket.bytes).toBeLessThan(200);
    client.socket.full = false;
    client.socket.listener.onDrain();
    server.time.settle();
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('settings without number in one frame', () => {
    const [client] = dial();
    client.send(settings(...Array.from({ length: 100 }, (): [number, number] => [1, 4096])));
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });
});

describe('header lists', () => {
  test('one that is too long is answered with 431, and the connection goes on', () => {
    const [client] = dial({ headerListBytesMax: 1_000 });
    client.send(headers(1, [...GRPC_HEADERS, ['x-long', 'x'.repeat(1_000)]], true));
    expect(client.answer(1)).toMatchObject({ http: '431', code: '8' });
    client.send(call(3));
    expect(client.answer(3).code).toBe('0');
  });

  test('one that grows out of a small block by the table', () => {
    const [client] = dial({ headerListBytesMax: 10_000 });
    const adds = Buffer.concat([block(GRPC_HEADERS), Buffer.from('4001787fa11e', 'hex'), Buffer.alloc(4000, 'x')]);
    client.send(frame(T.HEADERS, F.END_HEADERS | F.END_STREAM, 1, adds));
    client.send(
      frame(
        T.HEADERS,
        F.END_HEADERS | F.END_STREAM,
        3,
        Buffer.concat([block(GRPC_HEADERS), Buffer.alloc(10_000, 0xbe)]),
      ),
    );
    expect(client.answer(3)).toMatchObject({ http: '431' });
    expect(client.goaway).toBe(null);
  });
});

describe('answers that are not read', () => {
  const limits = { holdCallsBytes: 10_000, stallMs: 30_000 };
  const big = (id: number) => call(id, '8000', { ':path': '/t.T/Big' });

  test('calls wait before their handlers see them, and go on when there is room', () => {
    const [client, server] = dial(limits);
    client.send(settings([4, 0]), big(1), big(3), call(5, 'waits'));
    expect(server.calls).toEqual([]);
    client.send(windowUpdate(1, 10_000));
    expect(server.calls).toEqual(['waits']);
    client.send(settings([4, 1000]), windowUpdate(3, 10_000));
    expect(client.answer(5).code).toBe('0');
  });

  test('a waiting call may be cancelled', () => {
    const [client, server] = dial(limits);
    client.send(settings([4, 0]), big(1), big(3), call(5, 'gone'), call(7, 'stays'), reset(5));
    client.send(windowUpdate(1, 10_000));
    expect(server.calls).toEqual(['stays']);
  });

  test('a client that moves nothing for long is closed', () => {
    const [client, server] = dial(limits);
    client.send(settings([4, 0]), big(1), big(3));
    server.time.advance(25_000);
    expect(client.goaway).toBe(null);
    server.time.advance(10_000);
    expect(client.goaway).toBe(E.ENHANCE_YOUR_CALM);
  });

  test('one that takes a little now and then is not', () => {
    const [client, server] = dial(limits);
    client.send(settings([4, 0]), big(1), big(3), big(5));
    for (let i = 0; i < 10; i++) {
      server.time.advance(20_000);
      client.send(windowUpdate(1, 100));
    }
    expect(client.goaway).toBe(null);
  });
});

describe("a client's pings, by gRPC for Go's rule", () => {
  const TOO_MANY = { code: E.ENHANCE_YOUR_CALM, text: 'too_many_pings' };
  const ended = (client: TestClient) => ({ code: client.goaway, text: client.goawayText });

  test('without a call: two hours; the first is free, and two strikes are forgiven', () => {
    const [client, server] = dial();
    for (let i = 0; i < 3; i++) {
      client.send(ping());
      server.time.advance(60_000);
    }
    expect(client.goaway).toBe(null);
    client.send(ping());
    expect(ended(client)).toEqual(TOO_MANY);
  });

  test('with a call: five seconds', () => {
    const [client, server] = dial();
    client.send(headers(1, STREAM));
    for (let i = 0; i < 10; i++) {
      client.send(ping());
      server.time.advance(5_001);
    }
    expect(client.goaway).toBe(null);
    for (let i = 0; i < 3; i++) client.send(ping());
    expect(client.goaway).toBe(null);
    client.send(ping());
    expect(ended(client)).toEqual(TOO_MANY);
  });

  test('HEADERS or DATA of ours forgive all', () => {
    const [client, server] = dial();
    client.send(headers(1, STREAM));
    for (let i = 0; i < 50; i++) {
      client.send(ping(), ping());
      server.streams[0]!.call.send(Buffer.from('event'));
      server.time.settle();
    }
    expect(client.goaway).toBe(null);
  });

  test('every ping is answered, the last too', () => {
    const [client] = dial();
    for (let i = 0; i < 4; i++) client.send(ping());
    expect(client.log.of(T.PING)).toHaveLength(4);
    expect(ended(client)).toEqual(TOO_MANY);
  });
});

describe('our pings', () => {
  const limits = { keepaliveIntervalMs: 10_000, keepaliveTimeoutMs: 3_000 };

  test('a silent client is asked, and closed when it does not answer', () => {
    const [client, server] = dial(limits);
    server.time.advance(12_000);
    expect(client.log.of(T.PING)).toHaveLength(1);
    server.time.advance(1_500);
    expect(client.socket.destroyed).toBe(false);
    server.time.advance(3_000);
    expect(client.socket.destroyed).toBe(true);
  });

  test('any byte is a sign of life', () => {
    const [client, server] = dial(limits);
    for (let i = 0; i < 10; i++) {
      server.time.advance(12_000);
      client.send(frame(T.PING, F.ACK, 0, client.log.of(T.PING).at(-1)!.payload));
    }
    expect(client.log.of(T.PING)).toHaveLength(10);
    expect(client.socket.destroyed).toBe(false);
  });

  test('a client that speaks is not asked', () => {
    const [client, server] = dial(limits);
    for (let id = 1; id < 20; id += 2) {
      server.time.advance(5_000);
      client.send(call(id));
    }
    expect(client.log.of(T.PING)).toHaveLength(0);
  });
});

describe('the end', () => {
  const pong = (client: TestClient) => client.send(frame(T.PING, F.ACK, 0, client.log.of(T.PING).at(-1)!.payload));
  const lastIds = (client: TestClient) => client.log.of(T.GOAWAY).map(({ payload }) => payload.readUInt32BE(0));

  test('graceful: two GOAWAYs; calls end, those in between too, and the connection is closed', () => {
    const [client, server] = dial();
    let closed = false;
    client.send(call(1, 'x', { ':path': '/t.T/Hold' }));
    server.server.close(60_000, () => {
      closed = true;
    });
    server.time.settle();
    expect(lastIds(client)).toEqual([0x7fff_ffff]);
    client.send(call(3));
    pong(client);
    expect(lastIds(client)).toEqual([0x7fff_ffff, 3]);
    expect(client.answer(3).code).toBe('0');
    client.send(call(5));
    expect(client.answer(5).code).toBe(undefined);
    expect(client.socket.ended).toBe(false);
    server.held[0]!.reply(Buffer.from('done'));
    server.time.settle();
    expect(client.answer(1).code).toBe('0');
    expect(client.socket.ended).toBe(true);
    client.socket.listener.onEnd();
    server.time.settle();
    expect(closed).toBe(true);
    expect(server.time.waiting).toBe(0);
  });

  test('a client that does not answer the ping, and does not hang up', () => {
    const [client, server] = dial();
    let closed = false;
    server.server.close(60_000, () => {
      closed = true;
    });
    server.time.advance(3_000);
    expect(lastIds(client)).toEqual([0x7fff_ffff, 0]);
    server.time.advance(3_000);
    expect(client.socket.destroyed).toBe(true);
    expect(closed).toBe(true);
  });

  test('when the grace is over, what is open is cut', () => {
    const [client, server] = dial();
    let closed = false;
    client.send(headers(1, STREAM));
    server.server.close(5_000, () => {
      closed = true;
    });
    server.time.advance(4_900);
    expect(client.socket.destroyed).toBe(false);
    server.time.advance(200);
    expect(client.socket.destroyed).toBe(true);
    expect(server.streams[0]!.events).toEqual(['close']);
    expect(closed).toBe(true);
    expect(server.time.waiting).toBe(0);
  });

  test('a connection that comes while it closes is told so', () => {
    const server = new TestServer();
    const first = server.dial();
    first.send(headers(1, STREAM));
    server.server.close(60_000, () => {});
    const late = server.dial();
    expect(lastIds(late)).toEqual([0x7fff_ffff]);
  });

  test('without connections it is closed at once', () => {
    const server = new TestServer();
    let closed = false;
    server.server.close(1_000, () => {
      closed = true;
    });
    expect(closed).toBe(false);
    server.time.settle();
    expect(closed).toBe(true);
    expect(server.time.waiting).toBe(0);
  });

  test('an idle connection, where a limit is set', () => {
    const [client, server] = dial({ idleMs: 10_000 });
    server.time.advance(8_000);
    client.send(call(1));
    server.time.advance(8_000);
    expect(lastIds(client)).toEqual([]);
    server.time.advance(10_000);
    expect(lastIds(client)).toEqual([0x7fff_ffff, 1]);
    server.time.advance(3_000);
    expect(client.socket.destroyed).toBe(true);
  });

  test('a client that is gone: its calls are over, and late answers harm nothing', () => {
    const [client, server] = dial();
    client.send(headers(1, STREAM), call(3, 'x', { ':path': '/t.T/Hold', 'grpc-timeout': '10S' }));
    client.socket.destroy();
    server.held[0]!.reply(Buffer.from('late'));
    server.streams[0]!.call.send(Buffer.from('late'));
    server.streams[0]!.call.end({ code: 0, message: '' });
    server.time.advance(20_000);
    expect(server.streams[0]!.events).toEqual(['close']);
    expect(server.server.connectionCount).toBe(0);
    expect(server.time.waiting).toBe(0);
  });
});
