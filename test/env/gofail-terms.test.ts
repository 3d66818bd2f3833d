import { describe, expect, test } from 'vitest';
import { parseSettings, parseTerms, sleepMs } from '../../src/env/gofail-terms.js';

const acts = (text: string, times: number, random = () => 0.5) => {
  const terms = parseTerms(text);
  return Array.from({ length: times }, () => {
    const term = terms!.next(random);
    return term === null ? '-' : term.value === null ? term.act : `${term.act}(${JSON.stringify(term.value)})`;
  });
};

describe('terms of failpoints', () => {
  test.each([
    ['panic', ['panic', 'panic']],
    ['off', ['off', 'off']],
    ['sleep(100)', ['sleep(100)', 'sleep(100)']],
    ['sleep("1s")', ['sleep("1s")', 'sleep("1s")']],
    ['return("a->b;)")', ['return("a->b;)")', 'return("a->b;)")']],
    ['return(true)', ['return(true)', 'return(true)']],
    ['return()', ['return', 'return']],
    ['print', ['print', 'print']],
    ['1*panic', ['panic', '-']],
    ['1*sleep(5)->panic', ['sleep(5)', 'panic']],
    ['1*off->1*print->return(7)', ['off', 'print', 'return(7)']],
    ['0*panic', ['-', '-']],
    ['50.0%panic', ['panic', 'panic']],
    ['49.9%panic->print', ['print', 'print']],
    ['100.%2*panic', ['panic', 'panic', '-']],
  ])('%s', (text, expected) => {
    expect(acts(text, expected.length)).toEqual(expected);
  });

  test('what was done is counted, what was not is not', () => {
    const terms = parseTerms('2*print');
    for (let i = 0; i < 5; i++) terms!.next(() => 0);
    expect(terms!.count).toBe(2);
    expect(terms!.text).toBe('2*print');
  });

  test.each([
    '',
    'nonsense',
    'panic(',
    'panic("a',
    'sleep(x)',
    'panic->',
    '->panic',
    '10%panic',
    '1*',
    'panicpanic',
    '1.5*panic',
  ])('refuses %j', (text) => {
    expect(parseTerms(text)).toBe(null);
  });

  test.each([
    [250, 250],
    ['1s', 1000],
    ['1m0.5s', 60_500],
    ['1h', 3_600_000],
    ['20ms', 20],
    ['1500us', 1.5],
    ['0', 0],
    ['1', null],
    ['s', null],
    ['', null],
    [true, null],
    [null, null],
  ])('a sleep of %j lasts %j ms', (value, ms) => {
    expect(sleepMs(value as never)).toBe(ms);
  });

  test('settings', () => {
    expect(parseSettings('a=panic;b=sleep("1s");')).toEqual(
      new Map([
        ['a', 'panic'],
        ['b', 'sleep("1s")'],
      ]),
    );
    expect(parseSettings('')).toEqual(new Map());
    expect(parseSettings('a')).toBe(null);
    expect(parseSettings('a=b=c')).toBe(null);
  });
});
