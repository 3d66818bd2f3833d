/**
 * Sets of fields, kept in the very form in which managedFields carry them (FieldsV1), so that nothing is converted:
 *
 *   { "f:spec": { "f:replicas": {}, "f:containers": { "k:{\"name\":\"c\"}": { ".": {}, "f:image": {} } } } }
 *
 * A node with no members is in the set; a node with members is in the set only if it has the member `.`. The root is
 * never in the set, so an empty root is the empty set. Nodes are shared between sets and never changed once made.
 */
import type { JsonValue } from '../object.js';
import type { Schema } from '../schema.js';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}
/** A set under construction. */
export type FieldSetDraft = { [element: string]: FieldSet };

export const LEAF: FieldSet = Object.freeze({});
export const SELF = '.';

export function isEmptySet(root: FieldSet): boolean {
  for (const _ in root) return false;
  return true;
}

/** Is the node itself in the set (and not only something below it)? Not for the root. */
export function isMember(node: FieldSet): boolean {
  return SELF in node || isEmptySet(node);
}

/** Of two roots. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  return isEmptySet(b) ? a : unionNodes(a, b);
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const result: FieldSetDraft = {};
  if (isMember(a) || isMember(b)) result[SELF] = LEAF;
  for (const element in a) {
    const other = b[element];
    if (element !== SELF) result[element] = other === undefined ? a[element]! : unionNodes(a[element]!, other);
  }
  for (const element in b) if (element !== SELF && !(element in a)) result[element] = b[element]!;
  return simplest(result);
}

/** A node with nothing but itself in it is written as a leaf. */
function simplest(node: FieldSetDraft): FieldSet {
  if (!(SELF in node)) return node;
  for (const element in node) if (element !== SELF) return node;
  return LEAF;
}

/** What is in a and not in b, of two roots. A container that goes does not take its members along. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  return differenceOfNodes(a, b, false) ?? LEAF;
}

function differenceOfNodes(a: FieldSet, b: FieldSet, self: boolean): FieldSet | undefined {
  const result: FieldSetDraft = {};
  let some = false;
  let same = true;
  if (self && isMember(a)) {
    if (isMember(b)) same = false;
    else {
      result[SELF] = LEAF;
      some = true;
    }
  }
  for (const element in a) {
    if (element === SELF) continue;
    const mine = a[element]!;
    const other = b[element];
    const rest = other === undefined ? mine : differenceOfNodes(mine, other, true);
    if (rest !== mine) same = false;
    if (rest === undefined) continue;
    result[element] = rest;
    some = true;
  }
  if (same) return a;
  return some ? simplest(result) : undefined;
}

/** What is in both, of two roots. */
export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  return intersectNodes(a, b, false) ?? LEAF;
}

function intersectNodes(a: FieldSet, b: FieldSet, self: boolean): FieldSet | undefined {
  const result: FieldSetDraft = {};
  let some = false;
  if (self && isMember(a) && isMember(b)) {
    result[SELF] = LEAF;
    some = true;
  }
  for (const element in a) {
    const other = b[element];
    if (element === SELF || other === undefined) continue;
    const both = intersectNodes(a[element]!, other, true);
    if (both === undefined) continue;
    result[element] = both;
    some = true;
  }
  return some ? simplest(result) : undefined;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const element in a) {
    const other = b[element];
    if (other === undefined || !equalSets(a[element]!, other)) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** The same set with its elements sorted, as clients have always seen it. */
export function sortedSet(set: FieldSet): FieldSet {
  const elements = Object.keys(set);
  if (elements.length === 0) return LEAF;
  elements.sort();
  const result: FieldSetDraft = {};
  for (const element of elements) result[element] = sortedSet(set[element]!);
  return result;
}

/** Every path of the set, as messages name them: `.spec.containers[name="c"].image`. */
export function pathsOf(root: FieldSet): string[] {
  const paths: string[] = [];
  walkPaths(root, '', paths);
  return paths;
}

function walkPaths(node: FieldSet, at: string, paths: string[]): void {
  for (const element of Object.keys(node).sort()) {
    if (element === SELF) continue;
    const child = node[element]!;
    const path = at + elementText(element);
    if (isMember(child)) paths.push(path);
    walkPaths(child, path, paths);
  }
}

function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'i:':
      return `[${rest}]`;
    case 'v:':
      return `[=${rest}]`;
    default: {
      const keys = Object.entries(JSON.parse(rest) as Record<string, JsonValue>);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
  }
}

/** Keys of a list's items in the order of their names: that is how elements are written. */
const sortedKeys = new WeakMap<Schema, readonly string[]>();

function keysOf(list: Schema): readonly string[] {
  let keys = sortedKeys.get(list);
  if (keys === undefined) {
    keys = [...(list.listMapKeys ?? [])].sort();
    sortedKeys.set(list, keys);
  }
  return keys;
}

/**
 * The element that stands for an item of a set or map list. Missing keys take the default of their schema.
 * @returns undefined for an item that has none of the keys, or is of the wrong kind
 */
export function itemElement(list: Schema, item: JsonValue): string | undefined {
  if (list.listType === 'set') {
    return typeof item === 'object' && item !== null ? undefined : `v:${JSON.stringify(item)}`;
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  let text = '';
  for (const key of keysOf(list)) {
    const value = item[key] ?? keyDefault(list, key);
    if (value === undefined || value === null) continue;
    if (typeof value === 'object') return undefined;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  return text === '' ? undefined : `k:{${text}}`;
}

/** What a key is when an item leaves it out. */
export function keyDefault(list: Schema, key: string): JsonValue | undefined {
  const schema = list.items?.properties?.().get(key);
  if (schema?.default !== undefined) return schema.default as JsonValue;
  // The one key of built-in lists that clients leave out: ports of containers and services.
  return key === 'protocol' && list.items?.ref?.startsWith('core.v1/') ? 'TCP' : undefined;
}
