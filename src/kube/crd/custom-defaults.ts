/** Defaults that a custom resource's schema gives, and nulls that it does not allow. */
import { copyJson, getMember, isJsonObject, setMember } from '../machinery/json-value.js';
import type { JsonObject, JsonValue } from '../machinery/object.js';
import type { Schema } from '../machinery/schema.js';
import { memberOf } from '../machinery/schema.js';

/**
 * Fills in what is absent, or null without being nullable, and has a default; a null that may not be and has none is
 * dropped. Changes the value in place; idempotent.
 */
export function setCustomDefaults(schema: Schema, value: JsonValue | undefined): void {
  if (Array.isArray(value)) {
    if (schema.items === undefined) return;
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && mayReplaceNull(schema.items)) value[i] = copyJson(schema.items.default) as JsonValue;
      setCustomDefaults(schema.items, value[i]);
    }
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, member] of schema.properties?.() ?? []) {
    // Of built-in members (metadata) there are no defaults here.
    if (member.ref !== undefined) continue;
    const current = getMember(value, name);
    if (current === undefined || (current === null && member.nullable !== true)) {
      if (member.default !== undefined) setMember(value, name, copyJson(member.default) as JsonValue);
      else if (current === null && member.source !== undefined) delete value[name];
    }
    setCustomDefaults(member, getMember(value, name));
  }
  if (schema.additionalProperties !== undefined) defaultEntries(schema.additionalProperties, value);
}

function defaultEntries(schema: Schema, value: JsonObject): void {
  for (const name of Object.keys(value)) {
    if (value[name] === null && mayReplaceNull(schema)) setMember(value, name, copyJson(schema.default) as JsonValue);
    setCustomDefaults(schema, value[name]);
  }
}

function mayReplaceNull(schema: Schema): boolean {
  return schema.default !== undefined && schema.nullable !== true;
}

/**
 * The object without members that the schema does not know; itself if there are none. What is in the store may be
 * older than the schema.
 */
export function pruned<T extends JsonValue>(schema: Schema, value: T): T {
  return prune(schema, value) as T;
}

function prune(schema: Schema, value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    if (schema.items === undefined) return value;
    const items = schema.items;
    const list = value.map((item) => prune(items, item));
    return list.every((item, i) => item === value[i]) ? value : list;
  }
  if (!isJsonObject(value) || schema.ref !== undefined || schema.type === 'any') return value;
  let result = value;
  const change = (): JsonObject => (result === value ? (result = { ...value }) : result);
  for (const name of Object.keys(value)) {
    const member = memberOf(schema, name);
    const current = value[name];
    if (member === undefined) {
      if (schema.preserveUnknown !== true) delete change()[name];
    } else if (current !== undefined && current !== null) {
      const left = prune(member, current);
      if (left !== current) setMember(change(), name, left);
    }
  }
  return result;
}
