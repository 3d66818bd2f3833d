import { prefixEnd } from '../../../client/index.js';
import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import type { Flags } from '../flags.js';
import { flag } from '../flags.js';
import { parseInteger, quote } from '../go.js';
import type { Io } from '../io.js';
import { parseLeaseId } from './ids.js';
import { rpc } from './rpc.js';

const OPEN_END = '\0';

export function keyOf(text: string): string {
  return Buffer.from(text, 'utf8').latin1Slice();
}

/** Key and range end from the arguments and the flags --prefix and --from-key. @throws Fail (128) */
function rangeOf(flags: Flags, args: readonly string[], command: string): { key: string; rangeEnd: string } {
  const [prefix, fromKey] = [flags.bool('prefix'), flags.bool('from-key')];
  if (prefix && fromKey) throw badArgs('`--prefix` and `--from-key` cannot be set at the same time, choose one');
  // A third argument of get is passed over, as etcdctl does.
  if (args.length === 0 || (args.length > 2 && command === 'del')) {
    throw badArgs(`${command} command needs one argument as key and an optional argument as range_end`);
  }
  if (args.length > 1 && (prefix || fromKey)) {
    throw badArgs('too many arguments, only accept one argument when `--prefix` or `--from-key` is set');
  }
  const key = keyOf(args[0]!);
  if (prefix) return key === '' ? { key: '\0', rangeEnd: OPEN_END } : { key, rangeEnd: prefixEnd(key) };
  if (fromKey) return { key: key === '' ? '\0' : key, rangeEnd: OPEN_END };
  return { key, rangeEnd: args.length > 1 ? keyOf(args[1]!) : '' };
}

const SORT_ORDER: Readonly<Record<string, number>> = { ASCEND: 1, DESCEND: 2 };
const SORT_TARGET: Readonly<Record<string, number>> = { CREATE: 2, KEY: 0, MODIFY: 3, VALUE: 4, VERSION: 1 };

/** @throws Fail */
export function getRequest(flags: Flags, args: readonly string[]): wire.RangeRequest {
  const request = wire.makeRangeRequest();
  Object.assign(request, rangeOf(flags, args, 'get'));
  const consistency = flags.string('consistency');
  if (consistency === 's') request.serializable = true;
  else if (consistency !== 'l') throw new Fail(Exit.BAD_FEATURE, `unknown consistency flag ${quote(consistency)}`);
  request.limit = flags.int('limit');
  request.revision = flags.int('rev');
  const order = flags.string('order');
  if (order !== '') {
    const known = SORT_ORDER[order.toUpperCase()];
    if (known === undefined) throw new Fail(Exit.BAD_FEATURE, `bad sort order ${order}`);
    request.sortOrder = known;
  }
  const target = flags.string('sort-by');
  if (target !== '') {
    const known = SORT_TARGET[target.toUpperCase()];
    if (known === undefined) throw new Fail(Exit.BAD_FEATURE, `bad sort target ${target}`);
    request.sortTarget = known;
  }
  // Keys come in their order anyway; asking for it would only make the server sort.
  if (request.sortTarget === 0 && request.sortOrder === 1) request.sortOrder = 0;
  // A target without an order means the smallest first.
  else if (request.sortOrder === 0 && request.sortTarget !== 0) request.sortOrder = 1;
  request.keysOnly = flags.bool('keys-only');
  request.countOnly = flags.bool('count-only');
  request.minCreateRevision = flags.int('min-create-rev');
  request.maxCreateRevision = flags.int('max-create-rev');
  request.minModRevision = flags.int('min-mod-rev');
  request.maxModRevision = flags.int('max-mod-rev');
  return request;
}

async function runGet(context: Context, args: string[]): Promise<void> {
  const { flags } = context;
  const request = getRequest(flags, args);
  const format = flags.string('write-out');
  if (request.countOnly && format !== 'fields') throw badArgs('--count-only is only for `--write-out=fields`');
  if (flags.bool('print-value-only') && format !== 'simple') {
    throw badArgs('print-value-only is only for `--write-out=simple`');
  }
  const reply = await orFail(rpc.range(context, request));
  context.printer.get(reply, { keysOnly: request.keysOnly, valueOnly: flags.bool('print-value-only') });
}

/** @param stdin read for a value that is not among the arguments; null where there is none to read. @throws Fail */
export async function putRequest(flags: Flags, args: readonly string[], stdin: Io | null): Promise<wire.PutRequest> {
  if (args.length === 0) throw badArgs('put command needs 1 argument and input from stdin or 2 arguments');
  const request = wire.makePutRequest();
  request.key = keyOf(args[0]!);
  request.ignoreValue = flags.bool('ignore-value');
  request.ignoreLease = flags.bool('ignore-lease');
  request.prevKv = flags.bool('prev-kv');
  if (request.ignoreValue) {
    if (args.length > 1) throw badArgs("put command needs only 1 argument when 'ignore-value' is set");
  } else if (args.length > 1) request.value = Buffer.from(args[1]!, 'utf8');
  else {
    const value = stdin === null ? null : await stdin.readAll();
    if (value === null || value.length === 0) {
      throw badArgs('put command needs 1 argument and input from stdin or 2 arguments');
    }
    request.value = value;
  }
  request.lease = parseLeaseId(flags.string('lease'), 'lease ID');
  return request;
}

async function runPut(context: Context, args: string[]): Promise<void> {
  const request = await putRequest(context.flags, args, context.io);
  context.printer.put(await orFail(rpc.put(context, request)));
}

/** @throws Fail */
export function delRequest(flags: Flags, args: readonly string[]): wire.DeleteRangeRequest {
  const request = wire.makeDeleteRangeRequest();
  Object.assign(request, rangeOf(flags, args, 'del'));
  request.prevKv = flags.bool('prev-kv');
  return request;
}

/** Time to think about a range end that may not have been meant as one. */
const RANGE_WARNING_MS = 2000;

async function runDel(context: Context, args: string[]): Promise<void> {
  const request = delRequest(context.flags, args);
  if (args.length > 1 && !context.flags.bool('range')) {
    context.io.err(
      `Warning: Keys between ${quote(args[0]!)} and ${quote(args[1]!)} will be deleted. Please interrupt the command within next 2 seconds to cancel. You can provide \`--range\` flag to avoid the delay.\n`,
    );
    await new Promise((resolve) => setTimeout(resolve, RANGE_WARNING_MS));
  }
  context.printer.del(await orFail(rpc.deleteRange(context, request)));
}

async function runCompaction(context: Context, args: string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('compaction command needs 1 argument');
  const revision = parseInteger(args[0]!, 10, 'ParseInt');
  if (typeof revision === 'string') throw new Fail(Exit.ERROR, revision);
  await orFail(rpc.compact(context, { revision: Number(revision), physical: context.flags.bool('physical') }));
  context.io.out(`compacted revision ${revision}\n`);
}

export const GET: Command = {
  name: 'get',
  use: 'get [options] <key> [range_end]',
  short: 'Gets the key or a range of keys',
  flags: [
    flag('consistency', 'string', 'l', 'Linearizable(l) or Serializable(s)'),
    flag('order', 'string', '', 'Order of results; ASCEND or DESCEND (ASCEND by default)'),
    flag('sort-by', 'string', '', 'Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION'),
    flag('limit', 'int', '0', 'Maximum number of results'),
    flag('prefix', 'bool', 'false', 'Get keys with matching prefix'),
    flag('from-key', 'bool', 'false', 'Get keys that are greater than or equal to the given key using byte compare'),
    flag('rev', 'int', '0', 'Specify the kv revision'),
    flag('keys-only', 'bool', 'false', 'Get only the keys'),
    flag('count-only', 'bool', 'false', 'Get only the count'),
    flag('print-value-only', 'bool', 'false', 'Only write values when using the "simple" output format'),
    flag('min-create-rev', 'int', '0', 'Minimum create revision'),
    flag('max-create-rev', 'int', '0', 'Maximum create revision'),
    flag('min-mod-rev', 'int', '0', 'Minimum modification revision'),
    flag('max-mod-rev', 'int', '0', 'Maximum modification revision'),
  ],
  run: runGet,
};

export const PUT: Command = {
  name: 'put',
  use: 'put [options] <key> <value> (<value> can also be given from stdin)',
  short: 'Puts the given key into the store',
  long: `Puts the given key into the store.

When <value> begins with '-', <value> is interpreted as a flag.
Insert '--' for workaround:

$ put <key> -- <value>
$ put -- <key> <value>

If <value> isn't given as a command line argument and '--ignore-value' is not specified,
this command tries to read the value from standard input.

If <lease> isn't given as a command line argument and '--ignore-lease' is not specified,
this command tries to read the value from standard input.

For example,
$ cat file | put <key>
will store the content of the file to <key>.`,
  flags: [
    flag('lease', 'string', '0', 'lease ID (in hexadecimal) to attach to the key'),
    flag('prev-kv', 'bool', 'false', 'return the previous key-value pair before modification'),
    flag('ignore-value', 'bool', 'false', 'updates the key using its current value'),
    flag('ignore-lease', 'bool', 'false', 'updates the key using its current lease'),
  ],
  run: runPut,
};

export const DEL: Command = {
  name: 'del',
  use: 'del [options] <key> [range_end]',
  short: 'Removes the specified key or range of keys [key, range_end)',
  flags: [
    flag('prefix', 'bool', 'false', 'delete keys with matching prefix'),
    flag('prev-kv', 'bool', 'false', 'return deleted key-value pairs'),
    flag('from-key', 'bool', 'false', 'delete keys that are greater than or equal to the given key using byte compare'),
    flag('range', 'bool', 'false', 'delete range of keys'),
  ],
  run: runDel,
};

export const COMPACTION: Command = {
  name: 'compaction',
  aliases: ['compact'],
  use: 'compaction [options] <revision>',
  short: 'Compacts the event history in etcd',
  flags: [flag('physical', 'bool', 'false', "'true' to wait for compaction to physically remove all old revisions")],
  run: runCompaction,
};
