import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sleep } from './member-process.js';
import { TcpProxy } from './tcp-proxy.js';

/** A server that says back what it hears. */
let echo: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
  proxy = await TcpProxy.start((echo.address() as AddressInfo).port, {
    identify: (first) => (first.length > 0 ? first.toString('latin1', 0, 1) : undefined),
  });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise<void>((done) => echo.close(() => done()));
});

/** A client that keeps what it hears, and whether it is still connected. */
function dial(): { say(text: string): void; heard: string; over: string | null } {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  const client = { say: (text: string) => void socket.write(text), heard: '', over: null as string | null };
  socket.on('data', (chunk: Buffer) => {
    client.heard += chunk.toString('latin1');
  });
  socket.on('error', (err: NodeJS.ErrnoException) => {
    client.over = err.code ?? 'error';
  });
  socket.on('close', () => {
    client.over ??= 'closed';
  });
  return client;
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !what(); i++) await sleep(10);
  expect(what()).toBe(true);
}

describe('TcpProxy', () => {
  test('passes bytes both ways, in order', async () => {
    const client = dial();
    const text = 'a'.padEnd(300_000, '0123456789');
    client.say(text);
    await until(() => client.heard.length === text.length);
    expect(client.heard).toBe(text);
    expect(proxy.open).toBe(1);
  });

  test('cuts one dialer, now and at every try, and lets it in again when healed', async () => {
    const a = dial();
    const b = dial();
    a.say('a1');
    b.say('b1');
    await until(() => a.heard === 'a1' && b.heard === 'b1');
    proxy.spoil('a', { cut: true });
    await until(() => a.over !== null);
    const again = dial();
    again.say('a2');
    await until(() => again.over !== null);
    expect(again.heard).toBe('');
    b.say('b2');
    await until(() => b.heard === 'b1b2');
    proxy.heal();
    const third = dial();
    third.say('a3');
    await until(() => third.heard === 'a3');
  });

  test.each([
    { way: 'in' as const, arrives: false },
    { way: 'out' as const, arrives: true },
  ])('holds one way ($way) and loses nothing', async ({ way, arrives }) => {
    let received = '';
    echo.on('connection', (socket: Socket) =>
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      }),
    );
    const client = dial();
    client.say('a1');
    await until(() => client.heard === 'a1');
    proxy.spoil('a', { held: [way] });
    client.say('a2');
    await sleep(100);
    expect(client.heard).toBe('a1');
    expect(received).toBe(arrives ? 'a1a2' : 'a1');
    expect(client.over).toBe(null);
    proxy.heal();
    await until(() => client.heard === 'a1a2');
  });

  test('delays', async () => {
    proxy.spoil(null, { delayMs: 60 });
    const client = dial();
    const start = performance.now();
    client.say('a1');
    client.say('a2');
    await until(() => client.heard === 'a1a2');
    // Once in, once out.
    expect(performance.now() - start).toBeGreaterThan(115);
  });

  test('drops what is open and nothing else', async () => {
    const client = dial();
    client.say('a1');
    await until(() => client.heard === 'a1');
    proxy.drop();
    await until(() => client.over !== null);
    const again = dial();
    again.say('a2');
    await until(() => again.heard === 'a2');
  });

  test('a target that is not there is a broken connection', async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise<void>((done) => echo.close(() => done()));
    const client = dial();
    client.say('a1');
    await until(() => client.over !== null);
    echo = createServer();
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
  });
});
