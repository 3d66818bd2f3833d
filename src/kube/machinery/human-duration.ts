/** How ages and durations are printed in tables: coarser the longer they are. Source: kubectl's own printing. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Clocks differ a little: so much before now still counts as now. */
const SKEW_MS = 2 * SECOND;

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first}${firstUnit}` : `${first}${firstUnit}${second}${secondUnit}`;
}

/** @param ms may be slightly negative */
export function humanDuration(ms: number): string {
  if (ms < -SKEW_MS) return '<invalid>';
  if (ms < 0) return '0s';
  const whole = (unit: number, within = Number.POSITIVE_INFINITY) => Math.floor((ms % within) / unit);
  if (ms < 2 * MINUTE) return `${whole(SECOND)}s`;
  if (ms < 10 * MINUTE) return two(whole(MINUTE), 'm', whole(SECOND, MINUTE), 's');
  if (ms < 3 * HOUR) return `${whole(MINUTE)}m`;
  if (ms < 8 * HOUR) return two(whole(HOUR), 'h', whole(MINUTE, HOUR), 'm');
  if (ms < 2 * DAY) return `${whole(HOUR)}h`;
  if (ms < 8 * DAY) return two(whole(DAY), 'd', whole(HOUR, DAY), 'h');
  if (ms < 2 * YEAR) return `${whole(DAY)}d`;
  if (ms < 8 * YEAR) return two(whole(YEAR), 'y', whole(DAY, YEAR), 'd');
  return `${whole(YEAR)}y`;
}

/**
 * @param timestamp RFC 3339; absent: `<unknown>`
 * @param now ms since the epoch
 */
export function ageOf(timestamp: string | null | undefined, now: number): string {
  const then = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then);
}
