import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from './drive.js';

export interface H2loadResult {
  done: number;
  failed: number;
  elapsedMs: number;
  meanMs: number;
  maxMs: number;
  /** DATA bytes of all answers: two systems whose answers differ in size do not do the same work. */
  dataBytes: number;
}

const PATIENCE_MS = 10_000;

/**
 * nghttp2's h2load: one request, repeated. It costs the machine less than any generator in JavaScript, but takes
 * every HTTP answer for a success, so the caller checks what was done by other means.
 */
export async function runH2load(options: {
  program: string;
  folder: string;
  host: string;
  port: number;
  connections: number;
  streams: number;
  seconds: number;
  request: Request;
}): Promise<H2loadResult> {
  const { program, folder, host, port, connections, streams, seconds, request } = options;
  const file = join(folder, 'payload.bin');
  writeFileSync(file, request.message);
  const args = [
    ...['-D', `${Math.round(seconds * 1000)}ms`, '-c', String(connections), '-m', String(streams), '-d', file],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers', `http://${host}:${port}${request.path}`],
  ];
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  // It measures from when all are connected, so a server that leaves one waiting would keep it going for ever.
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + PATIENCE_MS);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  if (code === null) throw new Error(`h2load did not end: the server did not take all ${connections} connections`);
  const requests = /requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed/.exec(output);
  if (code !== 0 || !requests) throw new Error(`h2load failed (${code}): ${output.slice(-500)}`);
  const rate = /finished in [^,]+, ([\d.]+) req\/s/.exec(output);
  const done = Number(requests[3]);
  const times = /time for request:\s+\S+\s+(\S+)\s+(\S+)/.exec(output);
  const traffic = /traffic: .*, \S+ \((\d+)\) data/.exec(output);
  return {
    done,
    dataBytes: Number(traffic?.[1] ?? 0),
    failed: Number(requests[4]),
    elapsedMs: rate && Number(rate[1]) > 0 ? (done / Number(rate[1])) * 1000 : performance.now() - began,
    maxMs: milliseconds(times?.[1]),
    meanMs: milliseconds(times?.[2]),
  };
}

function milliseconds(text: string | undefined): number {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text ?? '');
  if (!match) return 0;
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's'];
}
