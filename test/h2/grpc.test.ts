import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeTimeout } from '../../src/h2/grpc/timeout.js';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import { call, data, E, F, headers, message, request, reset, T, u32 } from './support/wire.js';

let server: TestServer;
let client: TestClient;
beforeEach(() => {
  server = new TestServer({ messageBytesMax: 1_000 });
  client = server.dial();
});

const STREAM = { ':path': '/t.T/Stream' };
const ECHO_STREAM = { ':path': '/t.T/EchoStream' };

/** zlib works on another thread. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) {
    await new Promise((done) => setTimeout(done, 2));
    server.time.settle();
  }
  expect(condition()).toBe(true);
}

describe('answers', () => {
  test('headers, message, trailers', () => {
    client.send(call(1, 'hi'));
    const frames = client.log.all.filter(({ id }) => id === 1);
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      [T.HEADERS, F.END_HEADERS],
      [T.DATA, 0],
      [T.HEADERS, F.END_HEADERS | F.END_STREAM],
    ]);
    expect(client.log.fields(frames[0]!)).toEqual({ ':status': '200', 'content-type': 'application/grpc' });
    expect(client.log.fields(frames[2]!)).toEqual({ 'grpc-status': '0' });
    expect(frames[1]!.payload.equals(message('hi'))).toBe(true);
  });

  test('after the first, header blocks are a few bytes', () => {
    client.send(call(1), call(3));
    expect(client.log.of(T.HEADERS, 3).map(({ payload }) => payload.length)).toEqual([2, 1]);
  });

  test('an error without a message is one frame', () => {
    client.send(call(1, '50% of "ünïcödé"\n', { ':path': '/t.T/Fail' }));
    const frames = client.log.all.filter(({ id }) => id === 1);
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([[T.HEADERS, F.END_HEADERS | F.END_STREAM]]);
    expect(client.log.fields(frames[0]!)).toEqual({
      ':status': '200',
      'content-type': 'application/grpc',
      'grpc-status': '5',
      'grpc-message': '50%25 of "%C3%BCn%C3%AFc%C3%B6d%C3%A9"%0A',
    });
  });

  test('an empty message is one', () => {
    client.send(call(1, ''));
    expect(client.answer(1)).toMatchObject({ code: '0' });
    expect(client.body(1).toString('hex')).toBe('0000000000');
  });

  test('a second answer is ignored', () => {
    client.send(call(1, 'x', { ':path': '/t.T/Hold' }));
    for (let i = 0; i < 2; i++) server.held[0]!.reply(Buffer.from('once'));
    server.time.settle();
    server.held[0]!.reply(Buffer.from('more'));
    server.time.settle();
    expect(client.body(1)).toHaveLength(9);
  });

  test('an answer after the client has cancelled is ignored', () => {
    client.send(call(1, 'x', { ':path': '/t.T/Hold' }), reset(1));
    server.held[0]!.reply(Buffer.from('late'));
    server.time.settle();
    expect(client.log.all.filter(({ id }) => id === 1)).toEqual([]);
  });

  test('a subtype is given back', () => {
    client.send(call(1, 'x', { 'content-type': 'application/grpc+proto' }));
    client.send(call(3, 'x', { 'content-type': 'application/grpc;proto', ':path': '/no' }));
    for (const id of [1, 3]) {
      expect(client.log.fields(client.log.of(T.HEADERS, id)[0]!)['content-type']).toBe('application/grpc+proto');
    }
  });

  test('streams: any number of messages, also none', () => {
    client.send(headers(1, request(ECHO_STREAM)));
    for (const text of ['a', 'b']) client.send(data(1, message(text)));
    client.send(data(1, Buffer.concat([message('c'), message('d')]), true));
    expect(client.body(1).equals(Buffer.concat(['a', 'b', 'c', 'd'].map((text) => message(text))))).toBe(true);
    expect(client.answer(1).code).toBe('0');
    client.send(headers(3, request(ECHO_STREAM), true));
    expect(client.log.all.filter(({ id }) => id === 3)).toHaveLength(1);
    expect(client.answer(3)).toMatchObject({ http: '200', code: '0' });
    expect(server.streams.map(({ events }) => events)).toEqual([
      ['half-close', 'close'],
      ['half-close', 'close'],
    ]);
  });

  test('a stream that is ended as it is opened', () => {
    client.send(headers(1, request(STREAM)));
    server.streams[0]!.call.end({ code: 14, message: 'no' });
    server.streams[0]!.call.end({ code: 0, message: '' });
    expect(server.streams[0]!.call.send(Buffer.from('x'))).toBe(true);
    server.time.settle();
    expect(client.answer(1)).toMatchObject({ http: '200', code: '14', message: 'no', reset: E.NO_ERROR });
    expect(server.streams[0]!.events).toEqual(['close']);
  });

  test('after end nothing is handed out any more', () => {
    client.send(headers(1, request(ECHO_STREAM)));
    client.sendOnly(data(1, message('one')));
    server.streams[0]!.call.end({ code: 0, message: '' });
    client.sendOnly(data(1, message('two'), true));
    server.time.settle();
    expect(server.streams[0]!.messages).toEqual(['one']);
    expect(server.streams[0]!.events).toEqual(['close']);
  });
});

describe("refusals in gRPC for Go's words", () => {
  const refused = (body: Buffer, over: Record<string, string> = {}): unknown[] => {
    client.send(headers(1, request(over)), data(1, body, true));
    const { http, code, message: text } = client.answer(1);
    return [http, code, text];
  };

  test.each([
    ['no body', '', '2', 'EOF'],
    ['a head alone', '0000000002', '2', 'unexpected EOF'],
    ['a head that breaks off', '0000', '2', 'EOF'],
    ['a message that breaks off', '00000000040a', '2', 'unexpected EOF'],
    ['a length that is too large', '00ffffffff', '8', 'grpc: received message larger than max (4294967295 vs. 1000)'],
    [
      'a compressed message without an encoding',
      '01000000010a',
      '13',
      'grpc: compressed flag set with identity or empty encoding',
    ],
    ['an unknown flag', '02000000010a', '13', 'grpc: received unexpected payload format 2'],
  ])('unary: %s', (_, hex, code, text) => {
    expect(refused(Buffer.from(hex, 'hex'))).toEqual(['200', code, text]);
  });

  test('unary: the same byte by byte', () => {
    client.send(headers(1));
    for (const byte of Buffer.from('00ffffffff', 'hex')) client.send(data(1, Buffer.from([byte])));
    expect(client.answer(1)).toMatchObject({ code: '8', reset: E.NO_ERROR });
  });

  test('what follows the message of a unary call is not looked at', () => {
    client.send(headers(1), data(1, Buffer.concat([message('one'), Buffer.from('ffffff', 'hex')]), true));
    expect(client.answer(1).code).toBe('0');
    expect(server.calls).toEqual(['one']);
  });

  test.each([
    ['a message that breaks off', '0000000002', '13', 'unexpected EOF'],
    ['a message that is too large', '0000001000', '8', 'grpc: received message larger than max (4096 vs. 1000)'],
    ['an unknown flag', '030000000100', '13', 'grpc: received unexpected payload format 3'],
  ])('stream: %s', (_, hex, code, text) => {
    expect(refused(Buffer.from(hex, 'hex'), ECHO_STREAM)).toEqual(['200', code, text]);
    expect(server.streams[0]!.events).toEqual(['close']);
  });

  test('stream: a head that breaks off is the end', () => {
    expect(refused(Buffer.alloc(4), ECHO_STREAM)).toEqual(['200', '0', undefined]);
    expect(server.streams[0]!.events).toEqual(['half-close', 'close']);
  });

  test.each([
    ['abc', 'transport: timeout unit is not recognized: "abc"'],
    ['5', 'transport: timeout string is too short: "5"'],
    ['123456789S', 'transport: timeout string is too long: "123456789S"'],
    ['a5S', 'strconv.ParseUint: parsing "a5": invalid syntax'],
    ['-5S', 'strconv.ParseUint: parsing "-5": invalid syntax'],
  ])('grpc-timeout %s', (timeout, text) => {
    expect(refused(message('x'), { 'grpc-timeout': timeout })).toEqual([
      '400',
      '13',
      `malformed grpc-timeout: ${text}`,
    ]);
  });

  test('another method than POST', () => {
    expect(refused(message('x'), { ':method': 'PUT' })).toEqual([
      '405',
      '13',
      'Received a HEADERS frame with :method "PUT" which should be POST',
    ]);
  });

  test('an encoding that is not there', () => {
    expect(refused(message('x'), { 'grpc-encoding': 'br' })).toEqual([
      '200',
      '12',
      'grpc: Decompressor is not installed for grpc-encoding "br"',
    ]);
  });

  test('binary metadata that is none', () => {
    expect(refused(message('x'), { 'x-bin': '!!' })).toEqual([
      '400',
      '13',
      'malformed binary metadata "!!" in header "x-bin": illegal base64 data at input byte 0',
    ]);
  });

  test('an unknown path, whose body is not read', () => {
    client.send(headers(1, request({ ':path': '/no.No/No' })), data(1, message('x')));
    expect(client.answer(1)).toMatchObject({ code: '12', message: 'unknown /no.No/No', reset: E.NO_ERROR });
  });

  test('more unfinished messages than a connection may have', () => {
    server = new TestServer({ messageBytesMax: 1_000, partialBytesMax: 5_000 });
    client = server.dial();
    const part = Buffer.concat([Buffer.from([0]), u32(999), Buffer.alloc(900)]);
    for (let id = 1; id < 15; id += 2) client.send(headers(id), data(id, part));
    expect(client.answer(9).code).toBe(undefined);
    expect(client.answer(11)).toMatchObject({ code: '8' });
    client.send(data(1, Buffer.alloc(99), true));
    expect(client.answer(1).code).toBe('0');
  });
});

describe('metadata', () => {
  test('text, and binary with or without padding', () => {
    const meta = (id: number, bin: string): string => {
      client.send(call(id, '', { ':path': '/t.T/Meta', 'x-a': 'one', 'x-b-bin': bin }));
      return client.body(id).toString('latin1', 5);
    };
    expect(meta(1, 'AAH/')).toBe('one|\0\x01\xc3\xbf|0');
    expect(meta(3, 'YQ==')).toBe('one|a|0');
    expect(meta(5, 'YQ')).toBe('one|a|0');
  });

  test('the first of several', () => {
    client.send(
      headers(1, [...request({ ':path': '/t.T/Meta' }), ['x-a', '1'], ['x-a', '2']]),
      data(1, message(''), true),
    );
    expect(client.body(1).toString('latin1', 5)).toBe('1|undefined|0');
  });
});

describe('deadlines', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['4m', 4],
    ['5000u', 5],
    ['6000000n', 6],
    ['99999999H', 1e12],
  ])('%s', (text, ms) => {
    expect(decodeTimeout(text)).toBeCloseTo(ms, 6);
  });

  test('the handler is told when', () => {
    client.send(call(1, '', { ':path': '/t.T/Meta', 'grpc-timeout': '1500m' }));
    expect(client.body(1).toString('latin1', 5)).toBe('undefined|undefined|1001500');
  });

  test('a call that waits for its message', () => {
    client.send(headers(1, request({ 'grpc-timeout': '50m' })));
    server.time.advance(49);
    expect(client.answer(1).code).toBe(undefined);
    server.time.advance(40);
    expect(client.answer(1)).toMatchObject({ http: '200', code: '4', message: 'context deadline exceeded', reset: 0 });
  });

  test('a call whose handler is late, and whose answer is then ignored', () => {
    client.send(call(1, 'x', { ':path': '/t.T/Hold', 'grpc-timeout': '12S' }));
    server.time.advance(11_990);
    expect(client.answer(1).code).toBe(undefined);
    server.time.advance(50);
    expect(client.answer(1).code).toBe('4');
    server.held[0]!.reply(Buffer.from('late'));
    server.time.settle();
    expect(client.body(1)).toHaveLength(0);
  });

  test('a stream', () => {
    client.send(headers(1, request({ ...STREAM, 'grpc-timeout': '100m' })));
    server.time.advance(200);
    expect(client.answer(1).code).toBe('4');
    expect(server.streams[0]!.events).toEqual(['close']);
  });

  test('one that is over as it comes', () => {
    client.send(call(1, 'x', { 'grpc-timeout': '0m' }));
    expect(client.answer(1).code).toBe('4');
    expect(server.calls).toEqual([]);
  });

  test('thousands, each in its time and none twice', () => {
    for (let i = 0; i < 2000; i++) {
      client.sendOnly(call(2 * i + 1, 'x', { ':path': '/t.T/Hold', 'grpc-timeout': `${((i * 7919) % 20_000) + 20}m` }));
    }
    server.time.settle();
    for (let ms = 0; ms < 21_000; ms += 500) {
      const over = client.log.of(T.HEADERS).length;
      const due = Array.from({ length: 2000 }, (_, i) => ((i * 7919) % 20_000) + 20).filter((at) => at <= ms - 40);
      expect(over).toBeGreaterThanOrEqual(due.length);
      server.time.advance(500);
    }
    expect(client.log.of(T.HEADERS)).toHaveLength(2000);
    expect(server.server.wheel.count).toBe(0);
  });
});

describe('gzip', () => {
  const GZIP = { 'grpc-encoding': 'gzip' };
  const packed = (text: string | Buffer) => message(gzipSync(text), 1);
  const unpack = (body: Buffer) => {
    const texts: string[] = [];
    for (let pos = 0; pos < body.length; ) {
      const length = body.readUInt32BE(pos + 1);
      const bytes = body.subarray(pos + 5, pos + 5 + length);
      texts.push((body[pos] === 1 ? gunzipSync(bytes) : bytes).toString());
      pos += 5 + length;
    }
    return texts;
  };

  test('a unary call, and its answer', async () => {
    client.send(headers(1, request(GZIP)), data(1, packed('squeezed'), true));
    await until(() => client.ended(1));
    expect(server.calls).toEqual(['squeezed']);
    expect(unpack(client.body(1))).toEqual(['squeezed']);
    expect(client.body(1)[0]).toBe(1);
    expect(client.log.fields(client.log.of(T.HEADERS, 1)[0]!)['grpc-encoding']).toBe('gzip');
    expect(client.answer(1).code).toBe('0');
  });

  test('a message may stay plain', async () => {
    client.send(call(1, 'plain', GZIP));
    await until(() => client.ended(1));
    expect(unpack(client.body(1))).toEqual(['plain']);
  });

  test('a stream keeps its order', async () => {
    client.send(headers(1, request({ ...ECHO_STREAM, ...GZIP })));
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(i % 3 === 0 ? 300 : 3));
    client.send(data(1, Buffer.concat(texts.map((text, i) => (i % 2 === 0 ? packed(text) : message(text)))), true));
    await until(() => client.ended(1));
    expect(server.streams[0]!.messages).toEqual(texts);
    expect(unpack(client.body(1))).toEqual(texts);
    expect(server.streams[0]!.events).toEqual(['half-close', 'close']);
  });

  test.each([
    ['a bomb', gzipSync(Buffer.alloc(900_000)), '8', 'grpc: received message after decompression larger than max 1000'],
    ['no gzip', Buffer.from('0a0161'), '13', 'grpc: failed to decompress the message: unexpected EOF'],
    ['no gzip, but longer', Buffer.alloc(40), '13', 'grpc: failed to decompress the message: gzip: invalid header'],
    [
      'one that breaks off',
      gzipSync('abc').subarray(0, 15),
      '13',
      'grpc: failed to read decompressed data: unexpected EOF',
    ],
  ])('%s', async (_, bytes, code, text) => {
    client.send(headers(1, request(GZIP)), data(1, message(bytes, 1), true));
    await until(() => client.ended(1));
    expect(client.answer(1)).toMatchObject({ code, message: text });
    client.send(headers(3, request({ ...ECHO_STREAM, ...GZIP })), data(3, message(bytes, 1)));
    await until(() => client.ended(3));
    expect(client.answer(3)).toMatchObject({ code, message: text });
  });

  test('cancelled while it is unpacked', async () => {
    client.send(headers(1, request(GZIP)), data(1, packed('x'), true), reset(1));
    client.send(headers(3, request({ ...ECHO_STREAM, ...GZIP })), data(3, packed('x'), true), reset(3));
    await new Promise((done) => setTimeout(done, 50));
    server.time.settle();
    expect(server.calls).toEqual([]);
    expect(server.streams[0]!.events).toEqual(['close']);
    client.send(call(5));
    expect(client.answer(5).code).toBe('0');
  });
});
