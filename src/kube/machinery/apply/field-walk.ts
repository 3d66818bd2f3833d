/** From values to field sets: what an applied configuration names, and what differs between two objects. */
import { badRequest } from '../api-error.js';
import { equalJson } from '../json-value.js';
import type { JsonObject, JsonValue } from '../object.js';
import type { Schema } from '../schema.js';
import { memberOf } from '../schema.js';
import type { FieldSet, FieldSetDraft } from './field-set.js';
import { isEmptySet, itemElement, LEAF, SELF } from './field-set.js';

export type Shape = 'leaf' | 'map' | 'list';

/** Does server-side apply look into this value, or is it one field? Without a schema objects are open, lists are not. */
export function shapeOf(schema: Schema | undefined, value: JsonValue | undefined): Shape {
  if (typeof value !== 'object' || value === null) return 'leaf';
  if (Array.isArray(value)) {
    if (schema?.listType !== 'map' && schema?.listType !== 'set') return 'leaf';
    for (const item of value) if (itemElement(schema, item) === undefined) return 'leaf';
    return 'list';
  }
  if (schema === undefined) return 'map';
  if (schema.mapType === 'atomic') return 'leaf';
  return schema.type === 'object' || schema.preserveUnknown === true ? 'map' : 'leaf';
}

/**
 * The fields that an applied configuration owns: its leaves, and items of lists and maps with what is in them.
 * @throws ApiError 400 for an item twice in a list, or without a key
 */
export function appliedFields(schema: Schema, config: JsonObject): FieldSet {
  return appliedNode(schema, config, '', false);
}

function appliedNode(schema: Schema | undefined, value: JsonValue, path: string, self: boolean): FieldSet {
  const shape = mustShapeOf(schema, value, path);
  if (shape === 'leaf') return LEAF;
  const node: FieldSetDraft = {};
  if (shape === 'map') {
    const named = schema?.properties?.();
    for (const name of Object.keys(value as JsonObject)) {
      const member = (value as JsonObject)[name];
      if (member === undefined) continue;
      const item = named?.has(name) !== true;
      const child = appliedNode(schema && memberOf(schema, name), member, `${path}.${name}`, item);
      // An empty list of items is nobody's: there is nothing in it to own. Everything else is a leaf.
      if (isEmptySet(child) && !item && Array.isArray(member) && isOpenList(schema && memberOf(schema, name))) continue;
      // A struct with nothing owned below it.
      node[`f:${name}`] = child;
    }
  } else {
    for (const item of value as JsonValue[]) {
      const element = itemElement(schema as Schema, item)!;
      if (element in node) throw badRequest(`${path}: duplicate entries for key ${keyText(element)}`);
      node[element] = appliedNode(schema?.items, item, path, true);
    }
  }
  if (self && !isEmptySet(node)) node[SELF] = LEAF;
  return node;
}

function isOpenList(schema: Schema | undefined): boolean {
  return schema?.listType === 'map' || schema?.listType === 'set';
}

/** As shapeOf, but a list that should have keys must have them. */
function mustShapeOf(schema: Schema | undefined, value: JsonValue, path: string): Shape {
  const shape = shapeOf(schema, value);
  if (shape === 'leaf' && Array.isArray(value) && isOpenList(schema)) {
    const index = value.findIndex((item) => itemElement(schema!, item) === undefined);
    const keys = (schema?.listMapKeys ?? []).map((key) => `"${key}"`).join(' ');
    const why = schema?.listType === 'set' ? 'set items must be scalars' : `item lacks its keys [${keys}]`;
    throw badRequest(`${path}: element ${index}: ${why}`);
  }
  return shape;
}

function keyText(element: string): string {
  if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
  const keys = Object.entries(JSON.parse(element.slice(2)) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

/** How two objects differ, field by field. */
export interface Comparison {
  /** Added, or with another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** Both are walked once; parts that are the same value in memory are not walked at all. */
export function compareFields(schema: Schema, before: JsonObject, after: JsonObject): Comparison {
  const changed: FieldSetDraft = {};
  const removed: FieldSetDraft = {};
  compareMembers(schema, before, after, changed, removed);
  return { changed, removed };
}

function compareMembers(
  schema: Schema | undefined,
  before: JsonObject,
  after: JsonObject,
  changed: FieldSetDraft,
  removed: FieldSetDraft,
): void {
  const named = schema?.properties?.();
  for (const name in after) {
    const value = after[name];
    if (value === undefined) continue;
    const own = Object.hasOwn(before, name) ? before[name] : undefined;
    const old = own === undefined ? emptyOf(named?.get(name)) : own;
    if (old !== value) compare(schema && memberOf(schema, name), `f:${name}`, old, value, changed, removed);
  }
  for (const name in before) {
    const old = before[name];
    if (old === undefined || (Object.hasOwn(after, name) && after[name] !== undefined)) continue;
    const empty = emptyOf(named?.get(name));
    compare(schema && memberOf(schema, name), `f:${name}`, old, empty, changed, removed);
  }
}

function compare(
  schema: Schema | undefined,
  element: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  changed: FieldSetDraft,
  removed: FieldSetDraft,
): void {
  if (before === undefined) changed[element] = wholeOf(schema, after as JsonValue);
  else if (after === undefined) removed[element] = wholeOf(schema, before);
  else {
    const shape = shapeOf(schema, after);
    if (shape !== shapeOf(schema, before)) {
      changed[element] = wholeOf(schema, after);
      removed[element] = wholeOf(schema, before);
    } else if (shape === 'leaf') {
      if (!equalJson(before, after)) changed[element] = LEAF;
    } else {
      const more: FieldSetDraft = {};
      const less: FieldSetDraft = {};
      if (shape === 'map') compareMembers(schema, before as JsonObject, after as JsonObject, more, less);
      else compareItems(schema as Schema, before as JsonValue[], after as JsonValue[], more, less);
      if (!isEmptySet(more)) changed[element] = more;
      if (!isEmptySet(less)) removed[element] = less;
    }
  }
}

const NO_MEMBERS: JsonObject = {};
const NO_ITEMS: JsonValue[] = [];

/** A struct of a built-in type is there even if nothing is in it, and so is a list that is always printed. */
function emptyOf(schema: Schema | undefined): JsonValue | undefined {
  if (schema === undefined || schema.presence === true) return undefined;
  if (schema.type === 'array') return schema.always === true ? NO_ITEMS : undefined;
  return schema.ref !== undefined && schema.type === 'object' ? NO_MEMBERS : undefined;
}

/** Items that occur twice under one key are compared together, as if they were one field. */
function compareItems(
  schema: Schema,
  before: JsonValue[],
  after: JsonValue[],
  changed: FieldSetDraft,
  removed: FieldSetDraft,
): void {
  const old = byElement(schema, before);
  const now = byElement(schema, after);
  for (const [element, items] of now) {
    const others = old.get(element);
    if (items.length > 1 || (others !== undefined && others.length > 1)) {
      if (!equalJson(items, others)) changed[element] = items.length > 1 ? LEAF : wholeOf(schema.items, items[0]!);
    } else if (others?.[0] !== items[0]) {
      compare(schema.items, element, others?.[0], items[0], changed, removed);
    }
  }
  for (const [element, items] of old) {
    if (!now.has(element)) removed[element] = items.length > 1 ? LEAF : wholeOf(schema.items, items[0]!);
  }
}

function byElement(schema: Schema, list: JsonValue[]): Map<string, JsonValue[]> {
  const items = new Map<string, JsonValue[]>();
  for (const item of list) {
    const element = itemElement(schema, item)!;
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  }
  return items;
}

/** Everything in a value that came or went as a whole, containers included. */
function wholeOf(schema: Schema | undefined, value: JsonValue): FieldSet {
  const shape = shapeOf(schema, value);
  if (shape === 'leaf') return LEAF;
  const node: FieldSetDraft = {};
  if (shape === 'map') {
    for (const name of Object.keys(value as JsonObject)) {
      const member = (value as JsonObject)[name];
      if (member !== undefined) node[`f:${name}`] = wholeOf(schema && memberOf(schema, name), member);
    }
  } else {
    for (const [element, items] of byElement(schema as Schema, value as JsonValue[])) {
      node[element] = items.length > 1 ? LEAF : wholeOf(schema!.items, items[0]!);
    }
  }
  if (isEmptySet(node)) return LEAF;
  node[SELF] = LEAF;
  return node;
}

/** What no manager ever owns. */
const META_NEVER = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'managedFields',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** A root without the fields that nobody owns. @param ignored members of the object, such as `status` */
export function ownable(set: FieldSet, ignored: readonly string[]): FieldSet {
  const { 'f:apiVersion': _a, 'f:kind': _k, ...rest } = set as FieldSetDraft;
  for (const name of ignored) delete rest[`f:${name}`];
  const metadata = rest['f:metadata'];
  if (metadata !== undefined) {
    const kept: FieldSetDraft = { ...metadata };
    delete kept[SELF];
    for (const name of META_NEVER) delete kept[`f:${name}`];
    if (isEmptySet(kept)) delete rest['f:metadata'];
    else rest['f:metadata'] = kept;
  }
  return rest;
}
