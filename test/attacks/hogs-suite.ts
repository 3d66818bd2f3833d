import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Header } from '../h2/support/wire.js';
import { data, E, headers, message, settings, windowUpdate } from '../h2/support/wire.js';
import { encode } from '../support/etcd-proto.js';
import { fill } from './support/fill.js';
import { Honest } from './support/honest.js';
import { pause, RawH2 } from './support/raw-h2.js';
import { report } from './support/report.js';
import type { Vitals } from './support/victim.js';
import { Victim } from './support/victim.js';

// Clients that ask for much and take nothing: answers and events must not pile up.

const VALUE_BYTES = 400;
const MIB = 1 << 20;

const call = (path: string): Header[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', `/etcdserverpb.${path}`],
  [':authority', 'a'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

function everything(id: number, more: Record<string, unknown> = {}): Buffer {
  const request = encode('RangeRequest', { key: Buffer.from('k'), range_end: Buffer.from('l'), ...more });
  return Buffer.concat([headers(id, call('KV/Range')), data(id, message(request), true)]);
}

function watchAll(id: number, startRevision: number): Buffer {
  const create = { key: Buffer.from('k'), range_end: Buffer.from('l'), start_revision: startRevision };
  return Buffer.concat([
    headers(id, call('Watch/Watch')),
    data(id, message(encode('WatchRequest', { create_request: create }))),
  ]);
}

const kept = (vitals: Vitals): number => vitals.heapBytes + vitals.externalBytes;

/** @param keys of 430 bytes each */
export function hogSuite(keys: number): void {
  let victim: Victim;
  let honest: Honest;
  let before: Vitals;

  beforeAll(async () => {
    victim = await Victim.start();
    await fill(victim.endpoint, keys, VALUE_BYTES);
    honest = await Honest.start(victim.endpoint);
    // The cache has what it will have.
    const reader = await RawH2.open(victim.clientPort, [4, 0x7fffffff]);
    reader.onlyCount();
    reader.write(windowUpdate(0, 0x7fff0000 - 65_535), everything(1));
    await reader.until(() => reader.bytes > keys * VALUE_BYTES, 20_000);
    reader.destroy();
    await pause(1000);
    before = await victim.vitals();
    honest.latencies();
  }, 60_000);
  afterAll(async () => {
    await honest.stop();
    await victim.stop();
  });

  async function finish(name: string, attackers: readonly RawH2[], worstMs: number): Promise<void> {
    for (const attacker of attackers) attacker.destroy();
    const seen = honest.latencies();
    const after = await victim.recovered(before);
    report(name, { written: 0, goaway: attackers[0]?.goaway?.[1] ?? '', seen, before, after });
    expect(seen.worstMs).toBeLessThan(worstMs);
  }

  test('ranges of everything that nobody reads, many on each connection', async () => {
    const attackers = await Promise.all(Array.from({ length: 12 }, () => RawH2.open(victim.clientPort, [4, 0])));
    for (const attacker of attackers)
      for (let id = 1; id < 100; id += 2) attacker.write(everything(id, { sort_target: 3 }));
    await pause(4000);
    const during = await victim.vitals(false);
    // Of 600 answers of many MiB each.
    expect(kept(during) - kept(before)).toBeLessThan(900 * MIB);
    await finish('ranges that nobody reads', attackers, 6000);
  });

  test('they go when they are too many together', async () => {
    // Each connection stays within its bound, and there are many of them.
    const attackers = await Promise.all(Array.from({ length: 60 }, () => RawH2.open(victim.clientPort, [4, 0])));
    for (const attacker of attackers) attacker.write(everything(1), everything(3));
    await expect
      .poll(() => attackers.filter((one) => one.goaway?.[0] === E.ENHANCE_YOUR_CALM).length, { timeout: 15_000 })
      .toBeGreaterThan(10);
    const during = await victim.vitals(false);
    expect(kept(during) - kept(before)).toBeLessThan(900 * MIB);
    await finish('too many that read nothing', attackers, 6000);
  });

  test('watches from the beginning whose events nobody reads', async () => {
    const attackers = await Promise.all(Array.from({ length: 10 }, () => RawH2.open(victim.clientPort, [4, 0])));
    for (const attacker of attackers) for (let id = 1; id < 40; id += 2) attacker.write(watchAll(id, 1));
    await pause(3000);
    await fill(victim.endpoint, 2000, VALUE_BYTES);
    const during = await victim.vitals(false);
    expect(during.watchers - before.watchers).toBe(200);
    // 200 watchers are behind by all of it, and keep a response or two.
    expect(kept(during) - kept(before)).toBeLessThan(300 * MIB);
    await finish('watches that nobody reads', attackers, 6000);
  });

  test('a window that opens by a byte at a time', async () => {
    const attackers = await Promise.all(Array.from({ length: 4 }, () => RawH2.open(victim.clientPort, [4, 0])));
    for (const attacker of attackers) attacker.write(everything(1), watchAll(3, 1));
    const floods = attackers.map((attacker) =>
      attacker.flood(() => Buffer.concat([windowUpdate(1, 1), windowUpdate(3, 1), settings([4, 0])]), 1500),
    );
    await Promise.all(floods);
    await finish('a window that opens by a byte', attackers, 6000);
  });

  test('JSON of everything that nobody reads', async () => {
    const body = '{"key":"aw==","range_end":"bA=="}';
    const request = `POST /v3/kv/range HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const sockets = Array.from({ length: 40 }, () => {
      const socket = connect(victim.clientPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(request.repeat(3));
      socket.pause();
      return socket;
    });
    await pause(4000);
    const during = await victim.vitals(false);
    expect(kept(during) - kept(before)).toBeLessThan(900 * MIB);
    for (const socket of sockets) socket.destroy();
    await finish('JSON that nobody reads', [], 6000);
  });
}
