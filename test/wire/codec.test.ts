import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnyCodec } from '../../src/wire/index.js';
import { EMPTY, Entry, Reader, WireError } from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import { arbitraryMessage, unknownField } from './arbitraries.js';
import { codecs, oracleEncode, root, typeOf } from './oracle.js';

const named = codecs.filter((c) => typeOf(c) !== null).map((c): [string, AnyCodec] => [c.name, c]);

/** A message to compare by: but for an entry's own bytes, which are made when they are needed. */
function plain(message: object): string {
  return JSON.stringify(message, (_, value) => {
    if (value instanceof Entry) return { type: value.type, term: value.term, index: value.index, data: value.data };
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

/** So that the decoders see input that does not begin at the start of its ArrayBuffer, nor end at its end. */
function embedded(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length);
}

describe.each(named)('%s', (_, codec) => {
  test('encodes as protobuf.js does, and decodes to the same', () => {
    check(
      fc.property(arbitraryMessage(codec), (message) => {
        const bytes = codec.encode(message);
        expect(bytes.toString('hex')).toBe(oracleEncode(codec, message).toString('hex'));
        expect(plain(codec.decode(embedded(bytes)))).toBe(plain(message));
      }),
      { runs: 60, file: 'test/wire/codec.test.ts' },
    );
  });

  test('skips fields it does not know, wherever they are', () => {
    check(
      fc.property(arbitraryMessage(codec), unknownField, unknownField, (message, before, after) => {
        const bytes = codec.encode(message);
        const decoded = codec.decode(Buffer.concat([before, bytes, after]));
        expect(plain(decoded)).toBe(plain(codec.decode(bytes)));
      }),
      { runs: 10, file: 'test/wire/codec.test.ts' },
    );
  });

  test('of bytes cut short or damaged it says so, and nothing worse', () => {
    let refused = 0;
    check(
      fc.property(arbitraryMessage(codec), fc.nat(), fc.nat(255), (message, at, value) => {
        const bytes = codec.encode(message);
        for (let cut = 0; cut < bytes.length; cut++) refused += Number(!survives(codec, bytes.subarray(0, cut)));
        if (bytes.length === 0) return;
        bytes[at % bytes.length] = value;
        survives(codec, bytes);
      }),
      { runs: 15, file: 'test/wire/codec.test.ts' },
    );
    if (codec.fields.length > 0) expect(refused).toBeGreaterThan(0);
  });

  test('makes messages of one shape', () => {
    const names = Object.keys(codec.make());
    expect(Object.keys(codec.decode(EMPTY))).toEqual(names);
    check(
      fc.property(arbitraryMessage(codec), (message) => {
        expect(Object.keys(codec.decode(codec.encode(message)))).toEqual(names);
      }),
      { runs: 5, file: 'test/wire/codec.test.ts' },
    );
    for (const value of Object.values(codec.make())) expect(value).not.toBeUndefined();
  });
});

test('random bytes: a message or a WireError, and the same verdict as a plain reading', () => {
  let [good, bad] = [0, 0];
  check(
    fc.property(fc.constantFrom(...named.map(([, c]) => c)), fc.uint8Array({ maxLength: 60 }), (codec, bytes) => {
      if (survives(codec, Buffer.from(bytes))) good++;
      else bad++;
    }),
    { runs: 5000 },
  );
  expect(good).toBeGreaterThan(50);
  expect(bad).toBeGreaterThan(50);
});

test('the last of two scalars wins, as do the last of two messages and the last member of a oneof', () => {
  for (const [name, codec] of named) {
    if (name === 'etcdserverpb.Compare' || codec.fields.some((f) => f.repeated || f.oneof || f.always)) continue;
    check(
      fc.property(arbitraryMessage(codec), arbitraryMessage(codec), (a, b) => {
        const [first, second] = [codec.encode(a), codec.encode(b)];
        const decoded = codec.decode(Buffer.concat([first, second]));
        const set = new Set(tagsOf(second));
        for (const f of codec.fields) {
          expect(decoded[f.name]).toEqual((set.has(f.number) ? b : a)[f.name as keyof typeof b]);
        }
      }),
      { runs: 5 },
    );
  }
});

/** The numbers of the fields at the top of a message. */
function tagsOf(bytes: Buffer): number[] {
  const r = new Reader(bytes);
  const out: number[] = [];
  while (r.pos < r.end) {
    const tag = r.tag();
    out.push(tag >>> 3);
    r.skip(tag, { name: 'any', fields: {} });
  }
  return out;
}

/** Whether the bytes decode. Anything but a WireError fails the test. */
function survives(codec: AnyCodec, bytes: Buffer): boolean {
  try {
    codec.decode(bytes);
    return true;
  } catch (err) {
    if (!(err instanceof WireError) || err.code !== 'ERR_WIRE' || err.message === '') throw err;
    return false;
  }
}

test('protobuf.js accepts what we write, and reads the same map', () => {
  const type = root.lookupType('grpc.health.v1.HealthListResponse');
  const codec = codecs.find((c) => c.name === 'grpc.health.v1.HealthListResponse') as AnyCodec;
  const bytes = codec.encode({ statuses: [{ key: '', value: { status: 1 } }] });
  expect(type.toObject(type.decode(bytes), { enums: String })).toEqual({ statuses: { '': { status: 'SERVING' } } });
});
