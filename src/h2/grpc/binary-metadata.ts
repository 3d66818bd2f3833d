import { quote } from './quote.js';

const ALPHABET = /[^A-Za-z0-9+/]/;

/** Whether a metadata entry's value is base64. */
export function isBinary(name: string): boolean {
  return name.endsWith('-bin');
}

/** @returns what is wrong with a value of a `-bin` entry, in Go's words; null: nothing */
export function binaryFault(name: string, value: string): string | null {
  const digits = value.length % 4 === 0 ? value.replace(/={1,2}$/, '') : value;
  const foreign = digits.search(ALPHABET);
  const at = foreign >= 0 ? foreign : digits.length % 4 === 1 ? digits.length - 1 : -1;
  if (at < 0) return null;
  const why = `illegal base64 data at input byte ${at}`;
  return `malformed binary metadata ${quote(value)} in header ${quote(name)}: ${why}`;
}

/** The bytes, one char each. */
export function decodeBinary(value: string): string {
  return Buffer.from(value, 'base64').toString('latin1');
}
