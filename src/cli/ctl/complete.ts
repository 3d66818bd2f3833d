import type { Command, Path } from './command.js';
import { allFlags, findCommand, inheritedFlags, leafOf, localFlags, match } from './command.js';
import type { FlagSpec } from './flags.js';
import { FlagError, Flags, flag, HelpWanted, takesNext } from './flags.js';
import type { Io } from './io.js';

/** What a shell is told with the candidates, in the numbers of etcdctl's own completion. */
const DEFAULT = 0;
const NO_FILES = 4;
const NAMES: Readonly<Record<number, string>> = {
  [DEFAULT]: 'ShellCompDirectiveDefault',
  [NO_FILES]: 'ShellCompDirectiveNoFileComp',
};

/**
 * The hidden commands __complete and __completeNoDesc, which the scripts of `completion` call: what may come at the end
 * of a command line, one candidate a line with its description behind a tab, then `:` and the directive.
 * @param words the command line so far; the last one, maybe empty, is to be completed
 */
export function complete(root: Command, words: readonly string[], describe: boolean, io: Io): number {
  const { candidates, directive } = candidatesOf(root, words.slice(0, -1), words.at(-1) ?? '', io);
  for (const [word, text] of candidates) io.out(describe ? `${word}\t${text.split('\n')[0]}\n` : `${word}\n`);
  io.out(`:${directive}\n`);
  io.err(`Completion ended with directive: ${NAMES[directive]}\n`);
  return 0;
}

type Candidates = readonly (readonly [word: string, text: string])[];

function candidatesOf(
  root: Command,
  before: readonly string[],
  word: string,
  io: Io,
): { candidates: Candidates; directive: number } {
  const none = { candidates: [], directive: DEFAULT };
  const { path, rest, unknown } = findCommand(root, before);
  if (unknown !== null) {
    io.err(`[Debug] [Error] unable to find a command for arguments: [${before.join(' ')}]\n`);
    return none;
  }
  const leaf = leafOf(path);
  if (leaf.name === 'help') return { candidates: subcommands(topic(root, rest), word), directive: NO_FILES };
  const last = rest.at(-1);
  const isValue =
    last?.startsWith('-') === true && !rest.includes('--') && isKnown(path, last) && takesNext(allFlags(path), last);
  if (isValue || (word.startsWith('-') && word.includes('='))) return none;
  const given = parse(path, rest, io);
  if (word.startsWith('-')) return { candidates: flagNames(path, word, given?.flags), directive: NO_FILES };
  if (leaf.commands === undefined || given === null || given.args.length > 0) {
    return { candidates: [], directive: leaf.completesNothing ? NO_FILES : DEFAULT };
  }
  return { candidates: subcommands(leaf, word), directive: NO_FILES };
}

function isKnown(path: Path, word: string): boolean {
  return allFlags(path).some(({ name, short }) => word === `--${name}` || word === `-${short}`);
}

function topic(root: Command, words: readonly string[]): Command {
  return words.reduce((at, word) => match(at.commands ?? [], word) ?? at, root);
}

function subcommands({ commands = [] }: Command, word: string): Candidates {
  return commands
    .filter((command) => command.name.startsWith(word))
    .map((command) => [command.name, command.short] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** null: what is there is wrong already. */
function parse(path: Path, rest: readonly string[], io: Io): { flags: Flags; args: string[] } | null {
  const flags = new Flags(allFlags(path));
  try {
    return { flags, args: flags.parse(rest).args };
  } catch (err) {
    if (err instanceof FlagError) {
      const line = `Error while parsing flags from args [${rest.join(' ')}]: ${err.message}`;
      io.err(`[Debug] [Error] ${line}\n`);
    } else if (!(err instanceof HelpWanted)) throw err;
    return null;
  }
}

/** Those from above first; what has been given is not offered again, but for lists. */
function flagNames(path: Path, word: string, given: Flags | undefined): Candidates {
  const help = flag('help', 'bool', 'false', `help for ${leafOf(path).name}`, 'h');
  const sorted = (specs: readonly FlagSpec[]) => [...specs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...sorted(inheritedFlags(path)), ...sorted([...localFlags(path), help])]
    .filter((spec) => spec === help || spec.type === 'strings' || given?.changed(spec.name) !== true)
    .flatMap((spec) =>
      [`--${spec.name}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])].map((n) => [n, spec.usage] as const),
    )
    .filter(([name]) => name.startsWith(word));
}
