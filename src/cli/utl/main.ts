import type { Command, Path } from '../ctl/command.js';
import { allFlags, findCommand, leafOf, suggestions } from '../ctl/command.js';
import { Context } from '../ctl/context.js';
import { Exit, Fail } from '../ctl/fail.js';
import { FlagError, Flags, HelpWanted } from '../ctl/flags.js';
import type { Io } from '../ctl/io.js';
import { usageText } from './help.js';

/** Runs one command line of keelutl as cobra runs etcdutl's. @returns the exit code */
export async function runUtility(root: Command, argv: readonly string[], io: Io): Promise<number> {
  if (argv[0] === '__complete' || argv[0] === '__completeNoDesc') {
    const { complete } = await import('../ctl/complete.js');
    return complete(root, argv.slice(1), argv[0] === '__complete', io);
  }
  const found = findCommand(root, argv);
  const { path } = found;
  if (leafOf(path).name === 'help') return help(root, found.rest, io);
  if (found.unknown !== null && !found.rest.includes('--help') && !found.rest.includes('-h')) {
    return unknownCommand(root, found.unknown, io);
  }
  const flags = new Flags(allFlags(path));
  try {
    const parsed = flags.parse(found.rest);
    const leaf = leafOf(path);
    if (leaf.run === undefined) {
      io.out(usageText(path));
      return Exit.OK;
    }
    await leaf.run(new Context(flags, io, parsed.dash, found.rest), parsed.args);
    return Exit.OK;
  } catch (err) {
    if (err instanceof HelpWanted || err instanceof FlagError) return usageProblem(err, path, io);
    const fail = err instanceof Fail ? err : new Fail(Exit.ERROR, (err as Error).message);
    if (fail.text !== null) io.err(`Error: ${fail.text}\n`);
    return fail.exitCode;
  }
}

function help(root: Command, words: string[], io: Io): number {
  const found = findCommand(root, words);
  if (found.unknown === null) {
    io.out(usageText(found.path));
    return Exit.OK;
  }
  io.err(`Unknown help topic [${words.map((w) => `\`${w}\``).join(' ')}]\n${usageText([root])}`);
  return Exit.OK;
}

function usageProblem(err: Error, path: Path, io: Io): number {
  if (err instanceof HelpWanted) {
    io.out(usageText(path));
    return Exit.OK;
  }
  io.err(`Error: ${err.message}\n${usageText(path)}\nError: ${err.message}\n`);
  return Exit.ERROR;
}

function unknownCommand(root: Command, word: string, io: Io): number {
  const meant = suggestions(root.commands ?? [], word);
  let text = `unknown command ${JSON.stringify(word)} for "${root.name}"`;
  if (meant.length > 0) text += `\n\nDid you mean this?\n${meant.map((m) => `\t${m}\n`).join('')}`;
  io.err(`Error: ${text}\nRun '${root.name} --help' for usage.\nError: ${text}\n`);
  return Exit.ERROR;
}
