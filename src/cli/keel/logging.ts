import { JsonLogger } from '../../env/json-logger.js';
import type { LogLevel } from '../../util/log.js';

/** The logger that the log flags ask for. */
export function createLogger(options: { level: string; format: string; outputs: readonly string[] }): JsonLogger {
  return new JsonLogger({
    level: options.level as LogLevel,
    format: options.format === 'console' ? 'console' : 'json',
    outputs: options.outputs,
  });
}
