import { PROGRAM } from './about.js';
import type { Command, Path } from './command.js';
import { allFlags, findCommand, inheritedFlags, leafOf, pathName, suggestions } from './command.js';
import { Context, errorText } from './context.js';
import { Exit, Fail } from './fail.js';
import { FlagError, Flags, HelpWanted } from './flags.js';
import { applyEnv } from './globals.js';
import { helpText } from './help.js';
import type { Io } from './io.js';

/** Runs one command line. @returns the exit code */
export async function runCommandLine(root: Command, argv: readonly string[], io: Io): Promise<number> {
  if (argv[0] === '__complete' || argv[0] === '__completeNoDesc') {
    const { complete } = await import('./complete.js');
    return complete(root, argv.slice(1), argv[0] === '__complete', io);
  }
  const found = findCommand(root, argv);
  const { path } = found;
  if (leafOf(path).name === 'help') return help(root, found.rest, io);
  if (found.unknown !== null && !wantsHelp(found.rest)) return unknownCommand(root, found.unknown, io);
  const flags = new Flags(allFlags(path));
  let parsed: { args: string[]; dash: number };
  try {
    parsed = flags.parse(found.rest);
  } catch (err) {
    return usageProblem(err, path, io);
  }
  const leaf = leafOf(path);
  if (leaf.run === undefined) {
    io.out(helpText(path));
    return Exit.OK;
  }
  if (!maybeApplyEnv(flags, path, io)) return Exit.ERROR;
  const context = new Context(flags, io, parsed.dash, found.rest);
  try {
    if (!OFFLINE.includes(path[1]?.name ?? '')) await context.askCredentials();
    await leaf.run(context, parsed.args);
    return Exit.OK;
  } catch (err) {
    const fail = err instanceof Fail ? err : new Fail(Exit.ERROR, errorText(err));
    if (fail.text !== null) io.err(`Error: ${fail.text}\n`);
    return LOGIN_FAILED.includes(fail.text ?? '') ? Exit.BAD_CONNECTION : fail.exitCode;
  } finally {
    await context.close();
  }
}

/** Commands that connect to nothing. */
const OFFLINE: readonly string[] = ['version', 'completion'];

/** etcdctl logs in when it connects: its exit code is that of a connection that failed. */
const LOGIN_FAILED: readonly string[] = [
  'etcdserver: authentication failed, invalid user ID or password',
  'auth: authentication failed, password was given for no password user',
];

function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

function help(root: Command, words: string[], io: Io): number {
  const found = findCommand(root, words);
  if (found.unknown === null) {
    io.out(helpText(found.path));
    return Exit.OK;
  }
  const topics = new Flags(allFlags([root])).parse(words).args;
  io.err(`Unknown help topic [${topics.map((w) => `\`${w}\``).join(' ')}]\n`);
  io.out(helpText([root]));
  return Exit.OK;
}

function usageProblem(err: unknown, path: Path, io: Io): number {
  if (err instanceof HelpWanted) {
    io.out(helpText(path));
    return Exit.OK;
  }
  if (!(err instanceof FlagError)) throw err;
  // Twice, as etcdctl has it: once with the usage, once as the command's end.
  io.err(`Error: ${err.message}\n`);
  io.out(helpText(path));
  io.err(`\nError: ${err.message}\n`);
  return Exit.ERROR;
}

function unknownCommand(root: Command, word: string, io: Io): number {
  const meant = suggestions(root.commands ?? [], word);
  let text = `unknown command ${JSON.stringify(word)} for "${pathName([root])}"`;
  if (meant.length > 0) text += `\n\nDid you mean this?\n${meant.map((m) => `\t${m}\n`).join('')}`;
  io.err(`Error: ${text}\nRun '${PROGRAM} --help' for usage.\nError: ${text}\n`);
  return Exit.ERROR;
}

/** @returns false if the environment contradicts the command line */
function maybeApplyEnv(flags: Flags, path: Path, io: Io): boolean {
  const own = leafOf(path).name === 'watch' ? ['ETCDCTL_WATCH_KEY', 'ETCDCTL_WATCH_RANGE_END'] : [];
  for (const problem of applyEnv(flags, inheritedFlags(path), io.env, own)) {
    const { level, msg, variable } = problem;
    const line = { level, ts: new Date().toISOString(), caller: 'flags', msg, 'environment-variable': variable };
    io.err(`${JSON.stringify(line)}\n`);
    if (level === 'fatal') return false;
  }
  if (flags.bool('debug')) {
    for (const spec of [...inheritedFlags(path)].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const value = valueText(flags, spec.name, spec.type);
      io.err(`ETCDCTL_${spec.name.toUpperCase().replaceAll('-', '_')}=${value}\n`);
    }
  }
  return true;
}

function valueText(flags: Flags, name: string, type: string): string {
  if (type === 'strings') return `[${flags.strings(name).join(',')}]`;
  if (type === 'bool') return String(flags.bool(name));
  if (type === 'duration') return `${flags.duration(name) / 1000}s`;
  return type === 'int' ? String(flags.int(name)) : flags.string(name);
}
