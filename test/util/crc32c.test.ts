import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c, update } from '../../src/util/crc32c.js';
import { check } from '../support/fc.js';

/** One bit at a time, straight from the polynomial. */
function dumb(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  test.each([
    ['nothing', Buffer.alloc(0), 0],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    // RFC 3720 appendix B.4
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    [
      'an iSCSI read command',
      Buffer.from(
        '01c0000000000000000000000000000014000000000004000000001400000018280000000000000002000000' + '00000000',
        'hex',
      ),
      0xd9963a56,
    ],
  ])('%s', (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test('agrees with the bitwise one at every length and offset', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(7), (bytes, offset) => {
        const start = Math.min(offset, bytes.length);
        expect(update(0, bytes, start, bytes.length)).toBe(dumb(bytes.subarray(start)));
      }),
    );
  });

  test('continues across pieces', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ maxLength: 50 }), (a, b) => {
        expect(crc32c(b, crc32c(a))).toBe(crc32c(Buffer.concat([a, b])));
      }),
    );
  });
});
