import { parseBool, parseDuration, parseInteger, quote } from './go.js';

export type FlagType = 'bool' | 'string' | 'int' | 'uint' | 'duration' | 'strings';

/** A flag as a command declares it. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  readonly type: FlagType;
  /** As it is written on a command line; `strings`: with commas. */
  readonly value: string;
  readonly usage: string;
}

export function flag(name: string, type: FlagType, value: string, usage: string, short?: string): FlagSpec {
  return short === undefined ? { name, type, value, usage } : { name, short, type, value, usage };
}

/** What was wrong on the command line, in pflag's words. */
export class FlagError extends Error {}

/** Help was asked for. */
export class HelpWanted extends Error {}

type Value = boolean | string | number | string[];

/** The flags of one invocation, with their values. */
export class Flags {
  readonly specs: readonly FlagSpec[];
  readonly #values = new Map<string, Value>();
  readonly #changed = new Set<string>();
  /** Help counts when nothing else is wrong with the line. */
  #help = false;

  constructor(specs: readonly FlagSpec[]) {
    this.specs = specs;
    for (const spec of specs) this.#values.set(spec.name, convert(spec, spec.value) as Value);
  }

  /** Given on the command line (or set from the environment). */
  changed(name: string): boolean {
    return this.#changed.has(name);
  }

  bool(name: string): boolean {
    return this.#values.get(name) as boolean;
  }

  string(name: string): string {
    return this.#values.get(name) as string;
  }

  /** Saturates at 2^53, which no revision or limit passes. */
  int(name: string): number {
    return this.#values.get(name) as number;
  }

  /** Milliseconds. */
  duration(name: string): number {
    return this.#values.get(name) as number;
  }

  strings(name: string): string[] {
    return this.#values.get(name) as string[];
  }

  /** @returns Go's complaint, or undefined */
  set(spec: FlagSpec, text: string): string | undefined {
    const value = convert(spec, text);
    if (value instanceof FlagError) return value.message;
    // A list grows with each time that it is given; the first one takes the default's place.
    const before = spec.type === 'strings' && this.#changed.has(spec.name) ? this.strings(spec.name) : [];
    this.#values.set(spec.name, Array.isArray(value) ? [...before, ...value] : value);
    this.#changed.add(spec.name);
    return undefined;
  }

  /**
   * Reads flags from among arguments, as pflag does: anywhere, `--f=v`, `--f v`, `-f v`, `-fv`, `-f=v`, bare for
   * booleans; everything after `--` is an argument.
   * @returns the arguments, and how many of them stood before `--` (or -1)
   * @throws FlagError, HelpWanted
   */
  parse(args: readonly string[]): { args: string[]; dash: number } {
    const parsed = this.#parse(args);
    if (this.#help) throw new HelpWanted();
    return parsed;
  }

  #parse(args: readonly string[]): { args: string[]; dash: number } {
    const rest: string[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (arg === '--') return { args: [...rest, ...args.slice(i + 1)], dash: rest.length };
      if (arg.startsWith('--')) i = this.#long(args, i);
      else if (arg.startsWith('-') && arg !== '-') i = this.#shorts(args, i);
      else rest.push(arg);
    }
    return { args: rest, dash: -1 };
  }

  #long(args: readonly string[], i: number): number {
    const arg = args[i]!;
    const [name, given] = cut(arg.slice(2));
    if (name === '' || name.startsWith('-') || arg[2] === '=') throw new FlagError(`bad flag syntax: ${arg}`);
    const spec = this.specs.find((s) => s.name === name);
    if (spec === undefined) {
      if (name === 'help') {
        this.#help = given === undefined || parseBool(given) === true;
        return i;
      }
      throw new FlagError(`unknown flag: --${name}`);
    }
    if (given !== undefined) this.#set(spec, given, `--${name}`);
    else if (spec.type === 'bool') this.#set(spec, 'true', `--${name}`);
    else if (i + 1 < args.length) {
      this.#set(spec, args[i + 1]!, `--${name}`);
      return i + 1;
    } else throw new FlagError(`flag needs an argument: --${name}`);
    return i;
  }

  #shorts(args: readonly string[], i: number): number {
    const cluster = args[i]!.slice(1);
    for (let at = 0; at < cluster.length; at++) {
      const letter = cluster[at]!;
      const spec = this.specs.find((s) => s.short === letter);
      if (spec === undefined) {
        if (letter === 'h') {
          this.#help = true;
          continue;
        }
        throw new FlagError(`unknown shorthand flag: ${quoteRune(letter)} in -${cluster.slice(at)}`);
      }
      const label = `-${letter}, --${spec.name}`;
      const rest = cluster.slice(at + 1);
      if (rest.startsWith('=')) {
        this.#set(spec, rest.slice(1), label);
        return i;
      }
      if (spec.type === 'bool') {
        this.#set(spec, 'true', label);
        continue;
      }
      if (rest !== '') {
        this.#set(spec, rest, label);
        return i;
      }
      if (i + 1 >= args.length) throw new FlagError(`flag needs an argument: ${quoteRune(letter)} in -${cluster}`);
      this.#set(spec, args[i + 1]!, label);
      return i + 1;
    }
    return i;
  }

  #set(spec: FlagSpec, text: string, label: string): void {
    const complaint = this.set(spec, text);
    if (complaint === undefined) return;
    throw new FlagError(`invalid argument ${quote(text)} for ${quote(label)} flag: ${complaint}`);
  }
}

/** @returns true if the word takes the next one as its value, as far as these flags know it */
export function takesNext(specs: readonly FlagSpec[], word: string): boolean {
  if (word.includes('=')) return false;
  if (word.startsWith('--')) {
    if (word === '--help') return false;
    return specs.find((s) => s.name === word.slice(2))?.type !== 'bool';
  }
  if (word.length !== 2 || word === '-h') return false;
  return specs.find((s) => s.short === word[1])?.type !== 'bool';
}

function cut(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function quoteRune(letter: string): string {
  return `'${letter}'`;
}

function convert(spec: FlagSpec, text: string): Value | FlagError {
  switch (spec.type) {
    case 'string':
      return text;
    case 'strings':
      return text === '' ? [] : text.split(',');
    case 'bool': {
      const value = parseBool(text);
      return typeof value === 'string' ? new FlagError(value) : value;
    }
    case 'int': {
      const value = parseInteger(text, 0, 'ParseInt');
      return typeof value === 'string' ? new FlagError(value) : saturate(value);
    }
    case 'uint': {
      const value = parseInteger(text, 0, 'ParseUint');
      return typeof value === 'string' ? new FlagError(value) : saturate(value);
    }
    case 'duration': {
      const value = parseDuration(text);
      return typeof value === 'string' ? new FlagError(value) : value;
    }
  }
}

function saturate(value: bigint): number {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  if (value > max) return Number.MAX_SAFE_INTEGER;
  return value < -max ? Number.MIN_SAFE_INTEGER : Number(value);
}
