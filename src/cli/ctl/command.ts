import type { Context } from './context.js';
import type { FlagSpec } from './flags.js';
import { takesNext } from './flags.js';

/** One command, or a family of commands. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** How it is called, from its own name on: `get [options] <key> [range_end]`. */
  readonly use: string;
  readonly short: string;
  /** Its usage line says nothing of flags. */
  readonly bareUse?: boolean;
  /** A shell need not offer files for its arguments. */
  readonly completesNothing?: boolean;
  readonly long?: string;
  readonly flags?: readonly FlagSpec[];
  /** Flags for it and the commands below it. */
  readonly persistent?: readonly FlagSpec[];
  readonly commands?: readonly Command[];
  readonly run?: (context: Context, args: string[]) => Promise<void>;
}

/** The way from the root to a command. */
export type Path = readonly Command[];

export function leafOf(path: Path): Command {
  return path[path.length - 1]!;
}

/** `keelctl lease grant`. */
export function pathName(path: Path): string {
  return path.map((c) => c.name).join(' ');
}

/** Flags from the commands above. */
export function inheritedFlags(path: Path): FlagSpec[] {
  return path.slice(0, -1).flatMap((c) => c.persistent ?? []);
}

export function localFlags(path: Path): FlagSpec[] {
  const leaf = leafOf(path);
  return [...(leaf.flags ?? []), ...(leaf.persistent ?? [])];
}

export function allFlags(path: Path): FlagSpec[] {
  return [...localFlags(path), ...inheritedFlags(path)];
}

export interface Found {
  readonly path: Path;
  /** What is left: flags and arguments, in order. */
  readonly rest: string[];
  /** A word that should have been a command. */
  readonly unknown: string | null;
}

/**
 * Walks from the root along the words that are not flags. A name may be cut short as long as one command only
 * begins so; its whole name, or an alias, always means it.
 */
export function findCommand(root: Command, argv: readonly string[]): Found {
  const path: Command[] = [root];
  const rest = [...argv];
  for (;;) {
    const commands = leafOf(path).commands;
    if (commands === undefined) return { path, rest, unknown: null };
    const at = firstWord(rest, allFlags(path));
    if (at < 0) return { path, rest, unknown: null };
    const next = match(commands, rest[at]!);
    // Only the root insists on a command; a family shows its help for whatever else it is given.
    if (next === undefined) return { path, rest, unknown: path.length === 1 ? rest[at]! : null };
    path.push(next);
    rest.splice(at, 1);
  }
}

function firstWord(args: readonly string[], specs: readonly FlagSpec[]): number {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') return -1;
    if (!arg.startsWith('-') || arg === '-') return i;
    if (takesNext(specs, arg)) i++;
  }
  return -1;
}

export function match(commands: readonly Command[], word: string): Command | undefined {
  const exact = commands.find((c) => c.name === word || c.aliases?.includes(word));
  if (exact !== undefined) return exact;
  const begun = commands.filter((c) => c.name.startsWith(word) || c.aliases?.some((a) => a.startsWith(word)));
  return begun.length === 1 ? begun[0] : undefined;
}

/** Commands that may have been meant: those that begin so, or are two letters away at most. */
export function suggestions(commands: readonly Command[], word: string): string[] {
  const typed = word.toLowerCase();
  return commands
    .filter((c) => distance(typed, c.name) <= 2 || c.name.startsWith(typed))
    .map((c) => c.name)
    .sort();
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
