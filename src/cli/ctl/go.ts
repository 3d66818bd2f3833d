/** How Go prints and reads values: what scripts around etcdctl have come to expect. */

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** As Go's %q of a string: bytes that are no UTF-8 become \xNN, what cannot be printed \uNNNN. */
export function quote(bytes: Buffer | string): string {
  const buf = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  let out = '"';
  for (let i = 0; i < buf.length; ) {
    const size = runeLength(buf, i);
    if (size === 0) {
      out += `\\x${hex2(buf[i]!)}`;
      i++;
      continue;
    }
    const rune = buf.toString('utf8', i, i + size);
    out += ESCAPES[rune] ?? (PRINTABLE.test(rune) ? rune : escapeRune(rune.codePointAt(0)!));
    i += size;
  }
  return `${out}"`;
}

/** Bytes of the UTF-8 character at `i`; 0 if there is none (overlong forms and surrogates are none). */
function runeLength(buf: Buffer, i: number): number {
  const first = buf[i]!;
  if (first < 0x80) return 1;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || i + size > buf.length) return 0;
  const text = buf.toString('utf8', i, i + size);
  return text.length > 0 && !text.includes('\ufffd') ? size : isReplacement(buf, i) ? 3 : 0;
}

/** U+FFFD itself, properly encoded. */
function isReplacement(buf: Buffer, i: number): boolean {
  return buf[i] === 0xef && buf[i + 1] === 0xbf && buf[i + 2] === 0xbd;
}

function escapeRune(code: number): string {
  if (code < 0x80) return `\\x${hex2(code)}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

function hex2(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** Reads a Go string literal in double quotes or backquotes. @returns undefined if it is none */
export function unquote(text: string): Buffer | undefined {
  if (text.length < 2 || text[0] !== text[text.length - 1]) return undefined;
  const inner = text.slice(1, -1);
  if (text[0] === '`') return inner.includes('`') ? undefined : Buffer.from(inner, 'utf8');
  if (text[0] !== '"') return undefined;
  const parts: Buffer[] = [];
  const literal = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\"']))|[^\\"\n]+/gy;
  let at = 0;
  while (at < inner.length) {
    literal.lastIndex = at;
    const m = literal.exec(inner);
    if (m === null) return undefined;
    at = literal.lastIndex;
    const [whole, x, u, U, octal, simple] = m;
    if (x !== undefined) parts.push(Buffer.from([Number.parseInt(x, 16)]));
    else if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]));
    else if (u !== undefined || U !== undefined) {
      parts.push(Buffer.from(String.fromCodePoint(Number.parseInt((u ?? U)!, 16)), 'utf8'));
    } else if (simple !== undefined) parts.push(Buffer.from(UNESCAPES[simple]!));
    else parts.push(Buffer.from(whole, 'utf8'));
  }
  return Buffer.concat(parts);
}

const UNESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads a Go duration: 5s, 1.5h, 2m30s. @returns milliseconds, or Go's complaint */
export function parseDuration(text: string): number | string {
  const bad = `time: invalid duration ${quote(text)}`;
  let rest = text;
  let sign = 1;
  if (rest.startsWith('-') || rest.startsWith('+')) {
    if (rest.startsWith('-')) sign = -1;
    rest = rest.slice(1);
  }
  if (rest === '0') return 0;
  if (rest === '') return bad;
  let total = 0;
  while (rest !== '') {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return bad;
    rest = rest.slice(number.length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) return `time: missing unit in duration ${quote(text)}`;
    const scale = UNITS[unit];
    if (scale === undefined) return `time: unknown unit ${quote(unit)} in duration ${quote(text)}`;
    total += Number(number) * scale;
    rest = rest.slice(unit.length);
  }
  return sign * total;
}

/** As Go prints a time.Duration: 2.649729ms, 1m0s, 5.001277357s. */
export function formatDuration(ms: number): string {
  const ns = Math.round(ms * 1e6);
  if (ns === 0) return '0s';
  if (ns < 0) return `-${formatDuration(-ms)}`;
  if (ns < 1000) return `${ns}ns`;
  if (ns < 1e6) return `${trim(ns, 3)}µs`;
  if (ns < 1e9) return `${trim(ns, 6)}ms`;
  const seconds = Math.floor(ns / 1e9);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const tail = `${trim(ns - (hours * 3600 + minutes * 60) * 1e9, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${tail}`;
  return minutes > 0 ? `${minutes}m${tail}` : tail;
}

/** An integer with a decimal point `digits` from its end, and no zeros after it. */
function trim(value: number, digits: number): string {
  const text = String(Math.round(value)).padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  const whole = text.slice(0, -digits);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Sizes in powers of 1000 with two digits or three: 20 kB, 2.1 GB. */
export function formatBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  const e = Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3 + 1e-12));
  const value = Math.floor((bytes / 1000 ** e) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : roundHalfEven(value)} ${SIZES[e]}`;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

export type IntKind = 'ParseInt' | 'ParseUint';

const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);
const UINT64_MAX = (1n << 64n) - 1n;

/**
 * As strconv.ParseInt and ParseUint with 64 bits.
 * @param base 10 or 16; 0 takes 0x, 0o, 0b and 0 prefixes
 * @returns the number, or Go's complaint
 */
export function parseInteger(text: string, base: 0 | 10 | 16, kind: IntKind): bigint | string {
  const complain = (why: string) => `strconv.${kind}: parsing ${quote(text)}: ${why}`;
  const m = /^([+-]?)(.*)$/s.exec(text)!;
  const digits = base === 0 ? m[2]!.replaceAll('_', '') : m[2]!;
  if (kind === 'ParseUint' && m[1] !== '') return complain('invalid syntax');
  let value: bigint;
  if (base === 16 && /^[0-9a-fA-F]+$/.test(digits)) value = BigInt(`0x${digits}`);
  else if (base === 0 && /^0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/.test(digits))
    value = BigInt(digits.toLowerCase());
  else if (base === 0 && /^0[0-7]+$/.test(digits)) value = BigInt(`0o${digits.slice(1)}`);
  else if (base !== 16 && /^\d+$/.test(digits) && !(base === 0 && /^0\d/.test(digits))) value = BigInt(digits);
  else return complain('invalid syntax');
  if (m[1] === '-') value = -value;
  const [low, high] = kind === 'ParseInt' ? [INT64_MIN, INT64_MAX] : [0n, UINT64_MAX];
  return value < low || value > high ? complain('value out of range') : value;
}

/** As strconv.ParseBool. @returns Go's complaint if it is none */
export function parseBool(text: string): boolean | string {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`;
}
