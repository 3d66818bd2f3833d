/**
 * When a cron schedule is due: five fields, a word with an at sign, or `@every 90s`. Time runs on through changes of the
 * clock: an hour that is left out has no times, one that comes twice has them twice. Source: crontab(5).
 */
import type { CronFields } from './cron-fields.js';
import { parseFields } from './cron-fields.js';
import { wallClock } from './wall-clock.js';

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
/** A date that does not come within this never comes: 30 February. */
const YEARS_MAX = 5;
/** First look back so far for the time before now, then farther. */
const LOOKS_BACK_MS = [MINUTE, 60 * MINUTE, 24 * 60 * MINUTE, 32 * 24 * 60 * MINUTE, 366 * 24 * 60 * MINUTE];

const WORDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: MINUTE,
  h: 60 * MINUTE,
};

export interface Schedule {
  /** The first time after this one, ms; undefined: never again. */
  next(after: number): number | undefined;
  /** The last time in (after, until]. */
  latest(after: number, until: number): number | undefined;
}

/** @param zone IANA's name; default: the machine's @throws Error that says what is wrong */
export function parseSchedule(text: string, zone?: string): Schedule {
  const trimmed = text.trim();
  if (trimmed.startsWith('@every ')) return new Every(durationOf(trimmed.slice('@every '.length).trim()));
  const expanded = trimmed.startsWith('@') ? WORDS[trimmed] : trimmed;
  if (expanded === undefined) throw new Error(`unrecognized descriptor: ${trimmed}`);
  if (expanded === '') throw new Error('empty spec string');
  return new Cron(parseFields(expanded), zone);
}

function durationOf(text: string): number {
  let ms = 0;
  const rest = text.replace(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g, (_, count, unit) => {
    ms += Number(count) * (UNITS[unit] as number);
    return '';
  });
  if (rest !== '' || text === '') {
    throw new Error(`failed to parse duration @every ${text}: time: invalid duration "${text}"`);
  }
  return Math.max(1000, Math.floor(ms / 1000) * 1000);
}

class Every implements Schedule {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  next(after: number): number {
    return Math.floor(after / 1000) * 1000 + this.#ms;
  }

  latest(after: number, until: number): number | undefined {
    const start = Math.floor(after / 1000) * 1000;
    const count = Math.floor((until - start) / this.#ms);
    return count < 1 ? undefined : start + count * this.#ms;
  }
}

class Cron implements Schedule {
  readonly #fields: CronFields;
  readonly #wall: ReturnType<typeof wallClock>;

  constructor(fields: CronFields, zone?: string) {
    this.#fields = fields;
    this.#wall = wallClock(zone);
  }

  next(after: number): number | undefined {
    let at = Math.floor(after / MINUTE) * MINUTE + MINUTE;
    const end = after + YEARS_MAX * 366 * DAY_MINUTES * MINUTE;
    while (at < end) {
      const { month, date, day, hour, minute } = this.#wall(at);
      if (!this.#fields.months.has(month) || !this.#isDay(date, day)) at = this.#nextDay(at, hour * 60 + minute, date);
      else if (!this.#fields.hours.has(hour)) at += (60 - minute) * MINUTE;
      else if (!this.#fields.minutes.has(minute)) at += MINUTE;
      else return at;
    }
    return undefined;
  }

  latest(after: number, until: number): number | undefined {
    for (const span of [...LOOKS_BACK_MS, Number.POSITIVE_INFINITY]) {
      let found: number | undefined;
      const from = Math.max(after, until - span);
      for (let at = this.next(from); at !== undefined && at <= until; at = this.next(at)) found = at;
      if (found !== undefined || from === after) return found;
    }
    return undefined;
  }

  #isDay(date: number, day: number): boolean {
    const { either, dates, days } = this.#fields;
    return either ? dates.has(date) || days.has(day) : dates.has(date) && days.has(day);
  }

  #nextDay(at: number, passed: number, date: number): number {
    const next = at + (DAY_MINUTES - passed) * MINUTE;
    // The day was shorter than others: its end is behind us.
    const { hour, minute, date: reached } = this.#wall(next);
    const over = (hour * 60 + minute) * MINUTE;
    if (over === 0 || reached === date) return next;
    const begin = next - over;
    return begin > at && this.#wall(begin).date === reached ? begin : next;
  }
}
