import type { HttpRequest } from './http.js';

/** Headers that reach the services under a name of their own; what a client puts there itself does not. */
const PERMANENT = new Set(
  (
    'accept accept-charset accept-language accept-ranges authorization cache-control content-type cookie date expect ' +
    'from host if-match if-modified-since if-none-match if-schedule-tag-match if-unmodified-since max-forwards origin ' +
    'pragma referer user-agent via warning'
  ).split(' '),
);
const PREFIX = 'grpcgateway-';

/**
 * A call's metadata out of a request's headers: `authorization` as it is, `grpcgateway-accept` and its like, and what
 * begins with `Grpc-Metadata-` under the name behind that.
 */
export function metadataOf(request: HttpRequest, name: string): string | undefined {
  if (name.startsWith(PREFIX)) {
    const header = name.slice(PREFIX.length);
    return PERMANENT.has(header) ? request.header(header) : undefined;
  }
  const given = request.header(`grpc-metadata-${name}`);
  return given ?? (name === 'authorization' ? request.header('authorization') : undefined);
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** ms that `Grpc-Timeout` leaves; null: there is none; a string: why it cannot be read. */
export function timeoutOf(request: HttpRequest): number | string | null {
  const text = request.header('grpc-timeout');
  if (text === undefined || text === '') return null;
  const unit = UNITS[text.slice(-1)];
  const count = text.slice(0, -1);
  if (unit === undefined || !/^[+-]?\d{1,18}$/.test(count)) return `invalid grpc-timeout: ${text}`;
  return Number(count) * unit;
}
