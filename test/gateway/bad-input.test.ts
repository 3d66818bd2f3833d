/** Clients that mean no good, or know no better, at the HTTP side of a client port. */

import * as net from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpServerOf, JsonGateway, Site } from '../../src/gateway/index.js';
import { memoryLogger } from '../../src/util/log.js';
import type { FakeTimers } from '../rpc/support/fake.js';
import { fakeMember, fakeRouter } from '../rpc/support/fake.js';
import type { TestMember } from '../rpc/support/member.js';
import { startTestMember } from '../rpc/support/member.js';
import { FakeExchange } from './support/exchange.js';

let member: TestMember;
const sockets: net.Socket[] = [];

beforeAll(async () => {
  member = await startTestMember({ maxRequestBytes: 10_000 });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await member.stop();
});

function dial(endpoint = member.endpoint): net.Socket {
  const [host, port] = endpoint.split(':') as [string, string];
  const socket = net.connect(Number(port), host);
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** What comes back until `enough`, or until the connection is closed. */
function reply(socket: net.Socket, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) resolve(text);
    });
    socket.on('close', () => resolve(text));
  });
}

async function say(bytes: string, enough?: (text: string) => boolean): Promise<string> {
  const socket = dial();
  const got = reply(socket, enough);
  socket.write(bytes, 'latin1');
  const text = await got;
  socket.destroy();
  return text;
}

const BODY = '{"key":"Zm9v"}';
const range = (headers: string, body = BODY): string =>
  `POST /v3/kv/range HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const whole = (text: string): boolean => text.endsWith('}') || text.endsWith('\n');
const statusOf = (text: string): string => text.slice(0, text.indexOf('\r\n'));

describe('requests in odd shapes that are fine', () => {
  test('chunks, also of one byte', async () => {
    const chunks = [...BODY].map((c) => `1\r\n${c}\r\n`).join('');
    const text = await say(range('Transfer-Encoding: chunked', `${chunks}0\r\n\r\n`), whole);
    expect(statusOf(text)).toBe('HTTP/1.1 200 OK');
    expect(text).toContain('{"header":{"cluster_id":"');
    // No space anywhere: clients look for `"revision":"`.
    expect(text).toMatch(/"revision":"1","raft_term":"\d+"\}\}$/);
  });

  test('HTTP/1.0, with and without keeping the connection', async () => {
    const old = `POST /v3/kv/range HTTP/1.0\r\nContent-Length: ${BODY.length}\r\n`;
    const closed = await say(`${old}\r\n${BODY}`);
    expect(statusOf(closed)).toBe('HTTP/1.1 200 OK');
    expect(closed).toContain('"revision":"1"');
    expect(closed).not.toContain('Transfer-Encoding');
    const kept = await say(`${old}Connection: keep-alive\r\n\r\n${BODY}`, whole);
    expect(kept.toLowerCase()).toContain('connection: keep-alive');
  });

  test('a stream over HTTP/1.0 is not chunked', async () => {
    const watch = '{"create_request":{"key":"Zm9v"}}';
    const text = await say(`POST /v3/watch HTTP/1.0\r\nContent-Length: ${watch.length}\r\n\r\n${watch}`, whole);
    expect(text.split('\r\n\r\n')[1]).toMatch(/^\{"result":\{"header":.*"created":true\}\}\n$/);
  });

  test('several at once on one connection are answered in their order', async () => {
    const keys = ['YQ==', 'Yg==', 'Yw=='];
    const all = keys.map((key) => {
      const body = `{"key":"${key}","value":"${key}"}`;
      return `POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    });
    const last = `GET /nope HTTP/1.1\r\nHost: a\r\n\r\n`;
    const text = await say(all.join('') + last, (got) => got.includes('404 page not found'));
    const revisions = [...text.matchAll(/"revision":"(\d+)"/g)].map((match) => Number(match[1]));
    expect(revisions).toEqual([revisions[0], revisions[0]! + 1, revisions[0]! + 2]);
  });

  test('a client that asks first is told to go on', async () => {
    const socket = dial();
    const got = reply(socket, (text) => text.includes('"revision"'));
    socket.write(range(`Expect: 100-continue\r\nContent-Length: ${BODY.length}`, ''));
    await new Promise((done) => setTimeout(done, 50));
    socket.write(BODY);
    expect(await got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('a whole URL as target', async () => {
    const text = await say('GET http://a/health HTTP/1.1\r\nHost: a\r\n\r\n', whole);
    expect(statusOf(text)).toBe('HTTP/1.1 200 OK');
  });
});

describe('what is refused', () => {
  test.each<[string, string, string]>([
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n', '400 Bad Request: missing required Host header'],
    ['two lengths', range('Content-Length: 1\r\nContent-Length: 2'), '400 Bad Request'],
    ['a length and chunks', range('Content-Length: 14\r\nTransfer-Encoding: chunked'), '400 Bad Request'],
    ['a length that is none', range('Content-Length: x'), '400 Bad Request'],
    ['a chunk that is none', range('Transfer-Encoding: chunked', 'xyz\r\n'), '400 Bad Request'],
    ['a header without a colon', range('nonsense'), '400 Bad Request'],
    ['a folded header', range('A: b\r\n c: d'), '400 Bad Request'],
    ['a NUL in a header', range('A: b\0c'), '400 Bad Request'],
    ['a space before the colon', range('Content-Length : 14'), '400 Bad Request'],
    ['an escape in the path that is none', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', '400 Bad Request'],
    ['headers too large', range(`A: ${'b'.repeat(70_000)}`), '431 Request Header Fields Too Large'],
    ['headers too many', range(`${'Abcd: efgh\r\n'.repeat(9000)}B: c`), '431 Request Header Fields Too Large'],
    ['an expectation of another kind', range('Expect: bribes\r\nContent-Length: 0', ''), '417 Expectation Failed'],
    ['a body that says it is too large', range('Content-Length: 99999999', ''), '413 Payload Too Large'],
  ])('%s', async (_, bytes, status) => {
    // Whether the connection ends with it: a client that got its framing wrong may not send another request on it.
    expect(statusOf(await say(bytes, (text) => text.startsWith('HTTP/1.1 417')))).toBe(`HTTP/1.1 ${status}`);
  });

  test('a body that asks first and is too large is never sent', async () => {
    const text = await say(range('Expect: 100-continue\r\nContent-Length: 99999999', ''));
    expect(statusOf(text)).toBe('HTTP/1.1 413 Payload Too Large');
  });

  test('a body that turns out too large, in chunks', async () => {
    const socket = dial();
    const got = reply(socket);
    socket.write(range('Transfer-Encoding: chunked', ''));
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let i = 0; i < 60 && !socket.destroyed; i++) socket.write(chunk);
    expect(statusOf(await got)).toBe('HTTP/1.1 413 Payload Too Large');
  });

  test('a message that is too large for gRPC is too large here', async () => {
    const body = `{"key":"Zm9v","value":"${'QUJD'.repeat(200_000)}"}`;
    const text = await say(range(`Content-Length: ${body.length}`, body).replace('range', 'put'), whole);
    expect(statusOf(text)).toBe('HTTP/1.1 429 Too Many Requests');
    expect(text).toMatch(/"message":"grpc: received message larger than max \(\d+ vs. 534288\)"/);
    const small = `{"key":"Zm9v","value":"${'QUJD'.repeat(5000)}"}`;
    const refused = await say(range(`Content-Length: ${small.length}`, small).replace('range', 'put'), whole);
    expect(statusOf(refused)).toBe('HTTP/1.1 400 Bad Request');
    expect(refused).toContain('"message":"etcdserver: request is too large"');
  });

  test('a stream whose message never ends', async () => {
    const socket = dial();
    const got = reply(socket);
    socket.write('POST /v3/watch HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'['.padEnd(0x10000)}\r\n`;
    for (let i = 0; i < 60 && !socket.destroyed; i++) socket.write(chunk);
    expect(statusOf(await got)).toBe('HTTP/1.1 413 Payload Too Large');
  });

  test('what is deep is no way to stop the member', async () => {
    for (const body of ['['.repeat(20_000), `{"success":[{"request_txn":`.repeat(2000), `{"a":${'['.repeat(9000)}`]) {
      const text = await say(range(`Content-Length: ${body.length}`, body).replace('range', 'txn'), whole);
      expect(statusOf(text)).toBe('HTTP/1.1 400 Bad Request');
    }
    const nested = `${'{"success":[{"request_txn":'.repeat(600)}{}${'}]}'.repeat(600)}`;
    const text = await say(range(`Content-Length: ${nested.length}`, nested).replace('range', 'txn'), whole);
    expect(text).toContain('"proto: exceeded max recursion depth"');
  });

  test('nothing that a client sent becomes a header', async () => {
    const token = encodeURIComponent('x\r\nSet-Cookie: a=b');
    const text = await say(`GET //${token} HTTP/1.1\r\nHost: a\r\n\r\n`, (got) => got.includes('</a>'));
    expect(statusOf(text)).toBe('HTTP/1.1 301 Moved Permanently');
    expect(text).not.toMatch(/^Set-Cookie/m);
    expect(text).toContain('Location: /x%0D%0ASet-Cookie:%20a=b\r\n');
    expect(text).not.toContain('<script');
    const page = await say('GET //%3Cscript%3E HTTP/1.1\r\nHost: a\r\n\r\n', (got) => got.includes('</a>'));
    expect(page).not.toContain('<script');
    const host = await say('GET //evil.example/..//x HTTP/1.1\r\nHost: a\r\n\r\n', (got) => got.includes('</a>'));
    expect(host).toContain('Location: /x\r\n');
  });

  test('honest clients are answered all the while', async () => {
    const slow = Array.from({ length: 200 }, () => {
      const socket = dial();
      socket.write('POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nContent-Le');
      return socket;
    });
    const text = await say(range(`Content-Length: ${BODY.length}`), whole);
    expect(statusOf(text)).toBe('HTTP/1.1 200 OK');
    for (const socket of slow) socket.destroy();
  });
});

describe('who takes too long', () => {
  test('with the head of a request is told so', async () => {
    const http1 = httpServerOf(new Site(fakeMember(), memoryLogger([])), { headMs: 150, checkMs: 30, idleMs: 5000 });
    const server = createServer((socket) => http1.emit('connection', socket));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const socket = dial(`127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    const got = reply(socket);
    const drip = setInterval(() => socket.write('A: b\r\n'), 20);
    socket.write('GET /health HTTP/1.1\r\nHost: a\r\n');
    expect(statusOf(await got)).toBe('HTTP/1.1 408 Request Timeout');
    clearInterval(drip);
    socket.destroy();
    server.close();
    http1.close();
  });

  test.each([
    ['/v3/kv/range', 'one request'],
    ['/v3/watch', 'the first of a stream'],
  ])('with the body of %s, %s', async (path) => {
    const { router, timers } = fakeRouter(fakeMember({ watch: { openStream: () => ({ close: () => {} }) } as never }));
    const gateway = new JsonGateway(
      router,
      { clock: { now: () => 0, wall: () => 0 }, timers: timers as FakeTimers },
      {
        receiveBytesMax: 1000,
      },
    );
    const exchange = new FakeExchange({ method: 'POST', url: path });
    gateway.handle(exchange, path, {});
    exchange.listener?.onData(Buffer.from('{"key'));
    timers.advance(29_000);
    expect(exchange.hungUp).toBe(false);
    timers.advance(2000);
    expect((await exchange.done).status).toBe(408);
    expect(exchange.hungUp).toBe(true);
  });
});
