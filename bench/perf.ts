import { execFile } from 'node:child_process';
import { etcdctlBinary } from '../test/support/binaries.js';
import type { Figures } from './figures.js';
import type { Round } from './rounds.js';
import type { System } from './system.js';

/** `etcdctl check perf --load xl`: 1,000 connections, a put at a time on each, for a minute. */
export function perfRound(): Round {
  return { group: 'perf', phase: 'small', name: 'etcdctl check perf --load xl', run: checkPerf };
}

async function checkPerf(system: System): Promise<Figures> {
  const program = etcdctlBinary();
  if (program === undefined) throw new Error('there is no etcdctl beside etcd');
  const revision = await system.revision();
  const cpu = system.cpu();
  const began = performance.now();
  const endpoint = `127.0.0.1:${system.leaderPort}`;
  const text = await outputOf(program, ['--endpoints', endpoint, 'check', 'perf', '--load', 'xl']);
  const elapsedMs = performance.now() - began;
  const spent = system.cpu() - cpu;
  // Its own words: `FAIL: Throughput too low: 4250 writes/s`, or `PASS: Throughput is 14999 writes/s`.
  const told = /Throughput[^\d]*(\d+) writes\/s/.exec(text);
  const made = (await system.revision()) - revision;
  if (!told && made < 1000) throw new Error(`etcdctl check perf: ${text.slice(-300)}`);
  const slowest = /Slowest request[^\d]*([\d.]+)s/.exec(text);
  return {
    perSecond: told ? Number(told[1]) : (made / elapsedMs) * 1000,
    operations: made,
    failed: 0,
    cpuMicros: made > 0 ? spent / made : 0,
    latency: null,
    generator: 'etcdctl',
    ...(slowest ? { note: `slowest ${slowest[1]} s` } : {}),
  };
}

/** What it says on both, whether or not it calls that a success: a machine that is slow "fails". */
function outputOf(program: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 120_000 }, (_err, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
}
