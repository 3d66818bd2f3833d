import type { TxnSpec } from '../../../../client/index.js';
import { KeelClient, Op, prefixEnd } from '../../../../client/index.js';
import type { Context } from '../../context.js';
import { errorText } from '../../context.js';
import { badArgs, Exit, Fail } from '../../fail.js';
import { keyOf } from '../kv.js';

const COUNT_MS = 30_000;
/** Keys in one read of the whole. */
const BATCH_KEYS = 1000;

/** Copies what is there to another cluster, then every change, until it is interrupted. Says every 30 s how many keys. */
export async function runMakeMirror(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('make-mirror takes one destination argument');
  const { flags } = context;
  const destination = new KeelClient(context.clientOptions({ endpoint: args[0]!, prefix: 'dest-' }));
  void context.client;
  if (flags.bool('no-dest-prefix') && flags.string('dest-prefix') !== '') {
    throw badArgs('`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one');
  }
  const counted = { keys: 0 };
  const timer = setInterval(() => context.io.out(`${counted.keys}\n`), COUNT_MS);
  try {
    await mirror(context, destination, counted);
  } catch (err) {
    throw err instanceof Fail ? err : new Fail(Exit.ERROR, errorText(err));
  } finally {
    clearInterval(timer);
    await destination.close();
  }
}

async function mirror({ client, flags }: Context, to: KeelClient, counted: { keys: number }): Promise<void> {
  const prefix = keyOf(flags.string('prefix'));
  const replacement = flags.bool('no-dest-prefix') ? '' : keyOf(flags.string('dest-prefix')) || prefix;
  const rename = (key: Buffer): Buffer => Buffer.from(replacement + key.latin1Slice().slice(prefix.length), 'latin1');
  const range = { key: prefix === '' ? '\0' : prefix, end: prefix === '' ? '\0' : prefixEnd(prefix) };
  const untimed = { timeoutMs: 0 };
  let revision = Math.max(0, flags.int('rev') - 1);
  if (revision === 0) {
    revision = (await client.get('foo', untimed)).header.revision;
    for (let { key } = range; ; ) {
      const options = { rangeEnd: bytes(range.end), revision, limit: BATCH_KEYS, ...untimed };
      const { kvs, more } = await client.get(bytes(key), options);
      for (const kv of kvs) {
        await to.put(rename(kv.key), kv.value, untimed);
        counted.keys++;
      }
      if (!more) break;
      key = `${kvs[kvs.length - 1]!.key.latin1Slice()}\0`;
    }
  }
  const opsMax = flags.int('max-txn-ops');
  for await (const { events } of client.watch(bytes(range.key), {
    rangeEnd: bytes(range.end),
    startRevision: revision + 1,
  })) {
    let ops: NonNullable<TxnSpec['success']>[number][] = [];
    let last = 0;
    const commit = async (): Promise<void> => {
      if (ops.length > 0) await to.txn({ success: ops }, untimed);
      ops = [];
    };
    for (const { type, kv } of events) {
      // What was one transaction is one again, as far as that many operations are allowed.
      if ((last !== 0 && kv.modRevision > last) || ops.length === opsMax) await commit();
      last = kv.modRevision;
      ops.push(type === 'put' ? Op.put(rename(kv.key), kv.value) : Op.delete(rename(kv.key)));
      counted.keys++;
    }
    await commit();
  }
}

function bytes(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}
