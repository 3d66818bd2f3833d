import type { FlagValue } from './flag-value.js';
import { parseValue } from './flag-value.js';

/** How a flag's text becomes a value. Durations are Go's (`1h30m`, `500ms`); `milliseconds` are plain integers. */
export type FlagKind = 'string' | 'bool' | 'int' | 'uint' | 'milliseconds' | 'duration' | 'urls';

export interface Flag {
  readonly name: string;
  readonly kind: FlagKind;
  /** As --help shows it and as it is parsed when nothing is given. */
  readonly initial: string;
  readonly help: string;
  readonly group: string;
  /** What --help shows for `initial` where the two differ. */
  readonly shown?: string;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** Why it is taken and changes nothing. */
  readonly inert?: string;
  /** Why any value but its default is refused. */
  readonly unbuilt?: string;
}

/** Wrong usage: the message and the usage go to stderr, the status is 2 (operations spec 1). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A value that no flag may have; the status is 1. */
export class FlagError extends Error {
  override readonly name: string = 'FlagError';
}

/** A variable contradicts the command line. */
export class ShadowedError extends FlagError {
  override readonly name = 'ShadowedError';
  /** NAME=value */
  readonly variable: string;

  constructor(variable: string) {
    super(SHADOWED);
    this.variable = variable;
  }
}

/** What was given, and by whom. */
export interface Parsed {
  readonly values: ReadonlyMap<string, FlagValue>;
  /** Names that were given, by whatever way. */
  readonly given: ReadonlySet<string>;
  /** To be logged when there is a logger. */
  readonly notes: readonly Note[];
  /** The configuration file that it comes from. */
  readonly file?: string;
}

export interface Note {
  readonly level: 'info' | 'warn';
  readonly msg: string;
  readonly fields: Readonly<Record<string, string>>;
}

const SHADOWED =
  'conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))';

/**
 * Parses flags as Go's flag package does: `-f v`, `--f v`, `--f=v`; a boolean takes its value behind `=` alone. What
 * the command line does not give may come from the variables `<PREFIX>_<FLAG>`, upper case with `_` for `-`; of two
 * such variables the later prefix counts.
 */
export function parseFlags(
  flags: readonly Flag[],
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): Parsed {
  return withVariables(flags, parseLine(flags, args), env, prefixes);
}

/** The command line alone. @throws UsageError, FlagError */
export function parseLine(flags: readonly Flag[], args: readonly string[]): Parsed {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const values = defaults(flags);
  const given = new Set<string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!arg.startsWith('-') || arg === '-') throw new FlagError(`"${arg}" is not a valid flag`);
    if (arg === '--') {
      if (i + 1 < args.length) throw new FlagError(`"${args[i + 1]}" is not a valid flag`);
      break;
    }
    const text = arg.slice(arg.startsWith('--') ? 2 : 1);
    const eq = text.indexOf('=');
    const name = eq < 0 ? text : text.slice(0, eq);
    if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${arg}`);
    const flag = byName.get(name);
    if (flag === undefined) throw new UsageError(`flag provided but not defined: -${name}`);
    let value: string;
    if (eq >= 0) value = text.slice(eq + 1);
    else if (flag.kind === 'bool') value = 'true';
    else {
      i++;
      if (i >= args.length) throw new UsageError(`flag needs an argument: -${name}`);
      value = args[i] as string;
    }
    try {
      values.set(name, parseValue(flag, value));
    } catch (err) {
      const what = flag.kind === 'bool' ? 'boolean value' : 'value';
      const where = flag.kind === 'bool' ? `-${name}` : `flag -${name}`;
      throw new UsageError(`invalid ${what} "${value}" for ${where}: ${(err as Error).message}`);
    }
    given.add(name);
  }
  return { values, given, notes: [] };
}

/** Every flag's default. */
export function defaults(flags: readonly Flag[]): Map<string, FlagValue> {
  return new Map(flags.map((flag) => [flag.name, parseValue(flag, flag.initial)]));
}

/** What the line did not give, from the variables. @throws ShadowedError, FlagError */
export function withVariables(
  flags: readonly Flag[],
  line: Parsed,
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): Parsed {
  const values = new Map(line.values);
  const given = new Set(line.given);
  const notes: Note[] = [...line.notes];
  const byVariable = new Map<string, Flag>();
  const sorted = [...flags].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const prefix of prefixes) {
    for (const flag of sorted) {
      const name = variable(prefix, flag.name);
      byVariable.set(name, flag);
      const value = env[name];
      if (value === undefined || value === '' || line.given.has(flag.name)) continue;
      try {
        values.set(flag.name, parseValue(flag, value));
      } catch (err) {
        throw new FlagError(`invalid value "${value}" for ${name}: ${(err as Error).message}`);
      }
      given.add(flag.name);
      const shown = flag.name.endsWith('password') ? '***' : value;
      notes.push({
        level: 'info',
        msg: 'recognized and used environment variable',
        fields: { 'variable-name': name, 'variable-value': shown },
      });
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || !prefixes.some((prefix) => name.startsWith(`${prefix}_`))) continue;
    const flag = byVariable.get(name);
    if (flag !== undefined && line.given.has(flag.name)) throw new ShadowedError(name);
    if (flag !== undefined || NOT_FLAGS.test(name)) continue;
    notes.push({
      level: 'warn',
      msg: 'unrecognized environment variable',
      fields: { 'environment-variable': `${name}=${value}` },
    });
  }
  return { values, given, notes };
}

/** Variables of the tests, of the simulator, and the one that chooses the transport. */
const NOT_FLAGS = /^KEEL_(TEST_|E2E_|FC_|SIM_|BENCH_|TRANSPORT$)/;

function variable(prefix: string, flag: string): string {
  return `${prefix}_${flag.toUpperCase().replaceAll('-', '_')}`;
}
