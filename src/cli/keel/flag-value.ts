import type { Flag } from './flag-set.js';

export type FlagValue = string | boolean | number | readonly string[];

/** @throws Error with Go's complaint */
export function parseValue(flag: Flag, text: string): FlagValue {
  if (flag.choices !== undefined && !flag.choices.includes(text)) throw new Error(`invalid value "${text}"`);
  switch (flag.kind) {
    case 'string':
      return text;
    case 'bool':
      if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
      if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
      throw new Error('parse error');
    case 'int':
      return parseInteger(text, /^[+-]?/);
    case 'uint':
    case 'milliseconds':
      return parseInteger(text, /^/);
    case 'duration': {
      const ms = parseDuration(text);
      if (ms === null) throw new Error('parse error');
      return ms;
    }
    case 'urls':
      return parseUrls(text);
  }
}

/** In any of Go's bases; beyond 2^53, which no limit passes, it saturates. */
function parseInteger(text: string, sign: RegExp): number {
  const digits = text.replace(sign, '');
  if (!/^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.test(digits)) throw new Error('parse error');
  const value = BigInt(digits.replace(/^0(?=[0-7]+$)/, '0o'));
  if (value >= 1n << 64n) throw new Error('value out of range');
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  const number = value > max ? Number.MAX_SAFE_INTEGER : Number(value);
  return text.startsWith('-') ? -number : number;
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
export function parseUrls(text: string): readonly string[] {
  if (text === '') return [];
  const urls = text.split(',').map((url) => url.trim());
  for (const url of urls) {
    const why = checkUrl(url);
    if (why !== null) throw new Error(why);
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
