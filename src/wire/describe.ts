/** Never to be written down. */
const SECRET = new Set(['password', 'hashedPassword', 'token', 'value']);
const TEXT_MAX = 256;

/**
 * A decoded request in one line for a log, as `key:"a" range_end:"b" limit:5`: of values the size alone, of lists the
 * number, of passwords nothing.
 */
export function describeRequest(request: unknown): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(request as object)) {
    const field = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    if (Array.isArray(value)) {
      if (value.length > 0) parts.push(`${field}_count:${value.length}`);
    } else if (Buffer.isBuffer(value) || SECRET.has(name)) {
      const { length } = value as Buffer | string;
      if (name === 'value' && length > 0) parts.push(`value_size:${length}`);
    } else if (typeof value === 'string') {
      if (value !== '') parts.push(`${field}:${JSON.stringify(value.slice(0, TEXT_MAX))}`);
    } else if (value !== 0 && value !== 0n && value !== false && value !== null && typeof value !== 'object') {
      parts.push(`${field}:${value}`);
    }
  }
  return parts.join(' ');
}
