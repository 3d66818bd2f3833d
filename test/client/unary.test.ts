import { describe, expect, it } from 'vitest';
import { ClientCore } from '../../src/client/core/client-core.js';
import type { Balance } from '../../src/client/core/endpoints.js';
import type { Repeat, Status } from '../../src/client/core/status.js';
import { GrpcCode, judge, makeStatus } from '../../src/client/core/status.js';
import { AuthenticateResponse } from '../../src/wire/index.js';
import { FakeNetwork, VirtualTime } from './fake.js';

const REPLY = Buffer.from('reply');

function setUp(options: { urls?: string[]; balance?: Balance; auth?: boolean } = {}) {
  const time = new VirtualTime();
  const network = new FakeNetwork(time.env());
  const core = new ClientCore(time.env(), network, {
    endpoints: options.urls ?? ['a', 'b', 'c'],
    balance: options.balance ?? 'pinned',
    credentials: options.auth ? { name: 'root', password: 'secret' } : null,
    authTimeoutMs: 5000,
    progressRequestMs: 0,
  });
  const results: { status: Status; reply: Buffer | null; at: number }[] = [];
  const call = (repeat: Repeat, timeoutMs = 5000, endpoint?: string) =>
    core.unary(
      '/svc/Rpc',
      Buffer.from('request'),
      { repeat, timeoutMs, requireLeader: false, ...(endpoint === undefined ? {} : { endpoint }) },
      (status, reply) => void results.push({ status, reply, at: time.now }),
    );
  return { time, network, core, results, call };
}

describe('the retry policy', () => {
  const table: [status: Status, read: string, write: string][] = [
    [makeStatus(14, 'connection refused', false), 'retry', 'retry'],
    [makeStatus(14, 'etcdserver: no leader'), 'retry', 'retry'],
    [makeStatus(9, 'etcdserver: rpc not supported for learner'), 'retry', 'retry'],
    [makeStatus(9, 'etcdserver: not capable'), 'retry', 'retry'],
    [makeStatus(14, 'Connection dropped'), 'retry', 'final'],
    [makeStatus(14, 'etcdserver: leader changed'), 'retry', 'final'],
    [makeStatus(14, 'etcdserver: server stopped'), 'retry', 'final'],
    [makeStatus(14, 'etcdserver: request timed out'), 'retry', 'final'],
    [makeStatus(14, 'etcdserver: request timed out, possibly due to previous leader failure'), 'retry', 'final'],
    [makeStatus(13, 'Received RST_STREAM with code 2 (Internal server error)'), 'retry', 'final'],
    [makeStatus(13, 'grpc: error unmarshalling request'), 'final', 'final'],
    [makeStatus(4, 'context deadline exceeded'), 'final', 'final'],
    [makeStatus(1, 'context canceled'), 'final', 'final'],
    [makeStatus(2, 'etcdserver: too many requests'), 'final', 'final'],
    [makeStatus(3, 'etcdserver: key is not provided'), 'final', 'final'],
    [makeStatus(8, 'etcdserver: mvcc: database space exceeded'), 'final', 'final'],
    [makeStatus(11, 'etcdserver: mvcc: required revision has been compacted'), 'final', 'final'],
    [makeStatus(16, 'etcdserver: invalid auth token'), 'authenticate', 'authenticate'],
    [makeStatus(3, 'etcdserver: revision of auth store is old'), 'authenticate', 'authenticate'],
    [makeStatus(7, 'etcdserver: permission denied'), 'final', 'final'],
  ];

  it.each(table)('%o: read %s, write %s', (status, read, write) => {
    expect([judge(status, 'read'), judge(status, 'write')]).toEqual([read, write]);
  });
});

describe('a call', () => {
  it('goes to one endpoint and is done', () => {
    const { time, network, results, call } = setUp();
    call('write');
    network.calls[0]!.ok(REPLY);
    time.run(0);
    expect(results).toMatchObject([{ status: { code: 0 }, reply: REPLY }]);
    expect(network.calls.length).toBe(1);
    expect(time.pending).toBe(0);
  });

  it('goes round the endpoints, one a call', () => {
    const { time, network, call } = setUp({ balance: 'round-robin' });
    for (const url of ['a', 'b', 'c']) network.answer.set(url, (c) => c.ok(REPLY));
    for (let i = 0; i < 6; i++) {
      call('read');
      time.run(0);
    }
    const urls = network.calls.map((c) => c.url);
    expect(new Set(urls.slice(0, 3)).size).toBe(3);
    expect(urls.slice(3)).toEqual(urls.slice(0, 3));
  });

  it('a refused connection sends a write to the next endpoint at once', () => {
    const { time, network, results, call } = setUp();
    network.answer.set('a', (c) => c.fail(14, 'ECONNREFUSED', false));
    network.answer.set('b', (c) => c.ok(REPLY));
    call('write');
    time.run(0);
    expect(network.calls.map((c) => c.url)).toEqual(['a', 'b']);
    expect(results[0]).toMatchObject({ status: { code: 0 }, at: 0 });
  });

  it('a write whose connection broke is never sent again', () => {
    const { time, network, results, call } = setUp();
    network.answer.set('a', (c) => c.fail(14, 'Connection dropped'));
    call('write');
    time.run(60_000);
    expect(network.calls.length).toBe(1);
    expect(results).toMatchObject([{ status: { code: 14, message: 'Connection dropped', sent: true } }]);
  });

  it('a read whose connection broke is, elsewhere', () => {
    const { time, network, results, call } = setUp();
    network.answer.set('a', (c) => c.fail(14, 'Connection dropped'));
    network.answer.set('b', (c) => c.fail(14, 'etcdserver: leader changed'));
    network.answer.set('c', (c) => c.ok(REPLY));
    call('read');
    time.run(0);
    expect(network.calls.map((c) => c.url)).toEqual(['a', 'b', 'c']);
    expect(results).toMatchObject([{ status: { code: 0 } }]);
  });

  it('a learner sends a call on to another member, and is believed where there is none', () => {
    const refusal = 'etcdserver: rpc not supported for learner';
    const several = setUp();
    several.network.answer.set('a', (c) => c.fail(9, refusal));
    several.network.answer.set('b', (c) => c.ok(REPLY));
    several.call('write');
    several.time.run(0);
    expect(several.results).toMatchObject([{ status: { code: 0 } }]);
    for (const [urls, endpoint] of [
      [['a', 'b', 'c'], 'a'],
      [['a'], undefined],
    ] as const) {
      const { time, network, results, call } = setUp({ urls: [...urls] });
      network.answer.set('a', (c) => c.fail(9, refusal));
      call('read', 5000, endpoint);
      time.run(10_000);
      expect(network.calls.length).toBe(1);
      expect(results).toMatchObject([{ status: { code: 9, message: refusal }, at: 0 }]);
    }
  });

  it('waits longer and longer while nobody can be reached, and ends with its deadline and the cause', () => {
    const { time, network, results, call } = setUp();
    for (const url of ['a', 'b', 'c']) network.answer.set(url, (c) => c.fail(14, 'ECONNREFUSED', false));
    call('write', 5000);
    time.run(10_000);
    expect(results).toMatchObject([
      {
        status: { code: 4, message: 'context deadline exceeded', sent: false, cause: { message: 'ECONNREFUSED' } },
        at: 5000,
      },
    ]);
    expect(network.calls.length).toBeGreaterThan(9);
    expect(network.calls.length).toBeLessThan(45);
    expect(time.pending).toBe(0);
  });

  it('goes on when an endpoint comes back', () => {
    const { time, network, results, call } = setUp({ urls: ['a'] });
    network.answer.set('a', (c) => c.fail(14, 'ECONNREFUSED', false));
    call('write', 10_000);
    time.run(3000);
    network.answer.set('a', (c) => c.ok(REPLY));
    time.run(1300);
    expect(results).toMatchObject([{ status: { code: 0 } }]);
  });

  it('a silent endpoint costs a read a share of its time only, and a write all of it', () => {
    const { time, network, results, call } = setUp();
    network.answer.set('b', (c) => c.ok(REPLY));
    call('read', 3000);
    time.run(3000);
    expect(results).toMatchObject([{ status: { code: 0 }, at: 1000 }]);
    expect(network.calls[0]!.canceled).toBe(true);

    const other = setUp();
    other.call('write', 3000);
    other.time.run(3000);
    expect(other.network.calls.length).toBe(1);
    expect(other.results).toMatchObject([{ status: { code: 4, sent: true }, at: 3000 }]);
  });

  it('the endpoint that was silent is asked last from then on, until it answers', () => {
    const { time, network, results, call } = setUp();
    call('write', 1000);
    time.run(1000);
    for (const url of ['a', 'b', 'c']) network.answer.set(url, (c) => c.ok(REPLY));
    call('write');
    call('write');
    time.run(0);
    expect(network.calls.slice(1).map((c) => c.url)).not.toContain('a');
    expect(results.length).toBe(3);
  });

  it('round robin leaves a silent endpoint out for a while, and tries it again then', () => {
    const { time, network, call } = setUp({ balance: 'round-robin' });
    for (const url of ['b', 'c']) network.answer.set(url, (c) => c.ok(REPLY));
    while (!network.calls.some((c) => c.url === 'a')) {
      call('write', 1000);
      time.run(1000);
    }
    network.answer.set('a', (c) => c.ok(REPLY));
    const asked = () => {
      const before = network.calls.length;
      for (let i = 0; i < 6; i++) {
        call('read');
        time.run(0);
      }
      return new Set(network.calls.slice(before).map((c) => c.url));
    };
    expect(asked()).toEqual(new Set(['b', 'c']));
    time.run(10_000);
    expect(asked()).toEqual(new Set(['a', 'b', 'c']));
  });

  it('gives the server the time that is left', () => {
    const { time, network, call } = setUp();
    network.answer.set('a', (c) => time.env().timers.set(400, () => c.fail(14, 'etcdserver: no leader')));
    call('write', 1000);
    time.run(500);
    expect(network.calls.map((c) => Math.round(c.options.timeoutMs))).toEqual([1000, 600]);
  });

  it('to a named endpoint stays there', () => {
    const { time, network, results, call } = setUp();
    network.answer.set('b', (c) => c.fail(14, 'ECONNREFUSED', false));
    call('read', 1000, 'b');
    call('read', 1000, 'unlisted');
    time.run(2000);
    expect(new Set(network.calls.map((c) => c.url))).toEqual(new Set(['b', 'unlisted']));
    expect(results.length).toBe(2);
  });

  it('is cancelled: told so, dropped at the server, and late answers are nobody’s', () => {
    const { time, network, results, call } = setUp();
    const running = call('write');
    running.cancel();
    running.cancel();
    network.calls[0]!.ok(REPLY);
    time.run(10_000);
    expect(results).toMatchObject([{ status: { code: 1 } }]);
    expect(network.calls[0]!.canceled).toBe(true);
  });

  it('without a deadline gives up after a hundred attempts', () => {
    const { time, network, results, call } = setUp();
    for (const url of ['a', 'b', 'c']) network.answer.set(url, (c) => c.fail(14, 'etcdserver: no leader'));
    call('read', 0);
    time.run(600_000);
    expect(network.calls.length).toBe(100);
    expect(results).toMatchObject([{ status: { message: 'etcdserver: no leader' } }]);
  });

  it('close ends what is open, and what comes later', () => {
    const { time, core, network, results, call } = setUp();
    call('write');
    core.close();
    call('write');
    time.run(0);
    expect(results.map((r) => r.status.code)).toEqual([GrpcCode.CANCELLED, GrpcCode.CANCELLED]);
    expect(network.closed).toEqual(['a']);
    expect(time.pending).toBe(0);
  });

  it('keeps the connections of endpoints that stay when the list changes', () => {
    const { time, core, network, call } = setUp({ balance: 'round-robin' });
    for (const url of ['a', 'b', 'c', 'd']) network.answer.set(url, (c) => c.ok(REPLY));
    for (let i = 0; i < 3; i++) call('read');
    core.endpoints.update(['b', 'd']);
    for (let i = 0; i < 4; i++) call('read');
    time.run(0);
    expect(network.closed.sort()).toEqual(['a', 'c']);
    expect(new Set(network.calls.slice(3).map((c) => c.url))).toEqual(new Set(['b', 'd']));
  });
});

describe('a token', () => {
  const token = (text: string) => AuthenticateResponse.encode({ token: text });

  it('is fetched once for all that wait, and sent along', () => {
    const { time, network, results, call } = setUp({ auth: true });
    call('write');
    call('read');
    time.run(0);
    expect(network.calls.map((c) => c.path)).toEqual(['/etcdserverpb.Auth/Authenticate']);
    expect(network.calls[0]!.options.metadata).toBeNull();
    network.calls[0]!.ok(token('t1'));
    time.run(0);
    expect(network.calls.slice(1).map((c) => c.options.metadata)).toEqual([{ token: 't1' }, { token: 't1' }]);
    for (const c of network.calls.slice(1)) c.ok(REPLY);
    time.run(0);
    expect(results.length).toBe(2);
  });

  it('that went stale is replaced, also for a write, which was not executed', () => {
    const { time, network, results, call } = setUp({ auth: true });
    let issued = 0;
    network.answer.set('a', (c) => {
      if (c.path.endsWith('Authenticate')) c.ok(token(`t${++issued}`));
      else if (c.options.metadata?.token === 't1') c.fail(16, 'etcdserver: invalid auth token');
      else c.ok(REPLY);
    });
    call('write');
    time.run(0);
    expect(results).toMatchObject([{ status: { code: 0 } }]);
    expect(issued).toBe(2);
  });

  it('that is stale for ever is an answer in the end', () => {
    const { time, network, results, call } = setUp({ auth: true });
    network.answer.set('a', (c) =>
      c.path.endsWith('Authenticate') ? c.ok(token('t')) : c.fail(16, 'etcdserver: invalid auth token'),
    );
    call('read');
    time.run(10_000);
    expect(results).toMatchObject([{ status: { message: 'etcdserver: invalid auth token' } }]);
    expect(network.calls.length).toBeLessThan(12);
  });

  it('is not needed where authentication is off, and refused with a wrong password', () => {
    const { time, network, results, call } = setUp({ auth: true });
    network.answer.set('a', (c) =>
      c.path.endsWith('Authenticate') ? c.fail(9, 'etcdserver: authentication is not enabled') : c.ok(REPLY),
    );
    call('read');
    time.run(0);
    expect(results).toMatchObject([{ status: { code: 0 } }]);

    const wrong = setUp({ auth: true });
    const text = 'etcdserver: authentication failed, invalid user ID or password';
    wrong.network.answer.set('a', (c) => c.fail(3, text));
    wrong.call('read');
    wrong.time.run(0);
    expect(wrong.results).toMatchObject([{ status: { code: 3, message: text } }]);
  });
});
