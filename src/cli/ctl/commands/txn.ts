import * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import { match } from '../command.js';
import type { Context } from '../context.js';
import { orFail } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import { FlagError, Flags, flag, HelpWanted } from '../flags.js';
import { parseInteger, quote, unquote } from '../go.js';
import { DEL, delRequest, GET, getRequest, PUT, putRequest } from './kv.js';
import { rpc } from './rpc.js';
import { splitWords } from './words.js';

function invalid(text: string): Fail {
  return new Fail(Exit.INVALID_INPUT, text);
}

async function runTxn(context: Context, args: string[]): Promise<void> {
  if (args.length > 0) throw badArgs('txn command does not accept argument');
  const prompt = (text: string) => {
    if (context.flags.bool('interactive')) context.io.out(`${text}\n`);
  };
  const lines = context.io.lines();
  const request = wire.makeTxnRequest();
  prompt('compares:');
  for await (const line of paragraph(lines)) request.compare.push(parseCompare(line));
  prompt('success requests (get, put, del):');
  for await (const line of paragraph(lines)) request.success.push(await parseOp(line));
  prompt('failure requests (get, put, del):');
  for await (const line of paragraph(lines)) request.failure.push(await parseOp(line));
  context.printer.txn(await orFail(rpc.txn(context, request)));
}

/** Lines up to an empty one. @throws Fail (3) if the input ends first */
async function* paragraph(lines: AsyncIterableIterator<string>): AsyncGenerator<string> {
  for (;;) {
    const next = await lines.next();
    if (next.done || !next.value.endsWith('\n')) throw invalid('EOF');
    const line = next.value.trim();
    if (line === '') return;
    yield line;
  }
}

const RESULTS: Readonly<Record<string, number>> = {
  '=': wire.CompareResult.EQUAL,
  '!=': wire.CompareResult.NOT_EQUAL,
  '<': wire.CompareResult.LESS,
  '>': wire.CompareResult.GREATER,
};

type Target = 'version' | 'create' | 'mod' | 'value' | 'lease';
const TARGETS: Readonly<Record<string, Target>> = {
  ver: 'version',
  version: 'version',
  c: 'create',
  create: 'create',
  m: 'mod',
  mod: 'mod',
  val: 'value',
  value: 'value',
  lease: 'lease',
};

/** `mod("key") > "0"`. @throws Fail (3) */
export function parseCompare(line: string): wire.Compare {
  const open = line.indexOf('(');
  if (open < 0) throw invalid(`malformed comparison: ${line}`);
  const name = line.slice(0, open);
  const { key, op, value } = scanCompare(line.slice(open + 1));
  if (key === undefined || op === undefined || value === undefined) {
    const got = `${name}(${quote(key ?? '')}) ${op ?? ''} ${quote(value ?? '')}`;
    throw invalid(`malformed comparison: ${line}; got ${got}`);
  }
  const target = TARGETS[name];
  if (target === undefined) throw invalid(`malformed comparison: ${line} (unknown target ${name})`);
  const result = RESULTS[op];
  if (result === undefined) throw invalid(`malformed comparison: ${line} (unknown operator ${op})`);
  const compare = wire.makeCompare();
  compare.key = key.latin1Slice();
  compare.result = result;
  setOperand(compare, target, value, line);
  return compare;
}

interface Scanned {
  key: Buffer | undefined;
  op: string | undefined;
  value: Buffer | undefined;
}

/** `"key") > "value"`, as far as it is well-formed. */
function scanCompare(text: string): Scanned {
  const scanned: Scanned = { key: undefined, op: undefined, value: undefined };
  const first = /^\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\)/.exec(text);
  if (first === null) return scanned;
  scanned.key = unquote(first[1]!);
  const second = /^\s+(\S+)/.exec(text.slice(first[0].length));
  if (second === null) return scanned;
  scanned.op = second[1];
  const third = /^\s+("(?:[^"\\]|\\.)*"|`[^`]*`)/.exec(text.slice(first[0].length + second[0].length));
  if (third !== null) scanned.value = unquote(third[1]!);
  return scanned;
}

function setOperand(compare: wire.Compare, target: Target, value: Buffer, line: string): void {
  const number = (base: 10 | 16): bigint => {
    const parsed = parseInteger(value.toString('latin1'), base, 'ParseInt');
    if (typeof parsed === 'string') throw invalid(`invalid txn compare request: ${line}`);
    return parsed;
  };
  switch (target) {
    case 'version':
      compare.target = wire.CompareTarget.VERSION;
      compare.targetUnion = wire.TargetUnion.VERSION;
      compare.version = Number(number(10));
      break;
    case 'create':
      compare.target = wire.CompareTarget.CREATE;
      compare.targetUnion = wire.TargetUnion.CREATE_REVISION;
      compare.createRevision = Number(number(10));
      break;
    case 'mod':
      compare.target = wire.CompareTarget.MOD;
      compare.targetUnion = wire.TargetUnion.MOD_REVISION;
      compare.modRevision = Number(number(10));
      break;
    case 'lease':
      compare.target = wire.CompareTarget.LEASE;
      compare.targetUnion = wire.TargetUnion.LEASE;
      compare.lease = number(16);
      break;
    case 'value':
      compare.target = wire.CompareTarget.VALUE;
      compare.targetUnion = wire.TargetUnion.VALUE;
      compare.value = value;
  }
}

/** `put key value`, `get key --prefix`, `del key`, with the flags of the commands of these names. @throws Fail (3) */
export async function parseOp(line: string): Promise<wire.RequestOp> {
  const words = splitWords(line);
  if (words.length < 2) throw invalid(`invalid txn compare request: ${line}`);
  const command = match([PUT, GET, DEL], words[0]!);
  if (command === undefined) throw invalid(`invalid txn request: ${line}`);
  const flags = new Flags(command.flags ?? []);
  let args: string[];
  try {
    args = flags.parse(words.slice(1)).args;
  } catch (err) {
    if (!(err instanceof FlagError || err instanceof HelpWanted)) throw err;
    throw invalid(`invalid txn request: ${line}`);
  }
  if (command === PUT) return wire.makeRequestOp(wire.OpKind.PUT, await putRequest(flags, args, null));
  if (command === GET) return wire.makeRequestOp(wire.OpKind.RANGE, getRequest(flags, args));
  return wire.makeRequestOp(wire.OpKind.DELETE_RANGE, delRequest(flags, args));
}

export const TXN: Command = {
  name: 'txn',
  use: 'txn [options]',
  short: 'Txn processes all the requests in one transaction',
  flags: [flag('interactive', 'bool', 'false', 'Input transaction in interactive mode', 'i')],
  run: runTxn,
};
