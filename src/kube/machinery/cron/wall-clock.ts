/** What the clock on the wall shows in a time zone. */
export interface WallTime {
  /** 1-12. */
  readonly month: number;
  /** 1-31. */
  readonly date: number;
  /** 0 is Sunday. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** Zones change their offset at full quarters of an hour at most. */
const QUARTER_MS = 15 * 60_000;

/** @param zone IANA's name; default: the machine's */
export function wallClock(zone?: string): (ms: number) => WallTime {
  const offsetOf = offsets(zone);
  return (ms) => {
    const local = new Date(ms + offsetOf(ms));
    return {
      month: local.getUTCMonth() + 1,
      date: local.getUTCDate(),
      day: local.getUTCDay(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
    };
  };
}

/** RFC 3339 as it is on that wall: `2026-03-29T03:00:00+02:00`. */
export function wallText(ms: number, zone?: string): string {
  const offset = offsets(zone)(ms);
  const local = new Date(ms + offset).toISOString().replace(/\.\d+Z$/, '');
  if (offset === 0) return `${local}Z`;
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

function offsets(zone?: string): (ms: number) => number {
  if (zone === undefined) return (ms) => -new Date(ms).getTimezoneOffset() * 60_000;
  if (zone === 'UTC' || zone === 'Etc/UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  let known = { quarter: Number.NaN, offset: 0 };
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER_MS);
    if (quarter === known.quarter) return known.offset;
    const at = quarter * QUARTER_MS;
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts as Record<string, number>;
    known = { quarter, offset: Date.UTC(year, month - 1, day, hour, minute, second) - at };
    return known.offset;
  };
}
