import { closeSync, openSync, writeSync } from 'node:fs';
import type { LogFields, Logger, LogLevel } from '../util/log.js';
import { LOG_LEVELS } from '../util/log.js';
import type { Rotation } from './rotating-file.js';
import { RotatingFile } from './rotating-file.js';

export interface JsonLoggerOptions {
  /** Lines below it are dropped. Default info. */
  level?: LogLevel;
  /** `json`: an object a line. `console`: tab-separated for people, fields as JSON at the end. Default json. */
  format?: 'json' | 'console';
  /** `stderr`, `stdout`, `default` (stderr), a file's path (appended to), or a function. Default stderr. */
  outputs?: readonly (string | ((line: string) => void))[];
  /** Files are set aside when they are full. */
  rotation?: Rotation;
  /** What stands as `caller` where no logger on the way said so. */
  caller?: string;
  /** Unix time in milliseconds, with fractions. Default: the machine's, to the microsecond. */
  wall?: () => number;
  /** Minutes east of Greenwich of a time. Default: the machine's zone. */
  zoneMinutes?: (wallMs: number) => number;
}

/**
 * Logs as etcd does (etcd operations section 1.5), each line ending in a newline:
 *
 *   {"level":"info","ts":"2026-01-02T03:04:05.678901Z","caller":"server/pump.ts","msg":"...", fields in their order}
 *
 * Lines are written before the call returns: the last words of a member that stops are on record. An output that
 * fails loses lines and nothing else.
 */
export class JsonLogger implements Logger {
  readonly #core: Core;
  readonly #caller: string;
  /** The fields of `with`, encoded once: `,"a":1,"b":2`, or empty. */
  readonly #context: string;

  constructor(options: JsonLoggerOptions | Core = {}, caller?: string, context = '') {
    this.#core = options instanceof Core ? options : new Core(options);
    this.#caller = caller ?? this.#core.caller;
    this.#context = context;
  }

  debug(msg: string, fields?: LogFields): void {
    this.log('debug', msg, fields);
  }

  info(msg: string, fields?: LogFields): void {
    this.log('info', msg, fields);
  }

  warn(msg: string, fields?: LogFields): void {
    this.log('warn', msg, fields);
  }

  error(msg: string, fields?: LogFields): void {
    this.log('error', msg, fields);
  }

  /** Any level; `panic` and `fatal` are but words here, stopping is the caller's. */
  log(level: LogLevel, msg: string, fields?: LogFields): void {
    if (!this.#core.enabled(level)) return;
    let encoded = this.#context;
    let caller = this.#caller;
    if (fields !== undefined) {
      if (typeof fields.caller === 'string') caller = fields.caller;
      encoded += encodeFields(fields);
    }
    this.#core.write(level, caller, msg, encoded);
  }

  with(fields: LogFields): JsonLogger {
    const caller = typeof fields.caller === 'string' ? fields.caller : this.#caller;
    return new JsonLogger(this.#core, caller, this.#context + encodeFields(fields));
  }

  enabled(level: LogLevel): boolean {
    return this.#core.enabled(level);
  }

  get level(): LogLevel {
    return this.#core.level;
  }

  /** Takes effect at once for this logger, the one it came from, and all that came from it. */
  set level(level: LogLevel) {
    this.#core.level = level;
  }

  /** Closes the files. Later lines are dropped. */
  close(): void {
    this.#core.close();
  }
}

interface LogFile {
  write(line: string): void;
  close(): void;
}

/** What a logger and those made by `with` have in common. */
class Core {
  level: LogLevel;
  readonly caller: string;
  readonly #console: boolean;
  readonly #outputs: ((line: string) => void)[];
  readonly #files: LogFile[] = [];
  readonly #openFile: (path: string) => LogFile;
  readonly #wall: () => number;
  readonly #zoneMinutes: (wallMs: number) => number;
  /** The second that #secondText and #zoneText are of. */
  #second = Number.NaN;
  #secondText = '';
  #zoneText = '';

  constructor(options: JsonLoggerOptions) {
    this.level = options.level ?? 'info';
    this.caller = options.caller ?? 'keel/main.ts';
    this.#console = options.format === 'console';
    this.#wall = options.wall ?? microWall();
    this.#zoneMinutes = options.zoneMinutes ?? ((wallMs) => -new Date(wallMs).getTimezoneOffset());
    const { rotation } = options;
    this.#openFile = (path) => (rotation === undefined ? plainFile(path) : new RotatingFile(path, rotation));
    this.#outputs = (options.outputs ?? ['default']).map((output) => this.#open(output));
  }

  enabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level);
  }

  write(level: LogLevel, caller: string, msg: string, fields: string): void {
    const ts = this.#timestamp(this.#wall());
    const line = this.#console
      ? `${ts}\t${level}\t${caller}\t${msg}${fields === '' ? '' : `\t{${fields.slice(1)}}`}\n`
      : `{"level":"${level}","ts":"${ts}","caller":${JSON.stringify(caller)},"msg":${JSON.stringify(msg)}${fields}}\n`;
    for (const output of this.#outputs) output(line);
  }

  close(): void {
    this.#outputs.length = 0;
    for (const file of this.#files.splice(0)) file.close();
  }

  /** RFC 3339 with the offset written as Z or +0900, and at most six digits of fraction without zeros at the end. */
  #timestamp(wallMs: number): string {
    const micros = Math.floor(wallMs * 1000 + 0.5);
    const second = Math.floor(micros / 1_000_000);
    if (second !== this.#second) {
      const zone = this.#zoneMinutes(wallMs);
      this.#second = second;
      this.#secondText = new Date((second + zone * 60) * 1000).toISOString().slice(0, 19);
      const minutes = Math.abs(zone);
      this.#zoneText = zone === 0 ? 'Z' : `${zone < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
    }
    const fraction = micros - second * 1_000_000;
    const digits = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
    return this.#secondText + digits + this.#zoneText;
  }

  #open(output: string | ((line: string) => void)): (line: string) => void {
    if (typeof output === 'function') return output;
    if (output === 'default' || output === 'stderr') return toStream(process.stderr);
    if (output === 'stdout') return toStream(process.stdout);
    const file = this.#openFile(output);
    this.#files.push(file);
    return (line) => {
      try {
        file.write(line);
      } catch {
        // A full disk must not stop the member by way of its log; the disk's own guard speaks up.
      }
    };
  }
}

function plainFile(path: string): LogFile {
  const fd = openSync(path, 'a', 0o600);
  return { write: (line) => void writeSync(fd, line), close: () => closeSync(fd) };
}

function toStream(stream: NodeJS.WriteStream): (line: string) => void {
  // Whoever read the other end of the pipe is gone: no reason to stop serving.
  if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  return (line) => {
    stream.write(line);
  };
}

/**
 * Wall time to the microsecond. Date.now() has milliseconds only; the fraction comes from the monotonic clock, set
 * right whenever the two have come apart (the wall clock was set, or slewed).
 */
function microWall(): () => number {
  let offset = Date.now() - performance.now();
  return () => {
    const wall = Date.now();
    const fine = performance.now() + offset;
    if (fine >= wall - 1 && fine < wall + 2) return fine;
    offset = wall - performance.now();
    return wall;
  };
}

const two = (n: number) => String(n).padStart(2, '0');

/** @returns `,"key":value` for every field but `caller`, and those without a value */
function encodeFields(fields: LogFields): string {
  let text = '';
  for (const key in fields) {
    if (key === 'caller' && typeof fields[key] === 'string') continue;
    const value = encodeValue(fields[key]);
    if (value !== undefined) text += `,${JSON.stringify(key)}:${value}`;
  }
  return text;
}

function encodeValue(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`;
    case 'boolean':
      return String(value);
    case 'object':
      break;
    default:
      return typeof value === 'bigint' ? `"${value}"` : undefined;
  }
  try {
    return JSON.stringify(value, replace);
  } catch (error) {
    return JSON.stringify(`not printable: ${(error as Error).message}`);
  }
}

/** `this` is the holder: a Buffer has already been turned into an object when it comes here as `value`. */
function replace(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (typeof original === 'bigint') return String(original);
  if (original instanceof Uint8Array) return Buffer.from(original).toString('base64');
  if (original instanceof Error) return messageOf(original);
  if (original instanceof Map) return Object.fromEntries(original);
  if (original instanceof Set) return [...original];
  return value;
}

function messageOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}
