import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMillis,
  quantityValue,
  subtractQuantities,
} from '../../../src/kube/machinery/quantity.js';
import { check } from '../../support/fc.js';

describe('the canonical text of a quantity', () => {
  test.each([
    ['0', '0'],
    ['0m', '0'],
    ['-0', '0'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['+1', '1'],
    ['-1.5', '-1500m'],
    ['1000m', '1'],
    ['1000', '1k'],
    ['100000', '100k'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Mi', '512Ki'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['0.1Ki', '102400m'],
    ['1.0001Ki', '1024102400u'],
    ['1e3', '1e3'],
    ['12E6', '12e6'],
    ['1e-3', '1e-3'],
    ['1200e1', '12e3'],
    ['1E', '1E'],
    ['0.0000000001', '1n'],
    ['1.0000000001', '1000000001n'],
    ['10E', '9223372036854775807'],
    ['16Ei', '9223372036854775807'],
    ['1e1000000000', '9223372036854775807'],
    ['1e-1000000000', '1e-9'],
    ['0e1000000000', '0'],
    ['007', '7'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['129M', '129M'],
    ['123Mi', '123Mi'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });

  test.each([
    '',
    'abc',
    '1.1.M',
    '1+1.0M',
    '0.1mi',
    '0.1am',
    '.',
    '-',
    'm',
    '1i',
    '-3.01i',
    '-3.01e-',
    '1e',
    '1 Gi',
    '1KI',
  ])('%j is no quantity', (text) => {
    expect(() => parseQuantity(text)).toThrow(QuantityError);
  });

  test('tells why, in the words of Kubernetes', () => {
    expect(() => parseQuantity('abc')).toThrow('quantities must match the regular expression');
    expect(() => parseQuantity('1mm')).toThrow("unable to parse quantity's suffix");
  });

  test('of a text without end takes little time', () => {
    const digits = '9'.repeat(1_000_000);
    expect(canonicalQuantity(digits)).toBe('9223372036854775807');
    expect(canonicalQuantity(`0.${'0'.repeat(1_000_000)}1`)).toBe('1n');
    expect(canonicalQuantity(`0.${digits}`)).toBe('1');
  });
});

describe('arithmetic', () => {
  const sum = (a: string, b: string) => formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));

  test('keeps the format of the first, unless that is zero', () => {
    expect(sum('1Gi', '512Mi')).toBe('1536Mi');
    expect(sum('1', '250m')).toBe('1250m');
    expect(sum('0', '1Gi')).toBe('1Gi');
    expect(formatQuantity(subtractQuantities(parseQuantity('1Gi'), parseQuantity('1Mi')))).toBe('1023Mi');
  });

  test('compares by amount', () => {
    expect(compareQuantities(parseQuantity('1Gi'), parseQuantity('1G'))).toBe(1);
    expect(compareQuantities(parseQuantity('1000m'), parseQuantity('1'))).toBe(0);
    expect(compareQuantities(parseQuantity('-1'), parseQuantity('1m'))).toBe(-1);
  });

  test('rounds away from zero', () => {
    expect(quantityValue(parseQuantity('1500m'))).toBe(2n);
    expect(quantityValue(parseQuantity('-1500m'))).toBe(-2n);
    expect(quantityMillis(parseQuantity('1u'))).toBe(1n);
    expect(quantityMillis(parseQuantity('2'))).toBe(2000n);
  });
});

const SCALE: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  e3: 1e3,
  'E-2': 1e-2,
  e0: 1,
};

test('a canonical text is the same amount as its source, by exact arithmetic of fractions', () => {
  const suffix = fc.constantFrom(...Object.keys(SCALE));
  const number = fc.tuple(fc.constantFrom('', '-', '+'), fc.nat(999_999), fc.option(fc.nat(999)));
  check(
    fc.property(number, suffix, ([sign, whole, fraction], s) => {
      const text = `${sign}${whole}${fraction === null ? '' : `.${String(fraction).padStart(3, '0')}`}${s}`;
      const quantity = parseQuantity(text);
      const canonical = formatQuantity(quantity);
      expect(parseQuantity(canonical).nanos).toBe(quantity.nanos);
      expect(canonical).toMatch(/^(0|-?[1-9]\d*([munkMGTPE]|[KMGTPE]i|e-?\d+)?)$/);
      const times = SCALE[s] as number;
      const about = (whole + (fraction ?? 0) / 1000) * times * (sign === '-' ? -1 : 1);
      expect(Math.abs(Number(quantity.nanos) / 1e9 - about)).toBeLessThanOrEqual(Math.abs(about) * 1e-9 + 1e-9);
    }),
    { runs: 300 },
  );
});
