/**
 * Custom resources held against the schema of their definition. The texts are those of the validator that the API
 * server has used since custom resources have schemas: clients and tests compare them.
 */
import type { FieldError } from '../machinery/field-error.js';
import { duplicate, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../machinery/field-error.js';
import { equalJson, getMember, isJsonObject } from '../machinery/json-value.js';
import type { JsonObject, JsonValue, KubeObject } from '../machinery/object.js';
import { hasFormat } from './formats.js';

/** @param source the openAPIV3Schema */
export function validateCustom(source: JsonObject, object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  check(source, object as JsonObject, '', errors);
  return errors;
}

function check(schema: JsonObject, value: JsonValue, path: string, errors: FieldError[]): void {
  const found = typeName(value);
  if (!hasType(schema, value, found)) {
    const wanted = schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : String(schema.type);
    errors.push(typeInvalid(path, found, `${where(path)} must be of type ${wanted}: ${JSON.stringify(found)}`));
  }
  // Whatever else is asked of values is asked also of one of the wrong type, but for null.
  checkEnum(schema, value, path, errors);
  if (value === null) return;
  if (typeof value === 'string') checkString(schema, value, path, errors);
  else if (typeof value === 'number') checkNumber(schema, value, path, errors);
  else if (Array.isArray(value)) checkList(schema, value, path, errors);
  else if (isJsonObject(value)) checkObject(schema, value, path, errors);
  checkCombined(schema, value, path, errors);
}

/** How messages name the place. */
function where(path: string): string {
  return `${path} in body`;
}

function typeName(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(schema: JsonObject, value: JsonValue, found: string): boolean {
  if (value === null && schema.nullable === true) return true;
  if (schema['x-kubernetes-int-or-string'] === true) return found === 'integer' || found === 'string';
  const { type } = schema;
  if (typeof type !== 'string' || type === '')
    return value !== null || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return type === found || (type === 'number' && found === 'integer');
}

function checkEnum(schema: JsonObject, value: JsonValue, path: string, errors: FieldError[]): void {
  const allowed = schema.enum;
  if (!Array.isArray(allowed) || allowed.some((one) => equalJson(one, value))) return;
  const names = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  errors.push(notSupported(path, value, names));
}

/** Patterns are RE2 upstream; what V8 cannot read is refused with the definition. */
const patterns = new Map<string, RegExp | undefined>();
const PATTERNS_MAX = 10_000;

export function compilePattern(pattern: string): RegExp | undefined {
  if (!patterns.has(pattern)) {
    let compiled: RegExp | undefined;
    try {
      compiled = new RegExp(toV8(pattern), 'u');
    } catch {
      try {
        compiled = new RegExp(toV8(pattern));
      } catch {
        compiled = undefined;
      }
    }
    if (patterns.size >= PATTERNS_MAX) patterns.clear();
    patterns.set(pattern, compiled);
  }
  return patterns.get(pattern);
}

/** What RE2 writes differently. */
function toV8(pattern: string): string {
  return pattern
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replaceAll('[[:alnum:]]', '[0-9A-Za-z]')
    .replaceAll('[[:alpha:]]', '[A-Za-z]')
    .replaceAll('[[:digit:]]', '[0-9]');
}

function checkString(schema: JsonObject, value: string, path: string, errors: FieldError[]): void {
  const { pattern, maxLength, minLength, format } = schema;
  const length = typeof maxLength === 'number' || typeof minLength === 'number' ? [...value].length : 0;
  // Of length and pattern the first that does not fit is told.
  if (typeof maxLength === 'number' && length > maxLength) errors.push(tooLong(path, maxLength));
  else if (typeof minLength === 'number' && length < minLength) {
    errors.push(invalid(path, value, `${where(path)} should be at least ${minLength} chars long`));
  } else if (typeof pattern === 'string' && pattern !== '' && compilePattern(pattern)?.test(value) !== true) {
    errors.push(invalid(path, value, `${where(path)} should match '${pattern}'`));
  }
  if (typeof format === 'string' && !hasFormat(value, format)) {
    errors.push(typeInvalid(path, value, `${where(path)} must be of type ${format}: ${JSON.stringify(value)}`));
  }
}

function checkNumber(schema: JsonObject, value: number, path: string, errors: FieldError[]): void {
  const { maximum, minimum, multipleOf } = schema;
  const refuse = (how: string): void => void errors.push(invalid(path, value, `${where(path)} should be ${how}`));
  if (typeof maximum === 'number') {
    if (schema.exclusiveMaximum === true) {
      if (value >= maximum) refuse(`less than ${maximum}`);
    } else if (value > maximum) refuse(`less than or equal to ${maximum}`);
  }
  if (typeof minimum === 'number') {
    if (schema.exclusiveMinimum === true) {
      if (value <= minimum) refuse(`greater than ${minimum}`);
    } else if (value < minimum) refuse(`greater than or equal to ${minimum}`);
  }
  if (typeof multipleOf === 'number' && multipleOf > 0) {
    const times = value / multipleOf;
    if (Math.abs(times - Math.round(times)) > 1e-9) refuse(`a multiple of ${multipleOf}`);
  }
}

function checkList(schema: JsonObject, value: JsonValue[], path: string, errors: FieldError[]): void {
  const { maxItems, minItems, items } = schema;
  if (typeof maxItems === 'number' && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  if (typeof minItems === 'number' && value.length < minItems) {
    errors.push(invalid(path, value.length, `${where(path)} should have at least ${minItems} items`));
  }
  if (isJsonObject(items)) for (let i = 0; i < value.length; i++) check(items, value[i]!, `${path}[${i}]`, errors);
  checkUnique(schema, value, path, errors);
}

function checkUnique(schema: JsonObject, value: JsonValue[], path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as string[];
  const seen = new Set<string>();
  value.forEach((item, i) => {
    const identity = type === 'set' ? item : Object.fromEntries(keys.map((key) => [key, memberOrNothing(item, key)]));
    const text = JSON.stringify(identity);
    if (seen.has(text)) errors.push(duplicate(`${path}[${i}]`, identity));
    seen.add(text);
  });
}

function memberOrNothing(item: JsonValue, key: string): JsonValue | undefined {
  return isJsonObject(item) ? getMember(item, key) : undefined;
}

function checkObject(schema: JsonObject, value: JsonObject, path: string, errors: FieldError[]): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const { properties, additionalProperties, maxProperties, minProperties } = schema;
  const count = Object.keys(value).length;
  if (typeof maxProperties === 'number' && count > maxProperties) errors.push(tooMany(path, count, maxProperties));
  if (typeof minProperties === 'number' && count < minProperties) {
    errors.push(invalid(path, count, `${where(path)} should have at least ${minProperties} properties`));
  }
  for (const name of Array.isArray(schema.required) ? (schema.required as string[]) : []) {
    if (getMember(value, name) === undefined) errors.push(required(at(name)));
  }
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    const named = isJsonObject(properties) ? getMember(properties, name) : undefined;
    const inner = named ?? additionalProperties;
    if (isJsonObject(inner)) check(inner, member, at(name), errors);
  }
}

function checkCombined(schema: JsonObject, value: JsonValue, path: string, errors: FieldError[]): void {
  const tried = (list: JsonValue | undefined): FieldError[][] =>
    Array.isArray(list)
      ? list.map((one) => {
          const found: FieldError[] = [];
          check(one as JsonObject, value, path, found);
          return found;
        })
      : [];
  // These name the place in their text alone; what stands for their field is Go's word for no path.
  const refuse = (rule: string): void => void errors.push(invalid('<nil>', '', `${JSON.stringify(path)} must ${rule}`));
  const all = tried(schema.allOf).filter((found) => found.length > 0);
  if (all.length > 0) {
    errors.push(...all.flat());
    const none = all.length === (schema.allOf as JsonValue[]).length ? '. None validated' : '';
    refuse(`validate all the schemas (allOf)${none}`);
  }
  const any = tried(schema.anyOf);
  if (any.length > 0 && any.every((found) => found.length > 0)) {
    refuse('validate at least one schema (anyOf)');
    errors.push(...fewest(any));
  }
  const one = tried(schema.oneOf);
  const fitting = one.filter((found) => found.length === 0).length;
  if (one.length > 0 && fitting !== 1) {
    const found = fitting === 0 ? 'none valid' : `${fitting} valid alternatives`;
    refuse(`validate one and only one schema (oneOf). Found ${found}`);
    if (fitting === 0) errors.push(...fewest(one));
  }
  if (isJsonObject(schema.not)) {
    const found: FieldError[] = [];
    check(schema.not, value, path, found);
    if (found.length === 0) refuse('not validate the schema (not)');
  }
}

/** Of the alternative that was nearest. */
function fewest(tried: readonly FieldError[][]): FieldError[] {
  return tried.reduce((best, found) => (found.length < best.length ? found : best));
}
