import { quote } from './quote.js';

/** ms a unit of grpc-timeout. */
const UNITS: Readonly<Record<string, number>> = { n: 1e-6, u: 1e-3, m: 1, S: 1_000, M: 60_000, H: 3_600_000 };
/** Longer than any server runs; timers and sums of it stay exact. */
const TIMEOUT_MS_MAX = 1e12;

/**
 * Reads grpc-timeout: at most eight digits and a unit.
 * @returns ms, or what gRPC for Go says of it
 */
export function decodeTimeout(text: string): number | string {
  if (text.length < 2) return `transport: timeout string is too short: ${quote(text)}`;
  if (text.length > 9) return `transport: timeout string is too long: ${quote(text)}`;
  const unit = UNITS[text.charAt(text.length - 1)];
  if (unit === undefined) return `transport: timeout unit is not recognized: ${quote(text)}`;
  const digits = text.slice(0, -1);
  if (!/^\d+$/.test(digits)) return `strconv.ParseUint: parsing ${quote(digits)}: invalid syntax`;
  return Math.min(Number(digits) * unit, TIMEOUT_MS_MAX);
}
