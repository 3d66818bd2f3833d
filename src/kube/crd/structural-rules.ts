/** Is a schema structural, and can this server work with it? Source: structural schemas of CustomResourceDefinitions. */
import type { FieldError } from '../machinery/field-error.js';
import { forbiddenField, invalid, notSupported, required } from '../machinery/field-error.js';
import { isJsonObject } from '../machinery/json-value.js';
import type { JsonObject, JsonValue } from '../machinery/object.js';
import { compilePattern, validateCustom } from './custom-validation.js';

type Level = 'root' | 'field' | 'item';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const UNSUPPORTED = ['id', '$schema', '$ref', 'patternProperties', 'definitions', 'dependencies', 'additionalItems'];
const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};
/** Deeper than this nobody writes schemas; the walk would end the process before the object does. */
const DEPTH_MAX = 100;

/** @param at `spec.versions[0].schema.openAPIV3Schema` */
export function checkStructural(schema: JsonObject, at: string): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, at, 'root', errors, 0);
  if (schema.nullable === true) errors.push(forbiddenField(`${at}.nullable`, 'nullable cannot be true at the root'));
  checkMetadata(schema, at, errors);
  return errors;
}

function walk(schema: JsonObject, at: string, level: Level, errors: FieldError[], depth: number): void {
  if (depth > DEPTH_MAX) {
    errors.push(forbiddenField(at, `schemas may not be nested deeper than ${DEPTH_MAX} levels`));
    return;
  }
  checkType(schema, at, level, errors);
  checkUnsupported(schema, at, errors);
  checkListType(schema, at, errors);
  checkValueRules(schema, at, errors);
  const { properties, additionalProperties, items } = schema;
  if (isJsonObject(properties) && isPresent(additionalProperties)) {
    errors.push(
      forbiddenField(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  }
  if (additionalProperties === false) {
    errors.push(forbiddenField(`${at}.additionalProperties`, 'additionalProperties cannot be set to false'));
  }
  if (level === 'root' && isPresent(additionalProperties)) {
    errors.push(forbiddenField(`${at}.additionalProperties`, 'must not be used at the root'));
  }
  if (isJsonObject(properties)) {
    for (const [name, member] of Object.entries(properties)) {
      if (isJsonObject(member)) walk(member, `${at}.properties[${name}]`, 'field', errors, depth + 1);
    }
  }
  if (isJsonObject(additionalProperties)) {
    walk(additionalProperties, `${at}.additionalProperties`, 'field', errors, depth + 1);
  }
  if (Array.isArray(items))
    errors.push(forbiddenField(`${at}.items`, 'items must be a schema object and not an array'));
  else if (isJsonObject(items)) walk(items, `${at}.items`, 'item', errors, depth + 1);
  else if (schema.type === 'array') errors.push(required(`${at}.items`, 'must be specified'));
  for (const [part, inner] of combined(schema)) walkRestriction(inner, `${at}.${part}`, errors, depth + 1);
  if (schema.default !== undefined && level !== 'root') checkDefault(schema, at, errors);
  else if (schema.default !== undefined) errors.push(forbiddenField(`${at}.default`, 'must not be set at the root'));
}

/** What is not "not set" in the eyes of the API. */
function isPresent(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== '';
}

function checkType(schema: JsonObject, at: string, level: Level, errors: FieldError[]): void {
  const { type } = schema;
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined || type === '') {
    if (!intOrString && (!preserve || level === 'root')) errors.push(required(`${at}.type`, MISSING_TYPE[level]));
  } else if (type === 'null') {
    errors.push(forbiddenField(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'));
  } else if (!TYPES.includes(String(type))) errors.push(notSupported(`${at}.type`, type, TYPES));
  else if (level === 'root' && type !== 'object')
    errors.push(invalid(`${at}.type`, type, 'must be object at the root'));
  else if (intOrString) {
    errors.push(forbiddenField(`${at}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (type !== 'object')
      errors.push(invalid(`${at}.type`, type ?? '', 'must be object if x-kubernetes-embedded-resource is true'));
    if (!preserve && !isJsonObject(schema.properties)) {
      const why =
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
      errors.push(required(`${at}.properties`, why));
    }
  }
}

function checkUnsupported(schema: JsonObject, at: string, errors: FieldError[]): void {
  for (const name of UNSUPPORTED) {
    if (isPresent(schema[name])) errors.push(forbiddenField(`${at}.${name}`, `${name} is not supported`));
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbiddenField(`${at}.uniqueItems`, why));
  }
}

function checkListType(schema: JsonObject, at: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const mapType = schema['x-kubernetes-map-type'];
  if (isPresent(listType)) {
    mustBe('array', 'must be array if x-kubernetes-list-type is specified', schema, at, errors);
    const known = ['atomic', 'set', 'map'];
    if (!known.includes(String(listType))) errors.push(notSupported(`${at}.x-kubernetes-list-type`, listType, known));
    else if (listType === 'map') checkListKeys(schema, keys, at, errors);
  }
  if (Array.isArray(keys) && keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const field = `${at}.x-kubernetes-list-type`;
    errors.push(isPresent(listType) ? invalid(field, listType, why) : required(field, why));
  }
  if (isPresent(mapType)) {
    mustBe('object', 'must be object if x-kubernetes-map-type is specified', schema, at, errors);
    const known = ['atomic', 'granular'];
    if (!known.includes(String(mapType))) errors.push(notSupported(`${at}.x-kubernetes-map-type`, mapType, known));
  }
}

function mustBe(type: string, why: string, schema: JsonObject, at: string, errors: FieldError[]): void {
  if (schema.type === type) return;
  const field = `${at}.type`;
  errors.push(isPresent(schema.type) ? invalid(field, schema.type, why) : required(field, why));
}

function checkListKeys(schema: JsonObject, keys: JsonValue | undefined, at: string, errors: FieldError[]): void {
  if (!Array.isArray(keys) || keys.length === 0) {
    errors.push(required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
    return;
  }
  const items = isJsonObject(schema.items) ? schema.items : {};
  const properties = isJsonObject(items.properties) ? items.properties : {};
  if (!isJsonObject(schema.items)) {
    errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${at}.items.type`, items.type ?? '', why));
    return;
  }
  if (new Set(keys).size < keys.length) {
    errors.push(invalid(`${at}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
  }
  keys.forEach((key) => {
    const member = properties[String(key)];
    if (!isJsonObject(member)) {
      const why = 'entries must all be names of item properties';
      errors.push(invalid(`${at}.x-kubernetes-list-map-keys`, keys, why));
    } else if (member.type === 'array' || member.type === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${at}.items.properties[${String(key)}].type`, items.type, why));
    } else if (!(items.required as JsonValue[] | undefined)?.includes(key) && member.default === undefined) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(`${at}.items.properties[${String(key)}].default`, why));
    }
  });
}

function checkValueRules(schema: JsonObject, at: string, errors: FieldError[]): void {
  const { pattern } = schema;
  if (typeof pattern === 'string' && pattern !== '' && compilePattern(pattern) === undefined) {
    errors.push(invalid(`${at}.pattern`, pattern, "must be a valid regular expression, but isn't"));
  }
}

function combined(schema: JsonObject): [string, JsonObject][] {
  const parts: [string, JsonObject][] = [];
  for (const name of ['allOf', 'anyOf', 'oneOf']) {
    const list = schema[name];
    if (!Array.isArray(list)) continue;
    list.forEach((one, i) => {
      if (isJsonObject(one)) parts.push([`${name}[${i}]`, one]);
    });
  }
  if (isJsonObject(schema.not)) parts.push(['not', schema.not]);
  return parts;
}

const NOT_IN_RESTRICTIONS: readonly (readonly [string, string])[] = [
  ['description', 'must be empty to be structural'],
  ['type', 'must be empty to be structural'],
  ['title', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be undefined to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
];

/** Inside allOf, anyOf, oneOf and not there are restrictions of values, no shapes. */
function walkRestriction(schema: JsonObject, at: string, errors: FieldError[], depth: number): void {
  if (depth > DEPTH_MAX) return;
  // The one shape that is allowed: how the alternatives of int-or-string are spelt.
  const anyOfIntOrString = /\.anyOf\[\d+\]$/.test(at) && Object.keys(schema).every((name) => name === 'type');
  for (const [name, why] of NOT_IN_RESTRICTIONS) {
    if (name === 'type' && anyOfIntOrString && (schema.type === 'integer' || schema.type === 'string')) continue;
    if (isPresent(schema[name])) errors.push(forbiddenField(`${at}.${name}`, why));
  }
  checkUnsupported(schema, at, errors);
  checkValueRules(schema, at, errors);
  for (const [name, member] of Object.entries(isJsonObject(schema.properties) ? schema.properties : {})) {
    if (isJsonObject(member)) walkRestriction(member, `${at}.properties[${name}]`, errors, depth + 1);
  }
  if (isJsonObject(schema.items)) walkRestriction(schema.items, `${at}.items`, errors, depth + 1);
  for (const [part, inner] of combined(schema)) walkRestriction(inner, `${at}.${part}`, errors, depth + 1);
}

/** A default must fit its own schema, or no object would be valid. */
function checkDefault(schema: JsonObject, at: string, errors: FieldError[]): void {
  if (schema.default === null && schema.nullable === true) return;
  const wrapped = { type: 'object', properties: { default: schema } };
  const found = validateCustom(wrapped, { default: schema.default } as never);
  for (const error of found) errors.push({ ...error, field: `${at}.${error.field}` });
}

/** Schemas say nothing of metadata but how names look. */
function checkMetadata(schema: JsonObject, at: string, errors: FieldError[]): void {
  const metadata = isJsonObject(schema.properties) ? schema.properties.metadata : undefined;
  if (!isJsonObject(metadata)) return;
  const allowed = new Set(['type', 'description', 'properties']);
  const members = isJsonObject(metadata.properties) ? Object.keys(metadata.properties) : [];
  const other = Object.keys(metadata).some((name) => !allowed.has(name) && isPresent(metadata[name]));
  if (other || members.some((name) => name !== 'name' && name !== 'generateName')) {
    const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(`${at}.properties[metadata]`, why));
  }
}
