import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import * as wire from '../../src/wire/index.js';

/** protobuf.js finds `long` by itself, if it is there; without it, 64-bit numbers would be rounded. */
const Long = protobuf.util.Long as unknown as {
  fromString(digits: string, unsigned: boolean): unknown;
  isLong(value: unknown): value is { isZero(): boolean };
};

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));

/** proto/, read by protobuf.js: what our own codecs are held against. */
export const root = new protobuf.Root();
root.resolvePath = (_, target) => `${PROTO}/${target.slice(target.lastIndexOf('/') + 1)}`;
root.loadSync(
  readdirSync(PROTO).filter((name) => name.endsWith('.proto')),
  { keepCase: true },
);
root.resolveAll();

/** Every codec that the room exports. */
export const codecs: wire.AnyCodec[] = Object.values(wire).filter(
  (it): it is wire.AnyCodec => typeof it === 'object' && it !== null && 'fields' in it && 'known' in it,
);

/** The message that a codec describes, as proto/ has it. Null: the entry of a map, which has no name there. */
export function typeOf(codec: wire.AnyCodec): protobuf.Type | null {
  return codec.name.endsWith('Entry') && codec.name.includes('Response.') ? null : root.lookupType(codec.name);
}

/** The same message encoded by protobuf.js. */
export function oracleEncode(codec: wire.AnyCodec, message: object): Buffer {
  const type = root.lookupType(codec.name);
  return Buffer.from(type.encode(type.create(toProtobuf(codec, message, type))).finish());
}

/**
 * Our message as protobuf.js wants it. It writes whatever is set, so presence is decided here, by
 * what proto/ says: a proto3 scalar that is zero is not there, a proto2 one always is.
 */
function toProtobuf(codec: wire.AnyCodec, message: object, type: protobuf.Type): Record<string, unknown> {
  const from = message as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const field of codec.fields) {
    const described = type.fields[field.proto] as protobuf.Field;
    if (field.oneof !== null && from[field.oneof.tag] !== field.number) continue;
    const value = from[field.oneof?.value ?? field.name];
    if (described instanceof protobuf.MapField) {
      const entries = value as { key: string; value: object }[];
      const inner = described.resolvedType as protobuf.Type;
      const innerCodec = codecs.find((c) => c.name === inner.fullName.slice(1)) as wire.AnyCodec;
      out[field.proto] = Object.fromEntries(entries.map((e) => [e.key, toProtobuf(innerCodec, e.value, inner)]));
      continue;
    }
    if (field.repeated) {
      if ((value as unknown[]).length > 0) {
        out[field.proto] = (value as unknown[]).map((v) => toValue(field, v, described));
      }
      continue;
    }
    if (value === null) continue;
    const converted = toValue(field, value, described);
    const explicit = described.partOf !== null || isProto2(type);
    if (field.kind !== 'message' && isZero(converted) && !explicit) continue;
    // gogo's one exception: bytes that are nil in Go, and the two that are pointers, are not written.
    if (isProto2(type) && Buffer.isBuffer(converted) && converted.length === 0) continue;
    if ((field.proto === 'PrevExist' || field.proto === 'Refresh') && value === false) continue;
    out[field.proto] = converted;
  }
  return out;
}

function toValue(field: wire.NamedField, value: unknown, described: protobuf.Field): unknown {
  switch (field.kind) {
    case 'key':
      return Buffer.from(value as string, 'latin1');
    case 'text':
      return Buffer.from(value as string, 'utf8');
    case 'int':
    case 'wide':
    case 'id':
    case 'uint':
    case 'uid':
      return Long.fromString(String(value), field.kind === 'uint' || field.kind === 'uid');
    case 'message':
      return toProtobuf(
        (field.message as () => wire.AnyCodec)(),
        value as object,
        described.resolvedType as protobuf.Type,
      );
    default:
      return value;
  }
}

function isZero(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.length === 0;
  if (Long.isLong(value)) return value.isZero();
  return value === '' || value === 0 || value === false;
}

const PROTO2 = new Set(['raftpb', 'walpb', 'snappb']);

/** protobuf.js forgets the syntax of a file; these are the proto2 ones. */
export function isProto2(type: protobuf.Type): boolean {
  const name = type.fullName.slice(1);
  return (
    PROTO2.has(name.slice(0, name.indexOf('.'))) || name === 'etcdserverpb.Request' || name === 'etcdserverpb.Metadata'
  );
}
