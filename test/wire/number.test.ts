import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reader, Slab, Writer } from '../../src/wire/index.js';
import { check } from '../support/fc.js';
import { varint } from './arbitraries.js';

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.nat(62).chain((bits) => fc.constantFrom(2n ** BigInt(bits), 2n ** BigInt(bits) - 1n, -(2n ** BigInt(bits)))),
  fc.constantFrom(0n, SAFE, SAFE + 1n, SAFE + 2n, -SAFE, -SAFE - 1n, -SAFE - 2n, 2n ** 63n - 1n, -(2n ** 63n)),
);

function clamp(n: bigint): number {
  return Number(n > SAFE ? SAFE : n < -SAFE ? -SAFE : n);
}

describe('numbers of a client saturate, ids are exact', () => {
  test('read', () => {
    check(
      fc.property(int64, (n) => {
        const bytes = varint(n);
        const unsigned = BigInt.asUintN(64, n);
        expect(new Reader(bytes).int()).toBe(clamp(n));
        expect(new Reader(bytes).uint()).toBe(clamp(unsigned));
        expect(new Reader(bytes).id()).toBe(n);
        expect(new Reader(bytes).uid()).toBe(unsigned);
        expect(new Reader(bytes).bool()).toBe(n !== 0n);
        expect(new Reader(bytes).int32()).toBe(Number(BigInt.asIntN(32, n)));
        expect(new Reader(bytes).uint32()).toBe(Number(BigInt.asUintN(32, n)));
      }),
      { runs: 3000 },
    );
  });

  test('written', () => {
    const w = new Writer();
    check(
      fc.property(int64, (n) => {
        w.reset().id(n);
        expect(w.finish()).toEqual(varint(n));
        if (n <= SAFE && n >= -SAFE) {
          w.reset().int(Number(n));
          expect(w.finish()).toEqual(varint(n));
        }
        w.reset().id(BigInt.asUintN(64, n));
        expect(w.finish()).toEqual(varint(n));
        w.reset().varint(Number(BigInt.asUintN(32, n)));
        expect(w.finish()).toEqual(varint(BigInt.asUintN(32, n)));
      }),
      { runs: 3000 },
    );
  });

  test('a varint longer than it must be is read all the same', () => {
    expect(new Reader(Buffer.from('818080808000', 'hex')).int()).toBe(1);
    expect(new Reader(Buffer.from('8100', 'hex')).int()).toBe(1);
    const r = new Reader(Buffer.from('8100', 'hex'));
    expect([r.tag(), r.pos]).toEqual([1, 2]);
  });

  test('minus one takes ten bytes', () => {
    const w = new Writer();
    w.int(-1);
    expect(w.finish().toString('hex')).toBe('ffffffffffffffffff01');
    expect(new Reader(Buffer.from('ffffffffffffffffff01', 'hex')).int()).toBe(-1);
  });
});

describe('the writer', () => {
  test('keeps what it wrote when it grows, in every size', () => {
    check(
      fc.property(fc.array(fc.nat(70_000), { maxLength: 12 }), (sizes) => {
        const w = new Writer();
        const parts = sizes.map((size, i) => Buffer.alloc(size, i + 1));
        for (const part of parts.slice().reverse()) w.bytes(10, part);
        const expected = Buffer.concat(parts.flatMap((p) => [Buffer.from([10]), varint(BigInt(p.length)), p]));
        expect(w.size).toBe(expected.length);
        const out = w.finish();
        expect(out.equals(expected)).toBe(true);
        // What it handed out is not written over by the next message.
        expect(w.size).toBe(0);
        w.bytes(10, Buffer.alloc(100_000, 0xff));
        w.finish();
        expect(out.equals(expected)).toBe(true);
      }),
      { runs: 60 },
    );
  });

  test('a small message does not pin a large buffer', () => {
    const w = new Writer();
    w.bytes(10, Buffer.alloc(3_000_000));
    const big = w.finish();
    expect(big.buffer.byteLength).toBeLessThan(big.length * 1.25);
    w.bytes(10, Buffer.alloc(20));
    expect(w.finish().buffer.byteLength).toBeLessThanOrEqual(65_536);
  });

  test('what is to be kept lies beside its like, and never overlaps', () => {
    const slab = new Slab();
    const w = new Writer();
    const kept = Array.from({ length: 3000 }, (_, i) => {
      w.bytes(10, Buffer.alloc((i * 37) % 5000, i));
      return w.finish(slab);
    });
    for (const [i, bytes] of kept.entries()) {
      const size = (i * 37) % 5000;
      expect(bytes.subarray(bytes.length - size).every((b) => b === (i & 0xff))).toBe(true);
    }
    const small = kept.filter((b) => b.length < 500);
    const slabs = new Set(small.map((b) => b.buffer));
    expect([...slabs].every((b) => b.byteLength === 32_768)).toBe(true);
  });

  test('strings: latin1 one byte a char, UTF-8 as many as it takes', () => {
    const w = new Writer();
    w.latin1(10, 'a\xff\x00');
    expect(w.finish().toString('hex')).toBe('0a0361ff00');
    w.utf8(10, 'é€😀');
    expect(w.finish()).toEqual(Buffer.concat([Buffer.from([10, 9]), Buffer.from('é€😀')]));
    expect(new Reader(Buffer.from('0361ff00', 'hex')).latin1()).toBe('a\xff\x00');
    expect(new Reader(Buffer.from('02c328', 'hex')).utf8()).toBe('�(');
  });
});
