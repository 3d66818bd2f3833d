/**
 * Brings a decoded value into the form its schema asks for: members it does not name are told and dropped, types are
 * checked, quantities and times made canonical, what is empty and means "not set" left out. One walk does it all, and
 * the value it is given stays as it was.
 *
 * Built-in structs (those with a `ref`) are read as Go reads them, so a wrong type is an UnfitError at once. Everything
 * else belongs to custom resources, whose validation speaks about types later: there only unknown members go.
 */
import { pathText } from './json-text.js';
import type { JsonObject, JsonValue } from './object.js';
import { canonicalQuantity, QuantityError } from './quantity.js';
import type { Schema } from './schema.js';
import { memberOf } from './schema.js';
import { canonicalMicroTime, canonicalTime } from './time-text.js';
import { goField, goType } from './type-words.js';
import { schemaOf } from './types/index.js';

/** The value cannot be read as its schema; the message is what Go's decoder would say. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

export interface ConformOptions {
  /** Nulls and zero values stay: the value is a part of an object, as a configuration to apply is. */
  readonly keepEmpty?: boolean;
}

export interface Conformed {
  readonly value: JsonValue;
  /** Paths of members that the schema does not name, in the order of the text: `spec.replica`. */
  readonly unknown: readonly string[];
}

/** As many unknown members as are told; all are dropped. */
const UNKNOWN_MAX = 100;

/** @throws UnfitError */
export function conform(schema: Schema, value: JsonValue, options: ConformOptions = {}): Conformed {
  const walk = new Walk(schema, options.keepEmpty === true);
  const fitted = walk.take(schema, value, schema.ref !== undefined);
  return { value: fitted ?? {}, unknown: walk.unknown };
}

/** Paths of members that the schema does not name. */
export function unknownMembers(schema: Schema, value: JsonValue): readonly string[] {
  return conform(schema, value, { keepEmpty: true }).unknown;
}

/** The value without the members that its schema does not name; nothing else changes but quantities and times. */
export function prune(schema: Schema, value: JsonObject): JsonObject {
  return conform(schema, value, { keepEmpty: true }).value as JsonObject;
}

const TYPE_META: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['apiVersion', { type: 'string' }],
  ['kind', { type: 'string' }],
]);

class Walk {
  readonly unknown: string[] = [];
  readonly #root: Schema;
  readonly #keepEmpty: boolean;
  readonly #path: (string | number)[] = [];

  constructor(root: Schema, keepEmpty: boolean) {
    this.#root = root;
    this.#keepEmpty = keepEmpty;
  }

  /** @param typed inside a built-in struct */
  take(schema: Schema, value: JsonValue, typed: boolean): JsonValue | undefined {
    switch (schema.type) {
      case 'object':
        return this.#object(schema, value, typed);
      case 'array':
        return this.#array(schema, value, typed);
      case 'any':
        return schema.properties !== undefined && isObject(value) ? this.#object(schema, value, typed) : value;
      default:
        return typed ? this.#scalar(schema, value) : value;
    }
  }

  #object(schema: Schema, value: JsonValue, typed: boolean): JsonValue {
    if (!isObject(value)) {
      if (typed || schema.ref !== undefined) throw this.#mismatch(schema, value);
      return value;
    }
    const struct = schema.properties !== undefined;
    if (!struct && schema.additionalProperties === undefined) return value;
    const inner = typed || schema.ref !== undefined;
    // A custom resource's own words about its metadata only restrict it.
    const whole = schema.embedded === true || (schema === this.#root && !inner);
    const out: JsonObject = {};
    for (const name of Object.keys(value)) {
      const item = value[name];
      if (item === undefined) continue;
      this.#path.push(name);
      const member = (whole ? typeMember(name) : undefined) ?? memberOf(schema, name);
      if (member === undefined) {
        if (schema.preserveUnknown) out[name] = item;
        else if (this.unknown.length < UNKNOWN_MAX) this.unknown.push(pathText(this.#path));
      } else {
        const kept = struct ? this.#member(member, item, inner) : this.#element(member, item, inner);
        if (kept !== undefined) out[name] = kept;
      }
      this.#path.pop();
    }
    return out;
  }

  /** Of a struct: what is empty and has no `presence` goes. */
  #member(schema: Schema, value: JsonValue, typed: boolean): JsonValue | undefined {
    if (value === null) return typed && !this.#keepEmpty ? undefined : null;
    const kept = this.take(schema, value, typed || schema.ref !== undefined);
    const mayGo = typed && !this.#keepEmpty && schema.presence !== true && schema.always !== true;
    return mayGo && kept !== undefined && isEmpty(schema, kept) ? undefined : kept;
  }

  /** Of a list or a map: it never goes; null is the zero of its type. */
  #element(schema: Schema, value: JsonValue, typed: boolean): JsonValue | undefined {
    if (value !== null) return this.take(schema, value, typed || schema.ref !== undefined);
    return typed && !this.#keepEmpty ? zeroOf(schema) : null;
  }

  #array(schema: Schema, value: JsonValue, typed: boolean): JsonValue {
    if (!Array.isArray(value)) {
      if (typed) throw this.#mismatch(schema, value);
      return value;
    }
    const { items } = schema;
    if (items === undefined) return value;
    return value.map((item, index) => {
      this.#path.push(index);
      const kept = this.#element(items, item, typed);
      this.#path.pop();
      return kept ?? null;
    });
  }

  #scalar(schema: Schema, value: JsonValue): JsonValue {
    switch (schema.type) {
      case 'string':
        return this.#string(schema, value);
      case 'boolean':
        if (typeof value === 'boolean') return value;
        break;
      case 'number':
        if (typeof value === 'number') return value;
        break;
      case 'integer':
        if (typeof value === 'number' && fitsInteger(schema, value)) return value;
        break;
      case 'int-or-string':
        if (typeof value === 'string') return value;
        if (typeof value === 'number' && fitsInteger(INT_32, value)) return value;
        throw new UnfitError(`json: cannot unmarshal ${jsonWord(value)} into Go value of type int32`);
    }
    throw this.#mismatch(schema, value);
  }

  #string(schema: Schema, value: JsonValue): JsonValue {
    const { format } = schema;
    if (format === 'quantity') return quantity(value);
    if (typeof value !== 'string') {
      if (format !== 'date-time' && format !== 'micro-time') throw this.#mismatch(schema, value);
      throw new UnfitError(`json: cannot unmarshal ${jsonWord(value)} into Go value of type string`);
    }
    if (format === 'date-time') return time(value, canonicalTime(value), '2006-01-02T15:04:05Z07:00');
    if (format === 'micro-time') return time(value, canonicalMicroTime(value), '2006-01-02T15:04:05.000000Z07:00');
    return format === 'byte' ? base64(value) : value;
  }

  #mismatch(schema: Schema, value: JsonValue): UnfitError {
    const word = jsonWord(value, schema.type === 'integer');
    const field = goField(this.#root, this.#path);
    return new UnfitError(`json: cannot unmarshal ${word} into Go ${field} of type ${goType(schema)}`);
  }
}

/** What every object has. */
function typeMember(name: string): Schema | undefined {
  return name === 'metadata' ? schemaOf('meta.v1/ObjectMeta') : TYPE_META.get(name);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const INT_32: Schema = { type: 'integer', format: 'int32' };

function fitsInteger(schema: Schema, value: number): boolean {
  if (!Number.isInteger(value)) return false;
  switch (schema.format) {
    case 'int32':
      return value >= -0x8000_0000 && value <= 0x7fff_ffff;
    case 'uint32':
      return value >= 0 && value <= 0xffff_ffff;
    case 'uint64':
      return value >= 0 && value < 2 ** 64;
    default:
      // 2^63-1 itself is read as 2^63.
      return value >= -(2 ** 63) && value <= 2 ** 63;
  }
}

function isEmpty(schema: Schema, value: JsonValue): boolean {
  if (value === '' || value === 0 || value === false || value === null) return schema.type !== 'any';
  // A quantity without presence is a struct, and its zero is written.
  if (schema.type === 'any' || typeof value !== 'object') return false;
  return Array.isArray(value) ? value.length === 0 : isBare(value);
}

function isBare(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}

function zeroOf(schema: Schema): JsonValue | undefined {
  switch (schema.type) {
    case 'object':
      return {};
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'any':
      return null;
    default:
      return schema.format === 'quantity' ? '0' : schema.format === 'date-time' ? null : '';
  }
}

/** @param exact a number that is no integer is told itself */
function jsonWord(value: JsonValue, exact = false): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return exact ? `number ${value}` : 'number';
  return value === null ? 'null' : typeof value;
}

function quantity(value: JsonValue): string {
  try {
    // A bare number is taken by its text.
    return canonicalQuantity(typeof value === 'string' ? value : JSON.stringify(value));
  } catch (error) {
    if (error instanceof QuantityError) throw new UnfitError(error.message);
    throw error;
  }
}

function time(text: string, canonical: string | undefined, layout: string): string {
  if (canonical !== undefined) return canonical;
  const quoted = JSON.stringify(text);
  throw new UnfitError(`parsing time ${quoted} as "${layout}": cannot parse ${quoted} as "2006"`);
}

function base64(text: string): string {
  const bare = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, '') : text;
  const bad = /[^A-Za-z0-9+/]/.exec(bare)?.index ?? bare.length;
  const padding = bare.slice(bad);
  const whole = bare.length % 4 === 0 && (padding === '' || padding === '=' || padding === '==');
  if (!whole) throw new UnfitError(`illegal base64 data at input byte ${bad}`);
  return bare;
}
