import { afterEach, expect, test } from 'vitest';
import { RealNet } from '../../src/env/real-net.js';
import type { Conn, NetListener } from '../../src/util/env.js';

const net = new RealNet();
const open: { destroy?: () => void; close?: () => void }[] = [];
afterEach(() => {
  for (const it of open.splice(0)) {
    it.destroy?.();
    it.close?.();
  }
});

async function listen(onConn: (conn: Conn) => void, address = '127.0.0.1:0'): Promise<NetListener> {
  return new Promise((resolve, reject) => {
    net.listen(
      address,
      (conn) => {
        open.push(conn);
        onConn(conn);
      },
      (err, listener) => {
        if (err !== null || listener === null) return reject(err);
        open.push(listener);
        resolve(listener);
      },
    );
  });
}

function dial(address: string): Conn {
  const conn = net.dial(address);
  open.push(conn);
  return conn;
}

const event = <K extends 'onOpen' | 'onDrain' | 'onData' | 'onClose'>(conn: Conn, name: K) =>
  new Promise<any>((resolve) => {
    conn[name] = resolve as never;
  });

function collected(conn: Conn, bytes: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let total = 0;
    conn.onData = (chunk) => {
      chunks.push(chunk);
      total += chunk.length;
      if (total >= bytes) resolve(Buffer.concat(chunks));
    };
  });
}

test('chunks of one write arrive as they were, in order with others', async () => {
  let got: Promise<Buffer> | null = null;
  const listener = await listen((conn) => {
    got = collected(conn, 12);
  });
  const conn = dial(listener.address);
  await event(conn, 'onOpen');
  expect(conn.write([Buffer.from('a'), Buffer.from('bc'), Buffer.from('def')])).toBe(true);
  expect(conn.write([Buffer.from('ghijkl')])).toBe(true);
  await expect.poll(async () => (await got)?.toString()).toBe('abcdefghijkl');
});

test('what is written before the connection is open is sent then', async () => {
  let got: Promise<Buffer> | null = null;
  const listener = await listen((conn) => {
    got = collected(conn, 5);
  });
  dial(listener.address).write([Buffer.from('early')]);
  await expect.poll(async () => (await got)?.toString()).toBe('early');
});

test('a full connection says so, and when it has drained', async () => {
  const server = new Promise<Conn>((resolve) => {
    void listen(resolve).then((listener) => resolveAddress(listener.address));
  });
  let resolveAddress: (address: string) => void = () => {};
  const address = await new Promise<string>((resolve) => {
    resolveAddress = resolve;
  });
  const conn = dial(address);
  await event(conn, 'onOpen');
  const peer = await server;
  const piece = Buffer.alloc(1 << 20, 1);
  let pieces = 0;
  while (conn.write([piece])) pieces++;
  expect(conn.pendingBytes).toBeGreaterThan(1 << 20);
  const drained = event(conn, 'onDrain');
  const all = collected(peer, (pieces + 1) << 20);
  await drained;
  expect(conn.pendingBytes).toBeLessThan(1 << 20);
  expect((await all).length).toBe((pieces + 1) << 20);
});

test('a refused connection', async () => {
  const listener = await listen(() => {});
  listener.close();
  await new Promise((done) => setTimeout(done, 20));
  expect(await event(dial(listener.address), 'onClose')).toMatchObject({ code: 'ECONNREFUSED' });
});

test('an orderly end has no error; a write after it is refused', async () => {
  const listener = await listen((conn) => conn.destroy());
  const conn = dial(listener.address);
  expect(await event(conn, 'onClose')).toBeNull();
  expect(conn.write([Buffer.from('x')])).toBe(false);
});

test('a port in use', async () => {
  const listener = await listen(() => {});
  await expect(listen(() => {}, listener.address)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('IPv6 addresses are in brackets', async () => {
  const listener = await listen(() => {}, '[::1]:0').catch(() => null);
  if (listener === null) return console.warn('SKIPPED IPv6: this machine has none');
  expect(listener.address).toMatch(/^\[::1\]:\d+$/);
  await event(dial(listener.address), 'onOpen');
});

test('a reserved address is ours, and hands its early connections to who listens', async () => {
  const address = await new Promise<string>((resolve, reject) => {
    net.reserve('127.0.0.1:0', (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  await expect(new Promise((_, reject) => net.reserve(address, (err) => reject(err)))).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  const early = dial(address);
  await event(early, 'onOpen');
  early.write([Buffer.from('hello')]);
  let got: Promise<Buffer> | null = null;
  const listener = await listen((conn) => {
    got = collected(conn, 5);
  }, address);
  expect(listener.address).toBe(address);
  await expect.poll(async () => (await got)?.toString()).toBe('hello');
});

test('a reservation that is given up frees the port', async () => {
  const own = new RealNet();
  const address = await new Promise<string>((resolve, reject) => {
    own.reserve('127.0.0.1:0', (err, bound) => (err === null ? resolve(bound) : reject(err)));
  });
  const early = dial(address);
  await event(early, 'onOpen');
  const closed = event(early, 'onClose');
  await new Promise<void>((done) => own.release(done));
  await closed;
  expect((await listen(() => {}, address)).address).toBe(address);
});
