import { describe, expect, test } from 'vitest';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import { call, data, E, frame, headers, message, request, reset, settings, T, windowUpdate } from './support/wire.js';

const big = (id: number, bytes: number) => call(id, String(bytes), { ':path': '/t.T/Big' });
const stream = (id: number) => headers(id, request({ ':path': '/t.T/Stream' }));

/** Bytes of DATA on the whole connection. */
const sent = (client: TestClient): number =>
  client.log.of(T.DATA).reduce((sum, { payload }) => sum + payload.length, 0);

describe('RFC 9113 5.2 and 6.9, what is sent', () => {
  test("no more than the stream's window, and the rest as it is renewed", () => {
    const client = new TestServer().dial();
    client.send(windowUpdate(0, 1 << 20), big(1, 100_000));
    expect(client.body(1)).toHaveLength(65_535);
    client.send(windowUpdate(1, 10));
    expect(client.body(1)).toHaveLength(65_545);
    client.send(windowUpdate(1, 100_000));
    expect(client.body(1)).toHaveLength(100_005);
    expect(client.answer(1).code).toBe('0');
    expect(
      client
        .body(1)
        .subarray(5)
        .every((byte) => byte === 7),
    ).toBe(true);
  });

  test("no more than the connection's window over all streams", () => {
    const client = new TestServer().dial([4, 1 << 20]);
    client.send(big(1, 50_000), big(3, 50_000));
    expect(sent(client)).toBe(65_535);
    client.send(windowUpdate(0, 1 << 20));
    expect([1, 3].map((id) => client.answer(id).code)).toEqual(['0', '0']);
    expect(sent(client)).toBe(100_010);
  });

  test('header frames need no window', () => {
    const client = new TestServer().dial();
    client.send(big(1, 65_530));
    expect(sent(client)).toBe(65_535);
    client.send(call(3, 'x', { ':path': '/t.T/Fail' }));
    expect(client.answer(3)).toMatchObject({ code: '5', message: 'x' });
    client.send(big(5, 0));
    expect(client.answer(5)).toMatchObject({ http: '200', code: undefined });
  });

  test('an initial window of 0, then 1: byte by byte', () => {
    const client = new TestServer().dial([4, 0]);
    client.send(call(1, 'ab'));
    expect(client.body(1)).toHaveLength(0);
    for (let i = 1; i <= 7; i++) {
      client.send(windowUpdate(1, 1));
      expect(client.body(1)).toHaveLength(i);
    }
    expect(client.body(1).equals(message('ab'))).toBe(true);
    expect(client.answer(1).code).toBe('0');
  });

  test('6.9.2: a window that SETTINGS take below zero must be renewed beyond it', () => {
    const client = new TestServer().dial();
    client.send(big(1, 80_000), windowUpdate(0, 100_000));
    expect(client.body(1)).toHaveLength(65_535);
    client.send(settings([4, 100]));
    client.send(windowUpdate(1, 65_435));
    expect(client.body(1)).toHaveLength(65_535);
    client.send(windowUpdate(1, 1));
    expect(client.body(1)).toHaveLength(65_536);
    client.send(settings([4, 65_535]));
    expect(client.answer(1).code).toBe('0');
  });

  test('what waits of a cancelled stream is dropped', () => {
    const client = new TestServer().dial();
    client.send(big(1, 1 << 20), reset(1), windowUpdate(0, 1 << 20));
    const before = sent(client);
    client.send(windowUpdate(0, 1 << 20), call(3));
    expect(client.answer(3).code).toBe('0');
    expect(sent(client) - before).toBe(6);
  });
});

describe('fair turns', () => {
  test('a small answer passes a large one that is under way', () => {
    const server = new TestServer();
    const client = server.dial([4, 16 << 20]);
    client.send(windowUpdate(0, 16 << 20));
    client.sendOnly(big(1, 8 << 20));
    client.sendOnly(call(3, 'small'));
    server.time.settle();
    const order = client.log.of(T.DATA).map(({ id }) => id);
    expect(order.indexOf(3)).toBeLessThan(3);
    expect(client.answer(1).code).toBe('0');
    expect(client.body(1)).toHaveLength((8 << 20) + 5);
  });

  test('large ones share the line evenly', () => {
    const client = new TestServer().dial([4, 16 << 20]);
    client.sendOnly(windowUpdate(0, 1 << 20));
    client.send(big(1, 1 << 20), big(3, 1 << 20), big(5, 1 << 20));
    const shares = [1, 3, 5].map((id) => client.body(id).length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * 16_384);
  });

  test('while the socket is full nothing is written, and a watch event waits for no more than is written', () => {
    const server = new TestServer();
    const client = server.dial([4, 64 << 20]);
    client.send(windowUpdate(0, 64 << 20), stream(1));
    client.socket.jamAfter = 100_000;
    client.send(big(3, 16 << 20));
    const jammed = client.socket.bytes;
    expect(jammed).toBeGreaterThan(100_000);
    expect(jammed).toBeLessThan(1 << 20);
    server.streams[0]!.call.send(Buffer.from('event'));
    server.time.settle();
    expect(client.socket.bytes).toBe(jammed);
    client.socket.jamAfter = Number.POSITIVE_INFINITY;
    client.socket.full = false;
    client.socket.listener.onDrain();
    server.time.settle();
    const frames = client.log.of(T.DATA);
    const event = frames.findIndex(({ id }) => id === 1);
    const before = frames.slice(0, event).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(before).toBeLessThan(jammed + (64 << 10));
    expect(client.answer(3).code).toBe('0');
  });

  test('all answers of a turn are one write', () => {
    const server = new TestServer();
    const client = server.dial();
    const before = client.socket.writes;
    for (let id = 1; id < 100; id += 2) client.sendOnly(call(id));
    server.time.settle();
    expect(client.socket.writes - before).toBe(1);
    expect(client.log.of(T.DATA)).toHaveLength(50);
  });
});

describe('what is received', () => {
  const limits = { streamWindowBytes: 100_000, connectionWindowBytes: 200_000, unreadBytesMax: 150_000 };
  const piece = Buffer.alloc(10_000);

  test("the server's windows are told in its first frames", () => {
    const client = new TestServer(limits).dialRaw();
    client.send();
    const [first, second] = client.log.all;
    expect(first!.payload.includes(Buffer.from('0004000186a0', 'hex'))).toBe(true);
    expect(second).toMatchObject({ type: T.WINDOW_UPDATE, id: 0 });
    expect(second!.payload.readUInt32BE(0)).toBe(200_000 - 65_535);
  });

  test("more than the stream's window: a stream error FLOW_CONTROL_ERROR", () => {
    const client = new TestServer(limits).dial();
    client.send(stream(1));
    for (let i = 0; i < 10; i++) client.send(data(1, piece));
    expect(client.resetOf(1)).toBe(null);
    client.send(data(1, '00'));
    expect(client.resetOf(1)).toBe(E.FLOW_CONTROL_ERROR);
    client.send(call(3));
    expect(client.answer(3).code).toBe('0');
  });

  test("more than the connection's window: a connection error FLOW_CONTROL_ERROR", () => {
    const client = new TestServer({ ...limits, unreadBytesMax: 0 }).dial();
    client.send(stream(1), stream(3), stream(5));
    for (let i = 0; i < 20; i++) client.send(data([1, 3, 5][i % 3]!, piece));
    expect(client.goaway).toBe(null);
    expect(client.send(data(1, '00')).goaway).toBe(E.FLOW_CONTROL_ERROR);
  });

  test('6.9.1: padding counts', () => {
    const client = new TestServer({ ...limits, streamWindowBytes: 10 }).dial();
    client.send(stream(1), frame(T.DATA, 8, 1, `09${'00'.repeat(10)}`));
    expect(client.resetOf(1)).toBe(E.FLOW_CONTROL_ERROR);
  });

  test('a stream that is not read gets no more than its window, one that is read gets it renewed', () => {
    const server = new TestServer(limits);
    const client = server.dial();
    client.send(stream(1));
    const whole = message(Buffer.alloc(24_995));
    for (let i = 0; i < 4; i++) client.send(data(1, whole.subarray(0, 12_500)), data(1, whole.subarray(12_500)));
    expect(client.log.of(T.WINDOW_UPDATE, 1)).toHaveLength(0);
    const { call: held, messages } = server.streams[0]!;
    held.read();
    server.time.settle();
    expect(messages).toHaveLength(1);
    expect(client.log.of(T.WINDOW_UPDATE, 1)).toHaveLength(0);
    held.read();
    server.time.settle();
    const [update] = client.log.of(T.WINDOW_UPDATE, 1);
    expect(update!.payload.readUInt32BE(0)).toBe(50_000);
  });

  test("one message at a time, in order, whatever the frames' borders", () => {
    const server = new TestServer(limits);
    const client = server.dial();
    client.send(stream(1));
    const all = Buffer.concat([message('one'), message(''), message('three'), message('four')]);
    for (const byte of all) client.send(data(1, Buffer.from([byte])));
    const { call: held, messages, events } = server.streams[0]!;
    for (let i = 1; i <= 4; i++) {
      held.read();
      held.read();
      server.time.settle();
      expect(messages).toHaveLength(i);
    }
    expect(messages).toEqual(['one', '', 'three', 'four']);
    client.send(data(1, '', true));
    expect(events).toEqual([]);
    held.read();
    server.time.settle();
    expect(events).toEqual(['half-close']);
  });

  test("streams that are not read do not stop the others, up to a bound; then the connection's window waits", () => {
    const server = new TestServer(limits);
    const client = server.dial();
    const renewed = () =>
      client.log
        .of(T.WINDOW_UPDATE, 0)
        .slice(1)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    client.send(stream(1), stream(3));
    for (let i = 0; i < 10; i++) client.send(data(1, piece));
    expect(renewed()).toBe(100_000);
    for (let i = 0; i < 10; i++) client.send(data(3, piece));
    expect(renewed()).toBe(100_000);
    client.send(reset(1));
    client.send(call(5));
    expect(renewed()).toBeGreaterThanOrEqual(200_000);
  });

  test('a message larger than the window comes through while it is asked for', () => {
    const server = new TestServer(limits);
    const client = server.dial();
    const body = message(Buffer.alloc(1_000_000, 3));
    client.send(headers(1));
    let window = 100_000;
    let pos = 0;
    let updates = 0;
    while (pos < body.length) {
      const to = Math.min(pos + Math.min(window, 16_384), body.length);
      expect(to).toBeGreaterThan(pos);
      client.send(data(1, body.subarray(pos, to), to === body.length));
      window -= to - pos;
      pos = to;
      const all = client.log.of(T.WINDOW_UPDATE, 1);
      for (; updates < all.length; updates++) window += all[updates]!.payload.readUInt32BE(0);
    }
    expect(server.calls[0]).toHaveLength(1_000_000);
  });

  test('what a refused or cancelled stream still sends is given back to the connection', () => {
    const client = new TestServer(limits).dial();
    client.send(headers(1, request({ ':path': '/no' })));
    for (let i = 0; i < 40; i++) client.send(data(1, piece));
    expect(client.goaway).toBe(null);
  });
});

describe('back-pressure on senders', () => {
  const limits = { streamPendingBytesMax: 1_000, connectionPendingBytesMax: 5_000 };

  test('send says false above the bound, and onDrain comes when most is out', () => {
    const server = new TestServer(limits);
    const client = server.dial([4, 100]);
    client.send(stream(1));
    const [held] = server.streams;
    expect(held!.call.send(Buffer.alloc(500))).toBe(true);
    expect(held!.call.send(Buffer.alloc(500))).toBe(false);
    server.time.settle();
    expect(held!.events).toEqual([]);
    client.send(windowUpdate(1, 600));
    expect(held!.events).toEqual([]);
    client.send(windowUpdate(1, 200));
    expect(held!.events).toEqual(['drain']);
    expect(held!.call.send(Buffer.alloc(10))).toBe(true);
  });

  test('many streams together are held back too', () => {
    const server = new TestServer(limits);
    const client = server.dial([4, 0]);
    const answers: boolean[] = [];
    for (let i = 0; i < 8; i++) {
      client.send(stream(2 * i + 1));
      answers.push(server.streams[i]!.call.send(Buffer.alloc(900)));
    }
    expect(answers).toEqual([true, true, true, true, true, false, false, false]);
    client.send(settings([4, 10_000]));
    expect(server.streams.map(({ events }) => events.length)).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
  });

  test('a sender that is drained and fills up again at once is asked again', () => {
    const server = new TestServer(limits);
    const client = server.dial([4, 1 << 20]);
    client.send(stream(1), windowUpdate(0, 1 << 20));
    const [held] = server.streams;
    let left = 200;
    held!.onDrain = () => {
      while (left-- > 0 && held!.call.send(Buffer.alloc(400)));
    };
    held!.onDrain();
    server.time.settle();
    expect(client.body(1)).toHaveLength(200 * 405);
  });
});
