/** The entries of metadata.managedFields, and what a write that is no apply does to them. */
import { equalJson, isJsonObject } from '../json-value.js';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../object.js';
import type { Schema } from '../schema.js';
import type { FieldSet } from './field-set.js';
import { differenceOf, equalSets, isEmptySet, LEAF, sortedSet, unionOf } from './field-set.js';
import type { Comparison } from './field-walk.js';
import { compareFields, ownable } from './field-walk.js';

/** More Update entries than these are folded into one. */
export const UPDATE_ENTRIES_MAX = 10;
const FOLDED_MANAGER = 'ancient-changes';
/** Owns what was there when the first apply came to an object that nobody had tracked. */
export const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Who writes: the key of an entry. The apiVersion tells Update entries apart, but not Apply entries. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

export interface TrackedUpdate {
  readonly schema: Schema;
  /** Null on create. */
  readonly old: KubeObject | null;
  /** As it will be stored, but for managedFields: those are what the client sent. */
  readonly object: KubeObject;
  readonly manager: string;
  readonly operation: 'Update';
  /** Empty for the main path. */
  readonly subresource: string;
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** Members of the object that this path cannot write. Default `status` for the main path, `spec` for /status. */
  readonly ignored?: readonly string[];
}

export function ignoredMembers(subresource: string): readonly string[] {
  if (subresource === '') return ['status'];
  return subresource === 'status' ? ['spec'] : [];
}

export function isEntryOf(entry: ManagedFieldsEntry, who: Manager): boolean {
  return (
    entry.manager === who.manager &&
    entry.operation === who.operation &&
    (entry.subresource ?? '') === who.subresource &&
    (who.operation === 'Apply' || entry.apiVersion === who.apiVersion)
  );
}

export function fieldsOf(entry: ManagedFieldsEntry): FieldSet {
  return (entry.fieldsV1 ?? LEAF) as FieldSet;
}

export function makeEntry(who: Manager, fields: FieldSet, time: string | undefined): ManagedFieldsEntry {
  return {
    manager: who.manager,
    operation: who.operation,
    apiVersion: who.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: sortedSet(fields) as JsonObject,
    ...(who.subresource === '' ? {} : { subresource: who.subresource }),
  };
}

/** The same entry with other fields; itself if they are the same, undefined if there are none. */
export function withFields(entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry | undefined {
  if (isEmptySet(fields)) return undefined;
  const before = fieldsOf(entry);
  if (fields === before || equalSets(fields, before)) return entry;
  return { ...entry, fieldsV1: sortedSet(fields) as JsonObject };
}

/** Are all entries such as this code could have written? Clients may send any. */
function areValid(entries: readonly ManagedFieldsEntry[]): boolean {
  return entries.every(
    (entry) =>
      isJsonObject(entry) &&
      (entry.operation === 'Apply' || entry.operation === 'Update') &&
      (entry.fieldsType === undefined || entry.fieldsType === 'FieldsV1') &&
      (entry.fieldsV1 === undefined || isFieldSet(entry.fieldsV1)),
  );
}

function isFieldSet(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  for (const element of Object.keys(value)) {
    if (element !== '.' && !/^[fkvi]:/.test(element)) return false;
    if (!isFieldSet(value[element])) return false;
    if (element.startsWith('k:') || element.startsWith('v:')) {
      try {
        const key: unknown = JSON.parse(element.slice(2));
        if (element.startsWith('k:') && !isJsonObject(key)) return false;
      } catch {
        return false;
      }
    }
  }
  return true;
}

/**
 * Entries to start from: what the client sent, so that managedFields can be edited, or what is stored if it sent none
 * or nonsense. A list with one empty entry asks for a reset; an empty list says nothing.
 */
export function startingEntries(
  old: KubeObject | null,
  object: KubeObject,
  subresource: string,
): readonly ManagedFieldsEntry[] {
  const stored = old?.metadata.managedFields ?? [];
  if (subresource !== '') return stored;
  const sent = object.metadata.managedFields ?? [];
  if (sent.length === 0 || sent === stored) return stored;
  if (sent.length === 1 && isJsonObject(sent[0]) && Object.keys(sent[0]).length === 0) return [];
  if (!Array.isArray(sent) || !areValid(sent)) return stored;
  const owning = sent.filter((entry) => !isEmptySet(fieldsOf(entry)));
  return owning.length === 0 ? stored : owning;
}

/**
 * The managedFields of an object after a create, update or patch: what was added or changed is the manager's alone,
 * what was removed is nobody's. An object that carries none is not tracked until the first apply.
 */
export function trackUpdate(update: TrackedUpdate): ManagedFieldsEntry[] {
  const { schema, old, object, subresource, now } = update;
  const entries = startingEntries(old, object, subresource);
  if (entries.length === 0 && old !== null) return [];
  const comparison = compareFields(schema, (old ?? {}) as JsonObject, object as JsonObject);
  const ignored = update.ignored ?? ignoredMembers(subresource);
  const tracked = recordChange(entries, update, comparison, ignored, now);
  return sortedEntries(foldOldest(tracked));
}

export function recordChange(
  entries: readonly ManagedFieldsEntry[],
  who: Manager,
  comparison: Comparison,
  ignored: readonly string[],
  now: string,
): ManagedFieldsEntry[] {
  const changed = ownable(comparison.changed, ignored);
  const removed = ownable(comparison.removed, ignored);
  if (isEmptySet(changed) && isEmptySet(removed)) return [...entries];
  const result: ManagedFieldsEntry[] = [];
  let mine: ManagedFieldsEntry | undefined;
  for (const entry of entries) {
    if (mine === undefined && isEntryOf(entry, who)) {
      mine = entry;
      continue;
    }
    const left = withFields(entry, differenceOf(differenceOf(fieldsOf(entry), changed), removed));
    if (left !== undefined) result.push(left);
  }
  const fields = differenceOf(unionOf(mine === undefined ? LEAF : fieldsOf(mine), changed), removed);
  if (!isEmptySet(fields)) {
    const time = isEmptySet(changed) ? mine?.time : now;
    result.push(mine !== undefined && isEmptySet(changed) ? withFields(mine, fields)! : makeEntry(who, fields, time));
  }
  return result;
}

/** Entries of the oldest updates become one for each apiVersion, until there are no more than UPDATE_ENTRIES_MAX. */
export function foldOldest(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  const updates = entries.filter((entry) => entry.operation === 'Update' && (entry.subresource ?? '') === '');
  const all = entries.filter((entry) => entry.operation === 'Update');
  let count = all.length;
  if (count <= UPDATE_ENTRIES_MAX) return entries;
  const oldest = updates.sort((a, b) => compareText(a.time ?? '', b.time ?? '') || compareText(a.manager!, b.manager!));
  const gone = new Set<ManagedFieldsEntry>();
  const folded = new Map<string, ManagedFieldsEntry[]>();
  for (const entry of oldest) {
    if (count <= UPDATE_ENTRIES_MAX) break;
    const version = entry.apiVersion ?? '';
    const list = folded.get(version);
    if (list === undefined) folded.set(version, [entry]);
    else {
      list.push(entry);
      count--;
    }
  }
  const made: ManagedFieldsEntry[] = [];
  for (const [apiVersion, list] of folded) {
    if (list.length === 1) continue;
    for (const entry of list) gone.add(entry);
    const who: Manager = { manager: FOLDED_MANAGER, operation: 'Update', apiVersion, subresource: '' };
    const fields = list.reduce((set, entry) => unionOf(set, fieldsOf(entry)), LEAF);
    made.push(makeEntry(who, fields, list[list.length - 1]!.time));
  }
  return [...entries.filter((entry) => !gone.has(entry)), ...made];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Apply entries first, then by age, then by name. */
export function sortedEntries(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  return entries.sort(
    (a, b) =>
      compareText(a.operation ?? '', b.operation ?? '') ||
      compareText(a.time ?? '', b.time ?? '') ||
      compareText(a.manager ?? '', b.manager ?? '') ||
      compareText(a.apiVersion ?? '', b.apiVersion ?? '') ||
      compareText(a.subresource ?? '', b.subresource ?? ''),
  );
}

/** Do two lists say the same, whenever it was said? */
export function equalButTimes(a: readonly ManagedFieldsEntry[], b: readonly ManagedFieldsEntry[]): boolean {
  if (a.length !== b.length) return false;
  const untimed = ({ time: _, ...rest }: ManagedFieldsEntry): unknown => rest;
  const text = (list: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] =>
    [...list].sort((x, y) => compareText(identity(x), identity(y)));
  const left = text(a);
  const right = text(b);
  return left.every((entry, i) => equalJson(untimed(entry), untimed(right[i]!)));
}

function identity(entry: ManagedFieldsEntry): string {
  return [entry.operation, entry.manager, entry.apiVersion, entry.subresource ?? ''].join('\0');
}
