/** The values of server-side apply: a configuration merged into the live object, and what it no longer names taken out. */
import { getMember, setMember } from '../json-value.js';
import type { JsonObject, JsonValue } from '../object.js';
import type { Schema } from '../schema.js';
import { memberOf } from '../schema.js';
import type { FieldSet } from './field-set.js';
import { isMember, itemElement, keyDefault, SELF } from './field-set.js';
import { shapeOf } from './field-walk.js';

/**
 * The live object with the configuration in it: leaves of the configuration win, null removes, lists with keys and
 * sets are united. Neither argument is changed; whatever did not change is shared with `live`.
 */
export function mergeConfig(schema: Schema | undefined, live: JsonObject, config: JsonObject): JsonObject {
  let result = live;
  const change = (): JsonObject => (result === live ? (result = { ...live }) : result);
  for (const name of Object.keys(config)) {
    const wanted = config[name];
    if (wanted === undefined) continue;
    const current = getMember(live, name);
    if (wanted === null) {
      if (current !== undefined) delete change()[name];
      continue;
    }
    const merged = mergeValue(schema && memberOf(schema, name), current, wanted);
    if (merged !== current) setMember(change(), name, merged);
  }
  return result;
}

function mergeValue(schema: Schema | undefined, live: JsonValue | undefined, config: JsonValue): JsonValue {
  const shape = shapeOf(schema, config);
  if (live !== undefined && shape !== 'leaf' && shapeOf(schema, live) === shape) {
    if (shape === 'map') return mergeConfig(schema, live as JsonObject, config as JsonObject);
    return mergeItems(schema as Schema, live as JsonValue[], config as JsonValue[]);
  }
  if (live === config) return config;
  return shape === 'map' ? mergeConfig(schema, {}, config as JsonObject) : config;
}

/**
 * Items of the configuration in its order. An item of the live list alone stays where it was: in front of the next
 * item of the configuration that follows it in the live list. A cursor walks the live list once for that.
 */
function mergeItems(schema: Schema, live: JsonValue[], config: JsonValue[]): JsonValue[] {
  const wanted = new Set(config.map((item) => itemElement(schema, item)));
  const places = new Map<string, number>();
  live.forEach((item, i) => {
    const element = itemElement(schema, item)!;
    if (!places.has(element)) places.set(element, i);
  });
  const result: JsonValue[] = [];
  let cursor = 0;
  const walkTo = (end: number): void => {
    for (; cursor < end; cursor++) {
      if (!wanted.has(itemElement(schema, live[cursor]!))) result.push(live[cursor]!);
    }
  };
  // For each item of the configuration: where the live list has it, or the next one after it that it has.
  const targets = new Array<number>(config.length);
  let next = live.length;
  for (let i = config.length - 1; i >= 0; i--) {
    next = places.get(itemElement(schema, config[i]!)!) ?? next;
    targets[i] = next;
  }
  config.forEach((item, i) => {
    const target = targets[i]!;
    walkTo(target < cursor ? live.length : target);
    const place = places.get(itemElement(schema, item)!);
    if (place === cursor) cursor++;
    const current = place === undefined ? undefined : live[place]!;
    result.push(mergeValue(schema.items, current, item));
  });
  walkTo(live.length);
  return result.length === live.length && result.every((item, i) => item === live[i]) ? live : result;
}

/**
 * Takes out of a value what its manager owned before and names no more, as far as nobody else owns it.
 * @param gone what the manager owned and no longer names
 * @param owned what all managers own now
 * @returns undefined when nothing is left in it
 */
export function prune(
  schema: Schema | undefined,
  value: JsonValue,
  gone: FieldSet,
  owned: FieldSet | undefined,
): JsonValue | undefined {
  const shape = shapeOf(schema, value);
  if (shape === 'leaf') return value;
  return shape === 'map'
    ? pruneMembers(schema, value as JsonObject, gone, owned)
    : pruneItems(schema as Schema, value as JsonValue[], gone, owned);
}

function pruneMembers(
  schema: Schema | undefined,
  value: JsonObject,
  gone: FieldSet,
  owned: FieldSet | undefined,
): JsonObject | undefined {
  const named = schema?.properties?.();
  const result = { ...value };
  let removed = false;
  for (const element in gone) {
    const name = element.slice(2);
    const current = element === SELF || !element.startsWith('f:') ? undefined : getMember(value, name);
    if (current === undefined) continue;
    const left = pruneOne(
      schema && memberOf(schema, name),
      current,
      gone[element]!,
      owned?.[element],
      named?.has(name) === true,
    );
    if (left === undefined) {
      delete result[name];
      removed = true;
    } else setMember(result, name, left);
  }
  return removed && Object.keys(result).length === 0 ? undefined : result;
}

function pruneItems(
  schema: Schema,
  value: JsonValue[],
  gone: FieldSet,
  owned: FieldSet | undefined,
): JsonValue[] | undefined {
  const result: JsonValue[] = [];
  for (const item of value) {
    const element = itemElement(schema, item)!;
    const lost = gone[element];
    const left = lost === undefined ? item : pruneOne(schema.items, item, lost, owned?.[element], false, schema);
    if (left !== undefined) result.push(left);
  }
  return result.length === 0 && value.length > 0 ? undefined : result;
}

/**
 * A member that its struct names goes with its last owned field. An item of a list or map goes when nobody owns the
 * item itself any more, even if others own something in it: half a container would be of no use.
 */
function pruneOne(
  schema: Schema | undefined,
  value: JsonValue,
  gone: FieldSet,
  owned: FieldSet | undefined,
  struct: boolean,
  list?: Schema,
): JsonValue | undefined {
  if (struct ? owned === undefined : isMember(gone) && (owned === undefined || !isMember(owned))) return undefined;
  const left = prune(schema, value, gone, owned);
  if (left === undefined || list?.listMapKeys === undefined) return left;
  // An item that stays because of others stays with its keys, but for those that have a default.
  const item = { ...(left as JsonObject) };
  for (const key of list.listMapKeys) {
    const keyValue = getMember(value as JsonObject, key);
    if (keyValue !== undefined && keyDefault(list, key) === undefined) setMember(item, key, keyValue);
  }
  return item;
}
