import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Header } from '../h2/support/wire.js';
import {
  block,
  data,
  E,
  F,
  frame,
  headers,
  message,
  ping,
  reset,
  settings,
  T,
  u32,
  windowUpdate,
} from '../h2/support/wire.js';
import { encode } from '../support/etcd-proto.js';
import { Honest } from './support/honest.js';
import { pause, RawH2, times } from './support/raw-h2.js';
import { report } from './support/report.js';
import type { Vitals } from './support/victim.js';
import { Victim } from './support/victim.js';

// Floods over HTTP/2. An honest client goes on all the while, and afterwards the member keeps no more than before.

/** Two cores are shared with whoever floods: what is bounded here is standstill. */
const WORST_MS = 5000;
const MEDIAN_MS = 1000;

let victim: Victim;
let honest: Honest;
let before: Vitals;

beforeAll(async () => {
  victim = await Victim.start();
  honest = await Honest.start(victim.endpoint);
  await pause(1000);
  before = await victim.vitals();
  honest.latencies();
}, 60_000);
afterAll(async () => {
  await honest.stop();
  await victim.stop();
});

const call = (path: string, more: readonly Header[] = []): Header[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', `/etcdserverpb.${path}`],
  [':authority', 'a'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ...more,
];
const rangeOf = (id: number): Buffer =>
  Buffer.concat([
    headers(id, call('KV/Range')),
    data(id, message(encode('RangeRequest', { key: Buffer.from('a') })), true),
  ]);
const watchOf = (id: number): Buffer =>
  Buffer.concat([
    headers(id, call('Watch/Watch')),
    data(id, message(encode('WatchRequest', { create_request: { key: Buffer.from('honest') } }))),
  ]);

/** Frames of client streams, each n of its own. */
const idOf = (n: number): number => 2 * n + 1;

interface Flood {
  readonly name: string;
  /** What it writes, the n-th time. */
  readonly bytes: (n: number) => Buffer;
  /** Code of the GOAWAY that ends it; null: it may go on for as long as it likes. */
  readonly code: number | null;
  readonly first?: Buffer;
}

const floods: Flood[] = [
  { name: 'PING', bytes: () => times(100, ping()), code: E.ENHANCE_YOUR_CALM },
  { name: 'SETTINGS', bytes: () => times(100, settings([4, 65_535])), code: E.ENHANCE_YOUR_CALM },
  { name: 'SETTINGS with ACK', bytes: () => times(100, frame(T.SETTINGS, F.ACK, 0)), code: E.ENHANCE_YOUR_CALM },
  { name: 'PRIORITY', bytes: () => times(100, frame(T.PRIORITY, 0, 1, Buffer.alloc(5))), code: E.ENHANCE_YOUR_CALM },
  { name: 'frames of no known type', bytes: () => times(100, frame(0xee, 0, 1, 'beef')), code: E.ENHANCE_YOUR_CALM },
  {
    name: 'empty DATA',
    first: headers(1, call('Watch/Watch')),
    bytes: () => times(100, data(1, '')),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'empty DATA with padding',
    first: headers(1, call('Watch/Watch')),
    bytes: () => times(50, frame(T.DATA, F.PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]))),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'WINDOW_UPDATE by one',
    first: headers(1, call('Watch/Watch')),
    bytes: () => times(100, Buffer.concat([windowUpdate(0, 1), windowUpdate(1, 1)])),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'WINDOW_UPDATE beyond 2^31-1',
    bytes: () => windowUpdate(0, 0x7fffffff),
    code: E.FLOW_CONTROL_ERROR,
  },
  {
    name: 'CONTINUATION without end',
    first: frame(T.HEADERS, 0, 1, block(call('KV/Range'))),
    bytes: () => times(20, frame(T.CONTINUATION, 0, 1, block([['a', 'b'.repeat(1000)]]))),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'CONTINUATION that is empty',
    first: frame(T.HEADERS, 0, 1, block(call('KV/Range'))),
    bytes: () => times(100, frame(T.CONTINUATION, 0, 1)),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'rapid reset',
    bytes: (n) =>
      Buffer.concat(
        Array.from({ length: 50 }, (_, k) => Buffer.concat([rangeOf(idOf(50 * n + k)), reset(idOf(50 * n + k))])),
      ),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'rapid reset of watches',
    bytes: (n) =>
      Buffer.concat(
        Array.from({ length: 50 }, (_, k) => Buffer.concat([watchOf(idOf(50 * n + k)), reset(idOf(50 * n + k))])),
      ),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'resets that the member must make',
    bytes: (n) =>
      Buffer.concat(
        Array.from({ length: 50 }, (_, k) =>
          Buffer.concat([headers(idOf(50 * n + k), call('KV/Range')), windowUpdate(idOf(50 * n + k), 0)]),
        ),
      ),
    code: E.ENHANCE_YOUR_CALM,
  },
  {
    name: 'header blocks that grow out of one byte',
    first: frame(
      T.HEADERS,
      F.END_HEADERS | F.END_STREAM,
      1,
      Buffer.concat([block(call('KV/Range')), indexed('a', 'b'.repeat(3900))]),
    ),
    bytes: (n) =>
      Buffer.concat(
        Array.from({ length: 4 }, (_, k) =>
          frame(T.HEADERS, F.END_HEADERS | F.END_STREAM, idOf(4 * n + k + 1), Buffer.alloc(16_000, 0xbe)),
        ),
      ),
    code: null,
  },
  {
    name: 'header blocks that are none',
    bytes: () => frame(T.HEADERS, F.END_HEADERS, 1, Buffer.alloc(100, 0xff)),
    code: E.COMPRESSION_ERROR,
  },
  {
    name: 'streams that are opened and left',
    bytes: (n) => Buffer.concat(Array.from({ length: 50 }, (_, k) => headers(idOf(50 * n + k), call('KV/Put')))),
    code: null,
  },
  {
    name: 'watches on one connection',
    bytes: (n) => Buffer.concat(Array.from({ length: 20 }, (_, k) => watchOf(idOf(20 * n + k)))),
    code: null,
  },
  {
    name: 'calls without a pause',
    bytes: (n) => Buffer.concat(Array.from({ length: 50 }, (_, k) => rangeOf(idOf(50 * n + k)))),
    code: null,
  },
  {
    name: 'answers that are never read',
    bytes: (n) => times(50, Buffer.concat([ping(n.toString(16).padStart(16, '0'))])),
    code: null,
  },
];

/** A literal that goes into the table. */
function indexed(name: string, value: string): Buffer {
  const long = (text: string): Buffer => {
    const { length } = text;
    const head = length < 127 ? [length] : [127, ((length - 127) & 127) | 128, (length - 127) >> 7];
    return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
  };
  return Buffer.concat([Buffer.from([0x40]), long(name), long(value)]);
}

test.each(floods)('a flood: $name', async ({ name, bytes, code, first }) => {
  const attackers = await Promise.all(Array.from({ length: 2 }, () => RawH2.open(victim.clientPort, [4, 65_535])));
  for (const attacker of attackers) {
    if (first !== undefined) attacker.write(first);
    if (name === 'answers that are never read') attacker.stopReading();
    else if (code === null) attacker.onlyCount();
  }
  const written = await Promise.all(attackers.map((attacker) => attacker.flood(bytes, 1000)));
  if (code !== null) {
    await Promise.all(attackers.map((attacker) => attacker.until(() => attacker.closed)));
    expect(attackers.map((attacker) => attacker.goaway?.[0])).toEqual([code, code]);
  }
  for (const attacker of attackers) attacker.destroy();
  const seen = honest.latencies();
  const after = await victim.recovered(before);
  report(name, {
    written: written.reduce((a, b) => a + b),
    goaway: attackers[0]?.goaway?.[1] ?? '',
    seen,
    before,
    after,
  });
  expect(seen.worstMs).toBeLessThan(WORST_MS);
  expect(seen.medianMs).toBeLessThan(MEDIAN_MS);
});

test('a flood of connections, silent or half-way', async () => {
  const first = [Buffer.alloc(0), Buffer.from('PRI * HT'), Buffer.from('POST /v3/kv/range HTTP/1.1\r\nHo'), u32(1)];
  const sockets = Array.from({ length: 600 }, (_, n) => {
    const socket = connect(victim.clientPort, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('connect', () => socket.write(first[n % first.length] as Buffer));
    return socket;
  });
  await pause(1500);
  const seen = honest.latencies();
  for (const socket of sockets) socket.destroy();
  const after = await victim.recovered(before);
  report('connections', { written: 0, goaway: '', seen, before, after });
  expect(seen.worstMs).toBeLessThan(WORST_MS);
});
