import { describe, expect, it } from 'vitest';
import { ClientCore } from '../../src/client/core/client-core.js';
import type { LeaseSink } from '../../src/client/core/lease-keeper.js';
import { LeaseKeepAliveRequest, LeaseKeepAliveResponse, makeResponseHeader } from '../../src/wire/index.js';
import type { FakeStream } from './fake.js';
import { FakeNetwork, VirtualTime } from './fake.js';

function setUp(urls = ['a', 'b', 'c']) {
  const time = new VirtualTime();
  const network = new FakeNetwork(time.env());
  const core = new ClientCore(time.env(), network, {
    endpoints: urls,
    balance: 'pinned',
    credentials: null,
    authTimeoutMs: 5000,
    progressRequestMs: 0,
  });
  const log: string[] = [];
  const sink = (name = ''): LeaseSink => ({
    renewed: (r) => void log.push(`${name}renewed ${r.ttl} at ${Math.round(time.now)}`),
    lost: (loss) => void log.push(`${name}${loss.kind} at ${Math.round(time.now)}`),
  });
  /** Runs the clock in small steps; a member answers whatever it is asked with the TTL of the lease, 0 for none. */
  const serve = (ms: number, ttlOf: (id: bigint) => number | null, which: (s: FakeStream) => boolean = () => true) => {
    for (let t = 0; t < ms; t += 10) {
      time.run(10);
      for (const stream of network.streams) {
        if (stream.canceled || stream.ended || !which(stream)) continue;
        for (const bytes of stream.sent.splice(0)) {
          const { id } = LeaseKeepAliveRequest.decode(bytes);
          const ttl = ttlOf(id);
          if (ttl === null) continue;
          stream.push(LeaseKeepAliveResponse.encode({ header: makeResponseHeader(1n, 2n, 3, 4), id, ttl }));
        }
      }
    }
  };
  return { time, network, core, log, sink, serve };
}

describe('a lease that is kept', () => {
  it('is renewed every third of its TTL, with hasleader', () => {
    const { network, core, log, sink, serve } = setUp();
    core.leases.keep(7n, 9, sink());
    serve(10_000, () => 9);
    expect(network.streams.length).toBe(1);
    expect(network.last.metadata).toEqual({ hasleader: 'true' });
    const times = log.map((l) => Number(l.split(' at ')[1]));
    expect(log.length).toBe(4);
    expect(times.every((at, i) => Math.abs(at - i * 3000) <= 300)).toBe(true);
  });

  it('all share one stream, each at its own pace', () => {
    const { network, core, log, sink, serve } = setUp();
    core.leases.keep(1n, 3, sink('x '));
    core.leases.keep(2n, 30, sink('y '));
    core.leases.keep(2n, 30, sink('z '));
    serve(5900, (id) => (id === 1n ? 3 : 30));
    expect(network.streams.length).toBe(1);
    expect(log.filter((l) => l.startsWith('x ')).length).toBe(6);
    expect(log.filter((l) => l.startsWith('y ')).length).toBeLessThan(3);
    expect(log.filter((l) => l.startsWith('z ')).length).toBe(log.filter((l) => l.startsWith('y ')).length);
  });

  it('is lost when the server knows it no more', () => {
    const { time, network, core, log, sink, serve } = setUp();
    core.leases.keep(7n, 9, sink());
    serve(2000, () => 9);
    serve(4000, () => 0);
    expect(log[log.length - 1]).toMatch(/^expired at 3\d\d\d$/);
    expect(network.last.canceled).toBe(true);
    expect(time.pending).toBe(0);
  });

  it('moves to another member when the stream breaks, and is renewed there at once', () => {
    const { network, core, log, sink, serve } = setUp();
    core.leases.keep(7n, 9, sink());
    serve(1000, () => 9);
    network.last.end(14, 'etcdserver: no leader');
    serve(1000, () => 9);
    expect(network.streams.map((s) => s.url)).toEqual(['a', 'b']);
    expect(log.length).toBe(2);
  });

  it('leaves a member that keeps silent well before the lease runs out', () => {
    const { network, core, log, sink, serve } = setUp();
    core.leases.keep(7n, 9, sink());
    serve(1000, () => 9);
    serve(
      8000,
      () => 9,
      (s) => s.url !== 'a',
    );
    expect(network.streams.map((s) => s.url)).toEqual(['a', 'b']);
    expect(log.some((l) => l.includes('unreachable'))).toBe(false);
    expect(log.length).toBeGreaterThanOrEqual(2);
  });

  it('is given up when nobody renewed it for its whole TTL, counted from when the last renewal was asked for', () => {
    const { time, core, log, sink, serve } = setUp();
    core.leases.keep(7n, 6, sink());
    serve(100, () => 6);
    serve(20_000, () => null);
    expect(log.length).toBe(2);
    const [renewed, lost] = log.map((l) => Number(l.split(' at ')[1])) as [number, number];
    expect(log[1]).toContain('unreachable');
    expect(lost - renewed).toBeLessThanOrEqual(6000 + 250);
    expect(lost).toBeGreaterThanOrEqual(6000);
    expect(time.pending).toBe(0);
  });

  it('that nobody can be asked about is given up as well', () => {
    const { time, network, core, log, sink } = setUp(['a']);
    core.leases.keep(7n, 3, sink());
    for (let i = 0; i < 500; i++) {
      time.run(10);
      for (const s of network.streams) if (!s.ended && !s.canceled) s.end(14, 'ECONNREFUSED', false);
    }
    expect(log).toEqual([expect.stringMatching(/^unreachable at 3\d\d\d$/)]);
  });

  it('is dropped by one and kept for another', () => {
    const { time, network, core, log, sink, serve } = setUp();
    const [x, y] = [sink('x '), sink('y ')];
    core.leases.keep(7n, 3, x);
    core.leases.keep(7n, 3, y);
    serve(500, () => 3);
    core.leases.drop(7n, x);
    serve(3000, () => 3);
    expect(log.filter((l) => l.startsWith('x ')).length).toBe(1);
    expect(log.filter((l) => l.startsWith('y ')).length).toBeGreaterThan(2);
    core.leases.drop(7n, y);
    expect(network.last.canceled).toBe(true);
    expect(time.pending).toBe(0);
  });

  it('ends with the client, and with a stream that is refused for good', () => {
    const { time, core, log, sink } = setUp();
    core.leases.keep(7n, 3, sink());
    time.run(0);
    core.close();
    core.leases.keep(8n, 3, sink('late '));
    time.run(0);
    expect(log.map((l) => l.split(' at')[0])).toEqual(['failed', 'late failed']);
    expect(time.pending).toBe(0);

    const other = setUp();
    other.core.leases.keep(7n, 3, other.sink());
    other.time.run(0);
    other.network.last.end(7, 'etcdserver: permission denied');
    other.time.run(10_000);
    expect(other.log).toEqual(['failed at 0']);
    expect(other.time.pending).toBe(0);
  });
});
