import { beforeEach, describe, expect, test } from 'vitest';
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
  message,
  PREFACE,
  ping,
  request,
  reset,
  settings,
  settingsAck,
  T,
  u32,
  windowUpdate,
} from './support/wire.js';

let server: TestServer;
let client: TestClient;
beforeEach(() => {
  server = new TestServer();
  client = server.dial();
});

/** The connection still answers a call. */
function lives(id = 101): void {
  client.send(call(id, 'alive'));
  expect(client.answer(id)).toMatchObject({ http: '200', code: '0' });
  expect(client.goaway).toBe(null);
}

const OPEN = () => headers(1, request({ ':path': '/t.T/Stream' }));
const GRPC = block(GRPC_HEADERS);

describe('RFC 9113 3.4, the beginning', () => {
  test('the server speaks first: SETTINGS, and it acknowledges ours', () => {
    const [first] = client.log.all;
    expect(first).toMatchObject({ type: T.SETTINGS, flags: 0, id: 0 });
    expect(client.log.of(T.SETTINGS).map(({ flags }) => flags)).toEqual([0, F.ACK]);
  });

  test('it does not wait for the client to do so', () => {
    const early = server.dialRaw();
    server.time.settle();
    expect(early.log.of(T.SETTINGS)).toHaveLength(1);
  });

  test('a wrong preface is a connection error', () => {
    const other = server.dialRaw().send(Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'));
    expect(other.goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('a preface may come in pieces', () => {
    const other = server.dialRaw();
    for (const byte of Buffer.concat([PREFACE, settings(), call(1)])) other.send(Buffer.from([byte]));
    expect(other.answer(1)).toMatchObject({ code: '0' });
  });

  test('the first frame must be SETTINGS', () => {
    expect(server.dialRaw().send(PREFACE, ping()).goaway).toBe(E.PROTOCOL_ERROR);
    expect(server.dialRaw().send(PREFACE, settingsAck).goaway).toBe(E.PROTOCOL_ERROR);
  });
});

describe('4.1 and 4.2, frames', () => {
  test('unknown types are ignored', () => {
    client.send(frame(0xfa, 0xff, 0, '0102'), frame(0xfb, 0, 77, '01'));
    lives();
  });

  test('undefined flags and the reserved bit are ignored', () => {
    client.send(frame(T.PING, 0xfe, 0x8000_0000, '0102030405060708'));
    expect(client.log.of(T.PING).map(({ payload }) => payload.toString('hex'))).toEqual(['0102030405060708']);
    lives();
  });

  test('a frame longer than SETTINGS_MAX_FRAME_SIZE', () => {
    client.send(OPEN());
    client.send(frame(T.DATA, 0, 1, Buffer.alloc(16_385)));
    expect(client.goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('a frame of just that size', () => {
    client.send(OPEN(), data(1, Buffer.alloc(16_384)));
    lives();
  });
});

describe('4.3, header blocks', () => {
  test('what cannot be decoded is a connection error COMPRESSION_ERROR', () => {
    client.send(frame(T.HEADERS, F.END_HEADERS, 1, '80'));
    expect(client.goaway).toBe(E.COMPRESSION_ERROR);
  });

  test('another frame within a block', () => {
    client.send(frame(T.HEADERS, 0, 1, GRPC.subarray(0, 10)), ping());
    expect(client.goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('a frame of another stream within a block', () => {
    client.send(
      frame(T.HEADERS, 0, 1, GRPC.subarray(0, 10)),
      frame(T.CONTINUATION, F.END_HEADERS, 3, GRPC.subarray(10)),
    );
    expect(client.goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('an unknown frame within a block', () => {
    client.send(frame(T.HEADERS, 0, 1, GRPC.subarray(0, 10)), frame(0x77, 0, 1));
    expect(client.goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('the table of a refused or reset stream is kept up', () => {
    // "x-a: b" goes into the table by a request that is refused, and is used by the next.
    const adds = Buffer.concat([block(GRPC_HEADERS), Buffer.from('4003782d610162', 'hex'), block([[':late', 'x']])]);
    client.send(frame(T.HEADERS, F.END_HEADERS, 1, adds));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
    const uses = Buffer.concat([block(request({ ':path': '/t.T/Meta' })), Buffer.from('be', 'hex')]);
    client.send(frame(T.HEADERS, F.END_HEADERS, 3, uses), data(3, message(''), true));
    expect(client.body(3).toString('latin1', 5)).toBe('b|undefined|0');
  });

  test('a block that was sent before means the same only as long as the table is the same', () => {
    const add = (path: string) =>
      Buffer.concat([Buffer.from('44', 'hex'), Buffer.from([path.length]), Buffer.from(path)]);
    const rest = block(GRPC_HEADERS.filter(([name]) => !name.startsWith(':')));
    const common = block(GRPC_HEADERS.filter(([name]) => name.startsWith(':') && name !== ':path'));
    const send = (id: number, path: Buffer) => {
      client.send(
        frame(T.HEADERS, F.END_HEADERS, id, Buffer.concat([common, path, rest])),
        data(id, message('m'), true),
      );
      return client.answer(id).message;
    };
    const newest = Buffer.from('be', 'hex');
    expect(send(1, add('/one'))).toBe('unknown /one');
    expect(send(3, newest)).toBe('unknown /one');
    expect(send(5, newest)).toBe('unknown /one');
    expect(send(7, add('/two'))).toBe('unknown /two');
    expect(send(9, newest)).toBe('unknown /two');
  });
});

describe('5.1, states of streams', () => {
  test.each([
    ['DATA', data(1, '')],
    ['RST_STREAM', reset(1)],
    ['WINDOW_UPDATE', windowUpdate(1, 1)],
    ['CONTINUATION', frame(T.CONTINUATION, F.END_HEADERS, 1)],
  ])('idle: %s is a connection error PROTOCOL_ERROR', (_, bytes) => {
    expect(client.send(bytes).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('idle: PRIORITY is allowed', () => {
    client.send(frame(T.PRIORITY, 0, 1, '0000000310'));
    lives();
  });

  test.each([
    ['DATA', data(1, '00')],
    ['HEADERS', headers(1, [['x-a', 'b']], true)],
  ])('half-closed (remote): %s is a stream error STREAM_CLOSED', (_, bytes) => {
    client.send(headers(1, request({ ':path': '/t.T/Stream' }), true));
    client.send(bytes);
    expect(client.resetOf(1)).toBe(E.STREAM_CLOSED);
    lives();
  });

  test('half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed', () => {
    client.send(headers(1, request({ ':path': '/t.T/Stream' }), true));
    client.send(windowUpdate(1, 100), frame(T.PRIORITY, 0, 1, '0000000010'), reset(1));
    expect(server.streams[0]!.events).toEqual(['close']);
    lives();
  });

  test.each([
    ['DATA', data(1, '00')],
    ['HEADERS', headers(1, [['x-a', 'b']], true)],
  ])('closed by END_STREAM of both: %s is a connection error STREAM_CLOSED', (_, bytes) => {
    client.send(call(1));
    expect(client.ended(1)).toBe(true);
    expect(client.send(bytes).goaway).toBe(E.STREAM_CLOSED);
  });

  test.each([
    ['DATA', data(1, '00')],
    ['HEADERS', headers(1, [['x-a', 'b']], true)],
  ])('closed by the RST_STREAM of the client: %s is a connection error STREAM_CLOSED', (_, bytes) => {
    client.send(OPEN(), reset(1));
    expect(client.send(bytes).goaway).toBe(E.STREAM_CLOSED);
  });

  test('closed: WINDOW_UPDATE, RST_STREAM and PRIORITY may have been on their way', () => {
    client.send(call(1));
    client.send(windowUpdate(1, 5), reset(1), frame(T.PRIORITY, 0, 1, '0000000010'));
    lives();
  });

  test('closed by our RST_STREAM: whatever was on its way is discarded', () => {
    client.send(OPEN());
    client.send(windowUpdate(1, 0));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
    client.send(data(1, 'ffff'), windowUpdate(1, 9), headers(1, [['x-a', 'b']], true));
    lives();
  });

  test('the client hears RST_STREAM NO_ERROR behind an answer that came before it was through', () => {
    client.send(headers(1), data(1, message('early')));
    expect(client.ended(1)).toBe(true);
    expect(client.resetOf(1)).toBe(E.NO_ERROR);
    client.send(data(1, 'ff', true));
    lives();
  });
});

describe('5.1.1, identifiers', () => {
  test('an even one', () => {
    expect(client.send(headers(2)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('one that was passed over', () => {
    client.send(headers(5));
    expect(client.send(headers(3)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('numbers may be passed over', () => {
    client.send(call(1), call(1001));
    expect(client.answer(1001).code).toBe('0');
    expect(client.send(headers(999)).goaway).toBe(E.PROTOCOL_ERROR);
  });
});

test('5.1.2: more streams than SETTINGS_MAX_CONCURRENT_STREAMS are refused', () => {
  server = new TestServer({ concurrentStreamsMax: 2 });
  client = server.dial();
  expect(client.log.all[0]!.payload.includes(Buffer.from('000300000002', 'hex'))).toBe(true);
  for (const id of [1, 3, 5]) client.send(headers(id, request({ ':path': '/t.T/Stream' })));
  expect(client.resetOf(5)).toBe(E.REFUSED_STREAM);
  client.send(reset(1));
  client.send(call(7));
  expect(client.answer(7).code).toBe('0');
});

describe('6.1, DATA', () => {
  test('on stream 0', () => {
    expect(client.send(data(0, '00')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('padding as long as the frame', () => {
    client.send(OPEN());
    expect(client.send(frame(T.DATA, F.PADDED, 1, '0200')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('no room for the pad length', () => {
    client.send(OPEN());
    expect(client.send(frame(T.DATA, F.PADDED, 1)).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('padding is not data', () => {
    const padded = Buffer.concat([Buffer.from([3]), message('padded'), Buffer.alloc(3)]);
    client.send(headers(1), frame(T.DATA, F.PADDED | F.END_STREAM, 1, padded));
    expect(client.body(1).equals(message('padded'))).toBe(true);
  });
});

describe('6.2, HEADERS', () => {
  test('on stream 0', () => {
    expect(client.send(headers(0)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('padding beyond the frame', () => {
    expect(client.send(frame(T.HEADERS, F.PADDED | F.END_HEADERS, 1, 'ff82')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('too short for its priority', () => {
    expect(client.send(frame(T.HEADERS, F.PRIORITY | F.END_HEADERS, 1, '0000')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('padding and priority are left out of the block', () => {
    const payload = Buffer.concat([Buffer.from([2]), Buffer.alloc(5), GRPC, Buffer.alloc(2)]);
    client.send(frame(T.HEADERS, F.PADDED | F.PRIORITY | F.END_HEADERS, 1, payload), data(1, message('p'), true));
    expect(client.answer(1).code).toBe('0');
  });
});

describe('6.3, PRIORITY', () => {
  test('on stream 0', () => {
    expect(client.send(frame(T.PRIORITY, 0, 0, '0000000010')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('of another size: a stream error', () => {
    client.send(OPEN());
    client.send(frame(T.PRIORITY, 0, 1, '00000000'));
    expect(client.resetOf(1)).toBe(E.FRAME_SIZE_ERROR);
    lives();
  });
});

describe('6.4, RST_STREAM', () => {
  test('on stream 0', () => {
    expect(client.send(reset(0)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('of another size', () => {
    client.send(OPEN());
    expect(client.send(frame(T.RST_STREAM, 0, 1, '000000')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('ends the call, and nothing more is sent on it', () => {
    client.send(OPEN());
    server.streams[0]!.call.send(Buffer.from('one'));
    client.send(reset(1));
    server.streams[0]!.call.send(Buffer.from('two'));
    server.streams[0]!.call.end({ code: 0, message: '' });
    server.time.settle();
    expect(server.streams[0]!.events).toEqual(['close']);
    expect(client.log.of(T.DATA, 1)).toHaveLength(0);
    expect(client.log.of(T.HEADERS, 1)).toHaveLength(0);
    lives();
  });
});

describe('6.5, SETTINGS', () => {
  test('on a stream', () => {
    expect(client.send(frame(T.SETTINGS, 0, 1)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('of a length that is no multiple of six', () => {
    expect(client.send(frame(T.SETTINGS, 0, 0, '000300')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('an ACK with a payload', () => {
    expect(client.send(frame(T.SETTINGS, F.ACK, 0, '000300000001')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test.each([
    ['ENABLE_PUSH 2', 2, 2, E.PROTOCOL_ERROR],
    ['INITIAL_WINDOW_SIZE 2^31', 4, 0x8000_0000, E.FLOW_CONTROL_ERROR],
    ['MAX_FRAME_SIZE 16383', 5, 16_383, E.PROTOCOL_ERROR],
    ['MAX_FRAME_SIZE 2^24', 5, 1 << 24, E.PROTOCOL_ERROR],
  ])('6.5.2: %s', (_, id, value, code) => {
    expect(client.send(settings([id, value])).goaway).toBe(code);
  });

  test('6.5.2: unknown settings are ignored', () => {
    client.send(settings([0x99, 1], [3, 0]));
    lives();
  });

  test('6.5.3: each is acknowledged, and holds from then on', () => {
    client.send(settings([4, 10]));
    expect(client.log.of(T.SETTINGS).filter(({ flags }) => flags === F.ACK)).toHaveLength(2);
    client.send(call(1, 'more than ten bytes'));
    expect(client.body(1)).toHaveLength(10);
  });

  test('6.5.3: one that is not acknowledged', () => {
    const other = server.dialRaw().send(PREFACE, settings());
    server.time.advance(9_000);
    expect(other.goaway).toBe(null);
    server.time.advance(2_000);
    expect(other.goaway).toBe(E.SETTINGS_TIMEOUT);
  });

  test('a smaller HEADER_TABLE_SIZE is told in the next block, before it is used', () => {
    client.send(call(1));
    client.send(settings([1, 0]));
    client.send(call(3), call(5));
    expect([3, 5].map((id) => client.answer(id).code)).toEqual(['0', '0']);
    const [first] = client.log.of(T.HEADERS, 3);
    expect(first!.payload[0]).toBe(0x20);
    client.send(settings([1, 4096]));
    client.send(call(7), call(9));
    expect(client.answer(9)).toMatchObject({ http: '200', code: '0' });
  });

  test('MAX_FRAME_SIZE bounds what is sent, header blocks too', () => {
    client.send(settings([5, 16_384], [4, 1 << 20]), windowUpdate(0, 1 << 20));
    client.send(call(1, '40000', { ':path': '/t.T/Big' }));
    expect(client.body(1)).toHaveLength(40_005);
    expect(Math.max(...client.log.all.map(({ payload }) => payload.length))).toBe(16_384);
    client.send(call(3, '%'.repeat(16_000), { ':path': '/t.T/Fail' }));
    expect(client.log.of(T.CONTINUATION, 3).length).toBeGreaterThan(0);
    expect(client.answer(3)).toMatchObject({ code: '5', message: '%25'.repeat(16_000) });
    expect(Math.max(...client.log.all.map(({ payload }) => payload.length))).toBe(16_384);
  });
});

test('6.6: PUSH_PROMISE of a client', () => {
  client.send(OPEN());
  expect(client.send(frame(T.PUSH_PROMISE, F.END_HEADERS, 1, '00000002')).goaway).toBe(E.PROTOCOL_ERROR);
});

describe('6.7, PING', () => {
  test('is answered with its bytes', () => {
    client.send(ping('0001020304050607'));
    expect(client.log.of(T.PING)).toMatchObject([{ flags: F.ACK, id: 0 }]);
    expect(client.log.of(T.PING)[0]!.payload.toString('hex')).toBe('0001020304050607');
  });

  test('an ACK is not', () => {
    client.send(frame(T.PING, F.ACK, 0, '0001020304050607'));
    expect(client.log.of(T.PING)).toHaveLength(0);
  });

  test('on a stream', () => {
    expect(client.send(frame(T.PING, 0, 1, '0000000000000000')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('of another size', () => {
    expect(client.send(frame(T.PING, 0, 0, '00000000000000')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });
});

describe('6.8, GOAWAY', () => {
  test('on a stream', () => {
    expect(client.send(frame(T.GOAWAY, 0, 1, '0000000000000000')).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('too short', () => {
    expect(client.send(frame(T.GOAWAY, 0, 0, '00000000')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test("the client's: open calls come to their end, then the connection is closed", () => {
    client.send(headers(1, request({ ':path': '/t.T/Hold' })), data(1, message('x'), true));
    client.send(frame(T.GOAWAY, 0, 0, '0000000000000000'));
    expect(client.socket.ended).toBe(false);
    server.held[0]!.reply(Buffer.from('late'));
    server.time.settle();
    expect(client.answer(1).code).toBe('0');
    expect(client.socket.ended).toBe(true);
  });

  test('ours names the last stream that was opened', () => {
    client.send(call(1), call(7));
    client.send(data(0, ''));
    expect(client.log.of(T.GOAWAY)[0]!.payload.readUInt32BE(0)).toBe(7);
  });

  test('5.4.1: after a connection error nothing is read, and the connection is closed', () => {
    client.send(data(0, ''), call(1));
    expect(server.calls).toEqual([]);
    expect(client.socket.ended).toBe(true);
    server.time.advance(3_000);
    expect(client.socket.destroyed).toBe(true);
  });
});

describe('6.9, WINDOW_UPDATE', () => {
  test('of another size', () => {
    expect(client.send(frame(T.WINDOW_UPDATE, 0, 0, '000001')).goaway).toBe(E.FRAME_SIZE_ERROR);
  });

  test('by 0 on the connection', () => {
    expect(client.send(windowUpdate(0, 0)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('by 0 on a stream: a stream error', () => {
    client.send(OPEN());
    client.send(windowUpdate(1, 0));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
    lives();
  });

  test('6.9.1: beyond 2^31-1 on the connection', () => {
    expect(client.send(windowUpdate(0, 0x7fff_ffff)).goaway).toBe(E.FLOW_CONTROL_ERROR);
  });

  test('6.9.1: beyond 2^31-1 on a stream: a stream error', () => {
    client.send(OPEN());
    client.send(windowUpdate(1, 0x7fff_ffff));
    expect(client.resetOf(1)).toBe(E.FLOW_CONTROL_ERROR);
    lives();
  });

  test('6.9.2: an initial window that takes a stream beyond 2^31-1', () => {
    client.send(OPEN(), windowUpdate(1, 0x7fff_ffff - 65_535));
    expect(client.send(settings([4, 65_536])).goaway).toBe(E.FLOW_CONTROL_ERROR);
  });

  test('the reserved bit of the increment is ignored', () => {
    client.send(frame(T.WINDOW_UPDATE, 0, 0, u32(0x8000_0100)));
    lives();
  });
});

describe('6.10, CONTINUATION', () => {
  test('of nothing', () => {
    expect(client.send(frame(T.CONTINUATION, F.END_HEADERS, 1, GRPC)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('behind the end of its block', () => {
    client.send(OPEN());
    expect(client.send(frame(T.CONTINUATION, F.END_HEADERS, 1)).goaway).toBe(E.PROTOCOL_ERROR);
  });

  test('a block in three frames', () => {
    client.send(
      frame(T.HEADERS, 0, 1, GRPC.subarray(0, 7)),
      frame(T.CONTINUATION, 0, 1, GRPC.subarray(7, 8)),
      frame(T.CONTINUATION, F.END_HEADERS, 1, GRPC.subarray(8)),
      data(1, message('cut'), true),
    );
    expect(client.answer(1)).toMatchObject({ code: '0' });
  });
});
