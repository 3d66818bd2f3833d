import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Auth, KV } from '../../src/wire/index.js';
import { AuthCaller } from '../auth/support/caller.js';
import { perm, READ } from '../auth/support/story.js';
import { headers, PREFACE, request, settings, settingsAck } from '../h2/support/wire.js';
import { Honest } from './support/honest.js';
import { pause, RawH2 } from './support/raw-h2.js';
import { report } from './support/report.js';
import type { Vitals } from './support/victim.js';
import { Victim } from './support/victim.js';

// HTTP/1.1 and JSON: who wants to be taken for another, or for two.

let victim: Victim;
let caller: AuthCaller;
let honest: Honest;
let before: Vitals;

beforeAll(async () => {
  victim = await Victim.start({ flags: ['--max-request-bytes=200000'] });
  caller = new AuthCaller(victim.endpoint);
  const ok = async (outcome: Promise<{ ok: boolean }>): Promise<void> =>
    expect(await outcome).toMatchObject({ ok: true });
  for (const [name, password] of [
    ['root', 'r'],
    ['alice', 'a'],
  ] as const) {
    await ok(caller.call(Auth.UserAdd, { name, password }));
  }
  await ok(caller.call(Auth.UserGrantRole, { user: 'root', role: 'root' }));
  await ok(caller.call(Auth.RoleAdd, { name: 'reader' }));
  await ok(caller.call(Auth.RoleGrantPermission, { name: 'reader', perm: perm(READ, 'a', '') }));
  await ok(caller.call(Auth.UserGrantRole, { user: 'alice', role: 'reader' }));
  await ok(caller.call(Auth.AuthEnable, {}));
  await caller.login('root', 'r');
  await caller.login('alice', 'a');
  for (const key of ['a', 'secret']) await ok(caller.call(KV.Put, { key, value: Buffer.from('hidden') }, 'root'));
  honest = await Honest.start(victim.endpoint, undefined, caller.tokenOf('root'));
  await pause(300);
  before = await victim.vitals();
  honest.latencies();
}, 60_000);
afterAll(async () => {
  const seen = honest.latencies();
  const after = await victim.recovered(before);
  report('the gateway', { written: 0, goaway: '', seen, before, after });
  expect(seen.worstMs).toBeLessThan(5000);
  await honest.stop();
  caller.close();
  await victim.stop();
});

/** Everything that comes back until the connection is closed, or for so long. */
function say(bytes: string | Buffer, ms = 700): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(victim.clientPort, '127.0.0.1');
    let text = '';
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(bytes, 'latin1' as never);
  });
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
const SECRET = '{"key":"c2VjcmV0"}';
const MINE = '{"key":"YQ=="}';

function range(more: string, body = SECRET, path = '/v3/kv/range'): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe('who asks', () => {
  test('with a token of his own he is himself', async () => {
    const token = caller.tokenOf('alice') as string;
    expect(await say(range(`Authorization: ${token}\r\n`, MINE))).toContain('"value":"aGlkZGVu"');
    expect(await say(range(`Authorization: Bearer ${token}\r\n`, MINE))).toContain('"value":"aGlkZGVu"');
    expect(await say(range(`Authorization: ${token}\r\n`))).toContain('permission denied');
  });

  test.each<[string, (token: string) => string]>([
    ['nobody', () => ''],
    ['a name', () => 'Authorization: root\r\n'],
    ['a name and a password', () => `Authorization: Basic ${Buffer.from('root:r').toString('base64')}\r\n`],
    ['a token that is none', () => 'Authorization: Bearer aaaaaaaaaaaaaaaa.1\r\n'],
    ['an empty one', () => 'Authorization: \r\n'],
    ['a header that gRPC would have', () => 'token: root\r\n'],
    ['headers of the transport', () => 'Grpc-Metadata-:authority: root\r\nusername: root\r\nuser: root\r\n'],
    [
      'metadata of the gateway’s own',
      () => 'grpcgateway-authorization: root\r\nGrpc-Metadata-grpcgateway-authorization: root\r\n',
    ],
    ['a certificate by name', () => 'X-Forwarded-Client-Cert: Subject="CN=root"\r\nX-SSL-Client-CN: root\r\n'],
    ['alice, and root behind her', (token) => `Authorization: ${token}, root\r\n`],
    [
      'alice twice, the second time with metadata',
      (token) => `Authorization: ${token}\r\nGrpc-Metadata-Authorization: x\r\n`,
    ],
    ['a line within the token', (token) => `Authorization: ${token}\\r\\nGrpc-Metadata-Token: root\r\n`],
    ['a folded token', (token) => `Authorization: ${token}\r\n Grpc-Metadata-Token: root\r\n`],
    ['a bare line feed', (token) => `Authorization: ${token}\nGrpc-Metadata-Token: root\r\n`],
    ['a bare carriage return', (token) => `Authorization: ${token}\rGrpc-Metadata-Token: root\r\n`],
    ['a NUL', (token) => `Authorization: ${token}\0root\r\n`],
  ])('he who says so is not root: %s', async (_, headersOf) => {
    const text = await say(range(headersOf(caller.tokenOf('alice') as string)));
    expect(statuses(text)[0] ?? 400).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain('aGlkZGVu');
  });

  test('metadata is taken for what gRPC would take, and counts as little', async () => {
    const alice = caller.tokenOf('alice') as string;
    const root = caller.tokenOf('root') as string;
    expect(await say(range(`Grpc-Metadata-Token: ${root}\r\n`))).toContain('"value":"aGlkZGVu"');
    // Of two that differ it is never the union.
    expect(await say(range(`Grpc-Metadata-Token: ${alice}\r\n`))).toContain('permission denied');
    expect(await say(range(`Grpc-Metadata-Hasleader: true\r\nAuthorization: ${alice}\r\n`))).toContain(
      'permission denied',
    );
    expect(await say(range(`Authorization: ${alice}\r\nX-HTTP-Method-Override: GET\r\n`))).toContain(
      'permission denied',
    );
  });

  test.each([
    ['/v3/kv/../auth/disable', [301, 307]],
    ['/v3//auth/disable', [301, 307]],
    ['/v3/auth/%2e%2e/auth/disable', [301, 400]],
    ['/v3/auth/disable%00', [404, 400]],
    ['/v3/AUTH/disable', [404]],
    ['/v3/auth/disable?token=root', [400, 401]],
    ['/v3beta/auth/disable', [400, 401]],
    ['/v3/auth/disable/', [404, 301]],
  ])('by another way to the same: %s', async (path, allowed) => {
    const text = await say(range('', '{}', path));
    expect(allowed).toContain(statuses(text)[0]);
    expect((await caller.call(Auth.AuthStatus, {}, 'root')) as object).toMatchObject({ value: { enabled: true } });
  });
});

describe('one request that is meant to be two', () => {
  // What would be served if the two sides did not agree where the first one ends.
  const hidden = `POST /v3/kv/range HTTP/1.1\r\nHost: a\r\nAuthorization: TOKEN\r\nContent-Length: ${SECRET.length}\r\n\r\n${SECRET}`;

  test.each<[string, string]>([
    ['a length and chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['two lengths', `Content-Length: 0\r\nContent-Length: 5\r\n\r\n`],
    ['two lengths in one', `Content-Length: 0, 5\r\n\r\n`],
    ['a length with a sign', `Content-Length: +0\r\n\r\n`],
    ['a length below zero', `Content-Length: -1\r\n\r\n`],
    ['a length in hex', `Content-Length: 0x0\r\n\r\n`],
    ['a length beyond all', `Content-Length: 99999999999999999999999\r\n\r\n`],
    ['a space before the colon', `Content-Length : 0\r\n\r\n`],
    ['a tab before the colon', `Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunked twice', `Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ['chunked and not last', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['an encoding that is none', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunked in another letter', `Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n`],
    ['a chunk with a sign', `Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n`],
    ['a chunk of spaces', `Transfer-Encoding: chunked\r\n\r\n 0 \r\n\r\n`],
    ['a chunk larger than all', `Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n`],
    ['a chunk that ends without a line', `Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n`],
    ['a chunk extension with a line', `Transfer-Encoding: chunked\r\n\r\n0;a=\n\r\n\r\n`],
    ['a line that ends without its return', `Content-Length: 0\n\n`],
  ])('%s', async (_, framing) => {
    const bytes = `POST /v3/kv/range HTTP/1.1\r\nHost: a\r\n${framing}${hidden.replace('TOKEN', caller.tokenOf('root') as string)}`;
    const text = await say(bytes);
    expect(text).not.toContain('aGlkZGVu');
    const [first, ...others] = statuses(text);
    expect(first ?? 400).toBeGreaterThanOrEqual(400);
    expect(others).toEqual([]);
  });

  test('what came behind an HTTP/2 preface is HTTP/2 alone, and the other way round', async () => {
    const text = await say(Buffer.concat([PREFACE, settings(), settingsAck, Buffer.from(hidden)]));
    expect(text).not.toContain('HTTP/1.1');
    const upgrade = await say(
      'GET /version HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
    );
    expect(statuses(upgrade)).not.toContain(101);
    const websocket = await say(
      'GET /v3/watch HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expect(statuses(websocket)).not.toContain(101);
    expect(statuses(await say('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n'))).not.toContain(200);
  });

  test.each<[string, [string, string][]]>([
    ['connection', [['connection', 'keep-alive']]],
    ['transfer-encoding', [['transfer-encoding', 'chunked']]],
    ['upgrade', [['upgrade', 'h2c']]],
    ['a capital letter', [['Authorization', 'x']]],
    ['a line in a value', [['authorization', 'x\r\ntoken: root']]],
    ['a NUL in a value', [['authorization', 'x\0']]],
    ['two paths', [[':path', '/etcdserverpb.KV/Put']]],
    ['a pseudo header behind others', [[':method', 'POST']]],
    ['a length that is not so', [['content-length', '999']]],
  ])('over HTTP/2: %s', async (_, more) => {
    const client = await RawH2.open(victim.clientPort);
    client.write(headers(1, [...request({ ':path': '/etcdserverpb.KV/Range' }), ...more], true));
    await client.until(() => client.log.of(3, 1).length > 0 || client.log.of(7).length > 0);
    expect(client.log.of(0, 1)).toEqual([]);
    client.destroy();
  });
});

describe('too large', () => {
  test.each<[string, () => string, number[]]>([
    ['a header', () => range(`A: ${'b'.repeat(100_000)}\r\n`), [431]],
    ['many headers', () => range('Abcd: efgh\r\n'.repeat(10_000)), [431]],
    ['a request line', () => `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [431]],
    ['a body that says so', () => 'POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n', [413]],
    ['a message', () => range('', `{"key":"YQ==","value":"${'QUJD'.repeat(60_000)}"}`, '/v3/kv/put'), [400, 429]],
    ['depth', () => range('', '['.repeat(100_000)), [400]],
    ['a number', () => range('', `{"limit":${'9'.repeat(50_000)}}`), [400]],
    ['a name', () => range('', `{"${'a'.repeat(150_000)}":1}`), [400, 401]],
  ])('%s', async (_, bytes, allowed) => {
    const [first] = statuses(await say(bytes(), 3000));
    expect(allowed).toContain(first);
  });

  test('chunks without end', async () => {
    const socket = connect(victim.clientPort, '127.0.0.1');
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      socket.write(chunk);
      await pause(1);
    }
    await Promise.race([closed, pause(8000)]);
    expect(statuses(text)).toEqual([413]);
    socket.destroy();
  });

  test('over gRPC: messages, transactions, headers', async () => {
    const value = Buffer.alloc(300_000);
    expect(await caller.call(KV.Put, { key: 'a', value }, 'root')).toEqual({
      ok: false,
      text: '3 etcdserver: request is too large',
    });
    const huge = await caller.call(KV.Put, { key: 'a', value: Buffer.alloc(3_000_000) }, 'root');
    expect(huge).toMatchObject({ ok: false, text: expect.stringMatching(/^8 .*larger than max/) });
    const client = await RawH2.open(victim.clientPort);
    client.write(headers(1, [...request(), ['x', 'y'.repeat(10_000)]], true));
    client.write(headers(3, request({ ':path': '/version' }), true));
    await client.until(() => client.log.of(1, 3).length > 0);
    client.destroy();
  });
});
