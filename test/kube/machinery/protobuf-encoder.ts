/** Writes objects as Go clients send them, by the type tables: for round trips and hand-made bodies. */
import { findMessage } from '../../../src/kube/machinery/types/groups.js';
import type { Field, FieldType, ScalarType } from '../../../src/kube/machinery/types/line.js';

type Json = Record<string, unknown>;

export function varint(value: bigint | number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

export function bytesField(number: number, bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes as string);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

export function intField(number: number, value: bigint | number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** A whole body: envelope and object. */
export function encodeBody(ref: string, object: Json): Buffer {
  const { apiVersion, kind, ...rest } = object;
  const typeMeta = Buffer.concat([bytesField(1, String(apiVersion)), bytesField(2, String(kind))]);
  const raw = encodeMessage(ref, rest);
  const magic = Buffer.from('k8s\0', 'latin1');
  return Buffer.concat([magic, bytesField(1, typeMeta), bytesField(2, raw), bytesField(3, ''), bytesField(4, '')]);
}

export function encodeMessage(ref: string, object: Json): Buffer {
  const special = SPECIAL[ref];
  if (special !== undefined) return special(object as unknown);
  const parts: Buffer[] = [];
  for (const field of findMessage(ref)?.fields ?? []) {
    if (field.inline && field.type.of === 'message') {
      parts.push(bytesField(field.number, encodeMessage(field.type.ref, object)));
    } else if (object[field.name] !== undefined) {
      parts.push(...encodeField(field, object[field.name]));
    }
  }
  return Buffer.concat(parts);
}

function encodeField(field: Field, value: unknown): Buffer[] {
  const { number, type } = field;
  if (type.of === 'map') {
    return Object.entries(value as Json).map(([key, item]) =>
      bytesField(number, Buffer.concat([bytesField(1, key), encodeValue(2, type.value, item)])),
    );
  }
  return (field.repeated ? (value as unknown[]) : [value]).map((item) => encodeValue(number, type, item));
}

function encodeValue(number: number, type: FieldType, value: unknown): Buffer {
  if (type.of === 'message') return bytesField(number, encodeMessage(type.ref, value as Json));
  if (type.of === 'map') throw new Error('a map in a map');
  return encodeScalar(number, type.scalar, value);
}

function encodeScalar(number: number, type: ScalarType, value: unknown): Buffer {
  switch (type) {
    case 's':
      return bytesField(number, value as string);
    case 'y':
      return bytesField(number, Buffer.from(value as string, 'base64'));
    case 'b':
      return intField(number, value === true ? 1 : 0);
    case 'd': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return Buffer.concat([varint(number * 8 + 1), bytes]);
    }
    default:
      return intField(number, BigInt(value as number));
  }
}

function encodeTime(value: unknown): Buffer {
  if (value === null) return Buffer.alloc(0);
  const text = value as string;
  const micros = /\.(\d{6})Z$/.exec(text)?.[1] ?? '0';
  return Buffer.concat([
    intField(1, Date.parse(text.slice(0, 19).concat('Z')) / 1000),
    intField(2, Number(micros) * 1000),
  ]);
}

const encodeStrings = (value: unknown): Buffer => Buffer.concat((value as string[]).map((item) => bytesField(1, item)));
const encodeJson = (value: unknown): Buffer => bytesField(1, JSON.stringify(value));

const SPECIAL: Readonly<Record<string, (value: unknown) => Buffer>> = {
  'meta.v1/Time': encodeTime,
  'meta.v1/MicroTime': encodeTime,
  'resource/Quantity': (value) => bytesField(1, value as string),
  'intstr/IntOrString': (value) =>
    typeof value === 'number'
      ? Buffer.concat([intField(1, 0), intField(2, value), bytesField(3, '')])
      : Buffer.concat([intField(1, 1), intField(2, 0), bytesField(3, value as string)]),
  'meta.v1/FieldsV1': encodeJson,
  'runtime/RawExtension': encodeJson,
  'meta.v1/Verbs': encodeStrings,
  'authentication.v1/ExtraValue': encodeStrings,
  'authorization.v1/ExtraValue': encodeStrings,
  'certificates.v1/ExtraValue': encodeStrings,
};
