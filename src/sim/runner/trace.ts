import type { LogFields, Logger, LogLevel } from '../../util/log.js';

/** A timeline of the cluster: virtual seconds, member, what it says. */
export class Timeline {
  readonly #print: (line: string) => void;
  readonly #debug: boolean;
  /** µs; the run sets it. */
  now: () => number = () => 0;

  constructor(print: (line: string) => void, debug: boolean) {
    this.#print = print;
    this.#debug = debug;
  }

  note(atUs: number, text: string): void {
    this.#line(atUs, '--', text);
  }

  logger(fields: LogFields = {}): Logger {
    const at = (level: LogLevel) => (msg: string, more?: LogFields) => {
      if (level === 'debug' && !this.#debug) return;
      const { member, caller: _, ...own } = fields;
      const rest = { ...own, ...more };
      const text = Object.entries(rest).map(([key, value]) => `${key}=${show(value)}`);
      this.#line(this.now(), String(member ?? ''), `${level === 'info' ? '' : `${level}: `}${msg} ${text.join(' ')}`);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (more) => this.logger({ ...fields, ...more }),
      enabled: (level) => level !== 'debug' || this.#debug,
    };
  }

  #line(atUs: number, who: string, text: string): void {
    this.#print(`${(atUs / 1e6).toFixed(6).padStart(12)} ${who.padEnd(3)} ${text}`);
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? inner.toString(16) : inner));
}
