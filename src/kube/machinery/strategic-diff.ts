/**
 * Strategic merge patches made from objects. Two-way: what leads from one object to another. Three-way, as
 * `kubectl apply` does it from the client's side: what leads from the live object to the wanted one, where only that
 * is removed which was there in the last applied one. Source: row "strategicpatch" of the spec; applying is in
 * strategic-patch.ts.
 */
import { badRequest } from './api-error.js';
import { equalJson, getMember, goText, isJsonObject, setMember } from './json-value.js';
import type { JsonObject, JsonValue } from './object.js';
import type { Schema } from './schema.js';
import { memberOf } from './schema.js';
import { DELETE_FROM_LIST, PATCH_DIRECTIVE, RETAIN_KEYS, SET_ORDER, sameItem } from './strategic-patch.js';

/** A patch that applied to `original` gives `modified`. Members that are null count as absent. */
export function createTwoWayPatch(schema: Schema, original: JsonObject, modified: JsonObject): JsonObject {
  return diffObjects(schema, original, original, modified);
}

/**
 * A patch for `live` that brings in all of `modified` and removes what `lastApplied` had and `modified` has not. What
 * is in `live` alone stays.
 */
export function createThreeWayPatch(
  schema: Schema,
  lastApplied: JsonObject,
  modified: JsonObject,
  live: JsonObject,
): JsonObject {
  return diffObjects(schema, lastApplied, live, modified);
}

/** @param last decides what is removed @param live is what the patch will meet */
function diffObjects(schema: Schema | undefined, last: JsonObject, live: JsonObject, modified: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of Object.keys(modified)) {
    const wanted = modified[name];
    if (wanted === undefined || wanted === null) continue;
    const member = schema === undefined ? undefined : memberOf(schema, name);
    const current = getMember(live, name) ?? undefined;
    const before = getMember(last, name) ?? undefined;
    if (isJsonObject(wanted) && isJsonObject(current)) {
      const inner = diffObjects(member, isJsonObject(before) ? before : {}, current, wanted);
      if (Object.keys(inner).length === 0) continue;
      if (member?.retainKeys === true) inner[RETAIN_KEYS] = presentKeys(wanted);
      setMember(patch, name, inner);
    } else if (Array.isArray(wanted) && Array.isArray(current) && isMerged(member)) {
      diffLists(member as Schema, name, Array.isArray(before) ? before : [], current, wanted, patch);
    } else if (current === undefined || !equalJson(current, wanted)) {
      // Where there is nothing to merge with the patch is the value, and a value has no nulls.
      setMember(patch, name, withoutNulls(wanted));
    }
  }
  for (const name of Object.keys(last)) {
    if (isPresent(last, name) && !isPresent(modified, name)) setMember(patch, name, null);
  }
  return patch;
}

function isMerged(schema: Schema | undefined): boolean {
  return schema?.patchMergeKey !== undefined || schema?.patchMerge === true;
}

function isPresent(object: JsonObject, name: string): boolean {
  const value = getMember(object, name);
  return value !== undefined && value !== null;
}

function presentKeys(object: JsonObject): string[] {
  return Object.keys(object)
    .filter((name) => isPresent(object, name))
    .sort();
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member !== undefined && member !== null) setMember(result, name, withoutNulls(member));
  }
  return result;
}

function diffLists(
  schema: Schema,
  name: string,
  last: JsonValue[],
  live: JsonValue[],
  wanted: JsonValue[],
  patch: JsonObject,
): void {
  const key = schema.patchMergeKey;
  const find = (list: JsonValue[], item: JsonValue): JsonValue | undefined =>
    list.find((other) => sameItem(other, item, key));
  const items: JsonValue[] = [];
  const gone: JsonValue[] = [];
  for (const item of wanted) {
    if (key !== undefined) mustHaveKey(item, key);
    const current = find(live, item);
    if (current === undefined) items.push(withoutNulls(item));
    else if (key !== undefined) {
      const before = find(last, item) ?? {};
      const inner = diffObjects(schema.items, before as JsonObject, current as JsonObject, item as JsonObject);
      if (Object.keys(inner).length === 0) continue;
      inner[key] = (item as JsonObject)[key];
      if (schema.retainKeys === true) inner[RETAIN_KEYS] = presentKeys(item as JsonObject);
      items.push(inner);
    }
  }
  for (const item of last) {
    if (key !== undefined) mustHaveKey(item, key);
    if (find(wanted, item) !== undefined) continue;
    if (key === undefined) gone.push(item);
    else items.push({ [PATCH_DIRECTIVE]: 'delete', [key]: (item as JsonObject)[key] });
  }
  if (items.length > 0) setMember(patch, name, items);
  if (gone.length > 0) patch[DELETE_FROM_LIST + name] = gone;
  if (items.length > 0 || gone.length > 0 || !isInOrder(live, wanted, key)) {
    patch[SET_ORDER + name] =
      key === undefined ? [...wanted] : wanted.map((item) => ({ [key]: (item as JsonObject)[key] }));
  }
}

/** Do the items of `wanted` that `live` has stand in it one after the other? */
function isInOrder(live: JsonValue[], wanted: JsonValue[], key: string | undefined): boolean {
  let at = -1;
  for (const item of wanted) {
    const place = live.findIndex((other) => sameItem(other, item, key));
    if (place < at) return false;
    at = place;
  }
  return true;
}

function mustHaveKey(item: JsonValue, key: string): void {
  if (!isJsonObject(item) || !isPresent(item, key)) {
    throw badRequest(`map: ${goText(item)} does not contain declared merge key: ${key}`);
  }
}
