/** Times as objects carry them: RFC 3339 in UTC, of whole seconds (Time) or with six decimals (MicroTime). */

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))$/;

/** Seconds since the epoch and the microseconds that are left (0 to 999999), or undefined if it is no time. */
function parse(text: string): { seconds: number; micros: number } | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, local = '', fraction = '', , sign, hours = '0', minutes = '0'] = match;
  const ms = Date.parse(`${local}Z`);
  // A 30th of February is taken for the 1st of March by some, but it does not come back as it went in.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== local) return undefined;
  if (Number(hours) > 24 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  return { seconds: ms / 1000 - offset, micros: Number(fraction.padEnd(6, '0').slice(0, 6)) };
}

/** `2026-07-01T10:00:00Z`. @param seconds whole, since the epoch */
export function timeText(seconds: number): string {
  const text = safeIso(seconds);
  return `${text.slice(0, -5)}Z`;
}

/** `2026-07-01T10:00:00.000001Z`. @param micros 0 to 999999 */
export function microTimeText(seconds: number, micros: number): string {
  return `${safeIso(seconds).slice(0, -5)}.${String(micros).padStart(6, '0')}Z`;
}

/** Times that have no four-digit year are cut to the first or last that has. */
function safeIso(seconds: number): string {
  const first = -62_135_596_800;
  const last = 253_402_300_799;
  return new Date(Math.min(Math.max(seconds, first), last) * 1000).toISOString();
}

/** In UTC and whole seconds, or undefined if the text is no RFC 3339 time. */
export function canonicalTime(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return parse(text) === undefined ? undefined : text;
  const time = parse(text);
  return time === undefined ? undefined : timeText(time.seconds);
}

/** In UTC with six decimals, or undefined if the text is no RFC 3339 time. */
export function canonicalMicroTime(text: string): string | undefined {
  const time = parse(text);
  return time === undefined ? undefined : microTimeText(time.seconds, time.micros);
}

/** Seconds since the epoch, with microseconds as a fraction of their own; undefined if the text is no time. */
export const parseTime = parse;

/** Go's text of a duration in nanoseconds: `1m30s`, `250ms`, `0s`. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < 1_000_000_000n) {
    const [unit, scale] = size < 1000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n];
    return `${sign}${decimal(size, scale as bigint)}${unit}`;
  }
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(size: bigint, scale: bigint): string {
  const fraction = (size % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0+$/, '');
  return scale === 1n || fraction === '' ? `${size / scale}` : `${size / scale}.${fraction}`;
}
