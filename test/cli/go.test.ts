import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/cli/ctl/commands/words.js';
import {
  formatBytes,
  formatDuration,
  parseBool,
  parseDuration,
  parseInteger,
  quote,
  unquote,
} from '../../src/cli/ctl/go.js';
import { check } from '../support/fc.js';

describe("Go's forms", () => {
  it.each([
    ['plain', '"plain"'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['\u0007\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\u0000\u001b\u007f', '"\\x00\\x1b\\x7f"'],
    ['schlüssel ключ 鍵 🔑', '"schlüssel ключ 鍵 🔑"'],
    ['\u00a0\u200b\u2028', '"\\u00a0\\u200b\\u2028"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ['\ufffd', '"\ufffd"'],
  ])('quotes %j', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  it('quotes bytes that are no UTF-8 one by one', () => {
    expect(quote(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82]))).toBe('"a\\xff\\xc3(\\xe2\\x82"');
    // Overlong, a surrogate, and beyond the last code point.
    expect(quote(Buffer.from([0xc0, 0x80]))).toBe('"\\xc0\\x80"');
    expect(quote(Buffer.from([0xed, 0xa0, 0x80]))).toBe('"\\xed\\xa0\\x80"');
    expect(quote(Buffer.from([0xf4, 0x90, 0x80, 0x80]))).toBe('"\\xf4\\x90\\x80\\x80"');
  });

  it('reads back what it quoted', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(unquote(quote(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
    check(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        expect(unquote(quote(text))?.toString('utf8')).toBe(Buffer.from(text, 'utf8').toString('utf8'));
      }),
    );
  });

  it('reads other literals, and none that is none', () => {
    expect(unquote('`a\\n"`')?.toString()).toBe('a\\n"');
    expect(unquote('"\\u00e9\\101"')?.toString()).toBe('éA');
    for (const text of ['', '"', 'abc', '"a', "'a'", '"\\q"', '"a"b"', '"a\nb"']) expect(unquote(text)).toBeUndefined();
  });

  it.each([
    [0, '0s'],
    [0.0000012, '1ns'],
    [0.0015, '1.5µs'],
    [2.649729, '2.649729ms'],
    [150, '150ms'],
    [5001.277357, '5.001277357s'],
    [60_000, '1m0s'],
    [3_723_500, '1h2m3.5s'],
  ])('prints %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    ['5s', 5000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['100us', 0.1],
    ['-2s', -2000],
    ['0', 0],
    ['5', 'time: missing unit in duration "5"'],
    ['5x', 'time: unknown unit "x" in duration "5x"'],
    ['', 'time: invalid duration ""'],
    ['s', 'time: invalid duration "s"'],
  ])('reads the duration %j', (text, value) => {
    expect(parseDuration(text)).toBe(value);
  });

  it.each([
    [0, '0 B'],
    [9, '9 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [20_480, '20 kB'],
    [24_576, '25 kB'],
    [16_384, '16 kB'],
    [2_147_483_648, '2.1 GB'],
    [999_999, '1000 kB'],
    [1_000_000, '1.0 MB'],
  ])('prints %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('reads integers as strconv does', () => {
    expect(parseInteger('7fffffffffffffff', 16, 'ParseInt')).toBe(0x7fffffffffffffffn);
    expect(parseInteger('8000000000000000', 16, 'ParseInt')).toBe(
      'strconv.ParseInt: parsing "8000000000000000": value out of range',
    );
    expect(parseInteger('ffffffffffffffff', 16, 'ParseUint')).toBe(0xffffffffffffffffn);
    expect(parseInteger('-1', 16, 'ParseInt')).toBe(-1n);
    expect(parseInteger('-1', 16, 'ParseUint')).toBe('strconv.ParseUint: parsing "-1": invalid syntax');
    expect(parseInteger('0x10', 0, 'ParseInt')).toBe(16n);
    expect(parseInteger('010', 0, 'ParseInt')).toBe(8n);
    expect(parseInteger('010', 10, 'ParseInt')).toBe(10n);
    expect(parseInteger('0x10', 16, 'ParseInt')).toBe('strconv.ParseInt: parsing "0x10": invalid syntax');
    expect(parseInteger('', 10, 'ParseInt')).toBe('strconv.ParseInt: parsing "": invalid syntax');
  });

  it('reads booleans as strconv does', () => {
    expect(['1', 't', 'TRUE', '0', 'f', 'False'].map(parseBool)).toEqual([true, true, true, false, false, false]);
    expect(parseBool('yes')).toBe('strconv.ParseBool: parsing "yes": invalid syntax');
  });

  it('splits an interactive line into words', () => {
    expect(splitWords(`put "a \\"b\\"\\n" 'c d' --prev-kv "x`)).toEqual(['put', 'a "b"\n', 'c d', '--prev-kv', 'x']);
    expect(splitWords('  ')).toEqual([]);
  });
});
