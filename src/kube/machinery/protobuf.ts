/**
 * Bodies of `application/vnd.kubernetes.protobuf`, read into the JSON form by the type tables. Layout: four bytes
 * `k8s\0`, then Unknown {1: TypeMeta {1: apiVersion, 2: kind}, 2: raw, 3: contentEncoding, 4: contentType}; `raw` is
 * the object. Only what stands in the bytes comes out: zero values included, which the fit to the schema drops where
 * they mean "not set".
 */
import { ApiError, badRequest } from './api-error.js';
import { checkName, parseJsonText, TextError } from './json-text.js';
import type { JsonObject, JsonValue } from './object.js';
import { parseApiVersion } from './object.js';
import { BYTES, FIXED64, ProtobufError, ProtobufReader, VARINT } from './protobuf-reader.js';
import { durationText, microTimeText, timeText } from './time-text.js';
import { findMessage, refOf } from './types/groups.js';
import type { Field, FieldType, Message, ScalarType } from './types/line.js';

const MAGIC = Buffer.from('k8s\0', 'latin1');
/** Messages in messages; objects of Kubernetes stay below 20. */
const DEPTH_MAX = 100;

/**
 * The object in a body.
 * @throws ApiError 400 that names the place of the first malformed byte
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  const place: string[] = [];
  try {
    return envelope(body, place, 0);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (!(error instanceof ProtobufError || error instanceof TextError)) throw error;
    const where = place.length === 0 ? 'the envelope' : place.join('.');
    throw badRequest(`the protobuf body cannot be read at ${where}: ${error.message}`);
  }
}

/** @param place grows on the way in and shrinks on the way out: after an error it says where */
function envelope(body: Buffer, place: string[], depth: number): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw new ProtobufError('it does not begin with k8s\\0');
  const reader = new ProtobufReader(body, MAGIC.length);
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  let encoding = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1)) ({ apiVersion, kind } = typeMeta(reader.bytes()));
    else if (tag === tagOf(2)) raw = reader.bytes();
    else if (tag === tagOf(3)) encoding = reader.string();
    else reader.skip(tag & 7);
  }
  if (encoding !== '') throw new ProtobufError(`content encoding ${JSON.stringify(encoding)} is not supported`);
  const { group, version } = parseApiVersion(apiVersion);
  const ref = refOf(group, version, kind);
  if (ref === undefined) {
    throw badRequest(
      kind === ''
        ? "Object 'Kind' is missing in the protobuf body"
        : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  }
  place.push(kind);
  const object = message({ apiVersion, kind }, ref, raw, place, depth);
  place.pop();
  return object;
}

/** Of a field of bytes. */
function tagOf(number: number): number {
  return number * 8 + BYTES;
}

function typeMeta(bytes: Buffer): { apiVersion: string; kind: string } {
  const reader = new ProtobufReader(bytes);
  const type = { apiVersion: '', kind: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1)) type.apiVersion = reader.string();
    else if (tag === tagOf(2)) type.kind = reader.string();
    else reader.skip(tag & 7);
  }
  return type;
}

const plans = new WeakMap<Message, ReadonlyMap<number, Field>>();

function planOf(known: Message): ReadonlyMap<number, Field> {
  let plan = plans.get(known);
  if (plan === undefined) {
    plan = new Map(known.fields.filter((field) => field.number !== 0).map((field) => [field.number, field]));
    plans.set(known, plan);
  }
  return plan;
}

/** Reads a struct into `out`. */
function message(out: JsonObject, ref: string, bytes: Buffer, place: string[], depth: number): JsonObject {
  if (depth > DEPTH_MAX) throw new ProtobufError('exceeded max depth');
  const known = findMessage(ref);
  if (known === undefined) throw new ProtobufError(`no type ${ref}`);
  const plan = planOf(known);
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    const field = plan.get(tag >>> 3);
    if (field === undefined) {
      reader.skip(tag & 7);
      continue;
    }
    place.push(field.name);
    member(out, field, tag & 7, reader, place, depth);
    place.pop();
  }
  return out;
}

function member(
  out: JsonObject,
  field: Field,
  wireType: number,
  reader: ProtobufReader,
  place: string[],
  depth: number,
): void {
  const { name, type } = field;
  if (field.inline && type.of === 'message') {
    expectWire(wireType, BYTES);
    message(out, type.ref, reader.bytes(), place, depth + 1);
  } else if (type.of === 'map') {
    expectWire(wireType, BYTES);
    const map = (out[name] ??= {}) as JsonObject;
    entry(map, type.value, reader.bytes(), place, depth + 1);
  } else if (!field.repeated) {
    // A struct that comes in two pieces is one.
    out[name] = value(type, wireType, reader, place, depth, out[name]) ?? null;
  } else {
    const list = (out[name] ??= []) as JsonValue[];
    if (wireType === BYTES && type.of === 'scalar' && !isBytes(type.scalar)) {
      const packed = new ProtobufReader(reader.bytes());
      while (!packed.done) list.push(scalar(type.scalar, wireOf(type), packed));
    } else {
      list.push(value(type, wireType, reader, place, depth) ?? null);
    }
  }
}

function entry(map: JsonObject, type: FieldType, bytes: Buffer, place: string[], depth: number): void {
  const reader = new ProtobufReader(bytes);
  let key = '';
  let item: JsonValue | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1)) key = reader.string();
    else if (tag >>> 3 === 2) item = value(type, tag & 7, reader, place, depth);
    else reader.skip(tag & 7);
  }
  checkName(key);
  map[key] = item ?? zero(type, place, depth);
}

/** What a map's value is that was left out: a field of no bytes, or the number 0. */
function zero(type: FieldType, place: string[], depth: number): JsonValue {
  const wireType = type.of === 'scalar' ? wireOf(type) : BYTES;
  return value(type, wireType, new ProtobufReader(Buffer.alloc(8)), place, depth) ?? null;
}

function value(
  type: FieldType,
  wireType: number,
  reader: ProtobufReader,
  place: string[],
  depth: number,
  before?: JsonValue,
): JsonValue | undefined {
  if (type.of === 'scalar') return scalar(type.scalar, wireType, reader);
  expectWire(wireType, BYTES);
  if (type.of === 'map') throw new ProtobufError('a map in a map');
  const bytes = reader.bytes();
  const read = SPECIAL[type.ref];
  if (read !== undefined) return read(bytes, place, depth + 1);
  const out = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
  return message(out, type.ref, bytes, place, depth + 1);
}

function isBytes(type: ScalarType): boolean {
  return type === 's' || type === 'y';
}

function wireOf(type: { readonly scalar: ScalarType }): number {
  if (isBytes(type.scalar)) return BYTES;
  return type.scalar === 'd' ? FIXED64 : VARINT;
}

function expectWire(actual: number, wanted: number): void {
  if (actual !== wanted) throw new ProtobufError(`wire type ${actual} where ${wanted} is expected`);
}

function scalar(type: ScalarType, wireType: number, reader: ProtobufReader): JsonValue {
  expectWire(wireType, wireOf({ scalar: type }));
  switch (type) {
    case 's':
      return reader.string();
    case 'y':
      return reader.bytes().toString('base64');
    case 'b':
      return reader.bool();
    case 'i':
      return reader.int32();
    case 'l':
      return reader.int64();
    case 'u':
      return reader.uint32();
    case 'U':
      return reader.uint64();
    case 'd':
      return finite(reader.double());
  }
}

function finite(number: number): number {
  if (!Number.isFinite(number)) throw new ProtobufError('a number that JSON does not have');
  return number;
}

type Special = (bytes: Buffer, place: string[], depth: number) => JsonValue | undefined;

/** Numbers and text of a message of a few scalars; `take` gets each field's number and a reader that stands on it. */
function each(bytes: Buffer, take: (number: number, wireType: number, reader: ProtobufReader) => boolean): void {
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    if (!take(tag >>> 3, tag & 7, reader)) reader.skip(tag & 7);
  }
}

function seconds(bytes: Buffer): { seconds: number; nanos: number } | undefined {
  // A time that is not set is a message without fields.
  if (bytes.length === 0) return undefined;
  const time = { seconds: 0, nanos: 0 };
  each(bytes, (number, wireType, reader) => {
    if (number === 1 && wireType === VARINT) time.seconds = reader.int64();
    else if (number === 2 && wireType === VARINT) time.nanos = reader.int32();
    else return false;
    return true;
  });
  return time;
}

const strings: Special = (bytes) => {
  const list: string[] = [];
  each(bytes, (number, wireType, reader) => {
    if (number !== 1 || wireType !== BYTES) return false;
    list.push(reader.string());
    return true;
  });
  return list;
};

/** The bytes of field 1. */
function first(bytes: Buffer): Buffer {
  let found: Buffer = Buffer.alloc(0);
  each(bytes, (number, wireType, reader) => {
    if (number !== 1 || wireType !== BYTES) return false;
    found = reader.bytes();
    return true;
  });
  return found;
}

const json: Special = (bytes, place, depth) => {
  const raw = first(bytes);
  if (raw.length === 0) return undefined;
  if (raw.subarray(0, MAGIC.length).equals(MAGIC)) return envelope(raw, place, depth);
  return parseJsonText(raw.toString()).value;
};

const SPECIAL: Readonly<Record<string, Special>> = {
  'meta.v1/Time': (bytes) => {
    const time = seconds(bytes);
    return time === undefined ? undefined : timeText(time.seconds);
  },
  'meta.v1/MicroTime': (bytes) => {
    const time = seconds(bytes);
    const micros = Math.floor((time?.nanos ?? 0) / 1000);
    return time === undefined ? undefined : microTimeText(time.seconds, Math.min(Math.max(micros, 0), 999_999));
  },
  'meta.v1/Duration': (bytes) => {
    let duration = 0n;
    each(bytes, (number, wireType, reader) => {
      if (number !== 1 || wireType !== VARINT) return false;
      duration = reader.bigint();
      return true;
    });
    return durationText(duration);
  },
  'resource/Quantity': (bytes) => {
    const text = first(bytes).toString();
    return text === '' ? '0' : text;
  },
  'intstr/IntOrString': (bytes) => {
    const union = { type: 0, number: 0, text: '' };
    each(bytes, (number, wireType, reader) => {
      if (number === 1 && wireType === VARINT) union.type = reader.int64();
      else if (number === 2 && wireType === VARINT) union.number = reader.int32();
      else if (number === 3 && wireType === BYTES) union.text = reader.string();
      else return false;
      return true;
    });
    return union.type === 0 ? union.number : union.text;
  },
  'meta.v1/FieldsV1': json,
  'runtime/RawExtension': json,
  'runtime/JSON': json,
  'meta.v1/Verbs': strings,
  'authentication.v1/ExtraValue': strings,
  'authorization.v1/ExtraValue': strings,
  'certificates.v1/ExtraValue': strings,
};
