import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunningMember, StartOptions } from '../src/index.js';
import { ConfigError, KEEL_VERSION, ListenError, startMember } from '../src/index.js';
import type { LogLine } from '../src/util/log.js';
import { memoryLogger, nullLogger } from '../src/util/log.js';
import { H2Client } from './rpc/support/h2-client.js';
import { REPO_ROOT } from './support/binaries.js';
import { decode, encode } from './support/etcd-proto.js';
import { freePorts } from './support/ports.js';

let dir = '';
const running: RunningMember[] = [];
const clients: H2Client[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keel-start-'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(running.splice(0).map((member) => member.stop()));
  rmSync(dir, { recursive: true, force: true });
});

const QUICK = { heartbeatMs: 20, electionMs: 200 };

async function start(options: StartOptions = {}): Promise<RunningMember> {
  const member = await startMember({
    listenClientUrls: ['http://127.0.0.1:0'],
    logger: nullLogger,
    onFatal: (err) => {
      throw err;
    },
    ...options,
    config: { ...QUICK, dataDir: join(dir, 'data'), listenPeerUrls: [], ...options.config },
  });
  running.push(member);
  return member;
}

function wireTo(member: RunningMember): H2Client {
  const client = new H2Client(member.clientUrls[0]!.replace('http://', ''));
  clients.push(client);
  return client;
}

const PUT = '/etcdserverpb.KV/Put';
const RANGE = '/etcdserverpb.KV/Range';
const put = (value: string) => encode('PutRequest', { key: Buffer.from('k'), value: Buffer.from(value) });
const get = (serializable = false) => encode('RangeRequest', { key: Buffer.from('k'), serializable });

async function readBack(client: H2Client, serializable = false): Promise<string> {
  const { code, message, messages } = await client.unary(RANGE, get(serializable));
  if (code !== 0) return `${code} ${message}`;
  return decode('RangeResponse', messages[0]!).kvs[0]?.value.toString() ?? 'nothing';
}

/** Occupies a port for the length of a test. */
async function occupied(): Promise<{ port: number; free: () => void }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as { port: number }).port, free: () => server.close() };
}

describe('a member alone', () => {
  test('serves, stops, and has its data when it is started again', async () => {
    const first = await start();
    expect(first.clientUrls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)]);
    await first.ready;
    expect((await wireTo(first).unary(PUT, put('1'))).code).toBe(0);
    await first.stop();
    await first.ended;
    await expect(fetch(`${first.clientUrls[0]}/health`)).rejects.toThrow();
    const second = await start();
    await second.ready;
    expect(await readBack(wireTo(second))).toBe('1');
  });

  test('says when it serves', async () => {
    const log: LogLine[] = [];
    const member = await start({
      logger: memoryLogger(log),
      listenClientUrls: ['http://127.0.0.1:0', 'http://localhost:0'],
    });
    await member.ready;
    const messages = log.map((line) => line.msg);
    expect(messages[0]).toBe('starting an etcd server');
    const at = (msg: string) => messages.indexOf(msg);
    expect(at('published local member to cluster through raft')).toBeGreaterThan(0);
    expect(at('ready to serve client requests')).toBeGreaterThan(at('published local member to cluster through raft'));
    expect(messages.filter((msg) => msg === 'ready to serve client requests')).toHaveLength(2);
    expect(messages).toContain('serving client traffic insecurely; this is strongly discouraged!');
    expect(log.filter((line) => line.level === 'error')).toEqual([]);
    for (const url of member.clientUrls) expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test('stop may be called twice, and before the member is ready', async () => {
    const member = await start();
    const [a, b] = [member.stop(), member.stop()];
    expect(a).toBe(b);
    await a;
    await member.ended;
  });

  test('a stop ends streams with Unavailable and lets calls finish', async () => {
    const member = await start();
    await member.ready;
    const client = wireTo(member);
    const watch = client.stream('/etcdserverpb.Watch/Watch');
    watch.send(encode('WatchRequest', { create_request: { key: Buffer.from('k') } }));
    const alive = client.stream('/etcdserverpb.Lease/LeaseKeepAlive');
    expect(Buffer.isBuffer(await watch.next())).toBe(true);
    const calls = Array.from({ length: 50 }, (_, i) => client.unary(PUT, put(String(i))));
    await Promise.race(calls);
    const stopped = member.stop();
    const stop = { code: 14, message: 'etcdserver: server stopped' };
    expect(await watch.ended).toMatchObject(stop);
    expect(await alive.ended).toMatchObject(stop);
    for (const call of calls) expect([0, 14]).toContain((await call).code);
    const began = performance.now();
    await stopped;
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test('a stop does not wait for clients that do not listen', async () => {
    const member = await start();
    await member.ready;
    const client = wireTo(member);
    const deaf = Array.from({ length: 5 }, () => client.stream('/etcdserverpb.Watch/Watch'));
    for (const stream of deaf) {
      stream.send(encode('WatchRequest', { create_request: { key: Buffer.from('k') } }));
      await stream.next();
      stream.pause();
    }
    const writer = wireTo(member);
    for (let i = 0; i < 6; i++) expect((await writer.unary(PUT, put('x'.repeat(500_000)))).code).toBe(0);
    const began = performance.now();
    await member.stop();
    expect(performance.now() - began).toBeLessThan(4000);
    for (const stream of deaf) stream.resume();
    await Promise.all(deaf.map((stream) => stream.ended));
  });

  test('listens on a socket file, and on one that was left behind', async () => {
    const path = join(dir, 'sock');
    const member = await start({ listenClientUrls: [`unix://${path}`] });
    expect(member.clientUrls).toEqual([`unix://${path}`]);
    await member.stop();
    const again = await start({ listenClientUrls: [`unix://${path}`] });
    await again.ready;
    expect(existsSync(path)).toBe(true);
  });

  test('its version is that of the package', () => {
    expect(KEEL_VERSION).toBe(JSON.parse(readFileSync(join(REPO_ROOT, 'package.json'), 'utf8')).version);
  });
});

describe('refusals, that change nothing', () => {
  test('a client port in use', async () => {
    const { port, free } = await occupied();
    const refused = start({ listenClientUrls: ['http://127.0.0.1:0', `http://localhost:${port}`] });
    await expect(refused).rejects.toThrow(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
    await expect(refused).rejects.toBeInstanceOf(ListenError);
    expect(readdirSync(dir)).toEqual([]);
    free();
  });

  test('a peer port in use; the client port is free again', async () => {
    const { port, free } = await occupied();
    const [client] = await freePorts(1);
    const options = { listenClientUrls: [`http://127.0.0.1:${client}`] };
    const refused = start({ ...options, config: { listenPeerUrls: [`http://127.0.0.1:${port}`] } });
    await expect(refused).rejects.toThrow(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
    expect(readdirSync(dir)).toEqual([]);
    free();
    await (await start(options)).ready;
  });

  test.each([
    [['http://127.0.0.1'], '--listen-client-urls: "http://127.0.0.1" is no URL of the form http://host:port'],
    [['ftp://127.0.0.1:1'], '--listen-client-urls: "ftp://127.0.0.1:1": the scheme must be http, https or unix'],
    [['http://127.0.0.1:70000'], '--listen-client-urls: "http://127.0.0.1:70000": invalid port 70000'],
    [['http://127.0.0.1:0/x'], '--listen-client-urls: "http://127.0.0.1:0/x" is no URL of the form http://host:port'],
  ])('%j', async (listenClientUrls, message) => {
    const refused = start({ listenClientUrls });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('a folder that another member has open', async () => {
    await start();
    await expect(start()).rejects.toThrow(/lock/i);
  });

  test('a configuration that cannot work', async () => {
    await expect(start({ config: { heartbeatMs: 100, electionMs: 200 } })).rejects.toThrow('--election-timeout[200ms]');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('three members', () => {
  async function cluster(names: string[], ports: number[]): Promise<RunningMember[]> {
    const initialCluster = ['a', 'b', 'c'].map((name, i) => ({ name, peerUrls: [`http://127.0.0.1:${ports[i]}`] }));
    return Promise.all(
      names.map((name) => {
        const own = initialCluster.find((member) => member.name === name)!;
        return start({
          config: {
            name,
            dataDir: join(dir, name),
            initialCluster,
            listenPeerUrls: own.peerUrls,
            advertisePeerUrls: own.peerUrls,
          },
        });
      }),
    );
  }

  test('a client that comes too soon waits until there is a quorum', async () => {
    const ports = await freePorts(3);
    const [a] = (await cluster(['a'], ports)) as [RunningMember];
    const early = wireTo(a).unary(PUT, put('early'));
    let answered = false;
    void early.then(() => {
      answered = true;
    });
    await new Promise((done) => setTimeout(done, 500));
    expect(answered).toBe(false);
    const [b] = (await cluster(['b'], ports)) as [RunningMember];
    await Promise.all([a.ready, b.ready]);
    expect((await early).code).toBe(0);
    expect(await readBack(wireTo(b))).toBe('early');
  });

  test('every member serves; one that lost its quorum serves what it has', async () => {
    const ports = await freePorts(3);
    const members = await cluster(['a', 'b', 'c'], ports);
    await Promise.all(members.map((member) => member.ready));
    const wires = members.map(wireTo);
    for (const [i, wire] of wires.entries()) expect((await wire.unary(PUT, put(String(i)))).code).toBe(0);
    for (const wire of wires) expect(await readBack(wire)).toBe('2');
    const [first, second, third] = members as [RunningMember, RunningMember, RunningMember];
    await Promise.all([first.stop(), second.stop()]);
    const left = wires[2]!;
    await expect.poll(() => third.member.hasLeader, { timeout: 5000 }).toBe(false);
    expect(await readBack(left, true)).toBe('2');
    const noLeader = { code: 14, message: 'etcdserver: no leader' };
    expect(await left.unary(RANGE, get(), { hasleader: 'true' })).toMatchObject(noLeader);
    expect(await left.unary(PUT, put('lost'), { 'grpc-timeout': '300m' })).toMatchObject({ code: 4 });
    const health = await fetch(`${third.clientUrls[0]}/health`);
    expect([health.status, await health.text()]).toEqual([503, '{"health":"false","reason":"RAFT NO LEADER"}\n']);
    expect((await fetch(`${third.clientUrls[0]}/health?serializable=true`)).status).toBe(200);
    expect((await fetch(`${third.clientUrls[0]}/livez`)).status).toBe(200);
  });
});
