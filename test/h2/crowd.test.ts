import { expect, test } from 'vitest';
import type { TestClient } from './support/dial.js';
import { TestServer } from './support/dial.js';
import { call, data, E, headers, message, request, settings, windowUpdate } from './support/wire.js';

// Many connections that are each within their bounds, and together are not.

const LOOK_MS = 1000;
/** A request that the test answers, in frames that are not too large. */
function hold(id: number, body: string): Buffer {
  const bytes = message(body);
  const frames = [headers(id, request({ ':path': '/t.T/Hold' }))];
  for (let at = 0; at < bytes.length; at += 16_000) {
    frames.push(data(id, bytes.subarray(at, at + 16_000), at + 16_000 >= bytes.length));
  }
  return Buffer.concat(frames);
}
const big = (id: number, bytes: number) => call(id, String(bytes), { ':path': '/t.T/Big' });

function crowd(clients: number, limits: ConstructorParameters<typeof TestServer>[0]): [TestClient[], TestServer] {
  const server = new TestServer({ keepaliveIntervalMs: 1e9, ...limits });
  return [Array.from({ length: clients }, () => server.dial([4, 0])), server];
}

const goaways = (clients: readonly TestClient[]) => clients.map((client) => client.goaway !== null);

test('requests that are not answered: the connection with the most has to go, until the rest fits', () => {
  const [clients, server] = crowd(3, { serverBytesMax: 300_000 });
  const [a, b, c] = clients as [TestClient, TestClient, TestClient];
  a.send(hold(1, 'x'.repeat(100_000)));
  b.send(hold(1, 'x'.repeat(150_000)));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, false, false]);
  c.send(hold(1, 'x'.repeat(60_000)));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, true, false]);
  expect(b.goaway).toBe(E.ENHANCE_YOUR_CALM);
  expect(b.goawayText).toMatch(/too much memory/);
  // What it kept is given back with it, and what is answered counts no more.
  for (const one of server.held) one.reply(Buffer.from('ok'));
  server.time.advance(LOOK_MS);
  for (const client of [a, c]) client.send(settings([4, 1000]));
  server.time.advance(LOOK_MS);
  a.send(hold(3, 'x'.repeat(140_000)));
  c.send(hold(3, 'x'.repeat(140_000)));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, true, false]);
});

test('messages that are never complete, and streams without end', () => {
  const [clients, server] = crowd(2, { serverBytesMax: 300_000 });
  const [parts, streams] = clients as [TestClient, TestClient];
  for (let id = 1; id < 40; id += 2) {
    parts.send(headers(id, request({ ':path': '/t.T/Echo' })), data(id, message('x'.repeat(20_000)).subarray(0, 9000)));
  }
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, false]);
  for (let id = 1; id < 2 * 400; id += 2) streams.send(headers(id));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, true]);
});

test('answers that nobody reads: who moves stays, unless the movers alone are too much', () => {
  const [clients, server] = crowd(4, { serverBytesMax: 300_000 });
  const [reader, ...others] = clients as [TestClient, ...TestClient[]];
  reader.send(big(1, 200_000));
  for (const client of others) client.send(big(1, 60_000));
  reader.send(windowUpdate(1, 20_000));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, true, true, false]);
  others[2]?.send(big(3, 500_000), windowUpdate(3, 30_000));
  reader.send(windowUpdate(1, 20_000));
  server.time.advance(LOOK_MS);
  expect(goaways(clients)).toEqual([false, true, true, true]);
});

test('while it is too much, calls of connections with answers on their way are told to wait', () => {
  const [clients, server] = crowd(2, { serverBytesMax: 100_000, holdCallsBytes: 1_000_000 });
  const [a, b] = clients as [TestClient, TestClient];
  a.send(hold(1, 'x'), big(3, 150_000), windowUpdate(3, 30_000));
  b.send(hold(1, 'x'));
  const held = server.held as unknown as { isHeld: boolean }[];
  expect(held.map((one) => one.isHeld)).toEqual([false, false]);
  server.time.advance(LOOK_MS);
  expect(held.map((one) => one.isHeld)).toEqual([true, false]);
  a.send(windowUpdate(0, 1_000_000), windowUpdate(3, 1_000_000));
  server.time.advance(LOOK_MS);
  expect(held.map((one) => one.isHeld)).toEqual([false, false]);
});

test('an answer in pieces is one message', () => {
  const server = new TestServer();
  const client = server.dial();
  client.send(hold(1, 'x'), call(3, 'y', { ':path': '/t.T/Hold', 'grpc-encoding': 'gzip' }));
  const held = server.held as unknown as { replyParts(parts: Buffer[]): void }[];
  for (const one of held)
    one.replyParts([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(20_000, 'c'), Buffer.from('d')]);
  server.time.settle();
  expect(client.body(1).equals(message(`ab${'c'.repeat(20_000)}d`))).toBe(true);
  expect(client.answer(1).code).toBe('0');
});
