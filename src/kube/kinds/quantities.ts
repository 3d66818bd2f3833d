/** Amounts of resources as validation and tables look at them. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { NOT_NEGATIVE } from './field-rules.js';
import type { Loose } from './loose.js';

const SCALES: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1000n,
  m: 1000_000n,
  '': 1000_000_000n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: 1000_000_000n << 10n,
  Mi: 1000_000_000n << 20n,
  Gi: 1000_000_000n << 30n,
  Ti: 1000_000_000n << 40n,
  Pi: 1000_000_000n << 50n,
  Ei: 1000_000_000n << 60n,
};
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;
const NANO = 1000_000_000n;

/** In thousand-millionths, rounded up; 0 for what is no quantity (decoding has refused it). */
export function nanosOf(quantity: Loose): bigint {
  const match = FORM.exec(String(quantity ?? ''));
  if (match === null) return 0n;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  let amount = BigInt(`${whole}${fraction}` || '0');
  let divisor = 10n ** BigInt(fraction.length);
  if (/^[eE][+-]?\d/.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (exponent >= 0) amount *= NANO * 10n ** BigInt(exponent);
    else {
      amount *= NANO;
      divisor *= 10n ** BigInt(-exponent);
    }
  } else amount *= SCALES[suffix] ?? 0n;
  const nanos = (amount + divisor - 1n) / divisor;
  return sign === '-' ? -nanos : nanos;
}

/** Below, at or above zero as a is less than, equal to or more than b. */
export function compareQuantities(a: Loose, b: Loose): number {
  const difference = nanosOf(a) - nanosOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isWhole(quantity: Loose): boolean {
  return nanosOf(quantity) % NANO === 0n;
}

export function validateNotNegative(quantity: Loose, field: string): FieldError[] {
  return nanosOf(quantity) < 0n ? [invalid(field, quantity, NOT_NEGATIVE)] : [];
}
