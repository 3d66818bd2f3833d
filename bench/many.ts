import type { Figures } from './figures.js';
import { amountOf } from './figures.js';
import { delay, newCall, withConnections } from './load/drive.js';
import { WATCH, watchMessage } from './load/requests.js';
import type { BenchOptions } from './options.js';
import type { Round } from './rounds.js';
import type { System } from './system.js';

const HOST = '127.0.0.1';

/** What each of very many idle things costs in memory, of the member that holds it. */
export function manyRounds(options: BenchOptions): Round[] {
  const scale = Math.min(1, options.keys / 1_000_000);
  const streams = Math.round(10_000 * scale);
  const watchers = Math.round(100_000 * scale);
  const round = (name: string, run: (system: System) => Promise<Figures>): Round => ({
    group: 'many',
    phase: 'many',
    name,
    run,
  });
  const n = (count: number) => count.toLocaleString('en');
  return [
    round(`memory of each of ${n(streams)} idle watch streams`, (system) => watch(system, streams, 1)),
    round(`memory of each of ${n(watchers)} watchers`, (system) => watch(system, watchers, 100)),
    round(`memory of each of ${n(watchers)} leases`, (system) => leases(system, watchers)),
  ];
}

/** A stream is opened for each `perStream` watchers, a hundred streams a connection. */
async function watch(system: System, watchers: number, perStream: number): Promise<Figures> {
  const before = system.leaderResident();
  const streams = Math.ceil(watchers / perStream);
  const port = system.leaderPort;
  return withConnections({ host: HOST, port, connections: Math.ceil(streams / 100) }, async (all, fail) => {
    let created = 0;
    const open = async (): Promise<number> => {
      const began = performance.now();
      for (let i = 0; i < streams; i++) {
        const call = newCall();
        // Answers to creations are small and come whole; how many a chunk holds follows from their length.
        let rest = 0;
        call.onData = (chunk) => {
          for (let at = rest; at < chunk.length; ) {
            if (chunk.length - at < 5) throw new Error('an answer came in pieces');
            created++;
            at += 5 + chunk.readUInt32BE(at + 1);
            rest = Math.max(0, at - chunk.length);
          }
        };
        const requests = Array.from({ length: perStream }, (_, k) =>
          watchMessage(Buffer.from(`many/${String(i * perStream + k).padStart(8, '0')}`)),
        );
        all[i % all.length]!.call(WATCH, Buffer.concat(requests), call, false);
        if (i % 200 === 199) await Promise.race([delay(5), fail]);
      }
      while (created < watchers) {
        if (performance.now() - began > 60_000) throw new Error(`${created} of ${watchers} watchers after a minute`);
        await Promise.race([delay(20), fail]);
      }
      return performance.now() - began;
    };
    const [elapsed, stalls] = await system.probing(open);
    await delay(2000);
    const each = (system.leaderResident() - before) / watchers;
    return amountOf(each, 'bytes', `created in ${Math.round(elapsed)} ms${stalls}`);
  });
}

async function leases(system: System, count: number): Promise<Figures> {
  const before = system.resident();
  const began = performance.now();
  const [ids, stalls] = await system.probing(() => system.grantLeases(count, 3600));
  const elapsed = performance.now() - began;
  await delay(2000);
  const after = system.resident();
  const each = Math.max(...after.map((bytes, i) => bytes - before[i]!)) / count;
  await system.revokeLeases(ids);
  return amountOf(each, 'bytes', `granted in ${Math.round(elapsed)} ms${stalls}`);
}
