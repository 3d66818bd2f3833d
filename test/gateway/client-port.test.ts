import type { Server } from 'node:http';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClientPort } from '../../src/gateway/index.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

let port: ClientPort;
let http1: Server;
let h2: http2.Http2Server;
const sockets: net.Socket[] = [];

beforeEach(async () => {
  port = await ClientPort.listen({ port: 0, host: '127.0.0.1' });
  http1 = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => res.end(`one ${req.url} ${body}`));
  });
  h2 = http2.createServer((_, res) => res.end('two'));
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  port.destroy();
});

const serve = () => port.serve({ acceptHttp2: (socket) => h2.emit('connection', socket), http1 });

function dial(): Promise<net.Socket> {
  return new Promise((resolve) => {
    const socket = net.connect(port.port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
    sockets.push(socket);
  });
}

/** What comes back until `enough`, or the connection is closed. */
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

async function h2Status(): Promise<string> {
  const session = http2.connect(`http://127.0.0.1:${port.port}`);
  const stream = session.request({ ':path': '/' });
  let body = '';
  for await (const chunk of stream) body += chunk;
  session.close();
  return body;
}

test('both protocols on one port', async () => {
  serve();
  expect(
    await (await fetch(`http://127.0.0.1:${port.port}/a`, { method: 'POST', body: 'x'.repeat(100_000) })).text(),
  ).toBe(`one /a ${'x'.repeat(100_000)}`);
  expect(await h2Status()).toBe('two');
});

test('a request that comes byte by byte', async () => {
  serve();
  const socket = await dial();
  const got = reply(socket, (text) => text.includes('one'));
  for (const byte of 'PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi') {
    socket.write(byte);
    await new Promise((done) => setTimeout(done, 1));
  }
  expect(await got).toContain('one /slow hi');
});

test('a preface that comes byte by byte', async () => {
  serve();
  const socket = await dial();
  const got = reply(socket, (text) => text.length >= 9);
  for (const byte of PREFACE) {
    socket.write(byte, 'latin1');
    await new Promise((done) => setTimeout(done, 1));
  }
  socket.write(Buffer.from('000000040000000000', 'hex'));
  // A SETTINGS frame is the server's first.
  expect((await got).charCodeAt(3)).toBe(4);
});

test('several requests on one connection, written at once', async () => {
  serve();
  const socket = await dial();
  const got = reply(socket, (text) => text.split('one').length === 4);
  socket.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  expect((await got).match(/one \/\d/g)).toEqual(['one /1', 'one /2', 'one /3']);
});

test('what is neither is closed without a word', async () => {
  serve();
  for (const bytes of ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 'PRI nonsense']) {
    const socket = await dial();
    const got = reply(socket);
    socket.write(bytes);
    expect(await got).toBe('');
  }
});

test('connections wait until somebody serves', async () => {
  const early = fetch(`http://127.0.0.1:${port.port}/early`);
  const gone = await dial();
  gone.destroy();
  const early2 = h2Status();
  await new Promise((done) => setTimeout(done, 100));
  serve();
  expect(await (await early).text()).toBe('one /early ');
  expect(await early2).toBe('two');
});

test('a port that stops accepting keeps what it has, and drops who waits', async () => {
  serve();
  const socket = await dial();
  const got = reply(socket, (text) => text.includes('one'));
  socket.write('GET /x HTTP/1.1\r\n');
  await new Promise((done) => setTimeout(done, 50));
  port.stopAccepting();
  socket.write('Host: a\r\n\r\n');
  expect(await got).toContain('one /x');
  await expect(fetch(`http://127.0.0.1:${port.port}/`)).rejects.toThrow();
});

test('destroy closes every connection', async () => {
  serve();
  const socket = await dial();
  const got = reply(socket);
  port.destroy();
  expect(await got).toBe('');
});

test('a port in use is told by its code', async () => {
  await expect(ClientPort.listen({ port: port.port, host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
