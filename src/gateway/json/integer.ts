import type { Token } from './tokens.js';

/** A number at the beginning of a string, and no letter, digit or sign right behind it. */
const LEADING = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?(?![-+._a-zA-Z0-9])/;
/** A uint64 has no more; bounds what an exponent may ask for. */
const DIGITS_MAX = 20;

/**
 * The integer that a number stands for, written in whatever way: 100, 1e2, 100.0, or the same as a string.
 * @returns null where it is none, or does not fit
 */
export function integerOf(token: Token, bits: number, signed: boolean): bigint | null {
  if (token.kind !== '0' && token.kind !== '"') return null;
  const text = token.kind === '0' ? token.raw : token.text;
  if (text.trim() !== text) return null;
  const match = LEADING.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = digitsOf((whole as string).replace(/^0/, ''), fraction.replace(/0+$/, ''), Number(exponent));
  if (digits === null) return null;
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
  if (signed ? BigInt.asIntN(bits, value) !== value : BigInt.asUintN(bits, value) !== value) return null;
  return value;
}

function digitsOf(whole: string, fraction: string, exponent: number): string | null {
  if (whole === '' && fraction === '') return '0';
  if (exponent >= 0) {
    if (fraction.length > exponent || whole.length + exponent > DIGITS_MAX) return null;
    return whole + fraction.padEnd(exponent, '0') || '0';
  }
  const kept = whole.length + exponent;
  if (fraction !== '' || kept < 0 || /[1-9]/.test(whole.slice(kept))) return null;
  return whole.slice(0, kept) || '0';
}
