/** How a flag's text becomes a value. Durations are Go's (`1h30m`, `500ms`); `milliseconds` are plain integers. */
export type FlagKind = 'string' | 'bool' | 'int' | 'milliseconds' | 'duration' | 'urls';

export interface Flag {
  readonly name: string;
  readonly kind: FlagKind;
  /** As --help shows it and as it is parsed when nothing is given. */
  readonly initial: string;
  readonly help: string;
  readonly group: string;
}

/** Wrong usage: the message and the usage go to stderr, the status is 2 (operations spec 1). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A value that no flag may have; the status is 1. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export type FlagValue = string | boolean | number | readonly string[];

/** What was given, and by whom. */
export interface Parsed {
  readonly values: ReadonlyMap<string, FlagValue>;
  /** Names that were given on the command line or by a variable. */
  readonly given: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

const SHADOWED =
  'conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))';

/**
 * Parses flags as Go's flag package does: `-f v`, `--f v`, `--f=v`; a boolean takes its value behind `=` alone. What
 * the command line does not give may come from the variables `<PREFIX>_<FLAG>`, upper case with `_` for `-`.
 */
export function parseFlags(
  flags: readonly Flag[],
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): Parsed {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const values = new Map<string, FlagValue>(flags.map((flag) => [flag.name, parseValue(flag, flag.initial)]));
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
    values.set(name, parseValue(flag, value));
    given.add(name);
  }
  const warnings = fromEnvironment(byName, values, given, env, prefixes);
  return { values, given, warnings };
}

function fromEnvironment(
  flags: ReadonlyMap<string, Flag>,
  values: Map<string, FlagValue>,
  given: Set<string>,
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): string[] {
  const onLine = new Set(given);
  const names = new Map<string, Flag>();
  for (const prefix of prefixes) {
    for (const flag of flags.values()) names.set(variable(prefix, flag.name), flag);
  }
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || !prefixes.some((prefix) => name.startsWith(`${prefix}_`))) continue;
    const flag = names.get(name);
    if (flag === undefined) {
      warnings.push(`unrecognized environment variable ${name}=${value}`);
      continue;
    }
    if (onLine.has(flag.name)) throw new FlagError(`${SHADOWED}: ${name}`);
    try {
      values.set(flag.name, parseValue(flag, value));
    } catch (err) {
      throw new FlagError(`invalid value "${value}" for ${name}: ${(err as Error).message}`);
    }
    given.add(flag.name);
  }
  return warnings;
}

function variable(prefix: string, flag: string): string {
  return `${prefix}_${flag.toUpperCase().replaceAll('-', '_')}`;
}

function parseValue(flag: Flag, text: string): FlagValue {
  const bad = (why: string): UsageError => new UsageError(`invalid value "${text}" for flag -${flag.name}: ${why}`);
  switch (flag.kind) {
    case 'string':
      return text;
    case 'bool':
      if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
      if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
      throw bad('parse error');
    case 'int':
    case 'milliseconds': {
      if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw bad('parse error');
      return Number(text);
    }
    case 'duration': {
      const ms = parseDuration(text);
      if (ms === null) throw bad('parse error');
      return ms;
    }
    case 'urls':
      return parseUrls(text, bad);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** ms of a Go duration; null if it is none. */
export function parseDuration(text: string): number | null {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (text === '0') return 0;
  if (match === null) return null;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(number) * (UNITS[unit as string] as number);
  }
  return match[1] === '-' ? -ms : ms;
}

/** A comma list of URLs, each with a scheme and host:port and no path, as etcd wants them. */
function parseUrls(text: string, bad: (why: string) => Error): readonly string[] {
  if (text === '') return [];
  const urls = text.split(',').map((url) => url.trim());
  for (const url of urls) {
    const why = checkUrl(url);
    if (why !== null) throw bad(why);
  }
  return urls.map((url) => url.replace(/\/$/, ''));
}

export function checkUrl(url: string): string | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(url);
  if (match === null) return `URL scheme must be http, https, unix, or unixs: ${url}`;
  const [, scheme, host, rest] = match as unknown as [string, string, string, string];
  if (!['http', 'https', 'unix', 'unixs'].includes(scheme)) {
    return `URL scheme must be http, https, unix, or unixs: ${url}`;
  }
  if (scheme.startsWith('unix')) return null;
  const port = /^(\[[0-9a-fA-F:.]+\]|[^:]*):(\d+)$/.exec(host)?.[2];
  if (port === undefined || Number(port) > 65535) return `URL address does not have the form "host:port": ${url}`;
  if (rest !== '' && rest !== '/') return `URL must not contain a path: ${url}`;
  return null;
}
