import { expect, test } from 'vitest';
import { hex, hex16, parseHex } from '../../src/util/hex.js';

test('ids in hexadecimal', () => {
  expect(hex(0x8e9e05c52164694dn)).toBe('8e9e05c52164694d');
  expect(hex(0)).toBe('0');
  expect(hex16(0x694dn)).toBe('000000000000694d');
  expect(parseHex('8e9e05c52164694d')).toBe(0x8e9e05c52164694dn);
  expect(parseHex('0xFF')).toBe(255n);
  for (const text of ['', '0x', 'g', '-1', ' 1', '1ffffffffffffffff']) expect(parseHex(text)).toBe(undefined);
});
