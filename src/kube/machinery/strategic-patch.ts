/**
 * Strategic merge patch: a merge patch that knows which lists are sets and which are tables with a key, with
 * directives among its members:
 *
 *   "$patch": "replace" | "delete"           what becomes of this object, or of the list or item it stands in
 *   "$retainKeys": ["a", "b"]                every other member goes (unions)
 *   "$deleteFromPrimitiveList/f": [..]       values to take out of the set f
 *   "$setElementOrder/f": [..]               the order of f afterwards
 *
 * Source: Kubernetes API conventions, strategic merge patch; compared with the library in kubectl.
 */
import { ApiError, badRequest } from './api-error.js';
import { equalJson, getMember, goText, isJsonObject, setMember } from './json-value.js';
import type { JsonObject, JsonValue } from './object.js';
import type { Schema } from './schema.js';
import { memberOf } from './schema.js';

export const PATCH_DIRECTIVE = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';
export const SET_ORDER = '$setElementOrder/';

/**
 * `original` with the patch merged in. Neither argument is changed; the result shares what it can with both.
 * @param schema of the whole object; members that it does not name merge as in a JSON merge patch
 * @throws ApiError 400 for a patch that does not fit, 422 for lists of lists
 */
export function applyStrategicPatch(schema: Schema, original: JsonObject, patch: JsonObject): JsonObject {
  return mergeObjects(schema, original, patch);
}

function mergeObjects(schema: Schema | undefined, original: JsonObject, patch: JsonObject): JsonObject {
  const directive = patch[PATCH_DIRECTIVE];
  if (directive !== undefined) {
    if (directive === 'replace') {
      const { [PATCH_DIRECTIVE]: _, ...rest } = patch;
      return rest;
    }
    if (directive === 'delete') return {};
    throw badRequest(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
  }
  const result = retained(original, patch);
  const done = new Set<string>([RETAIN_KEYS]);
  for (const name of Object.keys(patch)) {
    if (name.startsWith(SET_ORDER)) mergeOrdered(schema, result, patch, name.slice(SET_ORDER.length), done);
  }
  // Removals first: a value that the patch both removes and adds is there afterwards.
  for (const name of Object.keys(patch)) {
    if (name.startsWith(DELETE_FROM_LIST)) removeScalars(result, patch[name], name.slice(DELETE_FROM_LIST.length));
  }
  for (const name of Object.keys(patch)) {
    if (done.has(name) || name.startsWith(SET_ORDER) || name.startsWith(DELETE_FROM_LIST)) continue;
    const wanted = patch[name];
    if (wanted === undefined) continue;
    if (wanted === null) delete result[name];
    else mergeMember(schema === undefined ? undefined : memberOf(schema, name), result, name, wanted);
  }
  return result;
}

function mergeMember(schema: Schema | undefined, result: JsonObject, name: string, wanted: JsonValue): void {
  const current = getMember(result, name);
  if (isJsonObject(current) && isJsonObject(wanted)) {
    setMember(result, name, mergeObjects(schema, current, wanted));
  } else if (Array.isArray(current) && Array.isArray(wanted)) {
    setMember(result, name, mergeLists(schema, current, wanted));
  } else {
    const plain = withoutDirectives(wanted);
    if (plain !== undefined) setMember(result, name, plain);
  }
}

/** A copy of the original, without the members that $retainKeys does not list. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const list = patch[RETAIN_KEYS];
  if (list === undefined) return { ...original };
  if (!Array.isArray(list)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set<unknown>(list);
  for (const name of Object.keys(patch)) {
    if (name === RETAIN_KEYS || patch[name] === null) continue;
    if (name.startsWith(DELETE_FROM_LIST) || name.startsWith(SET_ORDER)) continue;
    if (!kept.has(name)) throw badRequest('invalid patch format of retainKeys');
  }
  const result: JsonObject = {};
  for (const name of Object.keys(original)) if (kept.has(name)) setMember(result, name, original[name]);
  return result;
}

function removeScalars(result: JsonObject, values: JsonValue | undefined, name: string): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list');
  const current = getMember(result, name);
  if (Array.isArray(current)) {
    setMember(
      result,
      name,
      current.filter((item) => !values.some((value) => equalJson(item, value))),
    );
  }
}

/** A list whose order the patch gives. What the patch says of the list itself is merged here as well. */
function mergeOrdered(
  schema: Schema | undefined,
  result: JsonObject,
  patch: JsonObject,
  name: string,
  done: Set<string>,
): void {
  const order = patch[SET_ORDER + name];
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  const list = schema === undefined ? undefined : memberOf(schema, name);
  if (list === undefined) {
    const struct = schema?.ref?.split('/').pop() ?? 'object';
    throw badRequest(`unable to find api field in struct ${struct} for the json field "${name}"`);
  }
  const key = list.patchMergeKey;
  const current = getMember(result, name);
  const wanted = getMember(patch, name);
  if (wanted !== undefined && wanted !== null && !Array.isArray(wanted)) {
    throw badRequest(`expected a list, but received a ${typeof wanted}`);
  }
  const items = Array.isArray(wanted) ? wanted : undefined;
  if (items !== undefined) mustFollowOrder(items, order, key);
  const before = Array.isArray(current) ? current : [];
  let merged: JsonValue[];
  if (items === undefined) {
    if (!Array.isArray(current) || wanted === null) return;
    merged = removedScalars(patch, name, current);
  } else if (!Array.isArray(current)) merged = withoutDirectives(items) as JsonValue[];
  else merged = mergeLists(list, removedScalars(patch, name, current), items);
  setMember(result, name, inOrder(merged, order, before, key));
  done.add(name);
}

function removedScalars(patch: JsonObject, name: string, current: JsonValue[]): JsonValue[] {
  const values = patch[DELETE_FROM_LIST + name];
  if (!Array.isArray(values)) return current;
  return current.filter((item) => !values.some((value) => equalJson(item, value)));
}

/** Items that the patch only deletes need no place in the order; all others stand in it, one after the other. */
function mustFollowOrder(items: JsonValue[], order: JsonValue[], key: string | undefined): void {
  const placed = items.filter((item) => !(isJsonObject(item) && item[PATCH_DIRECTIVE] !== undefined));
  let at = 0;
  for (const item of placed) {
    while (at < order.length && !sameItem(order[at]!, item, key)) at++;
    if (at === order.length) {
      const detail = `The order in patch list:\n${goText(placed)}\n doesn't match ${SET_ORDER} list:\n${goText(order)}\n`;
      throw badRequest(detail.replace(`${SET_ORDER} `, '$setElementOrder '));
    }
    at++;
  }
}

function mergeLists(schema: Schema | undefined, current: JsonValue[], wanted: JsonValue[]): JsonValue[] {
  if (schema === undefined || (schema.patchMergeKey === undefined && schema.patchMerge !== true)) return wanted;
  if (current.length === 0 && wanted.length === 0) return current;
  const first = current[0] ?? wanted[0];
  if (Array.isArray(first)) {
    throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
  const key = schema.patchMergeKey;
  if (!isJsonObject(first)) {
    const union: JsonValue[] = [];
    for (const item of [...current, ...wanted]) if (!union.some((other) => equalJson(other, item))) union.push(item);
    return inOrder(union, wanted, current, undefined);
  }
  if (key === undefined) throw badRequest(`cannot merge lists without merge key for ${schema.items?.ref ?? 'list'}`);
  const { kept, merging, replace } = specialItems(current, wanted, key);
  if (replace) return merging;
  const merged = [...kept];
  for (const item of merging) {
    const patch = item as JsonObject;
    const at = merged.findIndex((other) => sameItem(other, patch, key));
    if (at >= 0) merged[at] = mergeObjects(schema.items, merged[at] as JsonObject, patch);
    else {
      const plain = withoutDirectives(patch);
      if (plain !== undefined) merged.push(plain);
    }
  }
  return inOrder(merged, merging, kept, key);
}

/** Takes the items that are directives out of the patch's list, and does the deletions among them. */
function specialItems(
  current: JsonValue[],
  wanted: JsonValue[],
  key: string,
): { kept: JsonValue[]; merging: JsonValue[]; replace: boolean } {
  let kept = current;
  let replace = false;
  const merging: JsonValue[] = [];
  for (const item of wanted) {
    if (!isJsonObject(item)) throw badRequest(`expected an object in the list, but found ${goText(item)}`);
    const directive = item[PATCH_DIRECTIVE];
    if (directive === undefined) merging.push(item);
    else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
    else if (directive !== 'delete') {
      throw badRequest(`unknown patch type: ${goText(directive)} in map: ${goText(item)}`);
    } else {
      mustHaveKey(item, key);
      kept = kept.filter((other) => !sameItem(other, item, key));
    }
  }
  if (!replace) {
    for (const item of merging) mustHaveKey(item as JsonObject, key);
    for (const item of kept) mustHaveKey(item as JsonObject, key);
  }
  return { kept, merging, replace };
}

function mustHaveKey(item: JsonObject, key: string): void {
  if (!isJsonObject(item) || getMember(item, key) === undefined) {
    throw badRequest(`map: ${goText(item)} does not contain declared merge key: ${key}`);
  }
}

/** @param key undefined: scalars, compared whole */
export function sameItem(a: JsonValue, b: JsonValue, key: string | undefined): boolean {
  if (key === undefined) return equalJson(a, b);
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const value = getMember(a, key);
  return value !== undefined && equalJson(value, getMember(b, key));
}

/**
 * Items that `order` lists stand in its order. The others keep the order they had in `before`, each put in front of
 * the first listed item that stood behind it there; one that has no such item goes to the end.
 */
function inOrder(items: JsonValue[], order: JsonValue[], before: JsonValue[], key: string | undefined): JsonValue[] {
  const placeIn = (list: JsonValue[], item: JsonValue): number => list.findIndex((other) => sameItem(other, item, key));
  const listed: { item: JsonValue; at: number; was: number }[] = [];
  const others: { item: JsonValue; at: number }[] = [];
  for (const item of items) {
    const at = placeIn(order, item);
    const was = placeIn(before, item);
    if (at >= 0) listed.push({ item, at, was });
    else others.push({ item, at: was });
  }
  listed.sort((a, b) => a.at - b.at);
  others.sort((a, b) => a.at - b.at);
  const result: JsonValue[] = [];
  let next = 0;
  for (const { item, was } of listed) {
    while (next < others.length && was >= 0 && others[next]!.at >= 0 && others[next]!.at < was) {
      result.push(others[next++]!.item);
    }
    result.push(item);
  }
  while (next < others.length) result.push(others[next++]!.item);
  return result;
}

/** What a patch says where there is nothing to patch: no nulls and no directives. Undefined: nothing at all. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (Array.isArray(value)) {
    const list: JsonValue[] = [];
    for (const item of value) {
      const plain = withoutDirectives(item);
      if (plain !== undefined) list.push(plain);
    }
    return list;
  }
  if (!isJsonObject(value)) return value;
  if (value[PATCH_DIRECTIVE] !== undefined) return undefined;
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === null || member === undefined) continue;
    if (name === RETAIN_KEYS || name.startsWith(DELETE_FROM_LIST) || name.startsWith(SET_ORDER)) continue;
    const plain = withoutDirectives(member);
    if (plain !== undefined) setMember(result, name, plain);
  }
  return result;
}
