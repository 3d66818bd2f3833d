import { onPath } from '../test/support/binaries.js';
import type { Figures, Measured } from './figures.js';
import { amountOf, toFigures } from './figures.js';
import { fullRounds } from './full.js';
import { scheduleRounds } from './kube-schedule.js';
import type { Request } from './load/drive.js';
import { delay, driveAtRate, driveClosed } from './load/drive.js';
import { driveFanOut } from './load/fan-out.js';
import { runH2load } from './load/h2load.js';
import {
  KEEP_ALIVE,
  keepAliveMessage,
  PUT,
  putMessage,
  RANGE,
  rangeMessage,
  TXN,
  txnPutIfPresentMessage,
} from './load/requests.js';
import { manyRounds } from './many.js';
import type { BenchOptions, Group, Load } from './options.js';
import { perfRound } from './perf.js';
import type { System } from './system.js';
import { killLeader } from './takeover.js';

const HOST = '127.0.0.1';
const KEYS = 1000;
const VALUE_BYTES = 256;
/** Puts that a system has seen before anything is measured, */
const WARM_PUTS = 30_000;
/** unless that would take longer. */
const WARM_MS_MAX = 20_000;

export interface Round {
  group: Group;
  name: string;
  /** Rounds of one phase share a pair of clusters. */
  phase: 'small' | 'full' | 'many';
  run(system: System): Promise<Figures>;
}

/** What is measured, in order. */
export function rounds(options: BenchOptions): Round[] {
  const h2load = options.generator === 'auto' ? onPath('h2load') : undefined;
  const main = options.loads[0]!;
  const put: Request = { path: PUT, message: putMessage(key(0), value(0)) };
  const txn: Request = { path: TXN, message: txnPutIfPresentMessage(key(0), value(0)) };
  const range = (serializable: boolean): Request => ({
    path: RANGE,
    message: rangeMessage(key(0), Buffer.alloc(0), serializable),
  });
  const all: Request = { path: RANGE, message: rangeMessage(Buffer.from('bench/'), Buffer.from('bench0'), false) };
  const closed = (
    group: Group,
    name: string,
    load: Load,
    request: Request,
    at: 'leader' | 'follower',
    writes = false,
  ): Round => ({
    group,
    phase: 'small',
    name: `${name}, ${at}, ${load.connections} x ${load.streams}`,
    run: (system) => measureClosed(system, options, h2load, load, request, at, writes),
  });
  const small = (group: Group, name: string, run: (system: System) => Promise<Figures>): Round => ({
    group,
    phase: 'small',
    name,
    run,
  });
  const list: Round[] = [
    ...options.loads.map((load) => closed('put', 'put', load, put, 'leader', true)),
    closed('put', 'put', main, put, 'follower', true),
    closed('range', 'range, linearizable', main, range(false), 'leader'),
    closed('range', 'range, linearizable', main, range(false), 'follower'),
    closed('range', 'range, serializable', main, range(true), 'leader'),
    closed('range', 'range of 1,000 keys', { connections: 10, streams: 2 }, all, 'leader'),
    small('mixed', `mixed, 20 % puts, ${main.connections} x 4`, (system) => measureMixed(system, options, main)),
    closed('txn', 'txn, compare and put', main, txn, 'leader', true),
    ...options.matrix.flatMap((load) => [
      closed('matrix', 'matrix: put', load, put, 'leader', true),
      closed('matrix', 'matrix: range', load, range(false), 'leader'),
    ]),
    ...[1000, 2000].map((perSecond) =>
      small('latency', `put, ${perSecond.toLocaleString('en')} per s`, (s) => measureRate(s, options, put, perSecond)),
    ),
    small('latency', 'range, linearizable, 2,000 per s', (s) => measureRate(s, options, range(false), 2000)),
    ...options.watchers.map((watchers) =>
      small('watch', `watch, 1 writer, ${watchers.toLocaleString('en')} watchers of one prefix`, (system) =>
        measureFanOut(system, options, watchers),
      ),
    ),
    small('lease', `lease keepalive, ${main.connections} x 4`, (system) => measureKeepAlive(system, options, main)),
    perfRound(),
    small('idle', 'idle', (system) => measureIdle(system, options)),
    small('failover', 'kill -9 of the leader to the next acknowledged put', (s) => killLeader(s, options.kills)),
    ...fullRounds(options),
    ...manyRounds(options),
    ...scheduleRounds(options),
  ];
  const named = list.filter(({ group, name }) => options.groups.has(group) && (options.match?.test(name) ?? true));
  return named;
}

/** Fills the store with what the ranges read, and lets compilers and caches settle. */
export async function prepare(system: System, options: BenchOptions): Promise<void> {
  let n = 0;
  const target = { host: HOST, port: system.leaderPort, connections: 10, streams: 10 };
  const next = () => ({ path: PUT, message: putMessage(key(n % KEYS), value(n++)) });
  const began = performance.now();
  const filled = await driveClosed({ ...target, durationMs: Math.max(1000, options.durationMs / 2), next });
  // Counted, not timed alone: on a busy machine a compiler would else still be at work in the first rounds.
  while (n < KEYS || (n < WARM_PUTS && performance.now() - began < WARM_MS_MAX))
    await driveClosed({ ...target, durationMs: 500, next });
  const reads = () => ({ path: RANGE, message: rangeMessage(key(n++ % KEYS), Buffer.alloc(0), false) });
  const read = await driveClosed({ ...target, durationMs: Math.max(500, options.durationMs / 4), next: reads });
  if (filled.failed + read.failed > 0)
    throw new Error(`${system.label} refused ${filled.failed + read.failed} requests`);
}

function key(n: number): Buffer {
  return Buffer.from(`bench/${String(n).padStart(6, '0')}`);
}

function value(n: number): Buffer {
  return Buffer.alloc(VALUE_BYTES, `value ${n} `);
}

async function measureClosed(
  system: System,
  options: BenchOptions,
  h2load: string | undefined,
  load: Load,
  request: Request,
  at: 'leader' | 'follower',
  writes: boolean,
): Promise<Figures> {
  const port = at === 'leader' ? system.leaderPort : system.followerPorts[0]!;
  const drive = async (durationMs: number): Promise<Measured> => {
    const target = { host: HOST, port, ...load };
    if (!h2load) return driveClosed({ ...target, durationMs, next: () => request });
    const folder = system.cluster.dir;
    const result = await runH2load({ ...target, program: h2load, folder, seconds: durationMs / 1000, request });
    return { ...result, latency: null };
  };
  // h2load takes any HTTP answer for a success, so our own generator looks first.
  const probe = { host: HOST, port, connections: 1, streams: 1, durationMs: 50, next: () => request };
  const { failed } = await driveClosed(probe);
  if (failed > 0) throw new Error(`${system.label} refuses ${request.path}`);
  await drive(Math.max(300, options.durationMs / 5));
  const revision = writes ? await system.revision() : 0;
  const cpu = system.cpu();
  const result = await drive(options.durationMs);
  const figures = toFigures(result, system.cpu() - cpu, h2load ? 'h2load' : 'own');
  if (writes) {
    // What was answered must have been done: the generator does not read the answers.
    const made = (await system.revision()) - revision;
    if (made < result.done) figures.failed += result.done - made;
  }
  return figures;
}

async function measureMixed(system: System, options: BenchOptions, load: Load): Promise<Figures> {
  const puts = Array.from({ length: KEYS }, (_, n) => ({ path: PUT, message: putMessage(key(n), value(n)) }));
  const ranges = [false, true].map((serializable) =>
    Array.from({ length: KEYS }, (_, n) => ({
      path: RANGE,
      message: rangeMessage(key(n), Buffer.alloc(0), serializable),
    })),
  );
  // Two puts, six linearizable and two serializable ranges in ten, over the keys in a fixed disorder.
  const next = (n: number): Request => {
    const at = Math.imul(n, 40503) >>> 0;
    const which = n % 10;
    return (which < 2 ? puts : ranges[which < 8 ? 0 : 1]!)[at % KEYS]!;
  };
  const target = { host: HOST, port: system.leaderPort, connections: load.connections, streams: 4, next };
  await driveClosed({ ...target, durationMs: Math.max(300, options.durationMs / 5) });
  const cpu = system.cpu();
  const result = await driveClosed({ ...target, durationMs: options.durationMs });
  return toFigures(result, system.cpu() - cpu, 'own');
}

async function measureRate(
  system: System,
  options: BenchOptions,
  request: Request,
  perSecond: number,
): Promise<Figures> {
  const target = { host: HOST, port: system.leaderPort, connections: 10, perSecond, next: () => request };
  await driveAtRate({ ...target, durationMs: Math.max(300, options.durationMs / 5) });
  const cpu = system.cpu();
  const result = await driveAtRate({ ...target, durationMs: options.durationMs });
  return toFigures(result, system.cpu() - cpu, 'own');
}

async function measureFanOut(system: System, options: BenchOptions, watchers: number): Promise<Figures> {
  const drive = (durationMs: number) =>
    driveFanOut({
      host: HOST,
      writerPort: system.leaderPort,
      watcherPorts: [system.leaderPort, ...system.followerPorts],
      watchers,
      inFlight: 4,
      durationMs,
    });
  await drive(Math.max(300, options.durationMs / 5));
  const cpu = system.cpu();
  const { puts, failed, events, missing, elapsedMs, latency } = await drive(options.durationMs);
  const figures = toFigures({ done: events, failed: failed + missing, elapsedMs, latency }, system.cpu() - cpu, 'own');
  return { ...figures, note: `${puts} puts, figures per event` };
}

/** Renewals by many clients of a lease each, on a stream each, as `lease keep-alive --once` does. */
async function measureKeepAlive(system: System, options: BenchOptions, load: Load): Promise<Figures> {
  const leases = await system.grantLeases(100, 600);
  const messages = leases.map((id) => ({ path: KEEP_ALIVE, message: keepAliveMessage(id) }));
  const next = (n: number): Request => messages[n % messages.length]!;
  const target = { host: HOST, port: system.leaderPort, connections: load.connections, streams: 4, next };
  await driveClosed({ ...target, durationMs: Math.max(300, options.durationMs / 5) });
  const cpu = system.cpu();
  const result = await driveClosed({ ...target, durationMs: options.durationMs });
  const figures = toFigures(result, system.cpu() - cpu, 'own');
  await system.revokeLeases(leases);
  return figures;
}

async function measureIdle(system: System, options: BenchOptions): Promise<Figures> {
  const cpu = system.cpu();
  await delay(options.durationMs);
  const perSecond = (system.cpu() - cpu) / (options.durationMs / 1000);
  const memory = system.resident().map((bytes) => Math.round(bytes / 2 ** 20));
  return {
    ...amountOf(Math.max(...memory), 'MiB', `CPU per second; memory ${memory.join(' / ')}`),
    cpuMicros: perSecond,
  };
}
