/** Amounts of resources as validation and tables look at them. */
import type { FieldError } from '../machinery/field-error.js';
import { invalid } from '../machinery/field-error.js';
import { parseQuantity, QuantityError } from '../machinery/quantity.js';
import { NOT_NEGATIVE } from './field-rules.js';
import type { Loose } from './loose.js';

const NANO = 1_000_000_000n;

/** In thousand-millionths; 0 for what is no quantity (decoding has refused it). */
export function nanosOf(quantity: Loose): bigint {
  try {
    return parseQuantity(String(quantity ?? '0')).nanos;
  } catch (error) {
    if (error instanceof QuantityError) return 0n;
    throw error;
  }
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
