import type { Figures } from './figures.js';
import { amountOf, quantiles, toFigures } from './figures.js';
import type { Request } from './load/drive.js';
import { delay, driveAtRate, driveClosed, newCall, withConnections } from './load/drive.js';
import { Histogram } from './load/histogram.js';
import { PUT, putMessage, RANGE, rangeMessage, TXN, txnPutsMessage } from './load/requests.js';
import type { BenchOptions } from './options.js';
import type { Round } from './rounds.js';
import type { System } from './system.js';

const HOST = '127.0.0.1';
const PUTS_PER_TXN = 100;
const IN_FLIGHT = 16;
const VALUE = Buffer.alloc(256, 'full ');

/** On a store of `keys` keys: the fill itself, and what it is like to live with. In this order, on one pair of clusters. */
export function fullRounds(options: BenchOptions): Round[] {
  const count = options.keys.toLocaleString('en');
  const round = (
    group: 'fill' | 'full' | 'restart',
    name: string,
    run: (system: System) => Promise<Figures>,
  ): Round => ({
    group,
    phase: 'full',
    name,
    run,
  });
  const filled =
    (run: (system: System) => Promise<Figures>) =>
    async (system: System): Promise<Figures> => {
      await ensureFilled(system, options.keys);
      return run(system);
    };
  const rate = (perSecond: number) => filled((system) => measureRate(system, options, perSecond));
  return [
    round('fill', `fill of ${count} keys`, (system) => fill(system, options.keys)),
    round('fill', `memory per member after the fill`, filled(residentAfter)),
    round('full', `put, 2,000 per s, ${count} keys`, rate(2000)),
    round(
      'full',
      `put, 50 x 20, ${count} keys`,
      filled((system) => measureClosed(system, options, putAnywhere(options))),
    ),
    round(
      'full',
      `range, 50 x 20, ${count} keys`,
      filled((system) => measureClosed(system, options, rangeAnywhere(options))),
    ),
    round(
      'full',
      `longest stall of the loop, ${count} keys, puts and a compaction`,
      filled((s) => stall(s, options)),
    ),
    round(
      'restart',
      `restart with ${count} keys to healthy`,
      filled((system) => restart(system)),
    ),
    round('restart', `memory per member after the restart`, filled(residentAfter)),
  ];
}

function key(n: number): Buffer {
  return Buffer.from(`full/${String(n).padStart(10, '0')}`);
}

const filledSystems = new WeakSet<System>();

async function ensureFilled(system: System, keys: number): Promise<void> {
  if (!filledSystems.has(system)) await fill(system, keys);
}

async function fill(system: System, keys: number): Promise<Figures> {
  filledSystems.add(system);
  const batches = Math.ceil(keys / PUTS_PER_TXN);
  const latency = new Histogram();
  let issued = 0;
  let done = 0;
  let failed = 0;
  const cpu = system.cpu();
  const run = () =>
    withConnections({ host: HOST, port: system.leaderPort, connections: 4 }, async (all, fail) => {
      const began = performance.now();
      const issue = (at: number): void => {
        if (issued >= batches) return;
        const first = issued++ * PUTS_PER_TXN;
        const puts = Array.from(
          { length: Math.min(PUTS_PER_TXN, keys - first) },
          (_, i) => [key(first + i), VALUE] as const,
        );
        all[at]!.call(TXN, txnPutsMessage(puts), { ...newCall(), at: performance.now() });
      };
      for (const [at, connection] of all.entries()) {
        connection.onEnd = (call) => {
          done++;
          if (call.failed) failed++;
          latency.record(performance.now() - call.at);
          issue(at);
        };
        for (let i = 0; i < IN_FLIGHT / all.length; i++) issue(at);
      }
      while (done < batches) await Promise.race([delay(5), fail]);
      return performance.now() - began;
    });
  const [elapsedMs, stalls] = await system.probing(run);
  const spent = system.cpu() - cpu;
  await system.cluster.converged();
  return {
    perSecond: ((keys - failed * PUTS_PER_TXN) / elapsedMs) * 1000,
    operations: keys,
    failed,
    cpuMicros: spent / keys,
    latency: quantiles(latency),
    generator: 'own',
    note: `transactions of ${PUTS_PER_TXN} puts, ${IN_FLIGHT} in flight, latency of these${stalls}`,
  };
}

/** What is resident when nothing has been asked for a while: flushes and collections of garbage are through. */
async function residentAfter(system: System): Promise<Figures> {
  await delay(10_000);
  const memory = system.memory();
  const list = (pick: (m: (typeof memory)[number]) => number) =>
    memory.map((m) => Math.round(pick(m) / 2 ** 20)).join(' / ');
  const worst = Math.max(...memory.map((m) => m.resident)) / 2 ** 20;
  return amountOf(worst, 'MiB', `resident ${list((m) => m.resident)}, of it mapped files ${list((m) => m.files)}`);
}

function putAnywhere({ keys }: BenchOptions): (n: number) => Request {
  return (n) => ({ path: PUT, message: putMessage(key((Math.imul(n, 2654435761) >>> 0) % keys), VALUE) });
}

function rangeAnywhere({ keys }: BenchOptions): (n: number) => Request {
  return (n) => ({
    path: RANGE,
    message: rangeMessage(key((Math.imul(n, 2654435761) >>> 0) % keys), Buffer.alloc(0), false),
  });
}

async function measureRate(system: System, options: BenchOptions, perSecond: number): Promise<Figures> {
  const target = { host: HOST, port: system.leaderPort, connections: 10, perSecond, next: putAnywhere(options) };
  await driveAtRate({ ...target, durationMs: Math.max(300, options.durationMs / 5) });
  const cpu = system.cpu();
  const result = await driveAtRate({ ...target, durationMs: options.durationMs });
  return toFigures(result, system.cpu() - cpu, 'own');
}

async function measureClosed(system: System, options: BenchOptions, next: (n: number) => Request): Promise<Figures> {
  const target = { host: HOST, port: system.leaderPort, connections: 50, streams: 20, next };
  await driveClosed({ ...target, durationMs: Math.max(300, options.durationMs / 5) });
  const cpu = system.cpu();
  const result = await driveClosed({ ...target, durationMs: options.durationMs });
  return toFigures(result, system.cpu() - cpu, 'own');
}

/** The longest answer to a put while keys are overwritten, the history compacted in the middle; of ours, the loop's too. */
async function stall(system: System, options: BenchOptions): Promise<Figures> {
  const target = { host: HOST, port: system.leaderPort, connections: 50, streams: 20, next: putAnywhere(options) };
  const durationMs = Math.max(4000, options.durationMs);
  const [{ latency, failed }, stalls] = await system.probing(async () => {
    const driven = driveClosed({ ...target, durationMs });
    await delay(durationMs / 2);
    await system.compact();
    return driven;
  });
  return { ...amountOf(latency.max, 'ms', `longest answer${stalls}`), failed, latency: quantiles(latency) };
}

async function restart(system: System): Promise<Figures> {
  const names = system.cluster.names;
  await Promise.all(names.map((name) => system.cluster.stop(name)));
  const began = performance.now();
  for (const name of names) system.cluster.member(name).process.start();
  const each = await Promise.all(system.cluster.members.map((member) => system.healthy(member.endpoint, began)));
  const cpu = system.cpu();
  await system.locateLeader();
  const note = `members ${each.map((ms) => Math.round(ms)).join(' / ')}; CPU of all three ${Math.round(cpu / 1000)} ms`;
  return amountOf(Math.max(...each), 'ms', note);
}
