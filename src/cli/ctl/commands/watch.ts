import { spawn } from 'node:child_process';
import type { Watch, WatchBatch, WatchOptions } from '../../../client/index.js';
import { KeelError } from '../../../client/index.js';
import type * as wire from '../../../wire/index.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { statusText } from '../context.js';
import { badArgs, Exit, Fail } from '../fail.js';
import { FlagError, Flags, flag, HelpWanted } from '../flags.js';
import { quote } from '../go.js';
import { splitWords } from './words.js';

const BAD_NUMBER = 'bad number of arguments';
const NO_COMMAND = 'bad number of arguments (found separator --, but no commands)';
const CONFLICT = 'bad number of arguments (found conflicting environment key)';
const END_CONFLICT = 'bad number of arguments (found conflicting environment range end key)';

const EXCLUSIVE = '`range_end` and `--prefix` are mutually exclusive';

/** What one watch line asks for. */
interface Request {
  readonly key: string;
  readonly options: WatchOptions;
  /** To run for each event; empty for none. */
  readonly exec: readonly string[];
}

async function runWatch(context: Context, args: string[]): Promise<void> {
  if (context.flags.bool('interactive')) return runInteractive(context);
  const { dash } = context;
  const [words, exec] = dash < 0 ? [args, []] : [args.slice(0, dash), args.slice(dash)];
  if (dash >= 0 && exec.length === 0) throw badArgs(NO_COMMAND);
  const request = makeRequest(withEnvironment(words, context.io.env), exec, context.flags);
  // The format is looked at before the first event.
  void context.printer;
  const watch = context.client.watch(request.key, request.options);
  await show(context, watch, request.exec);
  throw new Fail(Exit.INTERRUPTED, 'watch is canceled by the server');
}

/** Key and range end may come from the environment instead. @throws Fail (128) */
function withEnvironment(words: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const key = env.ETCDCTL_WATCH_KEY ?? '';
  const end = env.ETCDCTL_WATCH_RANGE_END ?? '';
  if (key === '') {
    if (words.length === 0) throw badArgs(BAD_NUMBER);
    if (end !== '' && words.length > 1) throw badArgs(END_CONFLICT);
    return [...words];
  }
  if (words.length > 0) throw badArgs(CONFLICT);
  return end === '' ? [key] : [key, end];
}

function makeRequest(words: readonly string[], exec: readonly string[], flags: Flags): Request {
  const key = words[0]!;
  const options: { -readonly [K in keyof WatchOptions]: WatchOptions[K] } = {
    startRevision: flags.int('rev'),
    prevKv: flags.bool('prev-kv'),
    progressNotify: flags.bool('progress-notify'),
  };
  if (flags.bool('prefix')) {
    if (words.length > 1) throw badArgs(EXCLUSIVE);
    options.prefix = true;
  } else if (words.length === 2) options.rangeEnd = words[1]!;
  return { key, options, exec };
}

/** InvalidArgument, PermissionDenied, Unauthenticated: a refusal by auth comes as a whole status. */
const REFUSALS: ReadonlySet<number> = new Set([3, 7, 16]);

/** Prints until the watch ends; says why on stderr. */
async function show(context: Context, watch: Watch, exec: readonly string[]): Promise<void> {
  try {
    for await (const batch of watch) {
      const output = toOutput(batch);
      context.printer.watch(output);
      for (const event of output.events) if (exec.length > 0) await runExec(context, exec, output, event);
    }
  } catch (err) {
    if (!(err instanceof KeelError)) throw err;
    if (ending.has(context)) return new Promise(() => {});
    context.io.err(`watch was canceled (${REFUSALS.has(err.grpcCode) ? statusText(err) : err.message})\n`);
  }
}

function toOutput(batch: WatchBatch): {
  header: wire.ResponseHeader;
  events: wire.Event[];
  compactRevision: 0;
  canceled: false;
} {
  const kv = (from: WatchBatch['events'][number]['kv']): wire.KeyValue => ({ ...from, key: from.key.latin1Slice() });
  const events = batch.events.map((e) => ({
    type: e.type === 'delete' ? 1 : 0,
    kv: kv(e.kv),
    prevKv: e.prevKv === null ? null : kv(e.prevKv),
  }));
  return { header: batch.header, events, compactRevision: 0, canceled: false };
}

/** @throws Fail (1) if the program cannot be run or fails */
async function runExec(
  context: Context,
  command: readonly string[],
  output: { header: wire.ResponseHeader },
  event: wire.Event,
): Promise<void> {
  const env = {
    ...context.io.env,
    ETCD_WATCH_REVISION: String(output.header.revision),
    ETCD_WATCH_EVENT_TYPE: quote(event.type === 1 ? 'DELETE' : 'PUT'),
    ETCD_WATCH_KEY: quote(Buffer.from(event.kv?.key ?? '', 'latin1')),
    ETCD_WATCH_VALUE: quote(event.kv?.value ?? ''),
  };
  const problem = await new Promise<string | null>((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
    child.stdout.on('data', (chunk: Buffer) => context.io.out(chunk));
    child.stderr.on('data', (chunk: Buffer) => context.io.err(chunk.toString('utf8')));
    child.once('error', (err: NodeJS.ErrnoException) =>
      resolve(err.code === 'ENOENT' ? `exec: ${quote(command[0]!)}: executable file not found in $PATH` : err.message),
    );
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : signal ? `signal: ${signal}` : `exit status ${code}`),
    );
  });
  if (problem === null) return;
  context.io.err(`command [${command.map((c) => quote(c)).join(' ')}] error (${problem})\n`);
  throw new Fail(Exit.ERROR, null);
}

/** Commands that are over, whose watches end with their connection and are not told of. */
const ending = new WeakSet<Context>();

/** Lines `watch ...` and `progress`; all watches print side by side. Ends with the input, as an error. */
async function runInteractive(context: Context): Promise<void> {
  void context.printer;
  const running: Watch[] = [];
  let failure: unknown = null;
  try {
    for await (const text of context.io.lines()) {
      if (failure !== null) throw failure;
      if (!text.endsWith('\n')) break;
      const words = splitWords(text);
      if (words[0] === 'progress') {
        running[0]?.requestProgress();
        continue;
      }
      const request = parseInteractive(context, text.slice(0, -1), words);
      if (request === null) continue;
      const watch = context.client.watch(request.key, request.options);
      running.push(watch);
      show(context, watch, request.exec).then(
        () => context.io.err('watch is canceled by the server\n'),
        (err) => {
          failure = err;
        },
      );
    }
    throw new Fail(Exit.INVALID_INPUT, 'error reading watch request line: EOF');
  } catch (err) {
    // The end of the command is not the watches' to tell of.
    ending.add(context);
    throw err;
  }
}

/** @returns null for a line that is told to be wrong and passed over. @throws Fail (128) for what ends the command */
function parseInteractive(context: Context, line: string, words: string[]): Request | null {
  const wrong = (why: string, colon = ''): null => {
    context.io.err(`Invalid command${colon} ${line} (${why})\n`);
    return null;
  };
  if (words.length === 0) return wrong('watch and progress supported', ':');
  if (words[0] !== 'watch') return wrong('only support watch');
  if (words.length === 1 && (context.io.env.ETCDCTL_WATCH_KEY ?? '') === '') {
    return wrong('command type or key is not provided');
  }
  const flags = new Flags(WATCH.flags ?? []);
  try {
    const { args, dash } = flags.parse(words.slice(1));
    const [keys, exec] = dash < 0 ? [args, []] : [args.slice(0, dash), args.slice(dash)];
    if (dash >= 0 && exec.length === 0) throw badArgs(NO_COMMAND);
    return makeRequest(withEnvironment(keys, context.io.env), exec, flags);
  } catch (err) {
    if (err instanceof Fail && (err.text === BAD_NUMBER || err.text === EXCLUSIVE)) return wrong(err.text);
    // Of a flag that is wrong etcdctl makes its own end; so do we.
    if (err instanceof FlagError || err instanceof HelpWanted) throw badArgs(err.message);
    throw err;
  }
}

export const WATCH: Command = {
  name: 'watch',
  use: 'watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]',
  short: 'Watches events stream on keys or prefixes',
  flags: [
    flag('interactive', 'bool', 'false', 'Interactive mode', 'i'),
    flag('prefix', 'bool', 'false', 'Watch on a prefix if prefix is set'),
    flag('rev', 'int', '0', 'Revision to start watching'),
    flag('prev-kv', 'bool', 'false', 'get the previous key-value pair before the event happens'),
    flag('progress-notify', 'bool', 'false', 'get periodic watch progress notification from server'),
  ],
  run: runWatch,
};
