import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handlers } from '../../src/h2/index.js';
import { H2Server, NodeSocket } from '../../src/h2/index.js';
import { REPO_ROOT } from '../support/binaries.js';
import { message } from './support/wire.js';

/** Real clients, real sockets. */
const handlers: Handlers = {
  lookup: (path) => {
    if (path === '/t.T/Echo') return { kind: 'unary', onCall: (call) => call.reply(call.request) };
    if (path === '/t.T/Late') {
      return { kind: 'unary', onCall: (call) => void setTimeout(() => call.reply(call.request), 100) };
    }
    if (path === '/t.T/Fail') return { kind: 'unary', onCall: (call) => call.refuse({ code: 9, message: '100 % ö' }) };
    if (path === '/t.T/Meta') {
      return { kind: 'unary', onCall: (call) => call.reply(Buffer.from(call.metadata('x-b-bin') ?? '', 'latin1')) };
    }
    if (path !== '/t.T/Stream') return { kind: 'refused', status: { code: 12, message: `unknown ${path}` } };
    return {
      kind: 'stream',
      onOpen: (call) => {
        call.read();
        return {
          onMessage: (bytes) => {
            // Back-pressure, taken seriously: nothing is read while there is no room.
            if (call.send(bytes)) call.read();
          },
          onHalfClose: () => call.end({ code: 0, message: '' }),
          onDrain: () => call.read(),
          onClose: () => {},
        };
      },
    };
  },
  http: (request) => {
    const body: Buffer[] = [];
    request.read();
    return {
      onData: (chunk) => {
        body.push(chunk);
        request.read();
      },
      onEnd: () => {
        request.respond(200, [['content-type', 'text/plain']]);
        request.write(Buffer.from(`${request.method} ${request.target} ${Buffer.concat(body).length}`));
        request.end();
      },
      onDrain: () => {},
      onClose: () => {},
    };
  },
};

const timers = {
  set: (ms: number, fn: () => void) => setTimeout(fn, ms),
  clear: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  defer: (fn: () => void) => void setImmediate(fn),
};
const clock = { now: () => performance.now(), wall: () => Date.now() };
const pem = (name: string) => readFileSync(join(REPO_ROOT, 'test', 'testdata', 'h2', name));

let server: H2Server;
let plain: net.Server;
let secure: tls.Server;
const port = (of: net.Server) => (of.address() as net.AddressInfo).port;

beforeAll(async () => {
  server = new H2Server({ handlers, clock, timers });
  plain = net.createServer({ noDelay: true }, (socket) => server.accept(new NodeSocket(socket)));
  secure = tls.createServer({ key: pem('key.pem'), cert: pem('cert.pem'), ALPNProtocols: ['h2'] }, (socket) =>
    server.accept(new NodeSocket(socket)),
  );
  for (const one of [plain, secure]) await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  plain.close();
  secure.close();
  await new Promise<void>((done) => server.close(500, done));
  expect(server.connectionCount).toBe(0);
});

const asIs = (bytes: Buffer) => bytes;

describe.each(['plain', 'TLS'])('@grpc/grpc-js over %s', (how) => {
  let client: grpc.Client;
  beforeAll(() => {
    const credentials = how === 'TLS' ? grpc.credentials.createSsl(pem('cert.pem')) : grpc.credentials.createInsecure();
    client = new grpc.Client(`localhost:${port(how === 'TLS' ? secure : plain)}`, credentials, {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
  });
  afterAll(() => client.close());

  const unary = (path: string, body: Buffer, metadata = new grpc.Metadata(), options: grpc.CallOptions = {}) =>
    new Promise<{ code: number; details?: string; body?: Buffer }>((resolve) => {
      client.makeUnaryRequest(path, asIs, asIs, body, metadata, options, (err, answer) =>
        resolve(err ? { code: err.code, details: err.details } : { code: 0, body: answer! }),
      );
    });

  test('unary calls of many sizes', async () => {
    for (const size of [0, 1, 1000, 16_379, 16_384, 65_536, 2_000_000]) {
      const body = Buffer.alloc(size, size & 255);
      const answer = await unary('/t.T/Echo', body);
      expect(answer.code).toBe(0);
      expect(answer.body!.equals(body)).toBe(true);
    }
  });

  test('many at once', async () => {
    const bodies = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 997) % 20_000, i));
    const answers = await Promise.all(bodies.map((body) => unary(body.length % 2 ? '/t.T/Echo' : '/t.T/Late', body)));
    answers.forEach(({ body }, i) => void expect(body!.equals(bodies[i]!)).toBe(true));
  });

  test('errors, metadata, deadlines', async () => {
    expect(await unary('/t.T/Fail', Buffer.alloc(0))).toEqual({ code: 9, details: '100 % ö' });
    expect(await unary('/no', Buffer.alloc(0))).toEqual({ code: 12, details: 'unknown /no' });
    expect(await unary('/t.T/Echo', Buffer.alloc(3_000_000))).toEqual({
      code: 8,
      details: 'grpc: received message larger than max (3000000 vs. 2097152)',
    });
    const metadata = new grpc.Metadata();
    metadata.set('x-b-bin', Buffer.from([0, 1, 254, 255]));
    expect((await unary('/t.T/Meta', Buffer.alloc(0), metadata)).body!.toString('hex')).toBe('0001feff');
    expect((await unary('/t.T/Late', Buffer.alloc(0), undefined, { deadline: Date.now() + 30 })).code).toBe(4);
    const gzip = new grpc.Metadata();
    gzip.set('grpc-internal-encoding-request', 'gzip');
    expect((await unary('/t.T/Echo', Buffer.alloc(100_000, 5), gzip)).body!.length).toBe(100_000);
  });

  test('a stream of 20 MB both ways', { timeout: 60_000 }, async () => {
    const stream = client.makeBidiStreamRequest('/t.T/Stream', asIs, asIs);
    let bytes = 0;
    let next = 0;
    let inOrder = true;
    stream.on('data', (body: Buffer) => {
      bytes += body.length;
      inOrder &&= body.readUInt32BE(0) === next++;
    });
    const ended = new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code)));
    for (let i = 0; i < 200; i++) {
      const body = Buffer.alloc(100_000);
      body.writeUInt32BE(i);
      if (!stream.write(body)) await new Promise((done) => stream.once('drain', done));
    }
    stream.end();
    expect(await ended).toBe(0);
    expect([bytes, next, inOrder]).toEqual([20_000_000, 200, true]);
  });

  test('a cancelled stream', async () => {
    const stream = client.makeBidiStreamRequest('/t.T/Stream', asIs, asIs);
    stream.on('data', () => stream.cancel());
    stream.on('error', () => {});
    const ended = new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code)));
    stream.write(Buffer.from('x'));
    expect(await ended).toBe(1);
    expect((await unary('/t.T/Echo', Buffer.from('y'))).code).toBe(0);
  });
});

describe.each(['plain', 'TLS'])('node:http2 over %s', (how) => {
  let session: http2.ClientHttp2Session;
  beforeAll(() => {
    session =
      how === 'TLS'
        ? http2.connect(`https://localhost:${port(secure)}`, { ca: pem('cert.pem') })
        : http2.connect(`http://127.0.0.1:${port(plain)}`);
  });
  afterAll(() => void session.close());

  const ask = async (headers: http2.OutgoingHttpHeaders, body?: Buffer) => {
    const stream = session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const head = new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { head: await head, body: Buffer.concat(parts) };
  };

  test('a request that is no gRPC, without a body and with one', async () => {
    const get = await ask({ ':path': '/health?x=1' });
    expect(get.head).toMatchObject({ ':status': 200, 'content-type': 'text/plain' });
    expect(get.body.toString()).toBe('GET /health?x=1 0');
    const post = await ask({ ':path': '/p', ':method': 'POST' }, Buffer.alloc(3_000_000));
    expect(post.body.toString()).toBe('POST /p 3000000');
  });

  test('gRPC by hand', async () => {
    const answer = await ask(
      { ':path': '/t.T/Echo', ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' },
      message('hand'),
    );
    expect(answer.body.equals(message('hand'))).toBe(true);
  });

  test('a ping, and other settings on the way', async () => {
    await new Promise<void>((resolve, reject) => {
      session.ping(Buffer.from('12345678'), (err, _, payload) =>
        err === null && payload.toString() === '12345678' ? resolve() : reject(err),
      );
    });
    await new Promise<void>((resolve) =>
      session.settings({ headerTableSize: 0, initialWindowSize: 1000 }, () => resolve()),
    );
    const answer = await ask({ ':path': '/again' });
    expect(answer.body.toString()).toBe('GET /again 0');
  });
});

test('a client that hangs up in the middle of a message, and one that sends nothing', async () => {
  for (const bytes of ['PRI * HT', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\x40\0', '']) {
    const socket = net.connect(port(plain), '127.0.0.1');
    await new Promise<void>((done) => socket.once('connect', done));
    socket.write(Buffer.from(bytes, 'latin1'));
    await new Promise((done) => setTimeout(done, 20));
    socket.resetAndDestroy();
  }
  const before = Date.now();
  while (server.connectionCount > 4 && Date.now() - before < 2_000) await new Promise((done) => setTimeout(done, 10));
  expect(server.connectionCount).toBeLessThanOrEqual(4);
});

const h2load = spawnSync('h2load', ['--version']).status === 0;
if (!h2load) console.warn('SKIPPED h2load: it is not on PATH');

test.skipIf(!h2load)('h2load: 5,000 calls on 10 connections, all answered', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'keel-h2-'));
  try {
    writeFileSync(join(dir, 'body'), message(Buffer.alloc(256, 'x')));
    const args = [
      '-n',
      '5000',
      '-c',
      '10',
      '-m',
      '20',
      '-d',
      join(dir, 'body'),
      '-H',
      'content-type: application/grpc',
    ];
    const { stdout } = await promisify(execFile)('h2load', [...args, `http://127.0.0.1:${port(plain)}/t.T/Echo`]);
    expect(stdout).toContain('5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
