import { beforeEach, describe, expect, test } from 'vitest';
import type { PeerHandlers, SnapshotSink } from '../../src/peer/index.js';
import { NetPeerHub } from '../../src/peer/index.js';
import { Message, MessageKind } from '../../src/raft/index.js';
import type { SimTimer } from '../../src/sim/engine.js';
import { Engine, Life } from '../../src/sim/engine.js';
import { SimNet } from '../../src/sim/net.js';
import type { Env } from '../../src/util/env.js';
import type { LogLine } from '../../src/util/log.js';
import { memoryLogger } from '../../src/util/log.js';
import { Rng } from '../../src/util/rng.js';

let engine: Engine;
let net: SimNet;
let logs: LogLine[];

/** One member's hub, with everything it hears written down. */
class Peer implements PeerHandlers {
  readonly name: string;
  readonly hub: NetPeerHub;
  readonly heard: string[] = [];
  readonly forwarded: string[] = [];
  readonly chunks: string[] = [];
  snapshotOutcome: Error | null = null;
  refuseSnapshots = false;
  silent = false;

  constructor(name: string, id: bigint, clusterId = 7n) {
    this.name = name;
    const life = new Life(engine, (err) => {
      throw err;
    });
    const env = {
      clock: { now: () => engine.now / 1000, wall: () => 0 },
      timers: {
        set: (ms: number, fn: () => void) => life.schedule(ms * 1000, fn),
        clear: (timer: SimTimer) => engine.cancel(timer),
        defer: (fn: () => void) => life.schedule(0, fn),
      },
      rng: new Rng(Number(id)),
      net: net.attach(name, life),
      log: memoryLogger(logs).with({ at: name }),
    } as unknown as Env;
    this.hub = new NetPeerHub(env, {
      clusterId,
      memberId: id,
      version: '3.6.14',
      minClusterVersion: '3.0.0',
      peerUrls: address(name, id).urls,
    });
    this.hub.handlers = this;
    this.hub.listen(`${name}:1`, (err) => expect(err).toBeNull());
  }

  onMessages(from: bigint, messages: Message[]): void {
    for (const m of messages) this.heard.push(`${from}: ${m.kind} term ${m.term} to ${m.to}`);
  }
  onForward(from: bigint, proposals: Buffer[]): void {
    for (const data of proposals) this.forwarded.push(`${from}: ${data}`);
  }
  onRequest(
    from: bigint,
    kind: string,
    body: unknown,
    reply: (err: { code: string; message: string } | null, body: unknown) => void,
  ): void {
    if (this.silent) return;
    if (kind === 'bad') reply({ code: 'ERR_BAD', message: 'no' }, null);
    else reply(null, { from: String(from), kind, body });
  }
  onSnapshot(): SnapshotSink | null {
    if (this.refuseSnapshots) return null;
    return {
      write: (chunk, cb) => {
        this.chunks.push(chunk.toString());
        cb(null);
      },
      end: (cb) => cb(this.snapshotOutcome),
      abort: () => this.chunks.push('aborted'),
    };
  }
  onPeerDown(id: bigint, evidence: boolean): void {
    this.heard.push(`down ${id}${evidence ? ' evidence' : ''}`);
  }
  onPeerUp(id: bigint): void {
    this.heard.push(`up ${id}`);
  }
  onRemoved(): void {
    this.heard.push('removed');
  }
}

const address = (name: string, id: bigint) => ({ id, urls: [`http://${name}:1`] });
const run = (ms: number) => engine.run(engine.now + ms * 1000);

let a: Peer;
let b: Peer;

beforeEach(() => {
  logs = [];
  engine = new Engine();
  net = new SimNet(engine, new Rng(1));
  a = new Peer('a', 1n);
  b = new Peer('b', 2n);
  run(10);
  a.hub.setPeers([address('b', 2n)], []);
  b.hub.setPeers([address('a', 1n)], []);
  run(200);
});

describe('a member that we have not heard of', () => {
  let c: Peer;
  beforeEach(() => {
    c = new Peer('c', 3n);
    run(10);
    c.hub.setPeers([address('a', 1n)], []);
    run(200);
  });
  const answer = (): void => {
    a.hub.send(new Message(MessageKind.Heartbeat, 3n, 1n, 4));
    a.hub.flush();
    run(100);
  };

  test('is answered where it says that it can be reached', () => {
    expect(c.heard).toContain('up 1');
    answer();
    expect(c.heard).toContain(`1: ${MessageKind.Heartbeat} term 4 to 3`);
  });

  test('still, when others become known; and no longer once it is known to be removed', () => {
    a.hub.setPeers([address('b', 2n)], []);
    expect(a.hub.activeSince(3n)).toBeGreaterThanOrEqual(0);
    a.hub.setPeers([address('b', 2n)], [3n]);
    expect(a.hub.activeSince(3n)).toBe(-1);
  });

  test('is forgotten when it goes, unless it has become known', () => {
    c.hub.setPeers([], []);
    run(200);
    expect(a.hub.figures().map(({ id }) => id)).toEqual([2n]);
    c.hub.setPeers([address('a', 1n)], []);
    run(200);
    a.hub.setPeers([address('b', 2n), address('c', 3n)], []);
    c.hub.setPeers([], []);
    run(200);
    expect(a.hub.figures().map(({ id }) => id)).toEqual([2n, 3n]);
  });
});

describe('two members', () => {
  test('find each other; what a turn gathers arrives in order', () => {
    expect(a.heard).toEqual(['up 2']);
    expect(a.hub.activeSince(2n)).toBeGreaterThanOrEqual(0);
    expect(a.hub.versionOf(2n)).toBe('3.6.14');
    for (const term of [1, 2, 3]) a.hub.send(new Message(MessageKind.Heartbeat, 2n, 1n, term));
    run(100);
    expect(b.heard).toEqual(['up 1']); // nothing leaves before flush
    a.hub.flush();
    run(100);
    expect(b.heard.slice(1)).toEqual(['1: 8 term 1 to 2', '1: 8 term 2 to 2', '1: 8 term 3 to 2']);
  });

  test('forward proposals', () => {
    expect(a.hub.forward(2n, [Buffer.from('x'), Buffer.from('y')])).toBe(true);
    run(100);
    expect(b.forwarded).toEqual(['1: x', '1: y']);
    expect(a.hub.forward(9n, [Buffer.from('x')])).toBe(false);
  });

  test('ask and answer, with errors, time-outs and strangers', () => {
    const answers: unknown[] = [];
    a.hub.request(2n, 'k', { n: 1 }, 1000, (err, body) => answers.push([err?.code ?? null, body]));
    a.hub.request(2n, 'bad', {}, 1000, (err) => answers.push(err?.code));
    a.hub.request(9n, 'k', {}, 1000, (err) => answers.push(err?.code));
    run(500);
    expect(answers).toEqual(['ERR_PEER_UNREACHABLE', [null, { from: '1', kind: 'k', body: { n: 1 } }], 'ERR_BAD']);
    b.silent = true;
    a.hub.request(2n, 'k', {}, 300, (err) => answers.push(err?.code));
    run(400);
    expect(answers[3]).toBe('ERR_PEER_TIMEOUT');
    b.silent = false;
    a.hub.requestAt(['http://nobody:1', 'http://b:1'], 'k', {}, 1000, (err, body) => answers.push([err, body]));
    run(1000);
    expect(answers[4]).toEqual([null, { from: '0', kind: 'k', body: {} }]);
  });

  test('a reset is evidence, and the link comes back by itself', () => {
    net.breakConns('a', 'b');
    run(20);
    expect(a.heard.slice(1)).toContain('down 2 evidence');
    expect(a.hub.activeSince(2n)).toBe(-1);
    run(2000);
    expect(a.heard.at(-1)).toBe('up 2');
  });

  test('questions under way fail when the connection is lost', () => {
    const answers: unknown[] = [];
    b.silent = true;
    a.hub.request(2n, 'k', {}, 10_000, (err) => answers.push(err?.code));
    run(100);
    net.breakConns('a', 'b');
    run(10);
    expect(answers).toEqual(['ERR_PEER_UNREACHABLE']);
  });

  test('what goes between them is counted', () => {
    const before = a.hub.figures();
    expect(before.map(({ id, active, disconnects }) => ({ id, active, disconnects }))).toEqual([
      { id: 2n, active: true, disconnects: 0 },
    ]);
    const received = b.hub.figures()[0]!.receivedBytes;
    a.hub.forward(2n, [Buffer.alloc(1000)]);
    run(2500);
    const after = a.hub.figures()[0]!;
    expect(after.sentBytes - before[0]!.sentBytes).toBeGreaterThanOrEqual(1000);
    expect(b.hub.figures()[0]!.receivedBytes - received).toBeGreaterThanOrEqual(1000);
    // A ping a second.
    expect(after.roundTrips.count).toBeGreaterThanOrEqual(2);
    expect(after.roundTrips.sum).toBeGreaterThan(0);
    net.breakConns('a', 'b');
    a.hub.send(new Message(MessageKind.Heartbeat, 2n, 1n, 1));
    run(10);
    a.hub.send(new Message(MessageKind.Heartbeat, 2n, 1n, 1));
    expect(a.hub.figures()[0]).toMatchObject({ active: false, disconnects: 1, sentFailures: 2 });
  });

  test('a silent connection is given up after its time', () => {
    net.cut('a', 'b');
    net.cut('b', 'a');
    run(9000);
    expect(new Set(a.heard.slice(1))).toEqual(new Set(['down 2'])); // not evidence: the process may be well
    net.healAll();
    run(3000);
    expect(a.heard.at(-1)).toBe('up 2');
  });
});

describe('who is not let in', () => {
  test.each([
    ['another cluster', 3n, 8n, 2n, /cluster ID mismatch: this member is of cluster 7, not 8/],
    ['one that expects another member here', 3n, 7n, 5n, /member ID mismatch: this is member 2, not 5/],
  ])('%s: refused and logged on both sides', (_name, id, cluster, wants, text) => {
    const stranger = new Peer('s', id, cluster);
    run(10);
    stranger.hub.setPeers([address('b', wants)], []);
    run(500);
    expect(stranger.heard.filter((line) => line.startsWith('up'))).toEqual([]);
    const said = (at: string) =>
      logs.filter((line) => line.fields.at === at).map((line) => String(line.fields.error ?? ''));
    expect(said('b').some((error) => text.test(error))).toBe(true);
    expect(said('s').some((error) => text.test(error))).toBe(true);
  });

  test('a removed member hears that it was removed', () => {
    b.hub.setPeers([], [1n]);
    run(1000);
    expect(a.heard).toContain('removed');
  });

  test('garbage on the port closes the connection and nothing else', () => {
    const life = new Life(engine, (err) => {
      throw err;
    });
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([5, 0, 0, 0, 1, 0xc1, 0xc1, 0xc1, 0xc1]),
      Buffer.alloc(64),
    ]) {
      const conn = net.attach('x', life).dial('b:1');
      conn.onOpen = () => conn.write([bytes]);
      run(500);
    }
    a.hub.send(new Message(MessageKind.Heartbeat, 2n, 1n, 9));
    a.hub.flush();
    run(100);
    expect(b.heard.at(-1)).toBe('1: 8 term 9 to 2');
  });
});

describe('snapshots', () => {
  const source = (parts: string[], log: string[]) => ({
    next: (cb: (err: Error | null, chunk: Buffer | null) => void) => {
      const part = parts.shift();
      engine.schedule(10, () => cb(null, part === undefined ? null : Buffer.from(part)));
    },
    close: () => log.push('closed'),
  });

  test('arrive chunk by chunk, and the sender hears the outcome', () => {
    const log: string[] = [];
    a.hub.sendSnapshot(2n, source(['1', '2', '3', '4', '5', '6'], log), (err) => log.push(String(err)));
    run(1000);
    expect(b.chunks).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(log).toEqual(['closed', 'null']);
  });

  test('what the receiver finds wrong is told to the sender', () => {
    const log: string[] = [];
    b.snapshotOutcome = new Error('damaged');
    a.hub.sendSnapshot(2n, source(['1'], log), (err) => log.push(String(err?.message)));
    run(1000);
    expect(log).toEqual(['closed', 'peer: damaged']);
  });

  test('refused, unknown or lost: the source is closed and the sender hears it once', () => {
    const log: string[] = [];
    b.refuseSnapshots = true;
    a.hub.sendSnapshot(2n, source(['1'], log), (err) => log.push(String((err as { code?: string } | null)?.code)));
    a.hub.sendSnapshot(9n, source(['1'], log), (err) => log.push(String((err as { code?: string } | null)?.code)));
    run(1000);
    expect(log).toEqual(['closed', 'ERR_PEER_UNREACHABLE', 'closed', 'ERR_PEER_UNREACHABLE']);
    b.refuseSnapshots = false;
    a.hub.sendSnapshot(2n, source(Array.from({ length: 1000 }, String), log), (err) =>
      log.push(String((err as { code?: string } | null)?.code)),
    );
    run(20);
    net.breakConns('a', 'b');
    run(500);
    expect(log.slice(4)).toEqual(['closed', 'ERR_PEER_UNREACHABLE']);
    expect(b.chunks.at(-1)).toBe('aborted');
  });
});

test('a closed hub is silent', () => {
  let closed = false;
  a.hub.close(() => {
    closed = true;
  });
  run(100);
  expect(closed).toBe(true);
  const heard = a.heard.length;
  b.hub.send(new Message(MessageKind.Heartbeat, 1n, 2n, 1));
  b.hub.flush();
  run(2000);
  expect(a.heard.length).toBe(heard);
});
