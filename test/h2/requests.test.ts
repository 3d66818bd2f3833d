import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import type { Header } from './support/wire.js';
import { call, data, E, F, frame, GRPC_HEADERS, headers, message, request, T } from './support/wire.js';

let server: TestServer;
let client: TestClient;
beforeEach(() => {
  server = new TestServer();
  client = server.dial();
});

function isMalformed(list: readonly Header[]): void {
  client.send(headers(1, list), call(3));
  expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  expect(client.answer(3).code).toBe('0');
  expect(client.goaway).toBe(null);
}

describe('RFC 9113 8.1, messages', () => {
  test('trailers end a request', () => {
    client.send(headers(1), data(1, message('x')), headers(1, [['x-late', '1']], true));
    expect(client.answer(1).code).toBe('0');
  });

  test('a second block that does not end the stream', () => {
    client.send(headers(1, request({ ':path': '/t.T/Stream' })), headers(1, [['x-late', '1']]));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1: pseudo-headers in trailers', () => {
    client.send(headers(1, request({ ':path': '/t.T/Stream' })), headers(1, [[':path', '/']], true));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1.1: less body than content-length', () => {
    client.send(headers(1, request({ 'content-length': '10' })), data(1, message('x'), true));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1.1: more body than content-length', () => {
    client.send(headers(1, request({ 'content-length': '5', ':path': '/t.T/Stream' })), data(1, message('x')));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1.1: no body, and a content-length', () => {
    client.send(headers(1, request({ 'content-length': '5' }), true));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1.1: less body than content-length, ended by trailers', () => {
    client.send(headers(1, request({ 'content-length': '9', ':path': '/t.T/Stream' })), data(1, message('x')));
    client.send(headers(1, [['x-late', '1']], true));
    expect(client.resetOf(1)).toBe(E.PROTOCOL_ERROR);
  });

  test('8.1.1: a body of content-length', () => {
    client.send(call(1, 'x', { 'content-length': '6' }));
    expect(client.answer(1).code).toBe('0');
  });

  test.each(['-1', '1x', '', '99999999999999999999'])('8.1.1: a content-length of "%s"', (value) => {
    isMalformed(request({ 'content-length': value }));
  });
});

describe('8.2.1, fields', () => {
  test.each([
    ['upper case', 'X-A', 'b'],
    ['a space in a name', 'x a', 'b'],
    ['a colon in a name', 'x:a', 'b'],
    ['a control character in a name', 'x\x01', 'b'],
    ['a byte above ASCII in a name', 'x\xff', 'b'],
    ['no name', '', 'b'],
    ['NUL in a value', 'x-a', 'b\0'],
    ['LF in a value', 'x-a', 'b\nc'],
    ['CR in a value', 'x-a', 'b\rc'],
    ['a space before a value', 'x-a', ' b'],
    ['a tab behind a value', 'x-a', 'b\t'],
  ])('%s', (_, name, value) => {
    isMalformed([...GRPC_HEADERS, [name, value]]);
  });

  test('an empty value, and bytes above ASCII in one', () => {
    client.send(
      headers(1, [...request({ ':path': '/t.T/Meta' }), ['x-e', ''], ['x-a', 'caf\xe9']]),
      data(1, message(''), true),
    );
    expect(client.body(1).toString('utf8', 5)).toBe('café|undefined|0');
  });
});

describe('8.2.2, fields of a connection', () => {
  test.each(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])('%s', (name) => {
    isMalformed([...GRPC_HEADERS, [name, 'x']]);
  });

  test('te of anything but trailers', () => {
    isMalformed(request({ te: 'gzip' }));
  });

  test('no te is needed', () => {
    client.send(call(1, 'x', { te: undefined }));
    expect(client.answer(1).code).toBe('0');
  });
});

describe('8.3, pseudo-headers', () => {
  test.each([':method', ':scheme', ':path'])('8.3.1: %s is missing', (name) => {
    isMalformed(request({ [name]: undefined }));
  });

  test.each([':method', ':scheme', ':path', ':authority'])('8.3: %s twice', (name) => {
    isMalformed([[name, 'POST'], ...GRPC_HEADERS]);
  });

  test('8.3: one behind a regular field', () => {
    isMalformed([...GRPC_HEADERS.slice(1), GRPC_HEADERS[0]!]);
  });

  test('8.3: one of a response', () => {
    isMalformed([[':status', '200'], ...GRPC_HEADERS]);
  });

  test('8.3: an unknown one', () => {
    isMalformed([[':color', 'red'], ...GRPC_HEADERS]);
  });

  test('8.3.1: an empty path', () => {
    isMalformed(request({ ':path': '' }));
  });

  test('8.3.1: Host that differs from :authority', () => {
    isMalformed(request({ host: 'there' }));
  });

  test('8.3.1: Host twice', () => {
    isMalformed([...GRPC_HEADERS, ['host', 'here'], ['host', 'here']]);
  });

  test('8.3.1: Host alone, or equal', () => {
    client.send(call(1, 'x', { ':authority': undefined, host: 'h' }), call(3, 'x', { host: 'HERE' }));
    expect([1, 3].map((id) => client.answer(id).code)).toEqual(['0', '0']);
  });

  test('8.5: CONNECT with a path', () => {
    isMalformed(request({ ':method': 'CONNECT' }));
  });
});

describe('requests that are no gRPC', () => {
  const GET = request({ ':method': 'GET', ':path': '/health?a=b', 'content-type': undefined, te: undefined });

  test('without a handler for them: 415, as gRPC for Go answers', () => {
    client.send(headers(1, GET, true), headers(3, request({ 'content-type': 'application/grpcx' }), true));
    expect(client.answer(1)).toMatchObject({ http: '415', code: '3', message: 'invalid gRPC request content-type ""' });
    expect(client.answer(3).message).toBe('invalid gRPC request content-type "application/grpcx"');
  });

  describe('with one', () => {
    beforeEach(() => {
      server = new TestServer({ streamWindowBytes: 65_535 }, true);
      client = server.dial();
    });

    test('a request without a body, and its answer', () => {
      client.send(headers(1, [...GET, ['x-a', '1'], ['x-a', '2'], ['cookie', 'a=1'], ['cookie', 'b=2']], true));
      const { request: got, events } = server.http[0]!;
      expect(got).toMatchObject({ method: 'GET', target: '/health?a=b', authority: 'here', scheme: 'http' });
      expect([got.header('x-a'), got.header('cookie'), got.header('x-b')]).toEqual(['1, 2', 'a=1; b=2', undefined]);
      expect([...got.headers()]).toContainEqual(['x-a', '2']);
      got.respond(201, [
        ['content-type', 'text/plain'],
        ['connection', 'close'],
      ]);
      got.write(Buffer.from('he'));
      got.write(Buffer.from('llo'));
      got.end();
      server.time.settle();
      const [head, ...more] = client.log.of(T.HEADERS, 1);
      expect(client.log.fields(head!)).toEqual({ ':status': '201', 'content-type': 'text/plain' });
      expect(more).toEqual([]);
      expect(client.body(1).toString()).toBe('hello');
      expect(client.log.of(T.DATA, 1).at(-1)!.flags).toBe(F.END_STREAM);
      expect(events).toEqual(['close']);
    });

    test('an answer without a body is one frame', () => {
      client.send(headers(1, GET, true));
      server.http[0]!.request.respond(204, []);
      server.http[0]!.request.end();
      server.time.settle();
      expect(client.log.all.filter(({ id }) => id === 1)).toMatchObject([
        { type: T.HEADERS, flags: F.END_HEADERS | F.END_STREAM },
      ]);
    });

    test('an answer whose end comes later', () => {
      client.send(headers(1, GET, true));
      server.http[0]!.request.write(Buffer.from('part'));
      server.time.settle();
      expect(client.ended(1)).toBe(false);
      server.http[0]!.request.end();
      server.time.settle();
      expect(client.ended(1)).toBe(true);
      expect(client.answer(1)).toMatchObject({ http: '200', code: undefined });
    });

    test('HEAD has no body', () => {
      client.send(headers(1, request({ ':method': 'HEAD', 'content-type': undefined }), true));
      server.http[0]!.request.write(Buffer.from('body'));
      server.http[0]!.request.end();
      server.time.settle();
      expect(client.body(1)).toHaveLength(0);
    });

    test('a body is read as it is asked for, and the window is renewed as it is read', () => {
      client.send(headers(1, request({ ':path': '/upload', 'content-type': 'text/plain' })));
      const { request: got, body, events } = server.http[0]!;
      for (let i = 0; i < 3; i++) client.send(data(1, Buffer.alloc(16_000, i)));
      expect(body).toHaveLength(0);
      expect(client.log.of(T.WINDOW_UPDATE, 1)).toHaveLength(0);
      for (let i = 0; i < 3; i++) {
        got.read();
        server.time.settle();
        expect(body).toHaveLength(i + 1);
      }
      expect(client.log.of(T.WINDOW_UPDATE, 1)).toHaveLength(1);
      client.send(data(1, '', true));
      expect(events).toEqual([]);
      got.read();
      server.time.settle();
      expect(events).toEqual(['end']);
      expect(Buffer.concat(body)).toHaveLength(48_000);
    });

    test('a cancelled one', () => {
      client.send(headers(1, GET, true), frame(T.RST_STREAM, 0, 1, '00000008'));
      expect(server.http[0]!.events).toEqual(['close']);
      server.http[0]!.request.respond(200, []);
      server.http[0]!.request.end();
      server.time.settle();
      expect(client.log.of(T.HEADERS, 1)).toHaveLength(0);
    });

    test('gRPC on the same connection', () => {
      client.send(headers(1, GET, true), call(3));
      expect(client.answer(3).code).toBe('0');
    });

    test('a field that would spoil the answer is left out', () => {
      client.send(headers(1, GET, true));
      server.http[0]!.request.respond(200, [
        ['x-ok', '1'],
        ['X-Upper', '1'],
        ['x-split', 'a\r\nb: c'],
        ['x y', '1'],
      ]);
      server.http[0]!.request.end();
      server.time.settle();
      expect(client.log.fields(client.log.of(T.HEADERS, 1)[0]!)).toEqual({ ':status': '200', 'x-ok': '1' });
    });
  });
});
