import { JsonLogger } from '../../env/json-logger.js';
import type { Rotation } from '../../env/rotating-file.js';
import type { LogLevel } from '../../util/log.js';
import { LOG_LEVELS } from '../../util/log.js';
import { FlagError } from './flag-set.js';

/** What the log flags ask for. */
export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'console';
  readonly outputs: readonly string[];
  readonly rotation: Rotation | null;
}

const STREAMS = ['default', 'stderr', 'stdout'];

/** @throws FlagError in etcd's words */
export function logConfig(get: <T>(name: string) => T): LogConfig {
  const logger = get<string>('logger');
  if (logger !== 'zap') throw new FlagError(`unknown logger option ${JSON.stringify(logger)}`);
  const level = get<string>('log-level');
  if (!(LOG_LEVELS as readonly string[]).includes(level)) {
    throw new FlagError(`unrecognized level: ${JSON.stringify(level)}`);
  }
  const format = get<string>('log-format');
  if (format !== 'json' && format !== 'console') {
    throw new FlagError(`unknown log format: ${format}, supported values json, console`);
  }
  const outputs = get<string>('log-outputs').split(',').filter(Boolean);
  if (outputs.length === 0) outputs.push('default');
  if (outputs.length > 1 && outputs.includes('default')) {
    throw new FlagError('multi logoutput for "default" is not supported yet');
  }
  const rotates = get<boolean>('enable-log-rotation');
  if (rotates && (outputs.length > 1 || STREAMS.includes(outputs[0] as string))) {
    throw new FlagError('--log-outputs requires a single file path when --log-rotate-config-json is defined');
  }
  const rotation = rotates ? rotationOf(get<string>('log-rotation-config-json')) : null;
  return { level: level as LogLevel, format, outputs: [...new Set(outputs)], rotation };
}

const FIELDS = { maxsize: 'int', maxage: 'int', maxbackups: 'int', localtime: 'bool', compress: 'bool' } as const;

/** @throws FlagError in etcd's words */
export function rotationOf(text: string): Rotation {
  let given: unknown;
  try {
    given = text.trim() === '' ? {} : JSON.parse(text);
  } catch (err) {
    throw new FlagError(`improperly formatted log rotation config: ${(err as Error).message}`);
  }
  const fields: Record<string, unknown> = typeof given === 'object' && given !== null ? { ...given } : {};
  for (const [name, type] of Object.entries(FIELDS)) {
    const value = fields[name];
    const fits = type === 'int' ? Number.isInteger(value) : typeof value === 'boolean';
    if (value === undefined || value === null || fits) continue;
    const found = typeof value === 'boolean' ? 'bool' : Array.isArray(value) ? 'array' : typeof value;
    throw new FlagError(
      `invalid log rotation config: json: cannot unmarshal ${found} into Go struct field logRotationConfig.Logger.${name} of type ${type}`,
    );
  }
  const number = (name: keyof typeof FIELDS): number => Math.max(0, Number(fields[name] ?? 0));
  return {
    maxBytes: (number('maxsize') || 100) * 1024 * 1024,
    maxAgeMs: number('maxage') * 24 * 3600 * 1000,
    maxBackups: number('maxbackups'),
    localTime: fields.localtime === true,
    compress: fields.compress === true,
  };
}

/** The logger that the log flags ask for. @throws FlagError for a file that cannot be written */
export function createLogger(config: LogConfig): JsonLogger {
  const { rotation, ...options } = config;
  try {
    return new JsonLogger(rotation === null ? options : { ...options, rotation });
  } catch (err) {
    const { code, path = config.outputs.join(',') } = err as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'no such file or directory'
        : code === 'EACCES'
          ? 'permission denied'
          : (err as Error).message;
    throw new FlagError(`open sink ${JSON.stringify(path)}: open ${path}: ${why}`);
  }
}

/**
 * Switches to debug, and from there back to the level that the flags gave. etcd has no way to do this while it runs; it
 * is bound to SIGUSR2 here (SIGUSR1 is Node's own).
 */
export function toggleDebug(logger: JsonLogger, configured: LogLevel): void {
  const before = logger.level;
  logger.level = before === 'debug' ? (configured === 'debug' ? 'info' : configured) : 'debug';
  logger.log('warn', 'changed the log level', { caller: 'cli/logging.ts', from: before, to: logger.level });
}
