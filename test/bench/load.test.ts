import type { Http2Server } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Request } from '../../bench/load/drive.js';
import { driveAtRate, driveClosed } from '../../bench/load/drive.js';
import { grpcMessage, HeaderBlocks } from '../../bench/load/frames.js';
import { Histogram } from '../../bench/load/histogram.js';
import { eventTails, MessageReader, PUT, putMessage, RANGE, rangeMessage } from '../../bench/load/requests.js';
import { parseOptions } from '../../bench/options.js';
import { decode, encode } from '../support/etcd-proto.js';

/** Node's own HTTP/2 is the judge of what the generator sends. */
const servers: Http2Server[] = [];

async function echoServer(
  answer: (path: string, body: Buffer) => Buffer | null,
): Promise<{ port: number; bodies: Map<string, Buffer> }> {
  const bodies = new Map<string, Buffer>();
  const server = createServer();
  servers.push(server);
  server.on('stream', (stream, headers) => {
    const path = String(headers[':path']);
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const body = Buffer.concat(chunks);
      bodies.set(path, body);
      const reply = answer(path, body);
      if (!reply) {
        stream.respond({ 'content-type': 'application/grpc', 'grpc-status': '14' }, { endStream: true });
        return;
      }
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, bodies };
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('load generator', () => {
  it('sends what HTTP/2 and protobuf readers understand, over and over', async () => {
    const value = Buffer.alloc(300, 'v');
    const requests: Request[] = [
      { path: PUT, message: putMessage(Buffer.from('key'), value) },
      { path: RANGE, message: rangeMessage(Buffer.from('a'), Buffer.from('b'), true) },
    ];
    const { port, bodies } = await echoServer(() => grpcMessage(Buffer.alloc(40_000)));
    const target = { host: '127.0.0.1', port, connections: 3, durationMs: 400 };
    const result = await driveClosed({ ...target, streams: 5, next: (n) => requests[n % 2]! });
    expect(result.failed).toBe(0);
    expect(result.done).toBeGreaterThan(30);
    expect(result.latency.count).toBeGreaterThanOrEqual(result.done);
    expect(decode('PutRequest', bodies.get(PUT)!.subarray(5))).toMatchObject({ key: Buffer.from('key'), value });
    const range = decode('RangeRequest', bodies.get(RANGE)!.subarray(5));
    expect(range).toMatchObject({ key: Buffer.from('a'), range_end: Buffer.from('b'), serializable: true });
  });

  it('counts an answer without a message as a failure', async () => {
    const { port } = await echoServer((path) => (path === PUT ? null : grpcMessage(Buffer.from('x'))));
    const request = { path: PUT, message: putMessage(Buffer.from('k'), Buffer.from('v')) };
    const result = await driveClosed({
      host: '127.0.0.1',
      port,
      connections: 1,
      streams: 1,
      durationMs: 100,
      next: () => request,
    });
    expect(result.failed).toBeGreaterThan(0);
    expect(result.failed).toBeGreaterThanOrEqual(result.done);
  });

  it('keeps a rate', async () => {
    const { port } = await echoServer(() => grpcMessage(Buffer.from('x')));
    const request = { path: PUT, message: putMessage(Buffer.from('k'), Buffer.from('v')) };
    const result = await driveAtRate({
      host: '127.0.0.1',
      port,
      connections: 2,
      perSecond: 500,
      durationMs: 600,
      next: () => request,
    });
    expect(result).toMatchObject({ done: 300, failed: 0 });
    expect(result.elapsedMs).toBeGreaterThan(580);
  });

  it('rejects when the server goes away', async () => {
    const { port } = await echoServer(() => grpcMessage(Buffer.from('x')));
    for (const server of servers.splice(0)) server.close();
    const request = { path: PUT, message: putMessage(Buffer.from('k'), Buffer.from('v')) };
    const drive = driveClosed({
      host: '127.0.0.1',
      port,
      connections: 1,
      streams: 1,
      durationMs: 2000,
      next: () => request,
    });
    await expect(drive).rejects.toThrow(/ECONNREFUSED|closed/);
  });

  it('shortens header blocks once their fields are known', () => {
    const blocks = new HeaderBlocks('127.0.0.1:2379');
    const first = blocks.block(PUT);
    expect(first.length).toBeGreaterThan(60);
    expect([...blocks.block(PUT)]).toEqual([0x83, 0x86, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]);
    blocks.block(RANGE);
    expect([...blocks.block(PUT)]).toEqual([0x83, 0x86, 0x80 | 66, 0x80 | 65, 0x80 | 64, 0x80 | 63]);
  });

  it('reads the tails of events out of messages in pieces', () => {
    const value = (n: number) => {
      const buf = Buffer.alloc(300, 'x');
      buf.writeDoubleBE(n, 292);
      return buf;
    };
    const header = { cluster_id: '1234567890123', member_id: '5', revision: 300, raft_term: 2 };
    const events = [1.5, 2.5].map((n) => ({
      kv: { key: Buffer.from('k'), create_revision: 2, mod_revision: 300, version: 299, value: value(n) },
    }));
    const stream = Buffer.concat([
      grpcMessage(encode('WatchResponse', { header, created: true })),
      grpcMessage(encode('WatchResponse', { header, watch_id: 7, events })),
    ]);
    const tails: number[] = [];
    let messages = 0;
    const reader = new MessageReader((message) => {
      messages++;
      eventTails(message, (tail) => tails.push(tail));
    });
    for (let at = 0; at < stream.length; at += 7) reader.push(stream.subarray(at, at + 7));
    expect({ messages, tails }).toEqual({ messages: 2, tails: [1.5, 2.5] });
  });
});

describe('histogram', () => {
  it('is within two percent of the truth', () => {
    const histogram = new Histogram();
    const values = Array.from({ length: 10_000 }, (_, i) => ((i * 7919) % 10_000) ** 2 / 10_000 + 0.05);
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    for (const quantile of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
      const truth = values[Math.ceil(values.length * quantile) - 1]!;
      expect(histogram.quantile(quantile)).toBeGreaterThanOrEqual(truth * 0.98);
      expect(histogram.quantile(quantile)).toBeLessThanOrEqual(truth * 1.04);
    }
    expect(histogram.max).toBe(values.at(-1));
  });

  it('of nothing is zero', () => expect(new Histogram().quantile(0.99)).toBe(0));
});

describe('options', () => {
  it('have defaults, and say what is wrong', () => {
    const options = parseOptions(['--quick', '--clients', '10,5x2'], { KEEL_BENCH_ETCD: '/somewhere/etcd' });
    expect(options).toMatchObject({
      etcd: '/somewhere/etcd',
      durationMs: 1000,
      loads: [
        { connections: 10, streams: 1 },
        { connections: 5, streams: 2 },
      ],
    });
    expect(() => parseOptions(['--clients', 'many'], {})).toThrow('--clients many');
    expect(() => parseOptions(['--duration', '-1'], {})).toThrow();
    expect(() => parseOptions(['--nonsense'], {})).toThrow('--nonsense');
  });
});
