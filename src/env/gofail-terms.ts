/**
 * The terms of a failpoint, in the language of gofail (and of FreeBSD's fail(9)):
 *
 *   terms := term ("->" term)*
 *   term  := (float "%" | int "*")* act [ "(" value ")" ]
 *   act   := "off" | "return" | "sleep" | "panic" | "break" | "print"
 *   value := int | quoted string | "true" | "false" | nothing
 *
 * The first term of the chain whose modifiers all allow it is done: `float%` allows by chance, `int*` so many times.
 */
export class Terms {
  /** As they were given. */
  readonly text: string;
  readonly #chain: readonly Term[];
  /** How often a term was done. */
  count = 0;

  constructor(text: string, chain: readonly Term[]) {
    this.text = text;
    this.#chain = chain;
  }

  /** @param random uniform in [0, 1). @returns what is to be done now, or null */
  next(random: () => number): Term | null {
    for (const term of this.#chain) {
      if (!allowed(term, random)) continue;
      this.count++;
      return term;
    }
    return null;
  }
}

export type Act = 'off' | 'return' | 'sleep' | 'panic' | 'break' | 'print';

export interface Term {
  readonly act: Act;
  /** Null: none was given. */
  readonly value: number | string | boolean | null;
  readonly modifiers: Modifier[];
}

/** Per cent, or how many times are left. */
type Modifier = { readonly percent: number } | { left: number };

/** Null if the text is not in the language, or empty. */
export function parseTerms(text: string): Terms | null {
  const chain: Term[] = [];
  const terms =
    /((?:\d+\.\d*%|\d+\*)*)(off|return|sleep|panic|break|print)(\("[^"\\]*"\)|\(`[^`]*`\)|\([^)]*\))?(->|$)/gy;
  let at = 0;
  while (at < text.length) {
    const match = terms.exec(text);
    if (match === null) return null;
    const value = parseValue(match[3]);
    if (value === undefined) return null;
    chain.push({ act: match[2] as Act, value, modifiers: parseModifiers(match[1] as string) });
    at = terms.lastIndex;
    // An arrow leads to a term.
    if (at === text.length && match[4] === '->') return null;
  }
  return chain.length === 0 ? null : new Terms(text, chain);
}

function parseModifiers(text: string): Modifier[] {
  const found: Modifier[] = [];
  for (const [, number, kind] of text.matchAll(/([\d.]+)([%*])/g)) {
    found.push(kind === '%' ? { percent: Number(number) } : { left: Number(number) });
  }
  return found;
}

function parseValue(text: string | undefined): Term['value'] | undefined {
  if (text === undefined || text === '()') return null;
  const inner = text.slice(1, -1);
  if (/^-?\d+$/.test(inner)) return Number(inner);
  if (inner === 'true' || inner === 'false') return inner === 'true';
  if (/^(".*"|`.*`)$/s.test(inner)) return inner.slice(1, -1);
  return undefined;
}

function allowed(term: Term, random: () => number): boolean {
  for (const modifier of term.modifiers) {
    if ('percent' in modifier) {
      if (random() * 100 > modifier.percent) return false;
    } else {
      if (modifier.left <= 0) return false;
      modifier.left--;
    }
  }
  return true;
}

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** How long a sleep lasts, ms; a bare number is milliseconds, a string one of Go's durations. Null: neither. */
export function sleepMs(value: Term['value']): number | null {
  if (typeof value === 'number') return Math.max(0, value);
  if (typeof value !== 'string' || !/^\+?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(value)) {
    return value === '0' ? 0 : null;
  }
  let ms = 0;
  for (const [, number, , unit] of value.matchAll(/(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(number) * (UNIT_MS[unit as string] as number);
  }
  return ms;
}

/** `name=terms;name=terms`. Null if a part of it is not of that form. */
export function parseSettings(text: string): Map<string, string> | null {
  const settings = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part === '') continue;
    const [name, terms, ...more] = part.split('=');
    if (terms === undefined || more.length > 0) return null;
    settings.set(name as string, terms);
  }
  return settings;
}
