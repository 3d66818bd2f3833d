import fc from 'fast-check';
import { expect, test } from 'vitest';
import { middleKey } from '../../src/env/middle-key.js';
import { check } from '../support/fc.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test('the middle of two keys', () => {
  expect(middleKey(hex('00'), hex('ff'))?.toString('hex')).toBe('7f8000000000');
  expect(middleKey(hex('0100'), hex('0102'))?.toString('hex')).toBe('01010000000000');
  expect(middleKey(hex('61'), hex('61'))).toBeNull();
  expect(middleKey(hex('61'), hex('6100'))).toBeNull();
});

test('lies between them', () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), (x, y) => {
      let [gte, lt] = [Buffer.from(x), Buffer.from(y)].sort(Buffer.compare) as [Buffer, Buffer];
      for (let i = 0; i < 100; i++) {
        const mid = middleKey(gte, lt);
        if (mid === null) break;
        expect(mid.compare(gte)).toBe(1);
        expect(mid.compare(lt)).toBe(-1);
        if (i % 2 === 0) lt = mid;
        else gte = mid;
      }
    }),
    { runs: 300 },
  );
});
