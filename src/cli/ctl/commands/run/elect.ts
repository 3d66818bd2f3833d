import { Election, Session } from '../../../../client/index.js';
import * as wire from '../../../../wire/index.js';
import type { Context } from '../../context.js';
import { orFail } from '../../context.js';
import { badArgs, Exit, Fail } from '../../fail.js';
import { keyOf } from '../kv.js';
import { rpc } from '../rpc.js';
import type { Interruption } from './interruption.js';
import { interruption } from './interruption.js';

/** Stands for election until it is interrupted, or with -l tells who leads. */
export async function runElect(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1 && args.length !== 2) {
    throw badArgs('elect takes one election name argument and an optional proposal argument');
  }
  const [name, proposal] = args as [string, string | undefined];
  void context.client;
  const listen = context.flags.bool('listen');
  if (proposal === undefined) {
    if (!listen) throw badArgs('no proposal argument but -l not set');
    return observe(context, name);
  }
  if (listen) throw badArgs('proposal given but -l is set');
  return campaign(context, name, proposal);
}

async function campaign(context: Context, name: string, proposal: string): Promise<void> {
  const session = await orFail(Session.open(context.client));
  const election = new Election(session, name);
  const interrupted = interruption(context.io);
  await orFail(election.campaign(proposal, { signal: interrupted.signal }).catch(interrupted.rethrow));
  const key = sessionKey(name, session.lease);
  context.printer.get(await orFail(rpc.range(context, { ...wire.makeRangeRequest(), key })), STYLE);
  const lost = await Promise.race([session.lost, interrupted.done]);
  if (lost !== undefined) throw new Fail(Exit.ERROR, 'elect: session expired');
  await orFail(election.resign());
}

const STYLE = { keysOnly: false, valueOnly: false };

function sessionKey(name: string, lease: bigint): string {
  return `${keyOf(name)}/${lease.toString(16)}`;
}

/**
 * Each leader, and each value of it. Answers look as etcdctl's do: those of a watch go out in the answer to the get that
 * was before them.
 */
async function observe(context: Context, name: string): Promise<void> {
  await orFail(Session.open(context.client));
  const interrupted = interruption(context.io);
  try {
    await follow(context, `${keyOf(name)}/`, interrupted);
  } catch (err) {
    if (interrupted.signal.aborted) return;
    // The format has no form for it, or the like: that ends the command with its own word.
    if (err instanceof Fail) throw err;
  }
  if (!interrupted.signal.aborted) throw new Fail(Exit.ERROR, 'elect: observer lost');
}

async function follow(context: Context, prefix: string, { signal }: Interruption): Promise<void> {
  const rangeEnd = `${prefix.slice(0, -1)}0`;
  const first = { ...wire.makeRangeRequest(), key: prefix, rangeEnd, limit: 1, sortTarget: 2, sortOrder: 1 };
  for (;;) {
    const reply = await rpc.range(context, first);
    let [leader] = reply.kvs;
    let header = reply.header;
    if (leader === undefined) {
      const found = await firstPut(context, prefix, rangeEnd, reply.header?.revision ?? 0, signal);
      if (found === null) return;
      leader = found;
      header = { ...wire.ResponseHeader.make(), ...reply.header, revision: found.modRevision };
    }
    const shown = (of: wire.RangeResponse): void => context.printer.get(of, STYLE);
    shown({ ...wire.makeRangeResponse(), header, kvs: [leader] });
    const watch = context.client.watch(Buffer.from(leader.key, 'latin1'), {
      startRevision: (header?.revision ?? 0) + 1,
      signal,
    });
    let deleted = false;
    for await (const batch of watch) {
      for (const { type, kv } of batch.events) {
        deleted = type === 'delete';
        if (deleted) break;
        shown({ ...reply, header: batch.header, kvs: [{ ...kv, key: kv.key.latin1Slice() }] });
      }
      if (deleted) break;
    }
    if (!deleted) return;
  }
}

async function firstPut(
  context: Context,
  prefix: string,
  rangeEnd: string,
  startRevision: number,
  signal: AbortSignal,
): Promise<wire.KeyValue | null> {
  const [from, to] = [Buffer.from(prefix, 'latin1'), Buffer.from(rangeEnd, 'latin1')];
  for await (const batch of context.client.watch(from, { rangeEnd: to, startRevision, signal })) {
    const put = batch.events.find((event) => event.type === 'put');
    if (put !== undefined) return { ...put.kv, key: put.kv.key.latin1Slice() };
  }
  return null;
}
