import { randomBytes } from 'node:crypto';
import { KeelClient } from '../../../../client/index.js';
import type { Context } from '../../context.js';
import { errorText, orFail } from '../../context.js';
import { Exit, Fail } from '../../fail.js';
import { quote } from '../../go.js';
import { rpc } from '../rpc.js';

/** What the two checks have in common: a workload by its name, clients that put, and tidying up. */

const ALIASES: Readonly<Record<string, string>> = {
  s: 's',
  small: 's',
  m: 'm',
  medium: 'm',
  l: 'l',
  large: 'l',
  xl: 'xl',
  xLarge: 'xl',
};
const CLEANUP_MS = 30_000;
/** Bytes of a varint in front of zeros: what makes a key another. */
const UNIQUE_BYTES = 9;

/** @throws Fail (4) */
export function loadOf<T>(context: Context, loads: Readonly<Record<string, T>>): T {
  const name = context.flags.string('load');
  const load = loads[ALIASES[name] ?? ''];
  if (load === undefined) throw new Fail(Exit.BAD_FEATURE, `unknown load option ${name}`);
  return load;
}

/** Under the prefix there must be nothing that is not ours to delete. @throws Fail (3) */
export async function mustBeUnused(context: Context, prefix: string, how: (prefix: string) => string): Promise<void> {
  const { kvs } = await orFail(context.client.get(prefix, { prefix: true, limit: 1 }));
  if (kvs.length > 0)
    throw new Fail(Exit.INVALID_INPUT, `prefix ${quote(prefix)} has keys. Delete with ${how(prefix)} first`);
}

export interface PutStats {
  /** Requests a second, of those that were answered. */
  readonly rps: number;
  /** Seconds. */
  readonly slowest: number;
  readonly stddev: number;
  /** Error texts and how often each came. */
  readonly errors: ReadonlyMap<string, number>;
}

/**
 * Puts under `prefix` with `clients` requests under way at most, each client on a connection of its own for every
 * hundred of them, as a single process can make use of.
 * @param next resolves to false when no more is to be put
 */
export async function putMany(
  context: Context,
  load: { readonly clients: number; readonly keyBytes: number; readonly valueBytes: number; readonly prefix: string },
  next: () => Promise<boolean> | boolean,
  done: () => void,
): Promise<PutStats> {
  const value = Buffer.alloc(load.valueBytes);
  const start = performance.now();
  const times: number[] = [];
  const errors = new Map<string, number>();
  const clients = Array.from({ length: Math.ceil(load.clients / 100) }, () => new KeelClient(context.clientOptions()));
  const one = async (client: KeelClient): Promise<void> => {
    while (await next()) {
      const key = Buffer.alloc(load.prefix.length + load.keyBytes);
      key.write(load.prefix, 'latin1');
      randomBytes(UNIQUE_BYTES).copy(key, load.prefix.length);
      const from = performance.now();
      try {
        await client.put(key, value, { timeoutMs: 0 });
        times.push((performance.now() - from) / 1000);
      } catch (err) {
        const text = errorText(err);
        errors.set(text, (errors.get(text) ?? 0) + 1);
      }
      done();
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, i) => one(clients[i % clients.length]!)));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(clients.map((client) => client.close()));
  return { ...statsOf(times), rps: times.length / seconds, errors };
}

function statsOf(times: readonly number[]): { slowest: number; stddev: number } {
  const mean = times.reduce((sum, time) => sum + time, 0) / Math.max(1, times.length);
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / Math.max(1, times.length);
  return { slowest: times.reduce((most, time) => Math.max(most, time), 0), stddev: Math.sqrt(variance) };
}

/** Deletes the keys, and where it is wanted compacts and defragments. */
export async function tidyUp(context: Context, prefix: string): Promise<void> {
  const { flags, client, io } = context;
  const { header } = await orFail(client.delete(prefix, { prefix: true, timeoutMs: CLEANUP_MS }));
  if (flags.bool('auto-compact')) {
    io.out(`Compacting with revision ${header.revision}\n`);
    await orFail(client.compact(header.revision, { physical: true, timeoutMs: 0 }));
    io.out(`Compacted with revision ${header.revision}\n`);
  }
  if (!flags.bool('auto-defrag')) return;
  for (const endpoint of context.endpoints) {
    io.out(`Defragmenting ${quote(endpoint)}\n`);
    await orFail(rpc.defragment(context, endpoint));
    io.out(`Defragmented ${quote(endpoint)}\n`);
  }
}

/** @returns whether there were none */
export function tellErrors(context: Context, { errors }: PutStats): boolean {
  if (errors.size === 0) return true;
  context.io.out('FAIL: too many errors\n');
  for (const [text, count] of errors) context.io.out(`FAIL: ERROR(${text}) -> ${count}\n`);
  return false;
}
