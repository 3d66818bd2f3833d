/** Amounts by the names of their resources, as requests, limits and quotas have them. */
import type { Quantity } from '../machinery/quantity.js';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
} from '../machinery/quantity.js';

export type Amounts = ReadonlyMap<string, Quantity>;

export const NONE: Amounts = new Map();
const ZERO: Quantity = { nanos: 0n, format: 'decimal' };

/** Of an object `{cpu: '1', memory: '1Gi'}`; numbers are read as texts. */
export function amountsOf(list: Readonly<Record<string, string | number>> | null | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(String(text))]));
}

export function listOf(amounts: Amounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]));
}

export function whole(count: number): Quantity {
  return { nanos: BigInt(count) * 1_000_000_000n, format: 'decimal' };
}

export function add(a: Amounts, b: Amounts): Amounts {
  const sum = new Map(a);
  for (const [name, amount] of b) sum.set(name, addQuantities(sum.get(name) ?? ZERO, amount));
  return sum;
}

/** What is less than nothing counts as nothing. */
export function subtractToZero(a: Amounts, b: Amounts): Amounts {
  const rest = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const left = subtractQuantities(amount, b.get(name) ?? ZERO);
    rest.set(name, left.nanos < 0n ? ZERO : left);
  }
  return rest;
}

/** The greater of each. */
export function greatest(a: Amounts, b: Amounts): Amounts {
  const result = new Map(a);
  for (const [name, amount] of b) {
    const other = result.get(name);
    if (other === undefined || compareQuantities(amount, other) > 0) result.set(name, amount);
  }
  return result;
}

export function only(amounts: Amounts, wanted: (name: string, amount: Quantity) => boolean): Amounts {
  return new Map([...amounts].filter(([name, amount]) => wanted(name, amount)));
}

/** `cpu=1,pods=2`: sorted, as messages have them. */
export function amountsText(amounts: Amounts): string {
  const sorted = [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, amount]) => `${name}=${formatQuantity(amount)}`).join(',');
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  return a.size === b.size && [...a].every(([name, amount]) => b.get(name)?.nanos === amount.nanos);
}
