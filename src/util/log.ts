/**
 * The logger that every room is handed. What it writes to is the environment's business: JSON lines in a real
 * member (src/env/json-logger.ts), a list in the simulator, nothing in most tests.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'panic' | 'fatal';

/** From the most talkative to the last words. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'];

/**
 * What a line says beside its message. Keys are etcd's, in kebab case ("local-member-id"). A bigint is printed as a
 * decimal; an id that etcd prints in hexadecimal is handed in as `hex(id)`. A Buffer is printed as base64.
 */
export type LogFields = Record<string, unknown>;

export interface Logger {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
  /**
   * A logger whose lines carry these fields too. The field `caller`, the file that speaks as `server/pump.ts`,
   * stands in the line's own place for it: `log.with({ caller: 'server/pump.ts' })` once, in the constructor.
   */
  with(fields: LogFields): Logger;
  /** False where a line of this level would go nowhere: ask before building costly fields. */
  enabled(level: LogLevel): boolean;
}

/** Says nothing. */
export const nullLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => nullLogger,
  enabled: () => false,
};

/** One line, as a `memoryLogger` keeps it. */
export interface LogLine {
  level: LogLevel;
  msg: string;
  fields: LogFields;
}

/** Keeps its lines in `into`, for tests and the simulator. */
export function memoryLogger(into: LogLine[], fields: LogFields = {}): Logger {
  const at = (level: LogLevel) => (msg: string, more?: LogFields) => {
    into.push({ level, msg, fields: more === undefined ? fields : { ...fields, ...more } });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (more) => memoryLogger(into, { ...fields, ...more }),
    enabled: () => true,
  };
}
