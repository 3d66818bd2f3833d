import { connect } from 'node:net';
import * as tls from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  block,
  data,
  frame,
  GRPC_HEADERS,
  headers,
  message,
  PREFACE,
  settings,
  settingsAck,
  T,
} from '../h2/support/wire.js';
import { Authority } from '../support/certificates.js';
import { Honest } from './support/honest.js';
import { pause } from './support/raw-h2.js';
import { report } from './support/report.js';
import type { Vitals } from './support/victim.js';
import { Victim } from './support/victim.js';

// Clients that begin and never come to an end: all at once, since what ends them is time.

let victim: Victim;
let secure: Victim;
let ca: Authority;
let honest: Honest;
let before: Vitals;

interface Slow {
  readonly name: string;
  readonly bytes: Buffer | string;
  /** One of these bytes every 300 ms. */
  readonly drip?: string;
  /** What it is told before it is cut off. */
  readonly told?: RegExp;
  /** s */
  readonly within: number;
  readonly overTls?: boolean;
  /** TLS is not even begun. */
  readonly silent?: boolean;
}

const post = (path: string, more: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\n${more}`;

const slow: Slow[] = [
  { name: 'nothing at all', bytes: '', within: 14 },
  { name: 'half a preface', bytes: PREFACE.subarray(0, 10), within: 14 },
  { name: 'a preface and no SETTINGS', bytes: PREFACE, within: 16 },
  { name: 'SETTINGS that do not end', bytes: Buffer.concat([PREFACE, settings([4, 1]).subarray(0, 11)]), within: 16 },
  { name: 'SETTINGS that are never acknowledged', bytes: Buffer.concat([PREFACE, settings()]), within: 14 },
  {
    name: 'a header block that does not end',
    bytes: Buffer.concat([PREFACE, settings(), settingsAck, frame(T.HEADERS, 0, 1, block(GRPC_HEADERS))]),
    within: 16,
  },
  { name: 'half a request line', bytes: 'POST /v3/kv/ra', within: 14, told: /^HTTP\/1\.1 408 / },
  { name: 'a head byte by byte', bytes: post('/v3/kv/range', 'A: '), drip: 'b', within: 14, told: /^HTTP\/1\.1 408 / },
  {
    name: 'headers without end',
    bytes: post('/v3/kv/range', ''),
    drip: 'A: b\r\n',
    within: 14,
    told: /^HTTP\/1\.1 408 /,
  },
  {
    name: 'a body byte by byte',
    bytes: post('/v3/kv/range', `Content-Length: 100000\r\n\r\n{`),
    drip: ' ',
    within: 36,
    told: /^HTTP\/1\.1 408 /,
  },
  {
    name: 'a chunk byte by byte',
    bytes: post('/v3/kv/put', `Transfer-Encoding: chunked\r\n\r\nfffff\r\n{`),
    drip: ' ',
    within: 36,
    told: /^HTTP\/1\.1 408 /,
  },
  { name: 'no handshake', bytes: '', within: 14, overTls: true, silent: true },
  { name: 'half a handshake', bytes: Buffer.from('16030100c8', 'hex'), within: 14, overTls: true, silent: true },
  { name: 'a handshake and nothing', bytes: '', within: 14, overTls: true },
  { name: 'half a preface over TLS', bytes: PREFACE.subarray(0, 10), within: 16, overTls: true },
];

interface End {
  readonly name: string;
  readonly seconds: number;
  readonly told: string;
}

function attack({ name, bytes, drip, overTls = false, silent = false }: Slow): Promise<End> {
  const began = Date.now();
  const port = overTls ? secure.clientPort : victim.clientPort;
  const socket =
    overTls && !silent
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
      : connect(port, '127.0.0.1');
  let told = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    told += chunk.toString('latin1');
  });
  socket.once(overTls && !silent ? 'secureConnect' : 'connect', () => socket.write(bytes));
  const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 300);
  return new Promise((resolve) => {
    socket.on('close', () => {
      clearInterval(dripping);
      resolve({ name, seconds: (Date.now() - began) / 1000, told });
    });
  });
}

/** @param isLong those that take half a minute as well */
export function slowSuite(isLong: boolean): void {
  const chosen = slow.filter(({ within }) => isLong || within < 20);

  beforeAll(async () => {
    ca = Authority.make();
    const { cert, key } = ca.issue('server', { commonName: 'server', hosts: ['127.0.0.1'] });
    [victim, secure] = await Promise.all([
      Victim.start(),
      Victim.start({ secure: true, flags: [`--cert-file=${cert}`, `--key-file=${key}`] }),
    ]);
    honest = await Honest.start(victim.endpoint);
    await pause(500);
    before = await victim.vitals();
    honest.latencies();
  }, 60_000);
  afterAll(async () => {
    await honest.stop();
    await Promise.all([victim.stop(), secure.stop()]);
    ca.remove();
  });

  test('who begins and does not go on is cut off, and nobody waits for them', { timeout: 60_000 }, async () => {
    const ends = await Promise.all(chosen.flatMap((one) => Array.from({ length: 10 }, () => attack(one))));
    const seen = honest.latencies();
    for (const { name, within, told } of chosen) {
      for (const end of ends.filter((one) => one.name === name)) {
        expect(end.seconds, name).toBeLessThan(within);
        if (told !== undefined) expect(end.told, name).toMatch(told);
        expect(end.told, name).not.toContain('200 OK');
      }
    }
    const after = await victim.recovered(before);
    report('slow clients', { written: 0, goaway: '', seen, before, after });
    expect(seen.worstMs).toBeLessThan(5000);
  });

  test('a message over HTTP/2 that never ends holds up neither its connection nor others, and goes with it', async () => {
    const sockets = Array.from({ length: 20 }, () => connect(victim.clientPort, '127.0.0.1'));
    const half = message(Buffer.alloc(1_000_000, 'x')).subarray(0, 16_000);
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write(Buffer.concat([PREFACE, settings(), settingsAck]));
      for (let id = 1; id < 200; id += 2) {
        const path: [string, string] = [':path', '/etcdserverpb.KV/Put'];
        const list = GRPC_HEADERS.map((header) => (header[0] === ':path' ? path : header));
        socket.write(Buffer.concat([headers(id, list), data(id, half)]));
      }
    }
    await pause(1500);
    const during = await victim.vitals();
    expect(during.heapBytes + during.externalBytes - before.heapBytes - before.externalBytes).toBeGreaterThan(20 << 20);
    const seen = honest.latencies();
    for (const socket of sockets) socket.destroy();
    const after = await victim.recovered(before);
    report('messages that never end', { written: 20 * 100 * 16_000, goaway: '', seen, before, after });
    expect(seen.worstMs).toBeLessThan(5000);
  });
}
