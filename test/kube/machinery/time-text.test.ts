import { describe, expect, test } from 'vitest';
import {
  canonicalMicroTime,
  canonicalTime,
  durationText,
  microTimeText,
  timeText,
} from '../../../src/kube/machinery/time-text.js';

describe('times', () => {
  test.each([
    ['2026-07-01T10:00:00Z', '2026-07-01T10:00:00Z'],
    ['2026-07-01T10:00:00.999Z', '2026-07-01T10:00:00Z'],
    ['2026-07-01T10:00:00+02:00', '2026-07-01T08:00:00Z'],
    ['2026-01-01T00:30:00-05:30', '2026-01-01T06:00:00Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-07-01T24:00:00Z', undefined],
    ['2026-07-01 10:00:00Z', undefined],
    ['2026-07-01T10:00:00', undefined],
    ['2026-07-01T10:00:00+02:60', undefined],
    ['', undefined],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalTime(text)).toBe(canonical);
  });

  test('of a Lease have six decimals', () => {
    expect(canonicalMicroTime('2026-07-01T10:00:00Z')).toBe('2026-07-01T10:00:00.000000Z');
    expect(canonicalMicroTime('2026-07-01T10:00:00.1234567+01:00')).toBe('2026-07-01T09:00:00.123456Z');
  });

  test('beyond four-digit years are cut', () => {
    expect(timeText(-(10 ** 15))).toBe('0001-01-01T00:00:00Z');
    expect(microTimeText(10 ** 15, 7)).toBe('9999-12-31T23:59:59.000007Z');
  });
});

test.each([
  [0n, '0s'],
  [1n, '1ns'],
  [1500n, '1.5µs'],
  [250_000_000n, '250ms'],
  [90_000_000_000n, '1m30s'],
  [-3_600_000_000_000n, '-1h0m0s'],
  [3_723_500_000_000n, '1h2m3.5s'],
])('%s nanoseconds are %s', (nanoseconds, text) => {
  expect(durationText(nanoseconds)).toBe(text);
});
