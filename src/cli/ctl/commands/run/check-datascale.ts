import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { PROGRAM } from '../../about.js';
import type { Context } from '../../context.js';
import { Exit, Fail } from '../../fail.js';
import { loadOf, mustBeUnused, putMany, tellErrors, tidyUp } from './check.js';
import { ProgressBar } from './progress-bar.js';

/** Pairs of keys and values, bytes of a pair, clients. */
const LOADS = {
  s: { limit: 10_000, pairBytes: 1024, clients: 50 },
  m: { limit: 100_000, pairBytes: 1024, clients: 200 },
  l: { limit: 1_000_000, pairBytes: 1024, clients: 500 },
  xl: { limit: 3_000_000, pairBytes: 1024, clients: 1000 },
};

const MEBIBYTE = 1 << 20;
const MEMORY = /^process_resident_memory_bytes\s+(\S+)/m;

/** How much memory does a member take for so many keys? Asks its /metrics before and after. */
export async function runCheckDatascale(context: Context): Promise<void> {
  const { limit, pairBytes, clients } = loadOf(context, LOADS);
  const { flags, io } = context;
  const prefix = flags.string('prefix');
  void context.client;
  const endpoint = context.endpoints[0]!;
  await mustBeUnused(context, prefix, (keys) => `${PROGRAM} del --prefix ${keys}`);
  const before = await memoryOf(context, endpoint, 'before');
  io.out(
    `Start data scale check for work load [${limit} key-value pairs, ${pairBytes} bytes per key-value, ${clients} concurrent clients].\n`,
  );
  const bar = new ProgressBar(io, limit);
  let left = limit;
  const half = pairBytes / 2;
  const load = { clients, prefix, keyBytes: half, valueBytes: half };
  const stats = await putMany(
    context,
    load,
    () => left-- > 0,
    () => bar.increment(),
  );
  bar.finish();
  const after = await memoryOf(context, endpoint, 'after');
  await tidyUp(context, prefix);
  if (!tellErrors(context, stats)) throw new Fail(Exit.ERROR, null);
  io.out(`PASS: Approximate system memory used : ${((after - before) / MEBIBYTE).toFixed(2)} MB.\n`);
}

/** @throws Fail (1) */
async function memoryOf(context: Context, endpoint: string, when: 'before' | 'after'): Promise<number> {
  const bytes = await residentBytes(context, endpoint).catch((err: Error) => {
    context.io.out(`fetch error: ${err.message}\n`);
    return 0;
  });
  if (bytes > 0) return bytes;
  context.io.out(`FAIL: Could not read process_resident_memory_bytes ${when} the put operations.\n`);
  throw new Fail(Exit.ERROR, null);
}

async function residentBytes({ flags }: Context, endpoint: string): Promise<number> {
  const file = (name: string) => (flags.string(name) === '' ? undefined : readFileSync(flags.string(name)));
  const tls = { ca: file('cacert'), cert: file('cert'), key: file('key') };
  const secure = /^https:/.test(endpoint) || Object.values(tls).some((given) => given !== undefined);
  const url = `${/^https?:/.test(endpoint) ? endpoint : `${secure ? 'https' : 'http'}://${endpoint}`}/metrics`;
  const rejectUnauthorized = !flags.bool('insecure-skip-tls-verify');
  const text = await new Promise<string>((resolve, reject) => {
    const take = (response: import('node:http').IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    };
    const request = secure ? getHttps(url, { ...tls, rejectUnauthorized }, take) : getHttp(url, take);
    request.on('error', reject);
  });
  return Number(MEMORY.exec(text)?.[1] ?? 0);
}
