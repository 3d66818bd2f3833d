import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../src/h2/hpack/decoder.js';
import { HpackEncoder, Indexing } from '../../src/h2/hpack/encoder.js';
import type { Field } from '../../src/h2/hpack/field.js';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../src/h2/hpack/huffman.js';
import { cursor, readInteger, writeInteger } from '../../src/h2/hpack/integer.js';
import { STATIC_TABLE } from '../../src/h2/hpack/static-table.js';
import { check } from '../support/fc.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function decodeAll(decoder: HpackDecoder, block: Buffer): string[] | 'error' {
  const fields: Field[] = [];
  if (decoder.decode(block, 0, block.length, fields, 1 << 20) < 0) return 'error';
  return fields.map(({ name, value }) => `${name}: ${value}`);
}

const once = (hex: string): string[] | 'error' => decodeAll(new HpackDecoder(4096), bytes(hex));

describe('RFC 7541 appendix C', () => {
  test.each([
    [10, 0x1f, '0a'],
    [1337, 0x1f, '1f9a0a'],
    [42, 0xff, '2a'],
  ])('C.1: the integer %i', (value, prefixMax, hex) => {
    const out = Buffer.alloc(8);
    expect(out.toString('hex', 0, writeInteger(out, 0, value, prefixMax, 0))).toBe(hex);
    cursor.pos = 0;
    expect(readInteger(bytes(hex), hex.length / 2, prefixMax)).toBe(value);
    expect(cursor.pos).toBe(hex.length / 2);
  });

  test.each([
    ['C.2.1', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key: custom-header', 55],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', 0],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', 0],
    ['C.2.4', '82', ':method: GET', 0],
  ])('%s: one field', (_, hex, field, tableSize) => {
    const decoder = new HpackDecoder(4096);
    expect(decodeAll(decoder, bytes(hex))).toEqual([field]);
    expect(decoder.tableSize).toBe(tableSize);
  });

  const REQUESTS = [
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
    [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
  ];
  test.each([
    [
      'C.3',
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', '8286 84be 5808 6e6f 2d63 6163 6865'].concat(
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ),
    ],
    [
      'C.4 (Huffman)',
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', '8286 84be 5886 a8eb 1064 9cbf'].concat(
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ),
    ],
  ])('%s: requests of one connection', (_, blocks) => {
    const decoder = new HpackDecoder(4096);
    expect(blocks.map((block) => decodeAll(decoder, bytes(block)))).toEqual(REQUESTS);
    expect(decoder.tableSize).toBe(164);
  });

  const DATE = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
  const LATER = 'date: Mon, 21 Oct 2013 20:13:22 GMT';
  const LOCATION = 'location: https://www.example.com';
  const RESPONSES = [
    [':status: 302', 'cache-control: private', DATE, LOCATION],
    [':status: 307', 'cache-control: private', DATE, LOCATION],
    [
      ':status: 200',
      'cache-control: private',
      LATER,
      LOCATION,
      'content-encoding: gzip',
      'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ],
  ];
  test.each([
    [
      'C.5',
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6 (Huffman)',
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('%s: responses, with eviction from a table of 256 bytes', (_, blocks) => {
    const decoder = new HpackDecoder(256);
    expect(blocks.map((block) => decodeAll(decoder, bytes(block)))).toEqual(RESPONSES);
    expect(decoder.tableSize).toBe(215);
  });
});

describe('what is no header block (RFC 7541, section in brackets)', () => {
  test.each([
    ['index 0 (6.1)', '80'],
    ['an index beyond both tables (2.3.3)', 'be'],
    ['a name index beyond both tables (2.3.3)', '7f0001 61'],
    ['an integer that breaks off (5.1)', 'ff'],
    ['an integer that goes on (5.1)', 'ff 80 80 80 80 80 80 80 80 01'],
    ['an integer that is too large (5.1)', 'ff ff ff ff ff 7f'],
    ['a string longer than the block (5.2)', '00 05 61'],
    ['a literal without a value (6.2)', '00 01 61'],
    ['a Huffman code of ones only: the end of the string (5.2)', '00 01 61 84 ff ff ff ff'],
    ['a padding of zeros (5.2)', '00 01 61 81 18'],
    ['a padding of eight bits (5.2)', '00 01 61 82 1f ff'],
    ['a size update after a field (4.2)', '82 20'],
    ['a size update beyond what was allowed (6.3)', '3f e2 1f'],
  ])('%s', (_, hex) => {
    expect(once(hex)).toBe('error');
  });
});

describe('the dynamic table', () => {
  const ENTRY = '40 01 61 01 62';

  test('4.3: a size update of 0 empties it, and it may grow again', () => {
    const decoder = new HpackDecoder(4096);
    decodeAll(decoder, bytes(ENTRY));
    expect(decodeAll(decoder, bytes('be'))).toEqual(['a: b']);
    expect(decodeAll(decoder, bytes('20 3f e1 1f'))).toEqual([]);
    expect(decodeAll(decoder, bytes('be'))).toBe('error');
    expect(decodeAll(decoder, bytes(`${ENTRY} be`))).toEqual(['a: b', 'a: b']);
  });

  test('4.4: an entry larger than the table empties it, which is no error', () => {
    const decoder = new HpackDecoder(64);
    decodeAll(decoder, bytes(ENTRY));
    const long = Buffer.concat([bytes('40 01 61 50'), Buffer.alloc(80, 0x62)]);
    expect(decodeAll(decoder, long)).toEqual([`a: ${'b'.repeat(80)}`]);
    expect(decoder.tableSize).toBe(0);
    expect(decodeAll(decoder, bytes('be'))).toBe('error');
  });

  test('4.4: a name may be taken from the entry that its own insertion evicts', () => {
    const decoder = new HpackDecoder(40);
    decodeAll(decoder, bytes(ENTRY));
    expect(decodeAll(decoder, bytes('7e 02 63 64'))).toEqual(['a: cd']);
  });

  test('a list that is too long is read to its end, for the table, and cut', () => {
    const decoder = new HpackDecoder(4096);
    const fields: Field[] = [];
    const block = bytes('40 01 61 01 62 40 01 63 01 64');
    expect(decoder.decode(block, 0, block.length, fields, 40)).toBe(68);
    expect(fields.map(({ name }) => name)).toEqual(['a']);
    expect(decodeAll(decoder, bytes('be bf'))).toEqual(['c: d', 'a: b']);
  });
});

test('appendix A: the static table', () => {
  expect(STATIC_TABLE).toHaveLength(61);
  const at = (i: number) => `${STATIC_TABLE[i - 1]!.name}=${STATIC_TABLE[i - 1]!.value}`;
  expect([1, 2, 8, 14, 16, 31, 54, 61].map(at)).toEqual([
    ':authority=',
    ':method=GET',
    ':status=200',
    ':status=500',
    'accept-encoding=gzip, deflate',
    'content-type=',
    'server=',
    'www-authenticate=',
  ]);
});

describe('round trips', () => {
  test('any bytes through Huffman', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const text = Buffer.from(raw).toString('latin1');
        const coded = Buffer.alloc(huffmanLength(text));
        expect(huffmanEncode(text, coded, 0)).toBe(coded.length);
        const out = Buffer.alloc(coded.length * 2);
        const length = huffmanDecode(coded, 0, coded.length, out);
        expect(out.toString('latin1', 0, length)).toBe(text);
      }),
    );
  });

  const header = fc.tuple(
    fc.constantFrom(':status', 'content-type', 'grpc-status', 'x-a', 'x-b'),
    fc.oneof(fc.constantFrom('0', '200', 'application/grpc'), fc.string({ maxLength: 60, unit: 'binary-ascii' })),
    fc.constantFrom(Indexing.ADD, Indexing.NONE, Indexing.NEVER),
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.array(header, { maxLength: 8 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 300 }) },
  );

  test('what the encoder writes the decoder reads, whatever sizes the peer asks for on the way', () => {
    check(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder(4096);
        for (const one of steps) {
          if (typeof one === 'number') {
            encoder.setTableSizeMax(one);
            continue;
          }
          encoder.begin();
          for (const [name, value, indexing] of one) encoder.add(name, value, indexing);
          expect(decodeAll(decoder, encoder.finish())).toEqual(one.map(([name, value]) => `${name}: ${value}`));
        }
      }),
    );
  });

  test('4.2: the smallest size of several is told, and the last', () => {
    const encoder = new HpackEncoder();
    encoder.setTableSizeMax(0);
    encoder.setTableSizeMax(100);
    encoder.begin();
    encoder.add(':status', '200', Indexing.NONE);
    expect(encoder.finish().toString('hex')).toBe('203f4588');
  });

  test('bytes at random never throw, and fields never exceed what was sent', () => {
    check(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(4096);
        for (const raw of blocks) {
          const fields: Field[] = [];
          if (decoder.decode(Buffer.from(raw), 0, raw.length, fields, 1 << 20) < 0) return;
          expect(decoder.tableSize).toBeLessThanOrEqual(4096);
        }
      }),
      { runs: 500 },
    );
  });
});
