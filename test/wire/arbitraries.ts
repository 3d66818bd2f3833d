import fc from 'fast-check';
import type { AnyCodec, NamedField } from '../../src/wire/index.js';

const SAFE = Number.MAX_SAFE_INTEGER;
const EDGES = [0, 1, 127, 128, 16383, 16384, 2 ** 21, 2 ** 28, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 49, SAFE];

const uint = fc.oneof(fc.constantFrom(...EDGES), fc.maxSafeNat(), fc.nat(300));
const int = fc.oneof(
  uint,
  uint.map((n) => 0 - n),
);
const uid = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const id = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }).map((a) => Buffer.from(a)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 120, maxLength: 300 }).map((a) => Buffer.from(a)) },
);
const text = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.string({ maxLength: 20, unit: 'binary-ascii' }),
);

/** A message of the kind, all properties set. */
export function arbitraryMessage(codec: AnyCodec, depth = 3): fc.Arbitrary<object> {
  const plain = codec.fields.filter((f) => f.oneof === null);
  const members = codec.fields.filter((f) => f.oneof !== null);
  const shape = Object.fromEntries(plain.map((f) => [f.name, arbitraryField(f, depth)]));
  return fc.tuple(fc.record(shape), arbitraryMember(members, depth)).map(([a, b]) => codec.make({ ...a, ...b }));
}

function arbitraryField(f: NamedField, depth: number): fc.Arbitrary<unknown> {
  if (!f.repeated) return f.kind === 'message' ? optional(f, depth) : arbitraryValue(f, depth);
  if (f.kind === 'message' && depth === 0) return fc.constant([]);
  const list = fc.array(arbitraryValue(f, depth), { maxLength: 3 });
  return codecOf(f)?.name.endsWith('.StatusesEntry') ? list.map(distinct) : list;
}

/** A map has one value a key; and an object of JavaScript, which protobuf.js makes of it, moves keys like `0` to the front. */
function distinct(entries: unknown[]): unknown[] {
  const named = (entries as { key: string }[]).map((e) => ({ ...e, key: e.key && `/${e.key}` }));
  return [...new Map(named.map((e) => [e.key, e])).values()];
}

function optional(f: NamedField, depth: number): fc.Arbitrary<unknown> {
  // Inside a map, protobuf.js has no value that is absent.
  if (f.number === 2 && f.name === 'value') return arbitraryValue(f, depth);
  return depth === 0 ? fc.constant(null) : fc.option(arbitraryValue(f, depth), { freq: 4 });
}

function arbitraryMember(members: NamedField[], depth: number): fc.Arbitrary<object> {
  const possible = members.filter((f) => f.kind !== 'message' || depth > 0);
  const first = members[0]?.oneof;
  if (!first) return fc.constant({});
  const none = fc.constant({});
  if (possible.length === 0) return none;
  return fc.oneof(
    none,
    ...possible.map((f) =>
      arbitraryValue(f, depth).map((v) => ({ [first.tag]: f.number, [first.value ?? f.name]: v })),
    ),
  );
}

function codecOf(f: NamedField): AnyCodec | null {
  return f.message === null ? null : f.message();
}

function arbitraryValue(f: NamedField, depth: number): fc.Arbitrary<unknown> {
  switch (f.kind) {
    case 'key':
      return bytes.map((b) => b.toString('latin1'));
    case 'bytes':
      return bytes;
    case 'text':
    case 'string':
      return text;
    case 'int':
      return int;
    case 'wide':
      return fc.oneof(
        int,
        id.map((v) => (BigInt(Number(v)) === v && Number.isSafeInteger(Number(v)) ? Number(v) : v)),
      );
    case 'uint':
      return uint;
    case 'id':
      return id;
    case 'uid':
      return uid;
    case 'bool':
      return fc.boolean();
    case 'uint32':
      return fc.nat(2 ** 32 - 1);
    case 'enum':
      return fc.constantFrom(...Object.values(f.enums ?? {}));
    case 'message':
      return arbitraryMessage(codecOf(f) as AnyCodec, depth - 1);
  }
}

/** A whole field that no message of ours knows, of any wire type. */
export const unknownField: fc.Arbitrary<Buffer> = fc.letrec<{ field: Buffer; group: Buffer }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    int64().map((v) => Buffer.concat([tag(0), v])),
    fc.uint8Array({ minLength: 8, maxLength: 8 }).map((v) => Buffer.concat([tag(1), v])),
    fc.uint8Array({ maxLength: 200 }).map((v) => Buffer.concat([tag(2), varint(BigInt(v.length)), v])),
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((v) => Buffer.concat([tag(5), v])),
    tie('group'),
  ),
  group: fc.array(tie('field'), { maxLength: 3 }).map((inner) => Buffer.concat([tag(3), ...inner, tag(4)])),
})).field;

function int64(): fc.Arbitrary<Buffer> {
  return id.map(varint);
}

function tag(wireType: number): Buffer {
  return varint(BigInt(20000 * 8 + wireType));
}

/** The reference: a varint by arithmetic on bigints. */
export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  const out: number[] = [];
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}
